"""De-identified DICOM: the basic profile of PS3.15 Annex E for one data set (`profile`), for an
export (`export`)."""

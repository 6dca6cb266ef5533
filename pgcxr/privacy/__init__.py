"""Nothing identifying leaves: hashes, text in pixels, the audit, de-identified DICOM."""

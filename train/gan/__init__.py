"""`python -m train.gan`: a Progressive GAN of a cohort, TFRecords or DICOM files."""

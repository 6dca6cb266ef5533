"""Progressive GANs on chest radiographs, from DICOM export to read images."""

__version__ = "0.1.0"

"""One DICOM file: opened without trusting it, decoded as a viewer shows it, brought to 8 or 16
bits."""

from pgcxr.dicom.decoding import decode, gray_table
from pgcxr.dicom.header import Header, read_header
from pgcxr.dicom.reading import NOT_DICOM, REASONS, Rejected

__all__ = ["NOT_DICOM", "REASONS", "Header", "Rejected", "decode", "gray_table", "read_header"]

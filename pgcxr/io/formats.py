"""What a file is, by its first bytes, whatever it is called."""

import os
import re

from pgcxr.errors import InputError
from pgcxr.io import user_files

PREAMBLE, MAGIC = 128, b"DICM"  # PS3.10 7.1
DICOM, PNG, JPEG = "DICOM", "PNG", "JPEG"
# Bytes that tell.
START = PREAMBLE + len(MAGIC)
STARTS = {
    PNG: rb"\x89PNG\r\n\x1a\n",
    JPEG: rb"\xff\xd8\xff",
    "TIFF": rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"(?s:BM.{4}\0{4})",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "PDF": rb"%PDF-",
}


def kind(start: bytes) -> str:
    """DICOM (with PS3.10's prefix, whatever is in front of it), or the name of another format, by
    the first START bytes; "" for all else.

    Example:

        >>> kind(b"II*\\0"), kind(b"II*\\0" + bytes(124) + b"DICM"), kind(b"hello")
        ('TIFF', 'DICOM', '')
    """
    if start[PREAMBLE:START] == MAGIC:
        return DICOM
    return next((name for name, begins in STARTS.items() if re.match(begins, start)), "")


def kind_of(path: str | os.PathLike) -> str:
    """As `kind`, of a file, which is opened; "" for what cannot be read."""
    try:
        with user_files.opened(path, 1 << 50) as file:
            return kind(file.read(START))
    except (InputError, OSError):
        return ""

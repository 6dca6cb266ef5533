"""How much a deflated DICOM file unpacks to (PS3.5 A.5), found out without keeping it: pydicom
unpacks all at once."""

import zlib
from typing import BinaryIO

from pydicom.uid import DeflatedExplicitVRLittleEndian

# Bytes that are read, and unpacked, at a time.
STEP, UNPACKED = 1 << 20, 1 << 24
PREAMBLE = 132
LONG = (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"UC", b"OD", b"OL", b"OV", b"SV", b"UV", b"UR")


def unpacks_to_more(file: BinaryIO, most: int) -> bool:
    """Whether the data set of a file in this transfer syntax has more than `most` bytes; False for
    other files."""
    if not _is_deflated(file):
        return False
    packed, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        while total <= most and not packed.eof:
            part = packed.unconsumed_tail or file.read(STEP)
            if not part:
                break
            total += len(packed.decompress(part, UNPACKED))
    except zlib.error:  # pydicom says so
        return False
    return total > most


def _is_deflated(file: BinaryIO) -> bool:
    """Reads the file meta information (PS3.10 7.1), and leaves `file` at its end."""
    deflated, at = False, PREAMBLE
    while True:
        file.seek(at)
        head = file.read(12)
        if len(head) < 8 or head[:2] != b"\x02\x00":
            file.seek(at)
            return deflated
        long = head[4:6] in LONG
        length = int.from_bytes(head[8:12] if long else head[6:8], "little")
        if head[:4] == b"\x02\x00\x10\x00":
            file.seek(at + 8)
            deflated = (
                file.read(min(length, 64)).strip(b"\0 ") == DeflatedExplicitVRLittleEndian.encode()
            )
        at += (12 if long else 8) + length

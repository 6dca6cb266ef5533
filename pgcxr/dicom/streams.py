"""What a compressed stream says of itself, read before a decoder makes room for it.

JPEG (ISO 10918-1 B.2.2) and JPEG-LS (ISO 14495-1 C.2.2) have the size in their start of frame, JPEG
2000 and HTJ2K (ISO 15444-1 A.5.1) in SIZ. A decoder believes these and not the header of the file,
so that a stream of a hundred bytes could ask it for gigabytes.
"""

import struct

import pydicom
from pydicom.uid import RLELossless

from pgcxr.dicom.reading import Rejected, whole

ITEM = b"\xfe\xff\x00\xe0"
# Start of frame: all but DHT (C4), JPG (C8) and DAC (CC), and JPEG-LS's.
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
END, SCAN = 0xD9, 0xDA
CODESTREAM, JP2, BOXES = b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ", 4096


def check(dataset: pydicom.Dataset) -> None:
    """Compares the first frame of encapsulated pixel data with the header.

    Sets BitsAllocated to what a decoder gives for a stream of its depth, as files also say 16 where
    it has 8 bits, or 8 where it has more.

    Raises:
        Rejected: it is not of the size and the one component that the header says, or too deep.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    bits = depth(dataset)
    if syntax != RLELossless:
        size = of_stream(_first_fragment(dataset.PixelData))
        if size is None:
            raise Rejected("unreadable", "the compressed stream does not say its size")
        if size[2] != 1:
            raise Rejected(
                "unreadable", "the compressed stream is in color where the header says gray"
            )
        if size[:2] != (whole(dataset, "Rows"), whole(dataset, "Columns")):
            raise Rejected(
                "unreadable", "the compressed stream is of another size than the header says"
            )
        if bits is None or bits > 16:
            raise Rejected("unreadable", "the compressed stream is deeper than 16 bits")
        if not _ends(dataset.PixelData):
            raise Rejected("unreadable", "truncated: the compressed stream has no end")
    if bits and bits <= 32:
        dataset.BitsAllocated = 8 if bits <= 8 else 16 if bits <= 16 else 32
        dataset.BitsStored = min(dataset.BitsStored, dataset.BitsAllocated)


def _ends(data: bytes) -> bool:
    """Whether a JPEG or JPEG-LS stream goes to its end marker, which nothing else in coded pixels
    is (ISO 10918-1 B.1.1.2, ISO 14495-1 A.1): decoders fill what is cut off with gray. Those of
    JPEG 2000 refuse it themselves."""
    if _first_fragment(data)[:2] != b"\xff\xd8":
        return True
    scan = data.rfind(b"\xff\xda")
    return scan > 0 and data.find(b"\xff\xd9", scan) > 0


def depth(dataset: pydicom.Dataset) -> int | None:
    """Bits of each value in the stream of encapsulated pixel data; of RLE, those of its byte
    planes (PS3.5 G.2). None where the data is not encapsulated, or does not say."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return None
    stream = _first_fragment(dataset.PixelData)
    if syntax == RLELossless:
        return 8 * int.from_bytes(stream[:4], "little") or None
    head = _head(stream)
    return head[3] if head else None


def of_stream(stream: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and components of a stream; None where it does not say."""
    head = _head(stream)
    return head[:3] if head else None


def _head(stream: bytes) -> tuple[int, int, int, int] | None:
    """Rows, columns, components and bits."""
    try:
        if stream[:8] == JP2:  # a whole file, which is not allowed (PS3.5 A.4.4) but written
            stream = stream[max(stream[:BOXES].find(CODESTREAM), 0) :]
        if stream[:4] == CODESTREAM:
            right, bottom, left, top = struct.unpack_from(">IIII", stream, 8)
            components, bits = struct.unpack_from(">HB", stream, 40)
            return bottom - top, right - left, components, (bits & 0x7F) + 1
        if stream[:2] == b"\xff\xd8":
            return _of_jpeg(stream)
    except (struct.error, IndexError):
        pass
    return None


def _of_jpeg(stream: bytes) -> tuple[int, int, int, int] | None:
    at = 2
    while stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker in FRAMES:
            bits, rows, columns, components = struct.unpack_from(">BHHB", stream, at + 4)
            return rows, columns, components, bits
        if marker in (END, SCAN):
            break
        # Any number of FF may come before a marker.
        length = 0 if marker in WITHOUT_LENGTH else struct.unpack_from(">H", stream, at + 2)[0]
        at += 1 if marker == 0xFF else 2 + length
    return None


def _first_fragment(data: bytes) -> bytes:
    """The first item after the offset table (PS3.5 A.4), up to its own end."""
    if data[:4] != ITEM:
        return b""
    at = 8 + int.from_bytes(data[4:8], "little")
    if data[at : at + 4] != ITEM:
        return b""
    return data[at + 8 : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")]

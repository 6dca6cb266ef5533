"""Files that hold others, or texts among numbers: archives and compressed files, pickles, NumPy's
arrays, TFRecords and TensorBoard's events.

Nothing is run or unpickled, and no header is believed further than there are bytes for it.
"""

import bz2
import gzip
import io
import lzma
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import texts
from pgcxr.privacy.audit.contents.piece import SMALLEST_NUMBER, Inner, Piece, whole

# What damaged archives raise: of their own, of the compressions, of a wrong place or length, of a
# password.
DAMAGED = (
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
)
OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
# APPNOTE.TXT, 4.4.4, bit 11.
UTF8_NAME = 0x800
# Of an array.
LONGEST_HEADER = 1 << 16
# What lies in a message as a file of its own.
FILES = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|PK\x03\x04|\x1f\x8b")
DEEPEST_MESSAGE = 32
# The first record of every event file.
VERSION = b"brain.Event:2"
# Bytes of records whose texts are looked through at once.
BATCH = 1 << 22


def opener(start: bytes) -> Callable | None:
    """What opens a compressed file that begins like this."""
    return next((opened for magic, opened in OPENERS.items() if start.startswith(magic)), None)


def packed(content, where: str, opened: Callable) -> Iterator[Piece | Inner]:
    """What a compressed file holds, and the name that its head may hold."""
    yield from texts.printable(bytes(content[:512]), f"{where} head")
    with opened(io.BytesIO(content)) as file:
        yield whole(file, f"{where} unpacked")


def zipped(content, where: str) -> Iterator[Piece | Inner]:
    """The members of an archive, their names and comments; whatever lies between them is looked
    through too."""
    with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
        yield Piece(f"{where} comment", encodings.decode(archive.comment))
        damaged = None
        for member in archive.infolist():
            extra = encodings.decode(member.comment + b"\n" + member.extra)
            name = member.filename
            if not member.flag_bits & UTF8_NAME:
                # zipfile takes the bytes for those of a DOS.
                name = encodings.decode(name.encode("cp437", errors="replace"))
            yield Piece(f"{where} member name", f"{name}\n{extra}")
            try:
                with archive.open(member) as file:
                    inner = whole(file, f"{where} {member.filename}".strip())
            except DAMAGED as error:  # the others may be whole
                damaged = error
                continue
            yield inner
    if damaged is not None:
        raise damaged


def pickled(content, where: str) -> Iterator[Piece | Inner]:
    """The texts of a pickle, which is read as data: nothing in it is run."""
    values = []
    try:
        for _, argument, _ in pickletools.genops(bytes(content)):
            if isinstance(argument, str):
                values.append(argument)
            elif isinstance(argument, (bytes, bytearray)):
                yield from texts.printable(bytes(argument), where)
            elif isinstance(argument, int) and argument >= SMALLEST_NUMBER:
                values.append(str(argument))
    except Exception:
        yield Piece(where, "\n".join(values))
        raise
    yield Piece(where, "\n".join(values))


def npy(content, where: str) -> Iterator[Piece]:
    """The texts of one array."""
    head = io.BytesIO(bytes(content[: LONGEST_HEADER + 16]))
    old = np.lib.format.read_magic(head) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    dtype = read(head, max_header_size=LONGEST_HEADER)[2]
    begin = head.tell()
    # The names of fields.
    yield Piece(f"{where} header", encodings.decode(bytes(content[10:begin])))
    if dtype.hasobject:
        yield from pickled(content[begin:], where)
    elif dtype.itemsize:
        count = (len(content) - begin) // dtype.itemsize
        array = np.frombuffer(bytes(content[begin : begin + count * dtype.itemsize]), dtype)
        yield from _values(array, where)
        yield from texts.printable(bytes(content[begin + count * dtype.itemsize :]), where)


def _values(array: np.ndarray, where: str) -> Iterator[Piece]:
    if array.dtype.names:
        for name in array.dtype.names:
            yield from _values(array[name], where)
    elif array.dtype.kind == "U":
        yield Piece(where, _lines(array.ravel()))
    elif array.dtype.kind == "S":
        yield Piece(where, encodings.spaced(b"\n".join(array.ravel().tolist())))
    elif array.dtype.kind == "M":
        yield Piece(where, "\n".join(np.unique(np.datetime_as_string(array, unit="D")).tolist()))
    elif array.dtype.kind in "iuf":
        yield from _numbers(array, where)
    else:
        yield from texts.printable(array.tobytes(), where, numbers=True)


def _lines(array: np.ndarray) -> str:
    """[N] texts, a line for each; what is no character, or fills a text up, as a blank."""
    codes = (
        np.ascontiguousarray(array)
        .view(array.dtype.byteorder.replace("|", "=") + "u4")
        .reshape(len(array), -1)
    )
    codes = np.where(
        (codes == 0) | (codes > 0x10FFFF) | (codes >> 11 == 0x1B), ord(" "), codes
    ).astype("<u4")
    ends = np.full((len(codes), 1), ord("\n"), "<u4")
    return np.concatenate([codes, ends], axis=1).tobytes().decode("utf-32-le")


def _numbers(array: np.ndarray, where: str) -> Iterator[Piece]:
    if array.dtype.itemsize >= 4:
        large = array[array >= SMALLEST_NUMBER]
        if array.dtype.kind == "f":
            large = large[np.isfinite(large) & (large == np.floor(large)) & (large < 2**53)].astype(
                np.int64
            )
        if large.size:
            yield Piece(where, "\n".join(map(str, large.tolist())))
    if array.dtype.kind == "f" or array.dtype.itemsize == 1:
        yield from texts.printable(array.tobytes(), where, numbers=True)


def is_record(start: bytes) -> bool:
    """Whether the length at the start is followed by its own checksum, as in a TFRecord file."""
    from pgcxr.cohort.tfrecord import masked_crc32c

    head = np.frombuffer(start[:8], np.uint8)[None]
    return int(masked_crc32c(head)[0]) == int.from_bytes(start[8:12], "little")


def records(content, where: str) -> Iterator[Piece | Inner]:
    """The texts of all records, those of BATCH bytes at a time."""
    at, number, lines, size = 0, 0, [], 0
    while at + 12 <= len(content):
        length = struct.unpack("<Q", content[at : at + 8])[0]
        if at + length + 16 > len(content):
            break
        yield from _message(
            bytes(content[at + 12 : at + 12 + length]), lines, f"{where} record {number}", 0
        )
        at, number, size = at + length + 16, number + 1, size + length
        if size > BATCH:
            yield Piece(f"{where} up to record {number}", "\n".join(lines))
            lines, size = [], 0
    yield Piece(f"{where} up to record {number}", "\n".join(lines))
    # Cut short, or something else behind the records.
    yield from texts.printable(bytes(content[at:]), f"{where} after record {number}")


def _message(content: bytes, lines: list[str], where: str, depth: int) -> Iterator[Piece | Inner]:
    """Appends the texts in a protocol buffer to `found`; yields what lies in images and
    archives."""
    if FILES.match(content):
        yield Inner(where, content)
    elif content == VERSION:
        return
    elif texts.CONTROL.search(content) is None:
        lines.append(encodings.decode(content))
    elif depth < DEEPEST_MESSAGE and (fields := _fields(content)) is not None:
        for field in fields:
            yield from _message(field, lines, where, depth + 1)
    else:
        yield from texts.printable(content, where, numbers=True)


def _fields(content: bytes) -> list[bytes] | None:
    """The length-delimited fields of a message; None where it is none (Protocol Buffers,
    Encoding)."""
    fields, at = [], 0
    while at < len(content):
        key, at = _varint(content, at)
        if at < 0 or not key >> 3 or key >> 32:
            return None
        wire = key & 7
        if wire == 0:
            _, at = _varint(content, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:
            length, at = _varint(content, at)
            fields.append(content[at : at + length])
            at += length
        else:
            return None
        if not 0 <= at <= len(content):
            return None
    return fields


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if not 0 <= at < len(content):
            return 0, -1
        byte = content[at]
        value, at = value | (byte & 0x7F) << shift, at + 1
        if byte < 0x80:
            return value, at
    return 0, -1

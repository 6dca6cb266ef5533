"""TFRecord files, TensorBoard's event files among them, as the texts in their protocol buffers,
whatever the type."""

import re
import struct
from collections.abc import Iterator

import numpy as np

from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import texts
from pgcxr.privacy.audit.contents.piece import Inner, Piece

# What lies in a message as a file of its own.
FILES = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|PK\x03\x04|\x1f\x8b")
DEEPEST = 32
# The first record of every event file.
VERSION = b"brain.Event:2"
# Bytes of records whose texts are looked through at once.
BATCH = 1 << 22


def is_record(start: bytes) -> bool:
    """Whether the length at the start is followed by its own checksum, as in a TFRecord file."""
    from pgcxr.cohort.tfrecord import masked_crc32c

    head = np.frombuffer(start[:8], np.uint8)[None]
    return int(masked_crc32c(head)[0]) == int.from_bytes(start[8:12], "little")


def records(content, where: str) -> Iterator[Piece | Inner]:
    """The texts of all records, those of BATCH bytes at a time."""
    at, number, found, size = 0, 0, [], 0
    while at + 12 <= len(content):
        length = struct.unpack("<Q", content[at : at + 8])[0]
        if at + length + 16 > len(content):
            break
        yield from _message(
            bytes(content[at + 12 : at + 12 + length]), found, f"{where} record {number}", 0
        )
        at, number, size = at + length + 16, number + 1, size + length
        if size > BATCH:
            yield Piece(f"{where} up to record {number}", "\n".join(found))
            found, size = [], 0
    yield Piece(f"{where} up to record {number}", "\n".join(found))
    # Cut short, or something else behind the records.
    yield from texts.printable(bytes(content[at:]), f"{where} after record {number}")


def _message(content: bytes, found: list[str], where: str, depth: int) -> Iterator[Piece | Inner]:
    """Appends the texts in a protocol buffer to `found`; yields what lies in images and
    archives."""
    if FILES.match(content):
        yield Inner(where, content)
    elif content == VERSION:
        return
    elif texts.CONTROL.search(content) is None:
        found.append(encodings.decode(content))
    elif depth < DEEPEST and (fields := _fields(content)) is not None:
        for field in fields:
            yield from _message(field, found, where, depth + 1)
    else:
        yield from texts.printable(content, where, numbers=True)


def _fields(content: bytes) -> list[bytes] | None:
    """The length-delimited fields of a message; None where it is none (Protocol Buffers,
    Encoding)."""
    found, at = [], 0
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
            found.append(content[at : at + length])
            at += length
        else:
            return None
        if not 0 <= at <= len(content):
            return None
    return found


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

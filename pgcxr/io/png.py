"""PNG files by their chunks, without a decoder (PNG specification, 5)."""

import io
import os
import zlib
from collections.abc import Collection, Iterator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(file: BinaryIO, without: Collection[bytes] = ()) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(type, data, checksum) of each chunk, up to IEND or to the end of what is cut short.

    Args:
        file: opened, behind the signature; afterwards behind IEND.
        without: types whose data and checksum are passed over unread, and given as b"".
    """
    kind = b""
    while kind != b"IEND" and len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in without:
            file.seek(length + 4, os.SEEK_CUR)
            yield kind, b"", b""
        else:
            yield kind, file.read(length), file.read(4)


def is_whole(content: bytes) -> bool:
    """Whether every chunk is there, up to the last, with its checksum."""
    file, last = io.BytesIO(content), b""
    if file.read(8) != SIGNATURE:
        return False
    for kind, data, checksum in chunks(file):
        if zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big") != checksum:
            return False
        last = kind
    return last == b"IEND"

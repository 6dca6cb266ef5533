"""Archives, compressed files and pickles, as what lies in them."""

import bz2
import gzip
import io
import lzma
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

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
            yield Piece(f"{where} member name", f"{member.filename}\n{extra}")
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
    found = []
    try:
        for _, argument, _ in pickletools.genops(bytes(content)):
            if isinstance(argument, str):
                found.append(argument)
            elif isinstance(argument, (bytes, bytearray)):
                yield from texts.printable(bytes(argument), where)
            elif isinstance(argument, int) and argument >= SMALLEST_NUMBER:
                found.append(str(argument))
    except Exception:
        yield Piece(where, "\n".join(found))
        raise
    yield Piece(where, "\n".join(found))

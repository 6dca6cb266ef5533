"""`pieces`: the texts of a file, by what its content says that it is and not by its name.

Text (CSV, JSON, TOML, logs) comes as it is, and decoded once more where it holds entities, JSON or
URL escapes; what it holds in base64 as a file within; SVG and HTML without their own markup; PNG
and JPEG images as their metadata without pixels; zip (.keras, .npz), gzip, bzip2, xz, NumPy arrays,
pickles, TFRecords and TensorBoard's files (protocol buffers) and DICOM as the texts inside;
anything else, and what is damaged, as its printable parts.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from pgcxr.errors import InstallationError, fault_of_installation
from pgcxr.io import png
from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import containers, images, texts
from pgcxr.privacy.audit.contents.piece import Inner, Piece, TooMuch

JPEG, ZIP, NPY = b"\xff\xd8\xff", b"PK\x03\x04", b"\x93NUMPY"
DEEPEST = 8


class _Map(mmap.mmap):
    """zipfile asks, and mmap cannot answer before Python 3.13."""

    def seekable(self) -> bool:
        return True


def pieces(path: Path) -> Iterator[Piece]:
    """The texts of a regular file; a large one is never in memory as a whole.

    Raises:
        OSError: it cannot be read.
        TooMuch: something in it cannot be looked through.
    """
    with open(path, "rb") as file:
        start = file.read(8)
        if not start:
            return
        if start == png.SIGNATURE:  # by far the most files: their pixels aren't even read
            yield from _guarded(images.png(file, ""), lambda: path.read_bytes(), "", 0)
            return
        with _Map(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield from of(content, "", 0)


def of(content, where: str, depth: int) -> Iterator[Piece]:
    """The texts of `content` (bytes or a memory map), `depth` files deep in another."""
    if depth > DEEPEST:
        raise TooMuch
    yield from _guarded(_parts(content, where), lambda: bytes(content), where, depth)


def _guarded(parts, raw, where: str, depth: int) -> Iterator[Piece]:
    """The pieces of `parts` and of what lies within; of a file that breaks its reader, the
    printable parts as well."""
    try:
        for part in parts:
            if isinstance(part, Inner):
                yield from of(part.content, part.where, depth + 1)
            else:
                yield part
    except TooMuch:
        raise
    except MemoryError:
        raise TooMuch from None
    except InstallationError:
        raise
    except Exception as error:  # what damaged files do to the libraries that read them has no end
        if fault := fault_of_installation(error):
            raise fault from None
        yield from texts.printable(raw(), where)


def _parts(content, where: str) -> Iterator[Piece | Inner]:
    start = bytes(content[:256])
    if start[:8] == png.SIGNATURE:
        yield from images.png_content(content, where)
    elif start[:3] == JPEG:
        yield from images.jpeg(bytes(content), where)
    elif start[:4] == ZIP:
        yield from containers.zipped(content, where)
    elif packed := containers.opener(start):
        yield from containers.packed(content, where, packed)
    elif start[:6] == NPY:
        yield from containers.npy(content, where)
    elif start[128:132] == b"DICM":
        yield from images.dicom(bytes(content), where)
    elif (
        len(start) > 12
        and 0 < struct.unpack("<Q", start[:8])[0] <= len(content) - 16
        and containers.is_record(start)
    ):
        yield from containers.records(content, where)
    elif start[:1] == b"\x80" and len(start) > 1 and start[1] in (2, 3, 4, 5):
        yield from containers.pickled(content, where)
    elif encoding := encodings.wide(start):
        yield from texts.wide(bytes(content), encoding, where)
    else:
        yield from texts.text_or_bytes(content, where)

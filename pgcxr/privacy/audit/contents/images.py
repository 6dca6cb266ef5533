"""Images without their pixels: what PNG, JPEG and DICOM files say besides."""

import io
import zlib
from collections.abc import Iterator

from pgcxr.io.png import chunks
from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import texts
from pgcxr.privacy.audit.contents.piece import LARGEST_MEMBER, Inner, Piece, TooMuch


def png_content(content, where: str) -> Iterator[Piece | Inner]:
    """As `png`, of bytes or a memory map."""
    file = io.BytesIO(content)
    file.seek(8)
    yield from png(file, where)


def png(file, where: str) -> Iterator[Piece | Inner]:
    """Everything but pixels and palettes: text chunks, EXIF, unknown chunks, what follows the end
    (PNG, 11).

    `file` is opened and stands behind the signature.
    """
    for kind, data, _ in chunks(file, without=(b"IDAT", b"IHDR", b"PLTE", b"fdAT")):
        for part in (data, *_inflated(data)) if data else ():
            # A keyword of a text chunk and its text are parted by a zero.
            yield Piece(f"{where} {kind.decode('latin-1')}", encodings.spaced(part))
    rest = file.read(LARGEST_MEMBER)
    if rest:
        yield Inner(f"{where} after the image", rest)


def _inflated(body: bytes) -> Iterator[bytes]:
    """The compressed text of zTXt, iTXt and iCCP, wherever it begins."""
    at = body.find(b"\x78")
    while 0 <= at < 256:
        unpacking = zlib.decompressobj()
        try:
            yield unpacking.decompress(body[at:], LARGEST_MEMBER)
        except zlib.error:
            at = body.find(b"\x78", at + 1)
            continue
        if unpacking.unconsumed_tail:
            raise TooMuch
        return


def jpeg(content: bytes, where: str) -> Iterator[Piece]:
    """Application segments and comments, up to the first scan, and what follows the end (ITU-T
    T.81, B.1)."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker >= 0xE0:
            body = content[at + 4 : at + 2 + length]
            yield Piece(f"{where} JPEG segment", encodings.spaced(body))
        at += 2 + length
    yield from texts.printable(
        content[content.rfind(b"\xff\xd9") + 2 :], f"{where} after the image"
    )


def dicom(content: bytes, where: str) -> Iterator[Piece]:
    """The values of all elements but pixels, nested ones too, and the preamble."""
    import pydicom

    from pgcxr.dicom.header import check_installation
    from pgcxr.dicom.reading import quiet

    check_installation()
    values = [encodings.spaced(content[:128])]
    from pgcxr.privacy.audit import elements

    try:
        with quiet():
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            # Before pydicom reads them in the set that the file declares, or in none.
            values += map(encodings.decode, elements.undeclared(dataset))
            for part in (dataset.file_meta, dataset):
                for element in part.iterall():
                    if element.tag.group == 0x7FE0 or element.VR == "SQ":
                        continue
                    raw = element.value
                    values.append(encodings.spaced(raw) if isinstance(raw, bytes) else str(raw))
    except Exception:
        yield Piece(where, "\n".join(values), dicom=True)
        raise
    yield Piece(where, "\n".join(values), dicom=True)

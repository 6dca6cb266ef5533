"""An output file as the texts in it, whatever its kind, told by its content and not by its name.

Text (CSV, JSON, SVG, HTML, TOML, logs) comes as it is, and decoded once more where it holds entities, JSON or URL
escapes or base64; PNG and JPEG images as their metadata without pixels; zip (.keras, .npz), gzip, NumPy arrays of
texts, pickles, TFRecords and TensorBoard's files (protocol buffers) and DICOM as the texts inside; anything else as its
printable parts.
"""

import base64
import binascii
import gzip
import html
import io
import json
import mmap
import pickletools
import re
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PNG, JPEG, ZIP, GZIP, NPY = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY"
# Among random bytes, printable runs of 16 hardly occur; in shorter ones only long identifiers are looked for.
LONG_RUN, SHORT_RUN = 16, 6
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
BASE64 = re.compile(r"base64,([A-Za-z0-9+/=\s]{8,})")
JSON_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
# "March 5, 2011": two numbers with a comma between them are one date here.
AMERICAN = re.compile(r"\b([A-Za-z]{3,9}\.? \d{1,2}),? (\d{4})\b")
BLOCK = 1 << 22
OVERLAP = 1 << 12
DEEPEST = 8
# One decompressed member; what is larger is read up to here.
LARGEST_MEMBER = 1 << 31


class _Map(mmap.mmap):
    """zipfile asks, and mmap cannot answer before Python 3.13."""

    def seekable(self) -> bool:
        return True


@dataclass(frozen=True)
class Piece:
    """`where` names the place in the file; `sure` is False for short printable runs among binary numbers."""

    where: str
    text: str
    sure: bool = True
    dicom: bool = False


def pieces(path: Path) -> Iterator[Piece]:
    """The texts of a file on the disk; a large one is never in memory as a whole."""
    with open(path, "rb") as file:
        if not path.stat().st_size:
            return
        if file.read(8) == PNG:  # by far the most files: their pixels aren't even read
            yield from _png(file, "")
            return
        with _Map(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield from _of(content, "", 0)


def _of(content, where: str, depth: int) -> Iterator[Piece]:
    """`content` is bytes or a memory map."""
    if depth > DEEPEST:
        return
    start = bytes(content[:256])
    if start[:8] == PNG:
        file = io.BytesIO(content)
        file.seek(8)
        yield from _png(file, where)
    elif start[:3] == JPEG:
        yield from _jpeg(bytes(content), where)
    elif start[:4] == ZIP:
        yield from _zip(content, where, depth)
    elif start[:2] == GZIP:
        yield from _gzip(content, where, depth)
    elif start[:6] == NPY:
        yield from _npy(content, where)
    elif start[128:132] == b"DICM":
        yield from _dicom(bytes(content), where)
    elif len(start) > 12 and 0 < struct.unpack("<Q", start[:8])[0] <= len(content) - 16 and _is_record(start):
        yield from _records(content, where, depth)
    elif start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        yield from _pickle(content, where)
    elif start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield from _decoded(bytes(content).decode("utf-16", errors="replace"), where, depth)
    else:
        yield from _text_or_bytes(content, where, depth)


def _text_or_bytes(content, where: str, depth: int) -> Iterator[Piece]:
    is_text = CONTROL.search(content) is None
    for at in range(0, len(content), BLOCK):
        block = bytes(content[at : at + BLOCK + OVERLAP])
        place = f"{where} byte {at}" if at else where
        if is_text:
            try:
                text = block.decode()
            except UnicodeDecodeError as error:
                # A cut may go through a character; anything else is an older encoding.
                cut = len(block) - error.start < 4
                text = block.decode(errors="ignore") if cut else block.decode("latin-1")
            yield from _decoded(text, place, depth)
        else:
            yield from _printable(block, place)


def _decoded(text: str, where: str, depth: int) -> Iterator[Piece]:
    for found in BASE64.finditer(text):
        try:
            inside = base64.b64decode(re.sub(r"\s", "", found[1]), validate=True)
        except (binascii.Error, ValueError):
            continue
        yield from _of(inside, f"{where} base64", depth + 1)
    text = BASE64.sub("base64,", text)
    yield Piece(where, text)
    again = html.unescape(text) if "&" in text else text
    if "\\u" in again:
        again = JSON_ESCAPE.sub(lambda found: json.loads(f'"{found[0]}"'), again)
    again = urllib.parse.unquote(again) if "%" in again else again
    again = AMERICAN.sub(r"\1-\2", again)
    if again != text:
        yield Piece(f"{where} decoded", again)


def _printable(block: bytes, where: str, numbers: bool = False) -> Iterator[Piece]:
    """The printable runs of binary content; of pixels and weights (`numbers`) none is surely a text."""
    runs = re.findall(rb"[\x20-\x7e]{%d,}" % SHORT_RUN, block)
    for sure in (True, False):
        chosen = [run for run in runs if (len(run) >= LONG_RUN and not numbers) == sure]
        if chosen:
            yield Piece(where, b"\n".join(chosen).decode("ascii"), sure)


def _png(file, where: str) -> Iterator[Piece]:
    """Everything but pixels and palettes: text chunks, EXIF, unknown chunks, what follows the end (PNG, 11)."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IDAT", b"IHDR", b"PLTE", b"fdAT"):
            file.seek(length + 4, io.SEEK_CUR)
            continue
        body = file.read(length)
        file.seek(4, io.SEEK_CUR)
        for part in (body, *_inflated(body)):
            # A keyword of a text chunk and its text are parted by a zero.
            yield Piece(f"{where} {kind.decode('latin-1')}", _both_ways(part.replace(b"\0", b" ")))
        if kind == b"IEND":
            break
    rest = file.read(LARGEST_MEMBER)
    if rest:
        yield from _of(rest, f"{where} after the image", 1)


def _inflated(body: bytes) -> Iterator[bytes]:
    """The compressed text of zTXt, iTXt and iCCP, wherever it begins."""
    at = body.find(b"\x78")
    while 0 <= at < 256:
        try:
            yield zlib.decompressobj().decompress(body[at:], LARGEST_MEMBER)
            return
        except zlib.error:
            at = body.find(b"\x78", at + 1)


def _both_ways(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _jpeg(content: bytes, where: str) -> Iterator[Piece]:
    """Application segments and comments, up to the first scan, and what follows the end (ITU-T T.81, B.1)."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker >= 0xE0:
            yield Piece(f"{where} JPEG segment", _both_ways(content[at + 4 : at + 2 + length].replace(b"\0", b" ")))
        at += 2 + length
    yield from _printable(content[content.rfind(b"\xff\xd9") + 2 :], f"{where} after the image")


def _zip(content, where: str, depth: int) -> Iterator[Piece]:
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            yield Piece(f"{where} comment", _both_ways(archive.comment))
            for member in archive.infolist():
                yield Piece(f"{where} member name", f"{member.filename}\n{_both_ways(member.comment)}")
                with archive.open(member) as file:
                    yield from _of(file.read(LARGEST_MEMBER), f"{where} {member.filename}".strip(), depth + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        yield from _printable(bytes(content), where)


def _gzip(content, where: str, depth: int) -> Iterator[Piece]:
    yield from _printable(bytes(content[:512]), f"{where} gzip head")
    try:
        with gzip.open(io.BytesIO(content)) as file:
            yield from _of(file.read(LARGEST_MEMBER), f"{where} unpacked", depth + 1)
    except (OSError, EOFError, zlib.error):
        yield from _printable(bytes(content), where)


def _npy(content, where: str) -> Iterator[Piece]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError:  # Python objects, which are not made from a file that is only looked at
        yield from _printable(bytes(content), where)
        return
    if array.dtype.kind == "S":
        array = np.char.decode(array, "latin-1")
    if array.dtype.kind == "U":
        yield Piece(where, "\n".join(array.ravel().tolist()))
    elif array.dtype.kind in "iu" and array.dtype.itemsize >= 4:
        # A patient's number may be a whole number.
        yield Piece(where, "\n".join(map(str, array[array >= 10**7].tolist())))
    else:
        yield from _printable(array.tobytes(), where, numbers=True)


def _pickle(content, where: str) -> Iterator[Piece]:
    texts = []
    try:
        for _, argument, _ in pickletools.genops(bytes(content)):
            if isinstance(argument, str):
                texts.append(argument)
            elif isinstance(argument, bytes):
                yield from _printable(argument, where)
    except Exception:
        yield from _printable(bytes(content), where)
    yield Piece(where, "\n".join(texts))


def _dicom(content: bytes, where: str) -> Iterator[Piece]:
    import pydicom

    from pgcxr.data.dicom_file import quiet

    texts = []
    with quiet():
        try:
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            for part in (dataset.file_meta, dataset):
                for element in part.iterall():
                    if element.tag.group == 0x7FE0 or element.VR == "SQ":
                        continue
                    raw = element.value
                    texts.append(_both_ways(raw) if isinstance(raw, bytes) else str(raw))
        except Exception:
            yield from _printable(content, where)
    yield Piece(where, _both_ways(content[:128].replace(b"\0", b" ")) + "\n" + "\n".join(texts), dicom=True)


def _is_record(start: bytes) -> bool:
    """Whether the length at the start is followed by its own checksum, as in a TFRecord file."""
    from pgcxr.data.tfrecord import masked_crc32c

    head = np.frombuffer(start[:8], np.uint8)[None]
    return int(masked_crc32c(head)[0]) == int.from_bytes(start[8:12], "little")


def _records(content, where: str, depth: int) -> Iterator[Piece]:
    at, number, texts, size = 0, 0, [], 0
    while at + 12 <= len(content):
        length = struct.unpack("<Q", content[at : at + 8])[0]
        yield from _message(bytes(content[at + 12 : at + 12 + length]), texts, f"{where} record {number}", depth + 1)
        at, number, size = at + length + 16, number + 1, size + length
        if size > BLOCK:
            yield Piece(f"{where} up to record {number}", "\n".join(texts))
            texts, size = [], 0
    yield Piece(f"{where} up to record {number}", "\n".join(texts))


def _message(content: bytes, texts: list[str], where: str, depth: int) -> Iterator[Piece]:
    """Appends the texts in a protocol buffer to `texts`, whatever its type; yields what lies in images and archives."""
    if content[:8] == PNG or content[:3] == JPEG or content[:4] == ZIP or content[:2] == GZIP:
        yield from _of(content, where, depth)
        return
    if CONTROL.search(content) is None:
        texts.append(_both_ways(content))
        return
    fields = _fields(content) if depth < 4 * DEEPEST else None
    if fields is None:
        yield from _printable(content, where, numbers=True)
        return
    for field in fields:
        yield from _message(field, texts, where, depth + 1)


def _fields(content: bytes) -> list[bytes] | None:
    """The length-delimited fields of a message; None where it is none (Protocol Buffers, Encoding)."""
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

"""Texts: as they are, decoded once more, out of base64 and markup; and the printable parts of what
is no text."""

import base64
import binascii
import codecs
import contextlib
import html
import json
import re
from collections.abc import Iterator

import numpy as np

from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import markup
from pgcxr.privacy.audit.contents.piece import Inner, Piece

# Among random bytes, printable runs of 16 hardly occur; in shorter ones only long identifiers are
# looked for.
LONG_RUN, SHORT_RUN = 16, 6
PRINTABLE = re.compile(rb"[\x20-\x7e]{%d,}" % SHORT_RUN)
# The same with UTF-8; two letters of three bytes each, or four of two, are hardly ever there by
# chance.
UTF8 = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]|[\xe1-\xed][\x80-\xbf]{2}){3,}")
# (Written out, as such patterns are found ten times as fast as repeated groups.)
LETTERS = (
    re.compile(rb"[\xe1-\xed][\x80-\xbf]{2}" * 2),
    re.compile(rb"[\xd0-\xd3][\x80-\xbf]" * 4),
)
ACCENTED = re.compile(rb"[\xc3-\xc5][\x80-\xbf][a-z^]{2}")
# Bytes before and after such letters in which the rest of their run lies.
BESIDE = 256
# Two and four bytes to a character, in either order, as Windows and NumPy write.
WIDE = {
    width: re.compile(
        rb"(?:[\x20-\x7e]\0{%d}){%d,}|(?:\0{%d}[\x20-\x7e]){%d,}"
        % (width - 1, SHORT_RUN, width - 1, SHORT_RUN)
    )
    for width in (2, 4)
}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# ISO 2022 with its shifts (of Korean) is a text, in spite of these control characters.
SHIFTED, UNSHIFTED = re.compile(re.escape(encodings.SHIFTED)), re.compile(b"[\x0e\x0f]")
BASE64 = re.compile(rb"base64,([A-Za-z0-9+/=\r\n]{8,})")
# How base64 begins that holds an image or an archive: what it is made of are no words.
PACKED = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b")
JSON_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
# Bytes as "%B1", "=B1" (quoted printable) and "\\xb1", between characters that need no escape.
BYTE_ESCAPE = re.compile(r"(?:%|=|\\x)([0-9a-fA-F]{2})")
SOFT_BREAK = re.compile(r"=\r?\n")
ESCAPED_BYTE, ESCAPED = re.compile(BYTE_ESCAPE.pattern.encode()), "surrogatepass"
# "March 5, 2011": two numbers with a comma between them are one date here.
AMERICAN = re.compile(r"\b([A-Za-z]{3,9}\.? \d{1,2}),? (\d{4})\b")
YEAR = re.compile(r" \d{4}\b")
BLOCK = 1 << 22
OVERLAP = 1 << 12


def text_or_bytes(content, where: str) -> Iterator[Piece | Inner]:
    """`content` (bytes or a memory map) as a text, or where it is none as its printable parts."""
    if SHIFTED.search(content) and CONTROL.search(UNSHIFTED.sub(b"", bytes(content))) is None:
        yield Piece(where, encodings.decode(bytes(content)))
        return
    if CONTROL.search(content) is not None:
        for at, block in _blocks(content, 0, len(content)):
            yield from printable(block, f"{where} byte {at}" if at else where)
        return
    begun, plain = 0, []
    for start, end in _base64(content):
        try:
            inside = base64.b64decode(
                bytes(content[start:end]).translate(None, b"\r\n"), validate=True
            )
        except (binascii.Error, ValueError):
            continue
        yield Inner(f"{where} base64", inside)
        if inside.startswith(PACKED):
            plain.append((begun, start))
            begun = end
    plain.append((begun, len(content)))
    if markup.is_markup(bytes(content[:512])):
        # As a whole: a tag may not be cut in two.
        page = b"".join(bytes(content[start:end]) for start, end in plain)
        yield from _twice(markup.reduced(encodings.decode(page)), where)
        return
    for begin, end in plain:
        for at, block in _blocks(content, begin, end):
            yield from _twice(_cut_text(block), f"{where} byte {at}" if at else where)


def _base64(content) -> list[tuple[int, int]]:
    # Numbers, not matches: those would hold on to a memory map that is to be closed.
    return [found.span(1) for found in BASE64.finditer(content)]


def _blocks(content, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(place, bytes) of `content` from `begin` to `end`; each block holds the beginning of the next
    one."""
    for at in range(begin, end, BLOCK):
        yield at, bytes(content[at : min(at + BLOCK + OVERLAP, end)])


def _cut_text(block: bytes) -> str:
    """UTF-8 that may be cut within a character at both ends, or else older encodings."""
    begin = 0
    while begin < min(3, len(block)) and block[begin] & 0xC0 == 0x80:
        begin += 1
    if b"\x1b" not in block:
        with contextlib.suppress(UnicodeDecodeError):
            return codecs.getincrementaldecoder("utf-8")().decode(block[begin:])
    return encodings.decode(block)


def wide(content: bytes, encoding: str, where: str) -> Iterator[Piece | Inner]:
    """A text of two or four bytes to a character, and in case that it only seems to be one its
    printable parts."""
    text = content.decode(encoding, errors="replace").replace("\0", " ")
    yield from text_or_bytes(text.encode(errors="replace"), where)
    yield from printable(content, where)


def _twice(text: str, where: str) -> Iterator[Piece]:
    """A text as it is, and where that makes a difference as it reads without escapes."""
    yield Piece(where, text)
    again = html.unescape(text) if "&" in text else text
    if "\\u" in again:
        again = JSON_ESCAPE.sub(lambda found: json.loads(f'"{found[0]}"'), again)
    again = _unescaped(again)
    again = AMERICAN.sub(r"\1-\2", again) if YEAR.search(again) else again
    if again != text:
        yield Piece(f"{where} decoded", again)


def _unescaped(text: str) -> str:
    """The lines that hold bytes in escapes without them, in every reading."""
    if BYTE_ESCAPE.search(text) is None:
        return text
    lines = SOFT_BREAK.sub("", text).split("\n")
    return "\n".join(
        encodings.decode(
            ESCAPED_BYTE.sub(lambda found: bytes([int(found[1], 16)]), line.encode(errors=ESCAPED))
        )
        if BYTE_ESCAPE.search(line)
        else line
        for line in lines
    )


def printable(block: bytes, where: str, numbers: bool = False) -> Iterator[Piece]:
    """The printable runs of binary content; of pixels and weights (`numbers`) none is surely a
    text."""
    runs = PRINTABLE.findall(block)
    if not numbers:
        runs += dict.fromkeys(_with_letters(block))
    runs += [
        run.replace(b"\0", b"")
        for width in WIDE
        if _has_wide(block, width)
        for run in WIDE[width].findall(block)
    ]
    for sure in (True, False):
        chosen = [run for run in runs if (_is_text(run) and not numbers) == sure]
        if chosen:
            yield Piece(where, b"\n".join(chosen).decode("utf-8", errors="replace"), sure)


def _with_letters(block: bytes) -> Iterator[bytes]:
    """The runs with letters beyond ASCII."""
    for found in (match for one in (*LETTERS, ACCENTED) for match in one.finditer(block)):
        start = max(found.start() - BESIDE, 0)
        for run in UTF8.finditer(block[start : found.end() + BESIDE]):
            if run.start() <= found.start() - start < run.end():
                yield run[0]


def _is_text(run: bytes) -> bool:
    return len(run) >= LONG_RUN or any(letters.search(run) for letters in LETTERS)


def _has_wide(block: bytes, width: int) -> bool:
    """Whether the pattern of this width can match: much sooner known than by looking for it."""
    raw = np.frombuffer(block, np.uint8)
    spaced = (raw >= 0x20) & (raw <= 0x7E)
    for behind in range(1, width):
        spaced = spaced[:-1] & (raw[behind : len(spaced) + behind - 1] == 0)
    for _ in range(SHORT_RUN - 2):
        spaced = spaced[:-width] & spaced[width:]
    return bool(spaced.any())

"""How a CSV table is written, before anything is read of it: compressed or not, its encoding, its
escapes, and what it says of its separator."""

import codecs
import contextlib
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from pgcxr.errors import InputError
from pgcxr.io import user_files

# Bytes that are looked at together.
CHUNK = 1 << 20
# What spreadsheets (`sep=;` in the first line) say of it themselves.
SAID_SEPARATOR = re.compile(r"\s*\"?sep=([,;\t|])\"?\s*[\r\n]+", re.IGNORECASE)
# UTF-32's mark begins with UTF-16's.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NOT_UTF8 = {"cp949": "CP949 (Korean)", "cp1252": "CP1252 (Western European)"}
# A syllable of KS X 1001 in CP949; and all that is not ASCII.
HANGUL, HIGH = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]"), re.compile(rb"[\x80-\xff]")
# MySQL's way to write a quotation mark in a quoted cell; elsewhere a cell may end in a backslash.
ESCAPED = re.compile(rb'\\"(?!\s*[,;\t|\r\n"]|\s*$)')


@dataclass
class Form:
    """How a table is written; the separator is known with the header, before which are `skip`
    characters."""

    encoding: str
    separator: str = ","
    escape: str | None = None
    skip: int = 0


def say(path: Path, form: Form, notes: list[str] | None) -> None:
    """Adds to `notes` that the encoding was guessed, where it was."""
    if notes is not None and form.encoding in NOT_UTF8:
        notes.append(
            f"{path.name} is not UTF-8 and was read as {NOT_UTF8[form.encoding]}; if its texts are "
            "of another kind, save it as UTF-8"
        )


@contextlib.contextmanager
def opened(path: Path, needed: Sequence[str]) -> Iterator[tuple[Form, TextIO]]:
    """How a file, plain or .gz, is written but for its separator; and the file, as text."""
    absent = f"it needs the columns {', '.join(needed)}"
    try:
        with unpacked(path, absent) as file:
            form = written(path, file)
        with unpacked(path, absent) as file:
            text = io.TextIOWrapper(file, encoding=form.encoding, errors="replace", newline="")
            start = SAID_SEPARATOR.match(text.read(64))
            yield (
                form if start is None else Form(form.encoding, start[1], form.escape, start.end()),
                _again(text),
            )
    except (OSError, EOFError, zlib.error):
        raise InputError(f"{path}: is damaged or not a CSV table; fetch it again") from None


def _again(text: TextIO) -> TextIO:
    text.seek(0)
    return text


@contextlib.contextmanager
def unpacked(path: Path, absent: str) -> Iterator[BinaryIO]:
    """The bytes of a table, plain or .gz; `absent`: what an error says where there is none."""
    with contextlib.ExitStack() as open_files:
        file = open_files.enter_context(user_files.opened(path, user_files.TABLE, absent=absent))
        if path.suffix == ".gz":
            file = open_files.enter_context(gzip.open(file))  # type: ignore[assignment]
        yield file


def written(path: Path, file: BinaryIO) -> Form:
    """Encoding and escapes of a table, from all of its bytes."""
    start = file.read(CHUNK)
    wide = next((name for mark, name in MARKS.items() if start.startswith(mark)), _unmarked(start))
    if wide is not None and wide != "utf-8-sig":
        return Form(wide)
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    good = bad = hangul = high = read = 0
    escaped, chunk, before = False, start, b""
    while chunk:
        read += len(chunk)
        if read > user_files.TABLE:
            raise InputError(f"{path}: unpacks to more than any table has; fetch it again")
        if not chunk.isascii():
            text = decoder.decode(chunk)
            damaged = text.count("\ufffd")
            good += sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - damaged
            bad += damaged
            hangul += len(HANGUL.findall(chunk))
            high += len(HIGH.findall(chunk))
        escaped = escaped or ESCAPED.search(before + chunk) is not None
        before, chunk = chunk[-2:], file.read(CHUNK)
    escape = "\\" if escaped else None
    # A few damaged characters, cut by a database, do not make it another encoding.
    if good >= 4 * bad:
        return Form("utf-8-sig", escape=escape)
    return Form("cp949" if 3 * hangul > high else "cp1252", escape=escape)


def _unmarked(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its header is zero."""
    start = start[:256]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 4 and start[offset::2].count(0) > 0.8 * (len(start) // 2):
            return name
    return None

"""CSV tables that come with images: any of the usual encodings, and one line where a column is
missing."""

import codecs
import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TextIO

from pgcxr.errors import InputError
from pgcxr.io import user_files

# A report may be long, a bomb is longer.
csv.field_size_limit(1 << 20)
# Characters of one line.
LINE = 1 << 24


def rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a header line; cells stripped, missing cells "", surplus cells
    dropped.

    Raises:
        InputError: no such file, not a table, or without one of the `needed` columns.
    """
    content = user_files.read_bytes(
        path, user_files.TABLE, absent=f"it needs the columns {', '.join(needed)}"
    )
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InputError(f"{path}: is UTF-16; save it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        lines = list(csv.reader(text.replace("\0", "").splitlines(keepends=True)))
    except csv.Error:
        raise InputError(
            f"{path}: is not a CSV table; it needs the columns {', '.join(needed)}"
        ) from None
    header = [cell.strip() for cell in lines[0]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if any(mark in cell for cell in header):
                raise InputError(
                    f"{path}: its columns are separated by {called}; save it with commas between "
                    "them"
                )
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; it needs {', '.join(needed)}"
        )
    blank = [""] * len(header)
    return [
        dict(zip(header, [cell.strip() for cell in (*line, *blank)][: len(header)], strict=True))
        for line in lines[1:]
        if any(cell.strip() for cell in line)
    ]


def columns(
    path: Path, wanted: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, ...]]:
    """The `wanted` and `optional` cells of each row of a large UTF-8 CSV file, plain or .gz, one
    row at a time.

    An optional column that the file lacks gives "".

    Raises:
        InputError: no such file, not a table, cut short, or without a `wanted` column.
    """
    try:
        with _opened(path, f"it needs the columns {', '.join(wanted)}") as file:
            lines = csv.reader(_lines(path, file))
            header = [cell.strip() for cell in next(lines, [])]
            missing = [name for name in wanted if name not in header]
            if missing:
                raise InputError(
                    f"{path}: has no column {', '.join(missing)}; it needs {', '.join(wanted)}"
                )
            places = [header.index(name) if name in header else -1 for name in (*wanted, *optional)]
            for line in lines:
                if line:
                    yield tuple(line[at].strip() if 0 <= at < len(line) else "" for at in places)
    except (OSError, EOFError, zlib.error, csv.Error):
        raise InputError(f"{path}: is damaged or not a CSV table; fetch it again") from None


@contextlib.contextmanager
def _opened(path: Path, absent: str) -> Iterator[TextIO]:
    """A UTF-8 file, plain or .gz, as text."""
    with contextlib.ExitStack() as open_files:
        file = open_files.enter_context(user_files.opened(path, user_files.TABLE, absent=absent))
        if path.suffix == ".gz":
            file = open_files.enter_context(gzip.open(file))
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        yield open_files.enter_context(text)


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a table, which may be a bomb: one endless line, or more of them than any table
    has."""
    read = 0
    while line := file.readline(LINE):
        read += len(line)
        if read > user_files.TABLE or (len(line) == LINE and line[-1] not in "\r\n"):
            raise InputError(f"{path}: unpacks to more than any table has; fetch it again")
        yield line


def header(path: Path) -> tuple[str, ...]:
    """The names of the columns; () where there is no such file or no table."""
    try:
        with _opened(path, "") as file:
            first = file.readline(1 << 16)
    except (InputError, OSError, EOFError, zlib.error):
        return ()
    return tuple(cell.strip() for cell in next(csv.reader([first]), []))


def inside(folder: Path, text: str) -> Path | None:
    """The file that a table names, or None where the name is empty or leads out of `folder`."""
    name = PurePosixPath(text.replace("\\", "/"))
    if not text or "\0" in text or name.is_absolute() or ".." in name.parts or not name.parts:
        return None
    return folder / name

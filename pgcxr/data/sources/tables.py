"""CSV tables that come with images: any of the usual encodings, and one line where a column is missing."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pgcxr.errors import InputError

# A report may be long, a bomb is longer.
csv.field_size_limit(1 << 20)


def rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a header line; cells stripped, missing cells "", surplus cells dropped.

    Raises:
        InputError: no such file, not a table, or without one of the `needed` columns.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it needs the columns {', '.join(needed)}") from None
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InputError(f"{path}: is UTF-16; save it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        lines = list(csv.reader(text.replace("\0", "").splitlines(keepends=True)))
    except csv.Error:
        raise InputError(f"{path}: is not a CSV table; it needs the columns {', '.join(needed)}") from None
    header = [cell.strip() for cell in lines[0]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if any(mark in cell for cell in header):
                raise InputError(f"{path}: its columns are separated by {called}; save it with commas between them")
        raise InputError(f"{path}: has no column {', '.join(missing)}; it needs {', '.join(needed)}")
    blank = [""] * len(header)
    return [
        dict(zip(header, [cell.strip() for cell in (*line, *blank)][: len(header)], strict=True))
        for line in lines[1:]
        if any(cell.strip() for cell in line)
    ]


def columns(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """The `wanted` and `optional` cells of each row of a large UTF-8 CSV file, plain or .gz, one row at a time.

    An optional column that the file lacks gives "".

    Raises:
        InputError: no such file, not a table, cut short, or without a `wanted` column.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", newline="", encoding="utf-8-sig", errors="replace") as file:
            lines = csv.reader(file)
            header = [cell.strip() for cell in next(lines, [])]
            missing = [name for name in wanted if name not in header]
            if missing:
                raise InputError(f"{path}: has no column {', '.join(missing)}; it needs {', '.join(wanted)}")
            places = [header.index(name) if name in header else -1 for name in (*wanted, *optional)]
            for line in lines:
                if line:
                    yield tuple(line[at].strip() if 0 <= at < len(line) else "" for at in places)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it needs the columns {', '.join(wanted)}") from None
    except (OSError, EOFError, zlib.error, csv.Error):
        raise InputError(f"{path}: is damaged or not a CSV table; fetch it again") from None


def header(path: Path) -> tuple[str, ...]:
    """The names of the columns; () where there is no such file or no table."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            first = file.readline(1 << 16).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error):
        return ()
    return tuple(cell.strip() for cell in next(csv.reader([first]), []))


def inside(folder: Path, text: str) -> Path | None:
    """The file that a table names, or None where the name is empty or leads out of `folder`."""
    name = PurePosixPath(text.replace("\\", "/"))
    if not text or "\0" in text or name.is_absolute() or ".." in name.parts or not name.parts:
        return None
    return folder / name

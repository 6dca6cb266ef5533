"""CSV tables that come with images: any of the usual encodings, and one line where a column is missing."""

import codecs
import csv
from collections.abc import Sequence
from pathlib import Path

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

"""CSV tables that come with images, as spreadsheets and databases write them.

Read are the separators , ; tab and |; UTF-8 with and without a mark, UTF-16, CP949 and CP1252;
cells in quotation marks with anything in them. The parser is strict: a quotation mark that is not
closed, or a row of another length, would give one row's cells to another, and is an error that
names the row as a spreadsheet counts it (the header is row 1). What had to be guessed is said in
`notes`.
"""

import csv
import io
import re
import zlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TextIO, TypeVar

from pgcxr.cohort import spelling
from pgcxr.errors import InputError
from pgcxr.io import user_files
from pgcxr.sources import table_form

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# A report may be long, a bomb is longer.
csv.field_size_limit(1 << 20)
# Characters of one line.
LINE = 1 << 24
# Characters in which the header ends.
START = 1 << 16
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# What databases write where there is nothing, and spreadsheets where they found nothing.
NOTHING = frozenset(("NULL", "\\N", "<NULL>", "(NULL)", "#N/A"))
NAMELESS = "column"
FORMULA = re.compile(r'="(.*)"', re.DOTALL)


def rows(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    notes: list[str] | None = None,
) -> list[dict[str, str]]:
    """The rows of a CSV file with a header line, by all of its columns; `needed` and `optional`
    ones under these names, however the header writes them.

    Raises:
        InputError: as `numbered`.
    """
    with table_form.opened(path, needed) as (form, file):
        names, places = _header(path, form, file, needed, optional)
        for name, place in zip((*needed, *optional), places, strict=True):
            if place >= 0:
                names[place] = name
        found = []
        for _, cells in _records(path, form, file, len(names), places[0]):
            found.append(dict(zip(names, cells, strict=True)))
        table_form.say(path, form, notes)
        return found


def columns(
    path: Path,
    wanted: Sequence[str],
    optional: Sequence[str] = (),
    notes: list[str] | None = None,
) -> Iterator[tuple[str, ...]]:
    """The `wanted` and `optional` cells of each row of a large CSV file, plain or .gz, one row at a
    time. An optional column that the file lacks gives ""."""
    for _, cells in numbered(path, wanted, optional, notes):
        yield cells


def numbered(
    path: Path,
    wanted: Sequence[str],
    optional: Sequence[str] = (),
    notes: list[str] | None = None,
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """As `columns`, with the number of each row: the header is row 1, and blank rows count.

    Args:
        notes: takes a line for what had to be guessed.

    Raises:
        InputError: no such file, not a table, cut short, without a `wanted` column, or with a row
            that cannot be read for certain.
    """
    with table_form.opened(path, wanted) as (form, file):
        names, places = _header(path, form, file, wanted, optional)
        for number, cells in _records(path, form, file, len(names), places[0]):
            yield number, tuple(cells[place] if place >= 0 else "" for place in places)
        table_form.say(path, form, notes)


def header(path: Path) -> tuple[str, ...]:
    """The names of the columns; () where there is no such file or no table."""
    try:
        with table_form.unpacked(path, "") as file:
            start = file.readline(START)
    except (InputError, OSError, EOFError, zlib.error):
        return ()
    form = table_form.written(path, io.BytesIO(start))
    text = start.decode(form.encoding, "replace")
    return tuple(_named(max((_first(text, form, mark) for mark in SEPARATORS), key=len)))


def unique(pairs: Iterable[tuple[Key, Value]]) -> tuple[dict[Key, Value], set[Key]]:
    """(key -> value, the keys that are there twice with different values): of two rows that say
    different things of one image or study, neither is believed.

    Example:

        >>> unique([("a", 1), ("b", 2), ("a", 1), ("b", 3)])
        ({'a': 1, 'b': 2}, {'b'})
    """
    found: dict[Key, Value] = {}
    differing = set()
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            differing.add(key)
    return found, differing


TWICE = ("label_conflict", "two rows of the table say different things")


def inside(folder: Path, text: str) -> Path | None:
    """The file that a table names, or None where the name is empty or leads out of `folder`."""
    name = PurePosixPath(text.replace("\\", "/"))
    if not text or "\0" in text or name.is_absolute() or ".." in name.parts or not name.parts:
        return None
    return folder / name


def few(numbers: Sequence[int]) -> str:
    """Rows in words, the first of them: "row 4", "rows 2, 3 and 5", "rows 2, 3, 4 and 7 others".

    Example:

        >>> few([4]), few([2, 3, 5, 8, 9, 10])
        ('row 4', 'rows 2, 3, 5 and 3 others')
    """
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    shown, rest = (numbers[:-1], numbers[-1]) if len(numbers) <= 4 else (numbers[:3], None)
    last = f"{len(numbers) - 3} others" if rest is None else str(rest)
    return f"rows {', '.join(map(str, shown))} and {last}"


def _first(start: str, form: table_form.Form, separator: str) -> list[str]:
    """The cells of the header, if that is the separator; [] where it cannot be."""
    try:
        reader = _reader(io.StringIO(start, newline=""), form, separator)
        return [_clean(cell) for cell in next((cells for cells in reader if any(cells)), [])]
    except csv.Error:
        return []


def _header(
    path: Path, form: table_form.Form, file: TextIO, needed: Sequence[str], optional: Sequence[str]
) -> tuple[list[str], list[int]]:
    """(names of the columns, where those that are asked for are, -1: nowhere); the file is then
    after what comes before the header, and `form.separator` the one that was found."""
    start = file.read(START)[form.skip :]
    found = {mark: _first(start, form, mark) for mark in SEPARATORS}
    keys = {mark: [spelling.name(name) for name in names] for mark, names in found.items()}

    def fitting(mark: str) -> tuple[int, int]:
        return sum(spelling.name(name) in keys[mark] for name in needed), len(found[mark])

    mark = max(found, key=fitting)
    form.separator = mark
    names = found[mark]
    while names and not names[-1]:
        names.pop()
    names = _named(names)
    places = [_place(path, name, names, keys[mark]) for name in (*needed, *optional)]
    missing = [name for name, at in zip(needed, places, strict=False) if at < 0]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; it needs {', '.join(needed)} in its "
            "first row"
        )
    file.seek(0)
    return names, places


def _named(names: Sequence[str]) -> list[str]:
    """The names of a header, with "column 4" for what has none: the cells under a merged one."""
    return [name or f"{NAMELESS} {number}" for number, name in enumerate(names, 1)]


def is_nameless(name: str) -> bool:
    """Whether the header has no name for this column: none at all, or that of pandas.

    Example:

        >>> is_nameless("column 4"), is_nameless("Unnamed: 3"), is_nameless("report")
        (True, True, False)
    """
    return re.fullmatch(rf"{NAMELESS} \d+|Unnamed: \d+", name) is not None


def _place(path: Path, name: str, names: list[str], keys: list[str]) -> int:
    places = [at for at, other in enumerate(names) if other == name]
    places = places or [at for at, key in enumerate(keys) if key == spelling.name(name)]
    if len(places) > 1:
        raise InputError(f"{path}: two columns are called {name}; take one of them out")
    return places[0] if places else -1


def _reader(lines: Iterable[str], form: table_form.Form, separator: str):
    return csv.reader(
        lines,
        delimiter=separator,
        escapechar=form.escape,
        skipinitialspace=separator != "\t",
        strict=True,
    )


def _records(
    path: Path, form: table_form.Form, file: TextIO, width: int, key: int
) -> Iterator[tuple[int, list[str]]]:
    """(number, `width` cells) of each row after the header that is not blank.

    Args:
        key: the column that tells rows apart, by which rows within a quoted cell are recognized.
    """
    file.read(form.skip)
    reader = _reader(_lines(path, file, form), form, form.separator)
    number, seen = 0, False
    while True:
        number, line = number + 1, reader.line_num + 1
        where = f"{path}: row {number}" + (f" (line {line})" if line != number else "")
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InputError(
                f"{where}: a quotation mark is not closed, or is not doubled within a quoted cell; "
                "mend the row, or export the table anew"
            ) from None
        if not any(cell.strip() for cell in cells):
            continue
        if not seen:  # the header
            seen = True
            continue
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise InputError(
                f"{where} has {len(cells)} cells, the header {width}; a line break or "
                f"{SEPARATORS[form.separator]} within a cell need quotation marks around it"
            )
        if any("\n" in cell or "\r" in cell for cell in cells) and _swallowed(cells, key, form):
            raise InputError(
                f"{where}: a quotation mark is not closed, and the rows after it became its text; "
                "mend the row, or export the table anew"
            )
        yield number, [_clean(cell) for cell in cells[:width]]


def _swallowed(cells: list[str], key: int, form: table_form.Form) -> bool:
    """Whether a cell of several lines holds rows of the same table: lines in whose column `key` is
    a number that is written as this row's."""
    own = cells[key].strip()
    shape = _shape(own)
    if sum(mark == "9" for mark in shape) < 3:
        return False
    for at, cell in enumerate(cells):
        for line in re.split(r"[\r\n]+", cell)[1:]:
            inner = [part.strip(' "') for part in line.split(form.separator)]
            # The mark that closes it may stand in any cell of the other row.
            whole = len(inner) >= len(cells) or (
                len(own) >= 6 and (len(inner) > key + 1 or at + 1 < len(cells))
            )
            if whole and len(inner) > key and inner[key] != own and _shape(inner[key]) == shape:
                return True
    return False


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text))


def _clean(cell: str) -> str:
    """Without what nobody sees at its ends, a formula around a text, and words for nothing."""
    # Spreadsheets write ="007" so that zeros in front stay.
    cell = cell.strip()
    if not cell.isascii():
        cell = cell.strip(spelling.INVISIBLE).strip()
    formula = FORMULA.fullmatch(cell) if cell.startswith("=") else None
    if formula:
        cell = formula[1].replace('""', '"').strip()
    return "" if len(cell) <= 6 and cell.upper() in NOTHING else cell


def _lines(path: Path, file: TextIO, form: table_form.Form) -> Iterator[str]:
    """The lines of a table, which may be a bomb: one endless line, or more of them than any table
    has."""
    read = 0
    nothing = re.compile(rf"(^|{re.escape(form.separator)})\\N(?=[{form.separator}\r\n])")
    while line := file.readline(LINE):
        read += len(line)
        if read > user_files.TABLE or (len(line) == LINE and line[-1] not in "\r\n"):
            raise InputError(f"{path}: unpacks to more than any table has; fetch it again")
        line = line.replace("\0", "")
        yield nothing.sub(r"\1", nothing.sub(r"\1", line)) if form.escape else line

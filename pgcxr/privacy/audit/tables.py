"""The identifiers in the tables of an export, read so that no line is lost.

A quote too many makes one cell of all that follows it, and a cell may be longer than Python's csv
takes. So what comes as one row of several lines, or as none, is read a second time line by line;
lines that have as many cells as the header by themselves are rows of it.
"""

import csv
import gzip
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pgcxr.privacy.audit import encodings, identifiers
from pgcxr.privacy.audit.identifiers import Identifiers

SUFFIXES = (".csv", ".tsv", ".txt")
# Bytes that are read at once, and where a row does not end, at most; one line is cut after PART
# bytes.
PART, LONGEST_PART = 1 << 20, 1 << 22
OVERLAP = 1 << 8
PACKED = b"\x1f\x8b"  # gzip
# A longer cell is no name and no number.
LONGEST_VALUE = 256
IS_NAME = re.compile(
    r"name|physician|doctor|arzt|nombre|apellido|nome\b|\bnom\b|имя|фио|фамилия|이름|성명|환자명|성함|의사|氏名|姓名|患者名|名前"
)
IS_NUMBER = re.compile(
    r"(^|_|\b)(id|number|accession|uid|mrn|pid|nummer|номер)($|_|\b)|번호|番号|编号|編號|号码"
)
# Values of closed lists, most of which pgcxr writes too.
IS_CODE = re.compile(r"code|icd|label|finding|view|sex|gender|age$")
COLUMN = re.compile(
    f"{IS_NAME.pattern}|{IS_NUMBER.pattern}|{IS_CODE.pattern}|report|text|path|file|date|image"
)


def is_table(name: str) -> bool:
    """Whether a file of this name is read as a table."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def is_small(path: Path) -> bool:
    """Whether a table is one part; what is packed may be of any size."""
    try:
        with open(path, "rb", opener=_not_waiting) as file:
            return os.fstat(file.fileno()).st_size <= PART and file.read(2) != PACKED
    except OSError:
        return False


def _not_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # for whoever would write into a pipe


@dataclass(frozen=True)
class Part:
    """Some lines of a table, and what its first line says about all of them."""

    text: str = field(repr=False)
    delimiter: str = ","
    header: tuple[str, ...] = field(default=(), repr=False)


def parts(path: Path) -> Iterator[Part]:
    """A table in parts of about PART bytes that begin with a row; gzipped ones too.

    Raises:
        OSError, EOFError, zlib.error: it cannot be read.
    """
    delimiter, header, begun = ",", (), False
    lines, size, quotes = [], 0, 0
    for line in _lines(path):
        if not begun and line.strip():
            delimiter = max(",;\t|", key=line.count)
            headers = [_header(reading, delimiter) for reading in line.splitlines()]
            # That of several readings whose names are known.
            header, begun = max(headers, key=_known), True
        lines.append(line)
        size, quotes = size + len(line), quotes + line.count('"')
        if (size >= PART and quotes % 2 == 0) or size >= LONGEST_PART:
            yield Part("".join(lines), delimiter, header)
            lines, size, quotes = [], 0, 0
    if lines:
        yield Part("".join(lines), delimiter, header)


def _lines(path: Path) -> Iterator[str]:
    with open(path, "rb") as file:
        packed = file.read(2) == PACKED
        file.seek(0)
        opened = gzip.GzipFile(fileobj=file) if packed else file
        encoding = encodings.wide(opened.read(encodings.START))
        opened.seek(0)
        if encoding:
            opened = io.TextIOWrapper(opened, encoding, errors="replace", newline="")
        end = "\n" if encoding else b"\n"
        before = end[:0]
        while line := opened.readline(PART):
            text = before + line
            yield (text if encoding else encodings.decode(text)).replace("\0", "")
            # What is cut in two is read whole once.
            before = end[:0] if line.endswith(end) else line[-OVERLAP:]


def _known(header: tuple[str, ...]) -> int:
    return sum(COLUMN.search(name) is not None for name in header)


def _header(line: str, delimiter: str) -> tuple[str, ...]:
    """The names of the columns, () where the first line holds no names but values."""
    cells = tuple(cell.strip().lower() for cell in _cells(line, delimiter))
    named = all(
        len(cell) <= LONGEST_VALUE and sum(map(str.isdigit, cell)) < identifiers.DIGITS
        for cell in cells
    )
    # A list of one column may as well begin with its first patient.
    return cells if named and (len(cells) > 1 or COLUMN.search(cells[0])) else ()


def of_table(path: Path) -> Identifiers:
    """The identifiers in a whole table."""
    return set().union(*map(of_part, parts(path)))


def of_part(part: Part) -> Identifiers:
    """The identifiers in the cells, by the names of their columns."""
    pairs: Identifiers = set()
    lines = part.text.splitlines(keepends=True)
    reader, begun, done = csv.reader(lines, delimiter=part.delimiter), 0, False
    while not done:
        try:
            row = next(reader, None)
            done = row is None
            _add_row(pairs, part.header, row or [])
            again = reader.line_num - begun > 1
        except csv.Error:  # a cell that is too long, or half of a table in one
            again = True
            for line in lines[begun : reader.line_num]:
                pairs |= identifiers.of_text(line)
        for line in lines[begun : reader.line_num] if again else ():
            if line.count(part.delimiter) + 1 < len(part.header):
                continue
            cells = _cells(line, part.delimiter)
            if len(cells) >= max(len(part.header), 1):
                _add_row(pairs, part.header, cells)
        begun = reader.line_num
    return pairs


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line by itself."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.replace('"', "").split(delimiter)


def _add_row(pairs: Identifiers, header: tuple[str, ...], row: list[str]) -> None:
    for column, cell in zip([*header, *[""] * len(row)], row, strict=False):
        pairs |= _of_cell(column, cell.strip())


def _of_cell(column: str, cell: str) -> Identifiers:
    if not cell or cell.lower() == column:
        return set()
    if len(cell) > LONGEST_VALUE:
        return identifiers.of_text(cell) | identifiers.of_uid(cell)
    if IS_NAME.search(column) or re.fullmatch(r"\w+\^[\w^ .'-]+", cell):
        return identifiers.of_name(cell) | identifiers.of_text(cell)
    if IS_NUMBER.search(column):
        return identifiers.of_number(cell) | identifiers.of_uid(cell)
    if IS_CODE.search(column):
        return set()
    try:
        float(cell)  # a measurement, or a number of fewer than 8 digits that could as well be one
        return identifiers.of_number(cell) if cell.isdigit() and len(cell) >= 8 else set()
    except ValueError:
        return identifiers.of_text(cell) | identifiers.of_uid(cell)

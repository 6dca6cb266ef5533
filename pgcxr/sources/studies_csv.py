"""studies.csv of a PACS export: its columns and rows as they are written."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgcxr.cohort import spelling
from pgcxr.dicom import ages
from pgcxr.errors import InputError
from pgcxr.sources import tables
from pgcxr.sources.weak_labels import codes, decision
from pgcxr.sources.weak_labels.labeling import Labeling

NAME = "studies.csv"
NUMBER, PATIENT, CODES, REPORT = "accession_number", "patient_id", "diagnosis_codes", "report"
DATE, HOSPITAL = "study_date", "hospital"
# Of the table, by who decides on normal and abnormal.
NEEDED: dict[str, tuple[str, ...]] = {decision.CODES: (CODES,), decision.REPORT: (REPORT,)}
NEEDED[decision.AGREE] = (*NEEDED[decision.CODES], *NEEDED[decision.REPORT])
# Cells of a column that is not read, among which codes of findings are looked for.
LOOKED_AT = 10_000


@dataclass(frozen=True)
class Row:
    """One row: its place in the table, and what it says of whom."""

    place: int
    number: str = field(repr=False)
    patient: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    report: str = field(repr=False)
    date: datetime.date | None = field(default=None, repr=False)
    hospital: str = field(default="", repr=False)


def read(folder: Path, labeling: Labeling, notes: list[str]) -> list[Row]:
    """The rows of studies.csv; `notes` takes what had to be guessed of how it is written."""
    path, needed = folder / NAME, NEEDED[labeling.policy]
    other = tuple(name for name in (PATIENT, CODES, REPORT, DATE, HOSPITAL) if name not in needed)
    names = (NUMBER, *needed, *other)
    header = _header(path, names)
    further = _further_codes(header)
    read_already = {spelling.name(name) for name in (*names, *further)}
    unread = _Unread([name for name in header if spelling.name(name) not in read_already])
    optional, last = (*other, *further, *unread.names), len(names) + len(further)
    found = []
    for place, cells in tables.numbered(path, names[: 1 + len(needed)], optional, notes):
        row = dict(zip(names, cells, strict=False))
        codes = ";".join((row[CODES], *cells[len(names) : last]))
        unread.look(cells[last:])
        found.append(
            Row(
                place,
                spelling.plain(row[NUMBER]),
                row[PATIENT],
                labeling.codes_of(codes),
                row[REPORT],
                ages.day(row[DATE]),
                row[HOSPITAL],
            )
        )
    notes += unread.warnings()
    return found


def _header(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the table, each once.

    Raises:
        InputError: two columns have one of `names`, in another way of writing it.
    """
    header = tables.header(path)
    for name in names:
        if sum(spelling.name(other) == spelling.name(name) for other in header) > 1:
            raise InputError(f"{path}: two columns are called {name}; take one of them out")
    return tuple({spelling.name(name): name for name in header}.values())


def _further_codes(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table that has one for each code: diagnosis_codes_2, diagnosis_code 3, and
    those under a merged cell, which have no name."""
    found, beside = [], False
    for name in header:
        key = spelling.name(name)
        beside = key == spelling.name(CODES) or (beside and tables.is_nameless(name))
        numbered = re.fullmatch(r"diagnosiscodes?\d+", key) is not None
        if numbered or (beside and key != spelling.name(CODES)):
            found.append(name)
        beside = beside or numbered
    return tuple(found)


class _Unread:
    """Columns that nothing is read of: what in them may have been meant to be."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        # Filled cells, and how many of them are codes of findings and nothing else.
        self._filled, self._codes = [0] * len(names), [0] * len(names)
        self._lists = codes.load()

    def look(self, cells: Sequence[str]) -> None:
        for at, cell in enumerate(cells):
            if not cell or self._filled[at] >= LOOKED_AT:
                continue
            self._filled[at] += 1
            parts = [part for part in re.split(r"[\s,;|/]+", cell.upper()) if part]
            # Rooms and wards are written as codes are; a column of codes has findings among them.
            if all(codes.CODE.fullmatch(part) for part in parts):
                self._codes[at] += bool(self._lists.findings_of(codes.parse(cell)))

    def warnings(self) -> list[str]:
        said = []
        for name, filled, coded in zip(self.names, self._filled, self._codes, strict=True):
            if coded:
                said.append(
                    f'{NAME}: "{name}" is not read, though it holds codes of diseases in {coded} '
                    f'of {filled} cells; if they are of the study, call it "{CODES}_2"'
                )
            elif filled and tables.is_nameless(name):
                said.append(f"{NAME}: {name} has no name in the header, and is not read")
        return said

"""Which row of studies.csv, of a PACS export, is that of a file.

A row belongs to the files of its accession number, and of its patient where it names one. Where
the number is written in another way (a spreadsheet takes zeros in front away, people write marks
around it) the row is taken if it can be of no other file, and the report says how often. Nothing is
guessed: rows of one number that say different things, or may be another patient's, and numbers of
which a spreadsheet has left digits out, decide nothing.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgcxr.cohort import spelling, vocabulary
from pgcxr.cohort.findings import NORMAL
from pgcxr.errors import InputError
from pgcxr.sources import tables
from pgcxr.sources.studies_csv import DATE, NAME, Row
from pgcxr.sources.weak_labels.decision import Decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import Opinion

# Days by which a study may differ that was read after midnight.
MIDNIGHT = datetime.timedelta(days=1)
NO_ROW = ("diagnosis", f"no row in {NAME}")
# Many patients' studies may have such a number, and one patient several.
NO_NUMBER = (
    "diagnosis",
    f"no row in {NAME}: the file names no accession number, or zeros, which stand for none",
)
ROUNDED = (
    "diagnosis",
    f"no row in {NAME} for certain: a spreadsheet left digits out of one that may be its",
)
OTHER_PATIENT = ("label_conflict", f"the file and {NAME} name different patients")
SEVERAL_PATIENTS = ("label_conflict", "files or rows of its accession number name several patients")
UNCERTAIN_NUMBER = ("label_conflict", f"its number fits several in {NAME}, or several files' fit")
OTHER_DAY = ("label_conflict", f"the file and {NAME} name different days")
MERGED = (
    "label_conflict",
    "a row below its own has no number and is not normal: under a merged cell it would be its",
)
DIFFERING = ("label_conflict", f"rows of {NAME} with its number say different things")


@dataclass
class Study:
    """What the rows of one number and patient say. `first` is the number of its first scan."""

    patient: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    report: str = field(repr=False)
    decided: Decision
    opinions: tuple[Opinion, ...]
    hospital: str = field(repr=False)
    first: int = 0


class Studies:
    """The rows of the table, by the numbers and patients of files.

    Args:
        rows: of the table.
        files: (accession number, patient) of each file, as the headers write them.
        labeling: how codes and reports become labels.
    """

    def __init__(
        self, rows: Sequence[Row], files: Iterable[tuple[str, str]], labeling: Labeling
    ) -> None:
        self._labeling, self._made = labeling, {}
        self._shifted = 0
        self._rows: dict[str, list[Row]] = defaultdict(list)
        # Number without what a spreadsheet does to it -> how the table, and how files write it.
        self._written: dict[str, set[str]] = defaultdict(set)
        self._asked: dict[str, set[str]] = defaultdict(set)
        self._patients: dict[str, set[str]] = defaultdict(set)
        for accession, patient in files:
            number = spelling.plain(accession)
            self._asked[spelling.number(accession)].add(number)
            self._patients[number].add(vocabulary.same_patient(patient))
        self._asked.pop("", None)
        self.unnumbered = [row.place for row in rows if _is_none(row.number)]
        self._below = _below(rows)
        self._rounded = self._without_digits([row for row in rows if not _is_none(row.number)])
        self._cut = {_kept(row.number) for row in self._rounded if spelling.is_cut(row.number)}
        # Few, as they are rounded.
        self._scientific = {row.number for row in self._rounded if spelling.is_rounded(row.number)}
        rounded = {row.place for row in self._rounded}
        for row in rows:
            if not _is_none(row.number) and row.place not in rounded:
                self._rows[row.number].append(row)
                self._written[spelling.number(row.number)].add(row.number)
        self._found = {
            number: self._find(number) for numbers in self._asked.values() for number in numbers
        }
        self.undone = sum(found not in (None, "", number) for number, found in self._found.items())
        # In a table that was spoilt the same digits may be another number's.
        if any(found not in (None, number) for number, found in self._found.items()):
            for numbers in self._asked.values():
                if len(numbers) > 1 and any(self._found[number] != number for number in numbers):
                    self._found |= dict.fromkeys(
                        (n for n in numbers if self._found[n] is not None), ""
                    )

    def _without_digits(self, rows: list[Row]) -> list[Row]:
        """The rows whose numbers a spreadsheet has rounded."""
        asked = set().union(*self._asked.values()) if self._asked else set()
        rounded = [
            row for row in rows if spelling.is_rounded(row.number) and row.number not in asked
        ]
        long = [row for row in rows if spelling.is_long(row.number)]
        # Not where the files' numbers end in zeros themselves.
        whole = any(spelling.is_long(number) and not spelling.is_cut(number) for number in asked)
        if whole and all(spelling.is_cut(row.number) for row in long):
            rounded += long
        return sorted(rounded, key=lambda row: row.place)

    def _find(self, number: str) -> str | None:
        """How the table writes a file's number; "" where that is not certain, None where nowhere.

        Written the same it is the same; otherwise it must be the only one on both sides.
        """
        if number in self._rows:
            return number
        key = spelling.number(number)
        written = {other for other in self._written.get(key, ()) if other not in self._asked[key]}
        if not written:
            return None
        return written.pop() if len(written) == len(self._asked[key]) == 1 else ""

    def of(self, accession: str, patient: str) -> Study | tuple[str, str]:
        """What the table says of a file with this number and patient (header's), or (rule, detail)
        of why nothing is certain."""
        number, patient = spelling.plain(accession), vocabulary.same_patient(patient)
        found = self._found.get(number)
        if found is None:
            if _is_none(number):
                return NO_NUMBER
            rounded = any(spelling.fits(other, number) for other in self._scientific)
            return ROUNDED if rounded or _kept(number) in self._cut else NO_ROW
        if not found:
            return UNCERTAIN_NUMBER
        rows = [(row, _listed(row.patient, patient)) for row in self._rows[found]]
        named = {listed for _, listed in rows if listed}
        unnamed = any(not listed for _, listed in rows)
        others = {other for other in self._patients[number] if other}
        if patient and named and patient not in named:
            return OTHER_PATIENT
        if (unnamed and len(named | others) > 1) or (not patient and len(named) > 1):
            return SEVERAL_PATIENTS
        if (found, patient) not in self._made:
            mine = [row for row, listed in rows if not (listed and patient) or listed == patient]
            self._made[found, patient] = self._study(mine, next(iter(named), ""))
        return self._made[found, patient]

    def _study(self, rows: list[Row], patient: str) -> Study:
        codes = tuple(dict.fromkeys(code for row in rows for code in row.codes))
        report = "\n".join(dict.fromkeys(row.report for row in rows if row.report))
        made, opinions = self._labeling.of_study(codes, report)
        said = {(row.codes, row.report) for row in rows}
        if len(said) > 1:
            labels = {self._labeling.of_study(*each)[0].label for each in said} - {""}
            if len(labels) > 1:
                made = replace(made, rejected=DIFFERING)
        below = [row for mine in rows for row in self._below.get(mine.place, ())]
        if made.label == NORMAL and any(map(self._is_doubt, below)):
            made = replace(made, rejected=MERGED)
        # Of two that the rows name, either may be the file's.
        hospitals = {spelling.name(row.hospital): row.hospital for row in rows if row.hospital}
        hospital = hospitals.popitem()[1] if len(hospitals) == 1 else ""
        return Study(patient, codes, report, made, opinions, hospital)

    def of_other_days(self, files: Iterable[tuple[str, datetime.date | None]]) -> set[str]:
        """Accession numbers of files whose rows all name another day than a file does: numbers are
        used again. Where that is so of most, the days of one side were shifted to hide them, which
        is warned of, and none is returned.

        Args:
            files: (accession number, day of the study) of each, as the headers write them.
        """
        alike, other = set(), set()
        for accession, day in files:
            found = self._found.get(spelling.plain(accession))
            days = [row.date for row in self._rows.get(found or "", ())]
            if day is None or not days or None in days:
                continue
            near = any(abs(day - listed) <= MIDNIGHT for listed in days if listed)
            (alike if near else other).add(accession)
        if len(other) <= len(alike):
            return other
        self._shifted = len(other)
        return set()

    def _is_doubt(self, row: Row) -> bool:
        """Whether a study that this row may belong to is perhaps not normal."""
        label = self._labeling.of_study(row.codes, row.report)[0].label
        return label != NORMAL

    def __len__(self) -> int:
        return len(self._rows) + len(self._rounded)

    def unused(self, no_images: Iterable[str] = ()) -> int:
        """How many numbers of the table are no file's; each that lost digits counts.

        Args:
            no_images: accession numbers of files that are no radiographs, but there.
        """
        unused = self._rows.keys() - set(self._found.values())
        there = {spelling.number(spelling.plain(number)) for number in no_images}
        return sum(spelling.number(number) not in there for number in unused) + len(self._rounded)

    def matched(self) -> bool:
        """Whether any number of the table is that of a file."""
        return any(found is not None for found in self._found.values())

    def warnings(self) -> list[str]:
        """What was undone, and what could not be."""
        said = []
        if self._rounded:
            places = tables.few([row.place for row in self._rounded])
            said.append(
                f"{NAME}: a spreadsheet has left out digits of accession numbers ({places}, as in "
                "1.23457E+15), so these rows are not used; export the table anew, with that column "
                "as text"
            )
        if self.undone:
            said.append(
                f"{NAME}: {self.undone} accession numbers are written otherwise than in the files "
                "(zeros in front, marks, blanks, capitals) and were matched without these"
            )
        uncertain = sum(found == "" for found in self._found.values())
        if uncertain:
            said.append(
                f"{NAME}: {uncertain} accession numbers of files fit several of the table, or one "
                "that fits others, once zeros in front and marks are left out; these are excluded"
            )
        if self._shifted:
            said.append(
                f"{NAME}: {self._shifted} studies have another {DATE} than their files, most of "
                "all that were compared: if the days of one side were not shifted on purpose, the "
                "rows are those of other studies"
            )
        if self.unnumbered:
            places = tables.few(self.unnumbered)
            said.append(
                f"{NAME}: no accession number, or zeros, in {places}, not used; where a cell "
                "above was merged over several rows, fill it in"
            )
        return said


def _below(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Place of a row -> the rows without a number directly below it that name no other patient: a
    spreadsheet leaves the cells under a merged one empty."""
    found: dict[int, list[Row]] = defaultdict(list)
    above: Row | None = None
    for row in rows:
        if row.number:
            above = row
        elif above is not None and row.patient in ("", above.patient) and row.codes:
            found[above.place].append(row)
    return found


def refuse_strangers(folder: Path, studies: Studies) -> None:
    """Raises InputError where no row is that of any file."""
    if not studies.matched() and (len(studies) or studies.warnings()):
        said = studies.warnings()
        if said:
            raise InputError(f"{folder / NAME}: no number in it is that of a file. {said[0]}")
        raise InputError(
            f"{folder / NAME}: none of its {len(studies)} accession numbers is that of a file; "
            "are both of one export, and the numbers written alike?"
        )


def _is_none(number: str) -> bool:
    """Whether a number is none: empty, or zeros."""
    return not number.strip("0")


def _listed(listed: str, patient: str) -> str:
    """The patient that a row names; `patient` where digits that are left out can be that one's, and
    "" where they are left out but cannot be told."""
    same = vocabulary.same_patient(listed)
    if spelling.is_rounded(listed) and same != patient:
        return patient if spelling.fits(listed, patient) else same
    return same


def _kept(number: str) -> tuple[str, int]:
    """The digits that a spreadsheet keeps, and how many there are in all."""
    digits = spelling.number(number)
    return digits[: spelling.SPREADSHEET], len(digits)

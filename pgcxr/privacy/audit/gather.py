"""The identifiers of an export: of its DICOM files, its tables, and the names of its files and
folders."""

import functools
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import artifacts, trees
from pgcxr.privacy.audit import elements, identifiers, tables
from pgcxr.privacy.audit.identifiers import Identifiers

# Files, and parts of tables, whose identifiers are held as texts at once.
BATCH, PARTS = 20_000, 64
# What became of a file: read; read only as printable bytes; brought its reader down; not read.
READ, DAMAGED, LOST, UNREAD = "", "damaged", "lost", "unread"
# (the joined words, one byte each for their kind, what became of the file)
Result = tuple[list[str], bytes, str]


def lost(_item) -> Result:
    """The result of a file that brings its reader down."""
    return [], b"", LOST


@dataclass
class Gathering:
    """The identifiers of an export, batch by batch, and what could not be read.

    Args:
        run: run(function, items) -> results in order, as `audit.in_processes` gives it; `lost`
            stands for items that bring their process down.

    Attributes:
        files: the names of all files.
        unread: those of the files and folders that could not be read.
        damaged: how many were read only as printable bytes.
    """

    export: Path
    run: Callable
    files: list[str] = field(init=False, repr=False)
    unread: set[str] = field(init=False, repr=False)
    damaged: int = 0
    # Whose files alone hold what elements that may stay say; None for several patients.
    _kept: dict[str, int | None] = field(default_factory=dict, repr=False)
    _patients: set[int] = field(default_factory=set, repr=False)

    def __post_init__(self):
        self.files, self.unread = walk(self.export)

    def batches(self) -> Iterator[Identifiers]:
        """Sets of (kind, joined words); the last one has what two patients or more share in
        elements that may stay."""
        for at in range(0, len(self.files), BATCH):
            batch = self.files[at : at + BATCH]
            yield set().union(*map(identifiers.of_path, batch))
            large = set(filter(self._is_large, batch))
            yield self._of_files([name for name in batch if name not in large])
            for name in sorted(large):
                yield from self._of_table(name)
        # What the files of one patient alone hold may as well be that patient's.
        several = len(self._patients) > 1
        yield {
            ("kept", value)
            for value, patient in self._kept.items()
            if patient is None or not several
        }

    def _is_large(self, name: str) -> bool:
        """Whether a table is read part by part: not with the files, by one process more."""
        return tables.is_table(name) and not tables.is_small(self.export / name)

    def _of_files(self, files: list[str]) -> Identifiers:
        found: Identifiers = set()
        again = []
        for name, result in zip(
            files, self.run(functools.partial(of_file, self.export), files), strict=True
        ):
            if tables.is_table(name):
                found |= identifiers.unpacked(*result[:2])
                if result[2]:
                    self.unread.add(name)
            elif result[2] == LOST:
                again.append(name)
            else:
                self._add(found, name, result)
        if again:
            remains = self.run(functools.partial(of_remains, self.export), again)
            for name, result in zip(again, remains, strict=True):
                self._add(found, name, result)
        return found

    def _add(self, found: Identifiers, name: str, result: Result) -> None:
        values, kinds, state = result
        if state in (LOST, UNREAD):
            self.unread.add(name)
            return
        self.damaged += state == DAMAGED
        pairs = identifiers.unpacked(values, kinds)
        patient = hash(frozenset(value for kind, value in pairs if kind == "patient"))
        self._patients.add(patient)
        for kind, value in pairs:
            if kind == "kept":
                if self._kept.setdefault(value, patient) != patient:
                    self._kept[value] = None
            elif kind != "patient":
                found.add((kind, value))

    def _of_table(self, name: str) -> Iterator[Identifiers]:
        path = self.export / name
        try:
            if not _is_regular(path):
                raise OSError
            left = tables.parts(path)
            while batch := list(islice(left, PARTS)):
                results = self.run(of_part, batch)
                if any(state == LOST for *_, state in results):
                    raise OSError
                for values, kinds, _ in results:
                    yield identifiers.unpacked(values, kinds)
        except (OSError, EOFError, zlib.error):
            self.unread.add(name)


def walk(export: Path) -> tuple[list[str], set[str]]:
    """(all files of an export, what cannot be looked into), relative to it; the files sorted.

    The phantom's own truth is no part of its export. Links to folders are not followed: what lies
    outside of the export cannot be looked into, what lies inside is seen anyway.
    """
    phantom = _is_phantom(export)
    tree = trees.walk(export, lambda path: not (phantom and path == "truth/"))
    inside = Path(os.path.realpath(export))
    outside = {
        name
        for name in tree.links
        if not Path(os.path.realpath(export / name)).is_relative_to(inside)
    }
    return sorted(tree.files), {*tree.closed, *outside}


def names(export: Path) -> list[str]:
    """All files of an export, relative to it, sorted."""
    return walk(export)[0]


def _is_phantom(export: Path) -> bool:
    try:
        return artifacts.read_json(export / "report.json")["made_by"]["command"] == "pgcxr phantom"
    except (InputError, OSError, KeyError, TypeError):
        return False


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(os.stat(path).st_mode)


def of_file(export: Path, name: str) -> Result:
    """The identifiers of a file that is no large table; nothing where it is no DICOM file
    either."""
    path = export / name
    try:
        if not _is_regular(path):
            return [], b"", UNREAD
        if tables.is_table(name):
            return *identifiers.packed(tables.of_table(path)), READ
        return *identifiers.packed(elements.of_dicom(path)), READ
    except elements.Damaged as damaged:
        return of_remains(export, name, damaged.found)
    except OSError:
        return [], b"", UNREAD


def of_remains(export: Path, name: str, found: Identifiers = frozenset()) -> Result:
    """The identifiers in the printable parts of a file that its reader cannot read, and what it
    `found`."""
    try:
        return *identifiers.packed(found | elements.of_remains(export / name)), DAMAGED
    except OSError:
        return [], b"", UNREAD


def of_part(part: tables.Part) -> Result:
    """The identifiers of some lines of a table."""
    return *identifiers.packed(tables.of_part(part)), READ

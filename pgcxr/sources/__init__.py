"""Where images come from: each source lists its scans, with what the rules need to know of each.

A source is a module with

- `matches(folder)`: whether the folder has its layout;
- `KNOWS`: the rules that it has the data for (the other ones do not apply to it), or, where that
  depends on what lies in the folder, `knows(folder, labeling)`;
- `scans(folder, map_files, labeling)`: a list of Scan in the order of the paths, and a dict of
  counts for the report.

Its layout is in LAYOUTS, what its labels stand for in labels.toml, its name in SOURCES of
pgcxr.curation.options, which the command line reads.

Labels come out of pgcxr.sources.weak_labels: what each witness says (Opinion), and what is made of
it (Decision).
"""

import datetime
import importlib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import archives
from pgcxr.sources.weak_labels.decision import Decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import Opinion

# What tells each source from the others; in the order in which they are tried.
LAYOUTS = {
    "nih": "Data_Entry_2017*.csv (NIH ChestX-ray14)",
    "rsna": "stage_2_train_labels.csv (RSNA 2018)",
    "vindr": "annotations/image_labels_*.csv (VinDr-CXR)",
    "chexpert": "train.csv or valid.csv (CheXpert)",
    "mimic": "mimic-cxr-2.*-metadata.csv.gz (MIMIC-CXR-JPG)",
    "table": "columns.toml (any table)",
    "pacs": "studies.csv (a PACS export)",
}
AGE, VIEW, DESCRIBED_VIEW, MIRRORED = "age", "view", "described view", "mirrored"


@dataclass(slots=True)
class Scan:
    """One image file. Identifying fields are kept out of repr().

    `number` is its place among the sorted paths, from 1: all that is ever said of it outside of the
    machine. `rejected` is (rule, detail) where the source itself knows that the image cannot be
    used; `silent` are the rules of which this file can say nothing, while others of the source do.
    `boxes` are [N, 4] x, y, width, height as fractions of the image; `masks` are files of
    lesion masks. `unknown` are findings that are neither known to be there nor to be absent;
    `device` says that a table of labels names hardware in the image; `opinions` are what the
    witnesses of its study say, and `study` is the number of that study's first image; `confidence`
    and `witnesses` are explained in pgcxr.sources.weak_labels.decision.
    """

    number: int
    path: Path = field(repr=False)
    name: str = field(repr=False)  # relative to the export, "/" between folders
    patient: str = field(default="", repr=False)
    label: str = ""
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    confidence: float | None = None
    witnesses: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    study: int = 0
    device: bool = False
    codes: tuple[str, ...] = field(default=(), repr=False)
    report: str = field(default="", repr=False)
    age: float | None = field(default=None, repr=False)
    sex: str = ""
    modality: str = field(default="", repr=False)
    body_part: str = field(default="", repr=False)
    view: str = field(default="", repr=False)
    manufacturer: str = field(default="", repr=False)
    hospital: str = field(default="", repr=False)  # as the table of studies names it
    study_date: datetime.date | None = field(default=None, repr=False)
    burned_in: str = field(default="", repr=False)  # YES, NO, or what else the header says
    for_processing: bool = False  # raw values of a detector
    contradicts: tuple[str, ...] = ()  # what a header says in two ways: AGE, VIEW, ...
    unread_age: bool = False  # a table says an age, which cannot be read
    rows: int = 0
    columns: int = 0
    rejected: tuple[str, str] | None = None
    silent: tuple[str, ...] = ()
    boxes: np.ndarray | None = field(default=None, repr=False)
    masks: tuple[Path, ...] = field(default=(), repr=False)

    def decide(self, made: Decision) -> None:
        """Takes a label over; a reason to reject that is known already stays."""
        self.label, self.findings, self.unknown = made.label, made.findings, made.unknown
        self.confidence, self.witnesses = made.confidence, made.witnesses
        self.rejected = self.rejected or made.rejected

    def decision(self) -> Decision:
        """The label as a Decision, to give to other scans of the same study."""
        return Decision(
            self.label, self.findings, self.unknown, self.confidence, self.witnesses, self.rejected
        )


def named(name: str | None, folder: Path) -> tuple[str, ModuleType]:
    """The source called `name`, or the one whose layout `folder` has.

    Args:
        name: one of LAYOUTS, or None.
        folder: the export.

    Returns:
        Its name, and the module that lists its scans.

    Raises:
        InputError: there is no such source, or the folder has the layout of none.

    Example:

        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> (folder / "studies.csv").touch()
        >>> named(None, folder)[0]
        'pacs'
        >>> named("nhi", folder)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: source: must be one of chexpert, mimic, nih, pacs, rsna, \
table, vindr. Received: source=nhi
    """
    if name is not None:
        if name not in LAYOUTS:
            expected = f"must be one of {', '.join(sorted(LAYOUTS))}"
            raise ArgumentError("source", expected, received=name)
        return name, _module(name)
    source = recognized(folder)
    if source:
        return source, _module(source)
    if not any(folder.iterdir()):
        raise InputError(
            f"{folder}: is empty; expected DICOM files and studies.csv, or a public set as "
            "downloaded"
        )
    packed = archives.advice(archives.reasons(folder))
    if packed:
        raise InputError(
            f"{folder}: no source's table is here, and of its files {packed}; expected "
            f"{LAYOUTS['pacs']} or a public set"
        )
    raise InputError(
        f"{folder}: neither {LAYOUTS['pacs']} nor {', '.join(list(LAYOUTS.values())[:-1])} is "
        "here; add the table of diagnoses, or name the folder that holds it"
    )


def recognized(folder: Path) -> str | None:
    """The first source of LAYOUTS whose layout `folder` has."""
    return next((source for source in LAYOUTS if _module(source).matches(folder)), None)


def knows(module: ModuleType, folder: Path, labeling: Labeling) -> tuple[str, ...]:
    """The rules that the source has the data for, in this folder."""
    return module.knows(folder, labeling) if hasattr(module, "knows") else module.KNOWS


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"pgcxr.sources.{name}")

"""Where images come from: each source lists its scans, with what the rules need to know of each.

A source is a module with
- `matches(folder)`: whether the folder has its layout;
- `KNOWS`: the rules that it has the data for (the other ones do not apply to it);
- `scans(folder, map_files)`: a list of Scan in the order of the paths, and a dict of counts for the report.
"""

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np

from pgcxr.errors import InputError


@dataclass
class Scan:
    """One image file. Identifying fields are kept out of repr().

    `number` is its place among the sorted paths, from 1: all that is ever said of it outside of the machine.
    `rejected` is (rule, detail) where the source itself knows that the image cannot be used.
    `boxes` are [N, 4] x, y, width, height as fractions of the image; `masks` are files of lesion masks.
    """

    number: int
    path: Path = field(repr=False)
    name: str = field(repr=False)  # relative to the export, "/" between folders
    patient: str = field(default="", repr=False)
    label: str = ""
    findings: tuple[str, ...] = ()
    codes: tuple[str, ...] = field(default=(), repr=False)
    report: str = field(default="", repr=False)
    age: float | None = field(default=None, repr=False)
    sex: str = ""
    modality: str = field(default="", repr=False)
    body_part: str = field(default="", repr=False)
    view: str = field(default="", repr=False)
    manufacturer: str = field(default="", repr=False)
    study_date: datetime.date | None = field(default=None, repr=False)
    burned_in: str = field(default="", repr=False)  # YES, NO, or what else the header says
    rows: int = 0
    columns: int = 0
    rejected: tuple[str, str] | None = None
    boxes: np.ndarray | None = field(default=None, repr=False)
    masks: tuple[Path, ...] = field(default=(), repr=False)


def named(name: str | None, folder: Path) -> tuple[str, ModuleType]:
    """The source called `name`, or the one whose layout `folder` has."""
    from pgcxr.data.sources import nih, pacs

    known = {"nih": nih, "pacs": pacs}
    if name is not None:
        if name not in known:
            raise InputError(f"--source {name}: unknown; the sources are {', '.join(sorted(known))}")
        return name, known[name]
    for found, module in known.items():
        if module.matches(folder):
            return found, module
    if not any(folder.iterdir()):
        raise InputError(f"{folder}: is empty; expected DICOM files and studies.csv, or NIH's ChestX-ray14")
    raise InputError(
        f"{folder}: neither studies.csv (a PACS export) nor Data_Entry_2017*.csv (NIH ChestX-ray14) is here; "
        "add the table of diagnoses, or name the folder that holds it"
    )

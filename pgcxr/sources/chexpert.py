"""CheXpert 1.0 (Irvin et al., AAAI 2019), full or small: JPEG files and train.csv, valid.csv.

Path (CheXpert-v1.0[-small]/train/patient00001/study1/view1_frontal.jpg), Sex, Age, Frontal/Lateral,
AP/PA, and 14 labels: 1 positive, 0 negative, -1 uncertain, empty not mentioned. A program read the
training labels from reports, radiologists the validation images. What -1 becomes says `uncertain`
(decision.py); what is not mentioned counts as absent, as in the CheXpert paper; an image with
neither "No Finding" nor a finding has no label. "Support Devices" is for the rule of devices.

The full set comes in batches: the tables say CheXpert-v1.0/train/patient00001/..., and the files
lie in "CheXpert-v1.0 batch 2 (train 1)"/patient00001/... So a file that is not where its table says
is looked for in the folder of its patient, wherever that lies.
"""

import os
import re
from pathlib import Path

from pgcxr.cohort.image_files import image_size
from pgcxr.dicom import ages
from pgcxr.errors import InputError
from pgcxr.sources import Scan, label_map, tables
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN

KNOWS = ("diagnosis", "label_conflict", "age", "sex", "view", "device")
TABLES = ("train.csv", "valid.csv")
DESCRIBED = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
STATUS = {"1": POSITIVE, "0": NEGATIVE, "-1": UNCERTAIN}
PATIENT = re.compile(r"patient\d+")
SEX = {"MALE": "M", "FEMALE": "F"}
SMALL = "-small"
DEEPEST = 3
SEVERAL = ("label_conflict", "several files are of this place in the set")


def matches(folder: Path) -> bool:
    """Whether a table of CheXpert's is there, or in CheXpert-v1.0*/."""
    return bool(_tables(folder))


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every row of the tables whose file is there, in the order of the paths."""
    labeling = labeling or Labeling()
    found_tables = _tables(folder)
    if not found_tables:
        raise InputError(
            f"{folder}: no train.csv or valid.csv of CheXpert; name the folder CheXpert-v1.0-small"
        )
    places = _Places(folder)
    found: list[Scan] = []
    warnings: list[str] = []
    absent, outside = 0, 0
    for table in found_tables:
        labels = tuple(name for name in tables.header(table) if name in label_map.load("chexpert"))
        rows, twice = tables.unique(
            (path, cells)
            for path, *cells in tables.columns(table, (*DESCRIBED, *labels), notes=warnings)
        )
        before = len(found)
        for path, (sex, age, side, view, *cells) in rows.items():
            fitting = places.of(table, path)
            if fitting is None:
                outside += 1
            elif not fitting:
                absent += 1
            else:
                scan = Scan(0, fitting[0], fitting[0].relative_to(folder).as_posix())
                patient = PATIENT.search(path)
                scan.patient = f"chexpert {patient[0]}" if patient else ""
                scan.sex, scan.age = SEX.get(sex.upper(), ""), ages.age_in_words(age) or None
                scan.view = "LATERAL" if side.upper() == "LATERAL" else view
                label(
                    scan,
                    statuses(labels, cells),
                    None,
                    labeling,
                    "radiologists" if table.name == TABLES[1] else "chexpert",
                )
                if path in twice:
                    scan.rejected = tables.TWICE
                elif len(fitting) > 1:
                    scan.rejected = SEVERAL
                found.append(scan)
        if rows and len(found) == before:
            warnings.append(
                f"none of the {len(rows)} files that {table.name} names is in this folder; name "
                "the folder that all batches lie in, unpacked"
            )
    if not found:
        raise InputError(
            f"{folder}: none of the files that {found_tables[0].name} names is here; unpack "
            "CheXpert's images"
        )
    found.sort(key=lambda scan: scan.name)
    sizes = map_files(image_size, [scan.path for scan in found])
    for number, (scan, size) in enumerate(zip(found, sizes, strict=True), 1):
        scan.number = scan.study = number
        if isinstance(size[0], str):
            scan.rejected = size  # the file may not be read
        else:
            scan.rows, scan.columns = size
        if not scan.patient:
            scan.rejected = (
                "label_conflict",
                "no patient identity: the splits could share a patient",
            )
    return found, {"rows_without_file": absent, "rows_outside": outside, "warnings": warnings}


def statuses(labels: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    """Label -> status, from cells such as "1.0"."""
    read = (
        (name, label_map.status(cell, STATUS)) for name, cell in zip(labels, cells, strict=True)
    )
    return {name: status for name, status in read if status}


def label(
    scan: Scan,
    first: dict[str, str],
    second: dict[str, str] | None,
    labeling: Labeling,
    witness: str,
) -> None:
    """Gives a scan its label from one or two rows of the 14 labels."""
    meanings = label_map.load("chexpert")
    opinion = label_map.opinion(witness, first, meanings)
    scan.device = label_map.has_device(first, meanings)
    if second is None:
        scan.decide(decision.decide(opinion, None, labeling.uncertain))
    else:
        other = label_map.opinion("negbio", second, meanings)
        scan.opinions = (opinion, other)
        both = decision.agree if labeling.policy == decision.AGREE else decision.decide
        scan.decide(both(opinion, other, labeling.uncertain))
    scan.rejected = label_map.refusal(first, meanings) or scan.rejected
    missed = label_map.unread(first, meanings)
    scan.unknown += tuple(name for name in missed if name not in scan.unknown)
    if witness == "radiologists" and scan.confidence is not None:
        scan.confidence = decision.AGREED


class _Places:
    """Where the files are that the tables name."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._patients: dict[str, list[Path]] | None = None

    def of(self, table: Path, text: str) -> list[Path] | None:
        """The file, or files, that a Path may be; None where it leads out of the folder.

        A Path begins with the name of the folder that its table lies in, whatever that is called
        now.
        """
        place = tables.inside(table.parent, text)
        if place is None:
            return None
        parts = place.relative_to(table.parent).parts
        if parts[0].startswith("CheXpert") and len(parts) > 1:
            parts = parts[1:]
        place = table.parent.joinpath(*parts)
        if place.is_file():
            return [place]
        at = next((at for at, part in enumerate(parts) if PATIENT.fullmatch(part)), None)
        if at is None:
            return []
        if self._patients is None:
            self._patients = _patients(self._folder)
        small = SMALL in text
        fitting = [
            folder.joinpath(*parts[at + 1 :])
            for folder in self._patients.get(parts[at], ())
            if (SMALL in folder.relative_to(self._folder).as_posix()) == small
            or SMALL in self._folder.name
        ]
        return sorted(path for path in fitting if path.is_file())


def _patients(folder: Path) -> dict[str, list[Path]]:
    """Name of a patient -> the folders of that name, down to DEEPEST folders within folders."""
    found: dict[str, list[Path]] = {}
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        for name in sorted(_folders(place)):
            if PATIENT.fullmatch(name):
                found.setdefault(name, []).append(place / name)
            elif depth < DEEPEST:
                waiting.append((place / name, depth + 1))
    return found


def _folders(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _tables(folder: Path) -> list[Path]:
    """Those of the set: in the folder, in its CheXpert-v1.0*, and in those of one folder in it."""
    places = [
        folder,
        *sorted(folder.glob("CheXpert-v1.0*")),
        *sorted(folder.glob("*/CheXpert-v1.0*")),
    ]
    found = [place / name for place in places for name in TABLES if (place / name).is_file()]
    return [table for table in found if {*DESCRIBED} <= {*tables.header(table)}]

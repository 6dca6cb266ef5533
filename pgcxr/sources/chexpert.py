"""CheXpert 1.0 (Irvin et al., AAAI 2019), full or small: JPEG files and train.csv, valid.csv.

Path (CheXpert-v1.0[-small]/train/patient00001/study1/view1_frontal.jpg), Sex, Age, Frontal/Lateral,
AP/PA, and 14 labels: 1 positive, 0 negative, -1 uncertain, empty not mentioned. A program read the
training labels from reports, radiologists the validation images. What -1 becomes says `uncertain`
(decision.py); what is not mentioned counts as absent, as in the CheXpert paper; an image with
neither "No Finding" nor a finding has no label. "Support Devices" is for the rule of devices.
"""

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
    found, absent, outside = [], 0, 0
    for table in found_tables:
        labels = tuple(name for name in tables.header(table) if name in label_map.load("chexpert"))
        for path, sex, age, side, view, *cells in tables.columns(table, (*DESCRIBED, *labels)):
            place = _place(table.parent, path)
            if place is None:
                outside += 1
            elif not place.is_file():
                absent += 1
            else:
                scan = Scan(0, place, place.relative_to(folder).as_posix())
                patient = PATIENT.search(path)
                scan.patient = f"chexpert {patient[0]}" if patient else ""
                scan.sex, scan.age = SEX.get(sex.upper(), ""), ages.age_in_years(age) or None
                scan.view = "LATERAL" if side == "Lateral" else view
                label(
                    scan,
                    statuses(labels, cells),
                    None,
                    labeling,
                    "radiologists" if table.name == TABLES[1] else "chexpert",
                )
                found.append(scan)
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
    return found, {"rows_without_file": absent, "rows_outside": outside}


def statuses(labels: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    """Label -> status, from cells such as "1.0"."""
    read = (
        (name, STATUS.get(cell.removesuffix(".0")))
        for name, cell in zip(labels, cells, strict=True)
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
    if label_map.contradicts(first, meanings):
        scan.rejected = ("label_conflict", "No Finding beside a finding")
    if witness == "radiologists" and scan.confidence is not None:
        scan.confidence = decision.AGREED


def _place(folder: Path, text: str) -> Path | None:
    """The file, whose Path begins with the name of the folder that the table lies in."""
    place = tables.inside(folder, text)
    if place is None:
        return None
    parts = place.relative_to(folder).parts
    return (
        folder.joinpath(*parts[1:]) if parts[0].startswith("CheXpert") and len(parts) > 1 else place
    )


def _tables(folder: Path) -> list[Path]:
    places = [folder, *sorted(folder.glob("CheXpert-v1.0*"))]
    found = [place / name for place in places for name in TABLES if (place / name).is_file()]
    return [table for table in found if {*DESCRIBED} <= {*tables.header(table)}]

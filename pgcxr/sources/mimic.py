"""MIMIC-CXR-JPG 2.0.0 and 2.1.0 (Johnson et al., 2019): 377,110 JPEG files with labels by two
programs.

files/p10/p10000032/s50414267/<dicom_id>.jpg; mimic-cxr-2.0.0-metadata.csv.gz (dicom_id, subject_id,
study_id, ViewPosition, StudyDate), -chexpert.csv.gz and -negbio.csv.gz (subject_id, study_id, 14
labels as in chexpert.py), as downloaded or unpacked. CheXpert's labels decide and NegBio's confirm
them (`confidence`); with the policy agree both must say the same. Splits are made by patient as for
any source, not from -split.csv.gz.

Age and sex are not part of the set: where MIMIC-IV's patients.csv[.gz] lies in the folder, they are
taken from it.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pgcxr.cohort.image_files import image_size
from pgcxr.dicom.ages import OLDEST
from pgcxr.errors import InputError
from pgcxr.sources import Scan, chexpert, label_map, tables
from pgcxr.sources.weak_labels.labeling import Labeling

PARTS = ("metadata", "chexpert", "negbio")
META = ("dicom_id", "subject_id", "study_id", "ViewPosition")


def matches(folder: Path) -> bool:
    """Whether the table of metadata is there."""
    return _table(folder, "metadata") is not None


def knows(folder: Path, labeling: Labeling | None = None) -> tuple[str, ...]:
    """The rules that can be asked: age and sex only beside MIMIC-IV's table of patients."""
    rules = ("diagnosis", "label_conflict", "view", "device")
    return rules if _patients_table(folder) is None else (*rules, "age", "sex")


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every row of the metadata whose file is there, in the order of the paths."""
    labeling = labeling or Labeling()
    paths = {part: _table(folder, part) for part in PARTS}
    for part in PARTS[:2]:
        if paths[part] is None:
            raise InputError(
                f"{folder}: no mimic-cxr-2.*-{part}.csv[.gz]; fetch it from PhysioNet into this "
                "folder"
            )
    first, twice = tables.unique(_labels(paths["chexpert"]))
    second, others = tables.unique(_labels(paths["negbio"])) if paths["negbio"] else (None, set())
    twice |= others
    people = _people(folder)
    found, absent, outside = [], 0, 0
    for image, subject, study, view, date in tables.columns(
        paths["metadata"], META, ("StudyDate",)
    ):
        name = f"files/p{subject[:2]}/p{subject}/s{study}/{image}.jpg"
        if not (subject.isdigit() and study.isdigit() and image.replace("-", "").isalnum()):
            outside += 1
        elif not os.path.isfile(folder / name):
            absent += 1
        else:
            scan = Scan(0, folder / name, name, patient=f"mimic {subject}", view=view)
            scan.sex, scan.age = _person(people, subject, date)
            _label(scan, int(study), first, second, labeling)
            if int(study) in twice:
                scan.rejected = tables.TWICE
            found.append(scan)
    if not found:
        raise InputError(
            f"{folder}: none of the files that {paths['metadata'].name} names is in files/; fetch "
            "them"
        )
    found.sort(key=lambda scan: scan.name)
    studies: dict[str, int] = {}
    # Not as in the metadata: a copy of the set may have been reduced.
    sizes = map_files(image_size, [scan.path for scan in found])
    for number, (scan, size) in enumerate(zip(found, sizes, strict=True), 1):
        if isinstance(size[0], str):
            scan.rejected = size  # the file may not be read
        else:
            scan.rows, scan.columns = size
        scan.number = number
        scan.study = studies.setdefault(scan.name.rsplit("/", 1)[0], number)
    return found, {"rows_without_file": absent, "rows_outside": outside}


def _label(scan: Scan, study: int, first: dict, second: dict | None, labeling: Labeling) -> None:
    if study not in first:
        scan.rejected = ("diagnosis", "no row in the table of labels")
        return
    other = second.get(study) if second is not None else None
    decided = _decided(first[study], other, labeling.policy, labeling.uncertain)
    scan.decide(decided[0])
    scan.opinions, scan.device = decided[1:]


@cache
def _decided(first: tuple, second: tuple | None, policy: str, uncertain: str) -> tuple:
    """(decision, opinions, device): few rows of labels differ, and the scans that are alike share
    them."""
    scan = Scan(0, Path(), "")
    labeling = Labeling(policy, uncertain)
    chexpert.label(
        scan, dict(first), None if second is None else dict(second), labeling, "chexpert"
    )
    return scan.decision(), scan.opinions, scan.device


def _labels(path: Path) -> Iterator[tuple[int, tuple]]:
    """(study, its labels and their statuses)."""
    labels = tuple(name for name in tables.header(path) if name in label_map.load("chexpert"))
    if not labels:
        raise InputError(f"{path}: has none of CheXpert's labels; is this MIMIC-CXR-JPG's table?")
    shared: dict[tuple, tuple] = {}
    for study, *cells in tables.columns(path, ("study_id", *labels)):
        if study.isdigit():
            key = tuple(cells)
            if key not in shared:
                shared[key] = tuple(chexpert.statuses(labels, cells).items())
            yield int(study), shared[key]


def _people(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Subject -> (sex, anchor age, anchor year) of MIMIC-IV."""
    path = _patients_table(folder)
    found = {}
    for subject, sex, age, year in (
        tables.columns(path, ("subject_id", "gender", "anchor_age", "anchor_year")) if path else ()
    ):
        if age.isdigit() and year.isdigit():
            found[subject] = (sex, int(age), int(year))
    return found


def _person(people: dict, subject: str, date: str) -> tuple[str, float | None]:
    """(sex, age in the year of the study); dates of MIMIC are shifted, years of one patient
    alike."""
    if subject not in people or not date[:4].isdigit():
        return "", None
    sex, age, year = people[subject]
    age += int(date[:4]) - year
    return sex, float(age) if 0 <= age <= OLDEST else None


def _table(folder: Path, part: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"mimic-cxr-2.*-{part}.csv*"))), None)


def _patients_table(folder: Path) -> Path | None:
    names = [
        f"{inside}patients.csv{end}" for inside in ("", "hosp/", "core/") for end in ("", ".gz")
    ]
    return next((folder / name for name in names if (folder / name).is_file()), None)

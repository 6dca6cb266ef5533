"""A cohort at a glance: sheets of its images, its patients in numbers, one file on its way, and
what is left of a header."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.cohort.image_files import load_images, read_png
from pgcxr.cohort.manifest import Cohort
from pgcxr.dicom import Rejected, decode
from pgcxr.dicom.normalization import NONE, WINDOW, Normalization
from pgcxr.dicom.reading import quiet
from pgcxr.dicom.reading import read as read_dicom
from pgcxr.errors import InputError
from pgcxr.images import to_square
from pgcxr.io import folders
from pgcxr.plots import grids
from pgcxr.privacy.audit import elements

if TYPE_CHECKING:
    import pandas as pd

# Files that are looked at until one can be decoded.
TRIED = 200
# What Table E.1-1 of PS3.15 does with an element.
ACTIONS = {"D": "dummy value", "Z": "emptied", "X": "removed", "U": "replaced by another UID"}
# Elements of which the cohort keeps something, and what.
KEPT = {
    "PatientID": "patient_id: a salted hash",
    "PatientAge": "age in years; above 89: 90",
    "PatientBirthDate": "age in years, where PatientAge is missing",
    "PatientSex": "sex: F, M or nothing",
    "Manufacturer": "manufacturer: one of a closed list, or other",
    "ViewPosition": "view: one of a closed list",
    "BurnedInAnnotation": "image_flags: burned_in_annotation",
}
NOTHING = "nothing"
DECADES = (0, 30, 40, 50, 60, 70, 80, 200)


def montage(cohort: Cohort, path: Path, each: int = 8, seed: int = 0) -> Path:
    """A sheet with a row of random images for normal and for each disease that the cohort has,
    those with that disease alone first.

    Args:
        cohort: with images.
        path: .png.
        each: images in a row, at most.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    kinds, manifest, rows = _kinds(cohort), cohort.manifest, []
    for name in (NORMAL, *TABLE_6):
        which = np.array([name in kind for kind in kinds], bool)
        alone = np.array([len(kind) == 1 for kind in kinds], bool)
        order = rng.permutation(np.flatnonzero(which))
        chosen = order[np.argsort(~alone[order], kind="stable")][:each]
        if len(chosen):
            files = [cohort.folder / manifest["png"].iloc[row] for row in chosen]
            label = f"{name.replace('_', chr(10))}\n{which.sum():,} images"
            rows.append((label, load_images(files, len(read_png(files[0])))))
    return grids.labeled_grid(rows, path)


def _kinds(cohort: Cohort) -> list[set[str]]:
    """Of each image its classes."""
    manifest = cohort.manifest
    told = manifest.get("diagnoses", [""] * len(manifest))
    return [
        {NORMAL} if label == NORMAL else set(filter(None, str(text).split(";")))
        for label, text in zip(manifest["label"], told, strict=True)
    ]


def people(manifest: "pd.DataFrame") -> dict[str, list[tuple]]:
    """Images by age, sex, manufacturer, view and device: {title: [(value, normal, abnormal, all)]},
    of the columns that the manifest has; a value that it does not know is "not known"."""
    tables, labels = {}, list(manifest["label"])
    for column, title in (
        ("age", "Age in years"),
        ("sex", "Sex"),
        ("manufacturer", "Manufacturer"),
        ("view", "View"),
        ("device", "Support device"),
    ):
        if column not in manifest:
            continue
        cells = [_words(column, str(cell)) for cell in manifest[column]]
        tables[title] = [
            (
                value,
                *(
                    sum(pair == (value, label) for pair in zip(cells, labels, strict=True))
                    for label in (NORMAL, ABNORMAL)
                ),
                cells.count(value),
            )
            for value in sorted(set(cells), key=lambda cell: (not cell.startswith("below"), cell))
        ]
    return tables


def _words(column: str, cell: str) -> str:
    cell = cell.strip()
    if not cell or cell == "nan":
        return "not known"
    if column == "device":
        return {"0": "none", "1": "one or more"}.get(cell.removesuffix(".0"), cell)
    if column != "age":
        return cell
    at = np.searchsorted(DECADES, float(cell), side="right")
    low, high = DECADES[at - 1], DECADES[at]
    if low == 0:
        return f"below {high}"
    return f"{low} and above" if high == DECADES[-1] else f"{low} to {high - 1}"


def a_file(export: Path, view: str = "PA") -> Path:
    """The first DICOM file of an export that can be decoded, of that view where the header says
    one.

    Raises:
        InputError: there is none among the first ones.
    """
    tried = 0
    for path in _dicom_files(export):
        tried += 1
        try:
            if read_dicom(path, stop_before_pixels=True).get("ViewPosition", view) == view:
                decode(path)
                return path
        except Rejected:
            pass
        if tried == TRIED:
            break
    raise InputError(f"{export}: none of its first {tried} DICOM files can be decoded")


def _dicom_files(export: Path) -> Iterator[Path]:
    for folder, inside, names in os.walk(export):
        inside.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if folders.is_dicom(path):
                yield path


def steps(path: Path, size: int, normalize: Normalization) -> dict[str, np.ndarray]:
    """uint8 images of what becomes of one DICOM file: "stored values", "window or LUT",
    "normalized" and "in the cohort"."""
    normalized = decode(path, normalize=normalize)
    return {
        "stored values": decode(path, normalize=Normalization(NONE)),
        "window or LUT": decode(path, normalize=Normalization(WINDOW)),
        "normalized": normalized,
        "in the cohort": to_square(normalized, size),
    }


def header(path: Path) -> list[tuple[str, str, str]]:
    """(element, what a de-identified export does with it, what the cohort keeps of it) of each
    element of a file's header that the profile names or of which anything is kept; no value."""
    with quiet():
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    rows = []
    for element in dataset:
        action = elements.action(element.tag)
        if action is not None or element.keyword in KEPT:
            name = element.keyword or f"({element.tag.group:04X},{element.tag.element:04X})"
            done = ACTIONS.get(action, "stays")
            rows.append((name, done, KEPT.get(element.keyword, NOTHING)))
    return rows

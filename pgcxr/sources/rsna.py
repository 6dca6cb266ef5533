"""RSNA Pneumonia Detection Challenge 2018 (Shih et al., Radiol Artif Intell 2019), as downloaded
from Kaggle.

stage_2_train_images/<patientId>.dcm, stage_2_train_labels.csv (patientId, x, y, width, height,
Target; one row for each box) and stage_2_detailed_class_info.csv (patientId, class). Radiologists
read for pneumonia alone: "Lung Opacity" is consolidation with boxes; "No Lung Opacity / Not Normal"
is abnormal with the other findings unknown. The images of stage_2_test_images have no labels and
are excluded.

A "patientId" names an image. The images are NIH's, and several may be of one patient: where
pneumonia-challenge-dataset-mappings_2018.json (from RSNA's page of the data set) lies beside them,
NIH's patients are kept in one split; without it, each image counts as a patient, and the report
warns.
"""

import json
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.io import user_files
from pgcxr.sources import Scan, dicom_files, label_map, tables
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE

KNOWS = (
    *(
        "modality",
        "body_part",
        "diagnosis",
        "label_conflict",
        "age",
        "sex",
        "view",
        "burned_in_annotation",
    ),
)
LABELS = "stage_2_train_labels.csv"
CLASSES = "stage_2_detailed_class_info.csv"
FOLDERS = ("stage_2_train_images", "stage_2_test_images")
PATIENTS = "pneumonia-challenge-dataset-mappings_2018.json"
OPACITY = "Lung Opacity"
# Of the boxes, whatever the size of a file.
FRAME = 1024.0
SHARED_PATIENTS = f"without {PATIENTS} two images of one patient may be in different splits"


def matches(folder: Path) -> bool:
    """Whether the table of boxes is there."""
    return (folder / LABELS).is_file()


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every DICOM file of the two image folders, in the order of the paths."""
    labeling = labeling or Labeling()
    boxes, contradicting = _boxes(folder / LABELS)
    classes, twice = tables.unique(tables.columns(folder / CLASSES, ("patientId", "class")))
    patients = _patients(folder / PATIENTS)
    paths = sorted(path for name in FOLDERS for path in (folder / name).glob("*.dcm"))
    if not paths:
        raise InputError(f"{folder}: no .dcm file in {FOLDERS[0]}/; unpack {FOLDERS[0]}.zip here")
    listed = dicom_files.scans(folder, paths, map_files)
    for scan in listed:
        image = scan.path.stem
        scan.patient = f"nih {patients[image]}" if image in patients else f"rsna {image}"
        if scan.rejected:
            continue
        if image not in classes or image not in boxes:
            missing = f"no row in {CLASSES if image in boxes else LABELS}"
            test = scan.name.startswith(FOLDERS[1])
            scan.rejected = ("diagnosis", "a test image without a label" if test else missing)
            continue
        _label(scan, classes[image], boxes[image], labeling)
        if image in twice | contradicting:
            scan.rejected = tables.TWICE
    present = {path.stem for path in paths}
    counts = {"rows_without_file": sum(image not in present for image in boxes)}
    return listed, counts if patients else {**counts, "warnings": [SHARED_PATIENTS]}


def _label(scan: Scan, named: str, boxes: list, labeling: Labeling) -> None:
    meanings = label_map.load("rsna")
    if named not in meanings:
        scan.rejected = ("diagnosis", f"an unknown class in {CLASSES}")
        return
    opacity = POSITIVE if named == OPACITY else NEGATIVE
    opinion = label_map.opinion("radiologists", {OPACITY: opacity, named: POSITIVE}, meanings)
    made = decision.decide(opinion, None, labeling.uncertain)
    scan.decide(made)
    scan.confidence = decision.AGREED  # read by radiologists for this very question
    if scan.label == "abnormal":
        scan.unknown = label_map.not_covered(meanings)
    if bool(boxes) != (named == OPACITY):
        scan.rejected = ("label_conflict", f"{LABELS} and {CLASSES} disagree")
    scan.boxes = np.array(boxes) if boxes else None


def _boxes(path: Path) -> tuple[dict[str, list], set[str]]:
    """Image -> its boxes as fractions of the image, an empty list where Target is 0; and the images
    of which one row says 0 and another 1."""
    found: dict[str, list] = {}
    targets: list[tuple[str, bool]] = []
    needed = ("patientId", "x", "y", "width", "height", "Target")
    for image, *numbers, target in tables.columns(path, needed):
        boxes = found.setdefault(image, [])
        targets.append((image, label_map.word(target) not in ("", "0")))
        if targets[-1][1]:
            box = dicom_files.numbers(numbers)
            if box is not None:
                boxes.append([number / FRAME for number in box])
    return found, tables.unique(targets)[1]


def _patients(path: Path) -> dict[str, str]:
    """Image -> NIH's number of the patient, the first part of "00000013_005.png"."""
    if not path.is_file():
        return {}
    try:
        rows = json.loads(user_files.read_bytes(path, user_files.JSON))
        return {row["subset_img_id"]: row["img_id"].split("_")[0] for row in rows}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{path}: is damaged or another file; fetch it again, or take it away"
        ) from None

"""VinDr-CXR 1.0.0 (Nguyen et al., Scientific Data 2022) in PhysioNet's layout.

train/<image_id>.dicom and test/<image_id>.dicom; annotations/image_labels_train.csv (image_id,
rad_id, one column of 0 and 1 for each label; three readers, a row each), image_labels_test.csv (the
consensus of five, one row), annotations_train.csv and annotations_test.csv (image_id, [rad_id,]
class_name, x_min, y_min, x_max, y_max in pixels of the file). More than half of an image's readers
decide on each label; "No finding" by more than half makes it normal. Boxes of labels that the
majority gave are kept, from every reader. `confidence` is the share of readers who say the same of
normal or abnormal (1 for the consensus).

All images are PA (so its paper says). Patients are not told apart: each image counts as one. The
age is missing from many headers: keep them with [age] unknown = "keep".
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import InputError
from pgcxr.sources import Scan, dicom_files, label_map, tables
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE

KNOWS = ("diagnosis", "label_conflict", "age", "sex", "view")
PARTS = ("train", "test")
NO_FINDING = "No finding"
MARKS = {"1": POSITIVE, "0": NEGATIVE}
CORNERS = ("x_min", "y_min", "x_max", "y_max")


def matches(folder: Path) -> bool:
    """Whether a table of image labels is there."""
    return any(_labels(folder, part).is_file() for part in PARTS)


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every file of train/ and test/, in the order of the paths."""
    labeling = labeling or Labeling()
    votes: dict[str, dict[str, tuple[int, int]]] = {}
    refused: dict[str, tuple[str, str]] = {}
    boxes: dict[str, list] = {}
    paths: list[Path] = []
    for part in PARTS:
        found = sorted((folder / part).glob("*.dicom"))
        if _labels(folder, part).is_file():
            said, why = _votes(_labels(folder, part), consensus=part == PARTS[1])
            votes, refused = votes | said, refused | why
            boxes |= _boxes(folder / "annotations" / f"annotations_{part}.csv")
        elif found:
            raise InputError(
                f"{_labels(folder, part)}: no such file, and {part}/ has images; fetch it from "
                "PhysioNet"
            )
        paths += found
    if not paths:
        raise InputError(
            f"{folder}: no .dicom file in train/ or test/; fetch VinDr-CXR's images into them"
        )
    paths.sort()
    listed = dicom_files.scans(folder, paths, map_files)
    for scan in listed:
        image = scan.path.stem
        scan.patient, scan.view = f"vindr {image}", "PA"
        scan.age = scan.age or None  # 000Y stands for an age that was taken out
        if scan.rejected:
            continue
        if image not in votes:
            scan.rejected = ("diagnosis", "no row in the table of image labels")
            continue
        _label(scan, votes[image], boxes.get(image, []), labeling)
        scan.rejected = refused.get(image, scan.rejected)
    present = {path.stem for path in paths}
    return listed, {"rows_without_file": sum(image not in present for image in votes)}


def _label(scan: Scan, votes: dict[str, tuple[int, int]], boxes: list, labeling: Labeling) -> None:
    statuses = {
        label: POSITIVE if 2 * said > asked else NEGATIVE for label, (said, asked) in votes.items()
    }
    scan.decide(
        decision.decide(
            label_map.opinion("readers", statuses, label_map.load("vindr")),
            None,
            labeling.uncertain,
        )
    )
    normals, asked = votes[NO_FINDING]
    if label_map.contradicts(statuses, label_map.load("vindr")):
        scan.rejected = label_map.CONTRADICTION
    elif not scan.label and any(said for label, (said, _) in votes.items() if label != NO_FINDING):
        # Each reader saw something else; where nobody saw anything, nobody may have looked.
        scan.label, scan.witnesses, scan.rejected = ABNORMAL, ("readers",), None
    agreeing = normals if scan.label == NORMAL else asked - normals
    scan.confidence = agreeing / asked
    given = {label for label, status in statuses.items() if status == POSITIVE}
    scan.boxes = (
        _fractions([box for label, *box in boxes if label in given], scan)
        if scan.label == ABNORMAL
        else None
    )


def _fractions(boxes: list, scan: Scan) -> np.ndarray | None:
    """x, y, width, height as fractions, from corners in pixels."""
    if not boxes or not scan.rows or not scan.columns:
        return None
    corners = np.array(boxes) / [scan.columns, scan.rows, scan.columns, scan.rows]
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def _labels(folder: Path, part: str) -> Path:
    return folder / "annotations" / f"image_labels_{part}.csv"


def _votes(
    path: Path, consensus: bool
) -> tuple[dict[str, dict[str, tuple[int, int]]], dict[str, tuple[str, str]]]:
    """Image -> label -> (readers who gave it, readers asked); and image -> (rule, detail) where a
    reader contradicts himself, or cannot be read.

    Args:
        consensus: whether each image has one row.
    """
    meanings = label_map.load("vindr")
    labels = [name for name in tables.header(path) if name in meanings]
    if NO_FINDING not in labels:
        raise InputError(f"{path}: has no column {NO_FINDING}; is this VinDr-CXR's table?")
    named = not consensus and "rad_id" in tables.header(path)
    rows = (
        ((image, reader if named else "" if consensus else str(number)), tuple(cells))
        for number, (image, reader, *cells) in tables.numbered(
            path, ("image_id", *(("rad_id",) if named else ("image_id",)), *labels)
        )
    )
    read, twice = tables.unique(rows)
    refused = {image: tables.TWICE for image, _ in twice}
    given: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(labels) + 1, int))
    for (image, _), cells in read.items():
        said = [label_map.status(cell, MARKS) for cell in cells]
        why = label_map.refusal(dict(zip(labels, said, strict=True)), meanings)
        if why:
            refused.setdefault(image, why)
        given[image] += [*(status == POSITIVE for status in said), 1]
    votes = {
        image: {label: (int(said), int(row[-1])) for label, said in zip(labels, row, strict=False)}
        for image, row in given.items()
    }
    return votes, refused


def _boxes(path: Path) -> dict[str, list]:
    """Image -> [label, x_min, y_min, x_max, y_max]; rows of "No finding" have no corners."""
    found: dict[str, list] = {}
    for image, label, *cells in (
        tables.columns(path, ("image_id", "class_name", *CORNERS)) if path.is_file() else ()
    ):
        corners = dicom_files.numbers(cells)
        if corners is not None:
            found.setdefault(image, []).append([label, *corners])
    return found

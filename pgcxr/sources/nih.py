"""NIH ChestX-ray14 (Wang et al., CVPR 2017) in the layout of its own download, whole or in part.

Labels were mined from reports and are noisy, so a radiologist's read, where extra/labels_expert.csv
has one, outranks them: the RSNA 2018 class "Normal" makes an image normal; a "No Finding" that any
radiologist saw something on is excluded ("label_conflict"). ChestX-Det and Google's adjudicated
reads replace the findings that they cover. NIH has no interstitial label: Infiltration and Fibrosis
stand for it. NIH's own split lists are not used.
"""

from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.cohort.image_files import png_size
from pgcxr.dicom import ages
from pgcxr.errors import InputError
from pgcxr.sources import Scan, label_map, tables

KNOWS = ("diagnosis", "label_conflict", "age", "sex", "view", "quality")
NO_FINDING = "No Finding"
FINDING = label_map.load("nih")
# As people write them -> as NIH does.
KNOWN = {label_map.word(label): label for label in FINDING}
# Confidence where a program read the report alone, and where a radiologist read the image too.
MINED, READ = 0.75, 1.0
GOOGLE = {"google2019_pneumothorax": "pneumothorax", "google2019_nodule_or_mass": "nodule"}
GOOGLE_READS = (*GOOGLE, "google2019_airspace_opacity", "google2019_fracture")
# The pixel frame of every box list, whatever the size of the files.
BOX_FRAME = 1024.0


def matches(folder: Path) -> bool:
    """Whether NIH's table of labels is there."""
    return _entry_table(folder) is not None


def scans(folder: Path, map_files=None, labeling=None) -> tuple[list[Scan], dict]:
    """Every image file, in the order of the names. (The other arguments are for other sources.)"""
    table = _entry_table(folder)
    if table is None:
        raise InputError(f"{folder}: no Data_Entry_2017*.csv; is this NIH's ChestX-ray14?")
    needed = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "View Position")
    entries, twice = tables.unique((row["Image Index"], row) for row in tables.rows(table, needed))
    files = sorted({path.name: path for path in _image_files(folder)}.items())
    if not files:
        raise InputError(
            f"{folder}: no PNG in images/ or images_*/; unpack NIH's image archives here"
        )
    experts, read_twice = tables.unique(
        (row["Image Index"], row) for row in _extra(folder, "labels_expert.csv")
    )
    flags = {
        row["Image Index"]: row.get("qc_flag", "") for row in _extra(folder, "quality_flags.csv")
    }
    boxes = _boxes(folder)
    found = []
    for number, (name, path) in enumerate(files, 1):
        scan = Scan(number, path, str(path.relative_to(folder)))
        scan.rows, scan.columns = png_size(path)
        if name in entries:
            _describe(scan, entries[name], experts.get(name, {}), boxes.get(name))
        else:
            scan.rejected = ("diagnosis", "no row in the table of labels")
        if name in twice | read_twice:
            scan.rejected = tables.TWICE
        if name in flags and not scan.rejected:
            known = flags[name].replace("_", " ") in ("atypical framing", "inverted", "upside down")
            scan.rejected = ("quality", flags[name].replace("_", " ") if known else "flagged")
        found.append(scan)
    present = {name for name, _ in files}
    return found, {"rows_without_file": sum(name not in present for name in entries)}


def _describe(scan: Scan, row: dict, expert: dict, boxes: np.ndarray | None) -> None:
    scan.patient, scan.view, scan.boxes = row["Patient ID"], row["View Position"], boxes
    scan.age = ages.age_in_words(row["Patient Age"])
    scan.sex = (row.get("Patient Sex") or row.get("Patient Gender") or "").upper()
    scan.study = scan.number
    said = [label for label in row["Finding Labels"].split("|") if label.strip()]
    labels = {KNOWN.get(label_map.word(label), "") for label in said}
    if not labels or "" in labels:
        scan.rejected = label_map.NOT_READ if labels else ("diagnosis", "no label")
        return
    drawn = {label for label in expert.get("chestxdet_labels", "").split("|") if label}
    google = {name: expert.get(name, "").upper() for name in GOOGLE_READS}
    opinion = expert.get("rsna_class", "")
    seen = (
        bool(drawn)
        or boxes is not None
        or "YES" in google.values()
        or opinion not in ("", "Normal")
    )
    if seen and (NO_FINDING in labels or opinion == "Normal"):
        scan.rejected = (
            "label_conflict",
            "the label or one reader says normal, another reader abnormal",
        )
    if NO_FINDING in labels and len(labels) > 1:
        scan.rejected = label_map.CONTRADICTION
    scan.label = NORMAL if opinion == "Normal" or (NO_FINDING in labels and not seen) else ABNORMAL
    if scan.label == ABNORMAL:
        present = {
            FINDING[label]
            for label in (drawn or labels)
            if FINDING.get(label, ABNORMAL) not in (NORMAL, ABNORMAL)
        }
        for column, finding in GOOGLE.items():
            present = present | {finding} if google[column] == "YES" else present
            present = present - {finding} if google[column] == "NO" else present
        scan.findings = tuple(name for name in TABLE_6 if name in present)
    read = bool(drawn or opinion or any(google.values()))
    scan.confidence, scan.witnesses = (READ, ("nih", "readers")) if read else (MINED, ("nih",))


def _entry_table(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("Data_Entry_2017*.csv"))), None)


def _image_files(folder: Path):
    for inside in ("images", "images_*", "images_*/images"):
        for directory in sorted(folder.glob(inside)):
            yield from directory.glob("*.png")


def _extra(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / "extra" / name
    return tables.rows(path, ("Image Index",)) if path.is_file() else []


def _boxes(folder: Path) -> dict[str, np.ndarray]:
    """Image name -> [N, 4] x, y, width, height as fractions of the frame."""
    found: dict[str, list] = {}
    for path in (folder / "BBox_List_2017.csv", folder / "extra" / "boxes_other.csv"):
        for row in tables.rows(path, ("Image Index",)) if path.is_file() else ():
            # NIH heads these columns "Bbox [x","y","w","h]": they are told by their place.
            name, numbers = row["Image Index"], list(row.values())[2:6]
            try:
                box = [float(number) / BOX_FRAME for number in numbers]
            except ValueError:
                continue
            if len(box) == 4 and np.isfinite(box).all():
                found.setdefault(name, []).append(box)
    return {name: np.array(boxes) for name, boxes in found.items()}

"""What real exports also hold: broken, duplicate and mislabeled files, and rows and images that
don't match."""

import csv
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom

from pgcxr.phantom import header
from pgcxr.phantom.clinic import Attendance, attend
from pgcxr.phantom.study_files import file_name, study_row, write_image

BODY_PARTS = ("HAND", "ABDOMEN", "EXTREMITY", "SKULL")
# Unit first, in words, in months, impossible, a birth year, a blank inside.
AGES = ("Y054", "FIFTY", "648M", "999Y", "1957", "54 Y")
OPTIONAL = (
    "ViewPosition",
    "Manufacturer",
    "PatientAge",
    "PatientBirthDate",
    "PatientSex",
    "BodyPartExamined",
)

KINDS = (
    "truncated",
    "empty",
    "not_dicom",
    "no_pixel_data",
    "duplicate_pixels",
    "duplicate_file",
    "mislabelled_view",  # as the curation's rule is spelled
    "wrong_body_part",
    "missing_tags",
    "wrong_age",
    "unreferenced_accession",
    "row_without_image",
    "multi_frame",
)


def spoil(
    folder: Path,
    patients: int,
    seed: int,
    size: int,
    studies: list[dict[str, str]],
    truth: list[dict[str, str]],
) -> dict[str, int]:
    """Adds about 1 % of each kind of disorder to an export; nothing that was right is changed.

    Extends the rows of `studies` and `truth` (an image that can't be read has no row in `truth`),
    writes truth/messy.csv (file or accession number, kind) and returns {kind: count}.
    """
    rng = np.random.default_rng([seed, 10**6])
    good = [row for row in truth if row["view"] == "PA"] or list(truth)
    newcomer, log = patients, []
    for kind in KINDS:
        for _ in range(max(1, round(patients / 100))):
            if kind in _WITH_NEW_IMAGE:
                log += _new_image(folder, kind, newcomer, seed, size, studies, truth, rng)
                newcomer += 1
            elif kind == "row_without_image":
                log += _row_alone(newcomer, seed, studies)
                newcomer += 1
            else:
                source = good[int(rng.integers(len(good)))]
                log += _copy(folder, kind, source, seed, len(log), truth, rng)
    with open(folder / "truth" / "messy.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("item", "kind"))
        writer.writerows(log)
    return {kind: sum(found == kind for _, found in log) for kind in KINDS}


def _visitor(seed: int, index: int, view: str = "PA") -> Attendance:
    """One more adult patient with one study of one view."""
    attendance = attend(seed, index)
    study = dataclasses.replace(attendance.studies[0], views=(view,))
    if view == "LATERAL":
        study = dataclasses.replace(study, findings={}, devices=())
    patient = dataclasses.replace(attendance.patient, age=max(attendance.patient.age, 25))
    return Attendance(index, patient, (study,))


def _new_image(
    folder: Path, kind: str, index: int, seed: int, size: int, studies, truth, rng
) -> list[tuple[str, str]]:
    attendance = _visitor(seed, index, "LATERAL" if kind == "mislabelled_view" else "PA")
    study = attendance.studies[0]
    row = write_image(
        folder,
        attendance,
        study,
        0,
        study.views[0],
        seed,
        size,
        lambda values: _WITH_NEW_IMAGE[kind](values, rng),
    )
    if kind != "unreferenced_accession":
        studies.append(study_row(attendance, study, seed))
    if kind == "truncated":
        whole = (folder / row["file"]).read_bytes()
        (folder / row["file"]).write_bytes(whole[: int(len(whole) * rng.uniform(0.3, 0.8))])
    if kind not in ("truncated", "no_pixel_data"):
        truth.append(row)
    else:
        _forget_masks(folder, row)
    return [(row["file"], kind)]


def _forget_masks(folder: Path, row: dict[str, str]) -> None:
    stem = row["file"].removesuffix(".dcm").replace("/", "_")
    for mask in (folder / "truth" / "masks").glob(f"{stem}__*.png"):
        mask.unlink()


def _row_alone(index: int, seed: int, studies) -> list[tuple[str, str]]:
    attendance = _visitor(seed, index)
    row = study_row(attendance, attendance.studies[0], seed)
    studies.append(row)
    return [(row["accession_number"], "row_without_image")]


def _copy(
    folder: Path, kind: str, source: dict[str, str], seed: int, number: int, truth, rng
) -> list[tuple[str, str]]:
    study, instance = (
        header.uid(seed, kind, number, "study"),
        header.uid(seed, kind, number, "instance"),
    )
    file = file_name(study, instance, 0).removesuffix(".dcm") + ".dcm"
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "empty":
        target.write_bytes(b"")
    elif kind == "not_dicom":
        target.write_bytes(
            b"%PDF-1.4\n" + rng.bytes(700)
            if number % 2
            else b"<html><body>Session expired</body></html>\n"
        )
    elif kind == "duplicate_file":
        shutil.copyfile(folder / source["file"], target)
    else:  # the same pixels sent again as another instance
        ds = pydicom.dcmread(folder / source["file"])
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = instance
        ds.SeriesInstanceUID = header.uid(seed, kind, number, "series")
        ds.save_as(target, enforce_file_format=True)
    if kind in ("duplicate_file", "duplicate_pixels"):
        truth.append({**source, "file": file})
        stem, copied = (
            name.removesuffix(".dcm").replace("/", "_") for name in (source["file"], file)
        )
        masks = folder / "truth" / "masks"
        for mask in sorted(masks.glob(f"{stem}__*.png")):
            shutil.copyfile(mask, masks / mask.name.replace(stem, copied, 1))
    return [(file, kind)]


def _as_it_is(values: dict, rng) -> None:
    pass


def _tag_pa(values: dict, rng) -> None:
    values |= {
        "ViewPosition": "PA",
        "PatientOrientation": ["L", "F"],
        "StudyDescription": "Chest PA",
    }


def _other_body_part(values: dict, rng) -> None:
    values["BodyPartExamined"] = str(rng.choice(BODY_PARTS))


def _drop_tags(values: dict, rng) -> None:
    for name in rng.choice(OPTIONAL, 3, replace=False):
        values.pop(str(name), None)


def _odd_age(values: dict, rng) -> None:
    values |= {"PatientAge": str(rng.choice(AGES)), "PatientBirthDate": ""}


def _drop_pixels(values: dict, rng) -> None:
    del values["PixelData"]


def _two_frames(values: dict, rng) -> None:
    values |= {"NumberOfFrames": "2", "PixelData": values["PixelData"] * 2}


_WITH_NEW_IMAGE: dict[str, Callable] = {
    "truncated": _as_it_is,
    "no_pixel_data": _drop_pixels,
    "mislabelled_view": _tag_pa,
    "wrong_body_part": _other_body_part,
    "missing_tags": _drop_tags,
    "wrong_age": _odd_age,
    "unreferenced_accession": _as_it_is,
    "multi_frame": _two_frames,
}

"""One image of the phantom as it lies in an export: its file, its masks, its rows in the tables."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pydicom
from pydicom.uid import RLELossless

from pgcxr.cohort.findings import TABLE_6
from pgcxr.phantom import header, wording
from pgcxr.phantom.clinic import Attendance, Study
from pgcxr.phantom.encode import encode
from pgcxr.phantom.lateral import VISIBLE
from pgcxr.phantom.patient import sample_exposure
from pgcxr.phantom.render import render


def mask_name(file: str, finding: str) -> str:
    """The name under truth/masks/ of the mask of `finding` in `file` (its path in the export, "/"
    between folders).

    "dicom/1a/2b3c/IM0001.dcm" and "nodule" make "dicom_1a_2b3c_IM0001__nodule.png".
    """
    path = PurePosixPath(file)
    stem = path.with_suffix("") if path.suffix.lower() == ".dcm" else path
    return f"{str(stem).replace('/', '_')}__{finding}.png"


def study_row(attendance: Attendance, study: Study, seed: int) -> dict[str, str]:
    """The line of studies.csv."""
    rng = np.random.default_rng([seed, attendance.index, study.number, 41])
    return {
        "accession_number": header.accession(seed, attendance, study),
        "patient_id": header.identity(seed, attendance)["number"],
        "study_date": header.study_date(study).isoformat(),
        "modality": header.machine(seed, attendance, study)["modality"],
        "diagnosis_codes": ";".join(wording.codes(study.findings, rng)),
        "report": wording.report(study.findings, study.devices, rng),
    }


def write_image(
    folder: Path,
    attendance: Attendance,
    study: Study,
    image: int,
    view: str,
    seed: int,
    size: int,
    change: Callable | None = None,
) -> dict[str, str]:
    """Renders one image, writes its file and masks, and returns its line of truth.csv.

    Args:
        change: called with the {DICOM keyword: value} before they are written.
    """
    shot = 10 * study.number + image
    exposure = sample_exposure(
        np.random.default_rng([attendance.patient.seed, shot, 1]), attendance.patient, view
    )
    shown = {
        name: value
        for name, value in study.findings.items()
        if view != "LATERAL" or name in VISIBLE
    }
    worn = study.devices if view != "LATERAL" else ()
    made = render(attendance.patient, size, view=view, findings=shown, devices=worn, seed=shot)
    values = header.values(
        seed, attendance, study, image, made.pixels, 10 * exposure.field / size, view
    )
    if change:
        change(values)
    file = file_name(values["StudyInstanceUID"], values["SOPInstanceUID"], image)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    syntax = np.random.default_rng([seed, attendance.index, study.number, image, 34]).random()
    (folder / file).write_bytes(encode(values, implicit=syntax < 0.10))
    if syntax > 0.985:
        _compress(folder / file)
    for name, mask in made.masks.items():
        cv2.imwrite(
            str(folder / "truth" / "masks" / mask_name(file, name)), mask.astype(np.uint8) * 255
        )
    return {
        "file": file,
        "patient_id": header.identity(seed, attendance)["number"],
        "view": view,
        "findings": ";".join(f"{name}:{shown[name]}" for name in TABLE_6 if name in shown),
        "devices": ";".join(worn),
    }


def _compress(path: Path) -> None:
    """Rewrites a DICOM file with RLE Lossless pixels."""
    ds = pydicom.dcmread(path)
    if "PixelData" in ds:
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(path, enforce_file_format=True)


def file_name(study_uid: str, instance_uid: str, image: int) -> str:
    """Where an archive would put an instance: folders that look like hashes; about one in ten
    without extension."""
    study, instance = int(study_uid.rsplit(".", 1)[1]), int(instance_uid.rsplit(".", 1)[1])
    hashed = f"{study:030x}"
    return f"dicom/{hashed[:2]}/{hashed[2:14]}/IM{image + 1:04d}" + (
        "" if instance % 10 == 0 else ".dcm"
    )

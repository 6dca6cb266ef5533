"""Small exports made on the spot, so that curation is tested without the phantom too."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

GOOD = {
    "Modality": "CR",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "Manufacturer": "GE Healthcare",
    "PatientAge": "045Y",
    "PatientSex": "F",
    "PhotometricInterpretation": "MONOCHROME2",
}


@pytest.fixture
def make_dicom():
    """make_dicom(path, pixels, **tags): a DICOM file of a good chest radiograph, changed by `tags`
    (None deletes)."""

    def make(path: Path, pixels: np.ndarray, **tags) -> Path:
        dataset = pydicom.Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = (
            ComputedRadiographyImageStorage,
            generate_uid(),
        )
        dataset.Rows, dataset.Columns = pixels.shape[-2:]
        dataset.SamplesPerPixel = 1
        dataset.BitsAllocated = 8 * pixels.itemsize
        dataset.BitsStored = 12 if pixels.itemsize == 2 else 8
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        dataset.PixelData = pixels.tobytes()
        for name, value in {**GOOD, **tags}.items():
            if value is None:
                if name in dataset:
                    del dataset[name]
            else:
                setattr(dataset, name, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def chest():
    """chest(seed, side=32): uint16 12-bit [side, side + 8], smooth, two dark lungs, different for
    each seed."""

    def image(seed: int, side: int = 32) -> np.ndarray:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:side, : side + 8] / side
        waves = sum(
            rng.normal() * np.cos(np.pi * (a * x + b * y)) for a in range(4) for b in range(4)
        )
        middle = 0.5 + 4 / side
        body = (0.55 + 0.4 * y) * np.clip(6 * (0.55 - abs(x - middle)), 0, 1)
        lungs = sum(
            np.exp(-(((x - middle - side_of * 0.22) / 0.13) ** 4) - ((y - 0.4) / 0.28) ** 4)
            for side_of in (-1, 1)
        )
        image = body * (1 - 0.8 * lungs) + 0.4 * (waves - waves.mean()) / np.ptp(waves)
        image = (image - image.min()) / np.ptp(image)
        return (100 + 3900 * image).astype(np.uint16)

    return image


@pytest.fixture
def make_export(tmp_path, make_dicom, chest):
    """make_export(rows): an export folder; each row {"codes", "report", "patient", "table_patient",
    "pixels", tags}."""

    def make(rows: list[dict], name: str = "export") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        studies = []
        for index, given in enumerate(rows):
            row = dict(given)
            codes, report = row.pop("codes", "Z00.0"), row.pop("report", "No active disease.")
            patient = row.pop("patient", f"PID{index:04d}")
            table_patient = row.pop("table_patient", patient)
            pixels = row.pop("pixels", chest(index))
            accession = f"ACC{index:05d}"
            path = folder / f"study{index // 3}" / f"IM{index:04d}"
            identity = {
                "PatientID": patient,
                "PatientName": f"SECRET^NAME{index}",
                "AccessionNumber": accession,
            }
            make_dicom(path, pixels, **identity, **row)
            if codes is not None:
                studies.append([accession, table_patient, codes, report])
        with open(folder / "studies.csv", "w", newline="") as file:
            csv.writer(file).writerows(
                [["accession_number", "patient_id", "diagnosis_codes", "report"], *studies]
            )
        return folder

    return make


def stamped(image: np.ndarray, text: str, place: tuple[int, int]) -> np.ndarray:
    """12-bit pixels with white text, its lower left corner at `place` (x, y). OpenCV 5 writes on 8
    bits alone."""
    ink = np.zeros(image.shape, np.uint8)
    cv2.putText(ink, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 1, cv2.LINE_AA)
    share = ink / 255
    return np.rint(image * (1 - share) + 4000 * share).astype(image.dtype)

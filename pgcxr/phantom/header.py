"""DICOM headers of the made-up clinic: machines, identities, dates.

`machines.csv` is a small mix of machines whose photometric interpretations, windows, SOP classes
and spacing tags occur about as often as in the headers of the Open-i chest collection (nearly all
CR or CR-like, MONOCHROME1 and 2 by halves, half without a window), with GE in front as in the
thesis (2.1).
"""

import csv
import datetime
import functools
import hashlib
from importlib import resources

import numpy as np
from pydicom.uid import UID

from pgcxr.phantom.clinic import Attendance, Study
from pgcxr.phantom.imaging import TOP

_SURNAMES = (
    "Phantomann",
    "Mockley",
    "Testerby",
    "Syntheson",
    "Dummyfield",
    "Fakenham",
    "Simulis",
    "Placeholt",
    "Samplewood",
    "Pixelsky",
    "Fictiano",
    "Madeupoulos",
)
_GIVEN = {
    "F": ("Ada", "Berta", "Chloe", "Dora", "Emmy", "Fay", "Greta", "Hana", "Iris", "Jo"),
    "M": ("Alan", "Boris", "Carl", "Dan", "Emil", "Finn", "Gus", "Hugo", "Ivan", "Jon"),
}
_OPENED = datetime.date(2011, 1, 3)


@functools.cache
def machines() -> tuple[dict[str, str], ...]:
    """The rows of machines.csv."""
    text = resources.files("pgcxr.phantom").joinpath("machines.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def uid(*parts) -> UID:
    """A valid UID under 2.25 that depends on `parts` alone."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=15).digest()
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def identity(seed: int, attendance: Attendance) -> dict[str, str]:
    """The made-up name, number and birth date of a patient."""
    rng = np.random.default_rng([seed, attendance.index, 31])
    patient = attendance.patient
    first = study_date(attendance.studies[0])
    born = first - datetime.timedelta(days=round(patient.age * 365.25 + rng.integers(20, 340)))
    surname = _SURNAMES[rng.integers(len(_SURNAMES))]
    return {
        "name": f"{surname}^{_GIVEN[patient.sex][rng.integers(10)]}",
        "number": f"PX{rng.integers(10**4):04d}{attendance.index:05d}",
        "born": born.strftime("%Y%m%d"),
    }


def study_date(study: Study) -> datetime.date:
    """The day of a study: `study.day` days after the clinic opened."""
    return _OPENED + datetime.timedelta(days=study.day)


def accession(seed: int, attendance: Attendance, study: Study) -> str:
    """Unique in one export: it holds patient and study number, disguised by a keyed offset."""
    start = (
        int.from_bytes(hashlib.blake2b(f"accession/{seed}".encode(), digest_size=4).digest(), "big")
        % 10**6
    )
    return f"A{start + 4 * attendance.index + study.number:09d}"


def machine(seed: int, attendance: Attendance, study: Study) -> dict[str, str]:
    """The machine that made a study: one per study."""
    draw = np.random.default_rng([seed, attendance.index, study.number, 32]).random()
    weights = np.cumsum([float(row["weight"]) for row in machines()])
    return machines()[int(np.searchsorted(weights, draw * weights[-1], side="right"))]


def values(
    seed: int,
    attendance: Attendance,
    study: Study,
    image: int,
    pixels: np.ndarray,
    spacing: float,
    view: str,
) -> dict[str, object]:
    """{DICOM keyword: value} of a complete CR or DX instance around 12-bit MONOCHROME2 `pixels`;
    `spacing` in mm."""
    rng = np.random.default_rng([seed, attendance.index, study.number, image, 33])
    made_by, who = machine(seed, attendance, study), identity(seed, attendance)
    date = study_date(study).strftime("%Y%m%d")
    time = f"{8 + int(rng.integers(10)):02d}{int(rng.integers(60)):02d}{image:02d}"
    found = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": made_by["image_type"],
        "SOPClassUID": made_by["sop_class"],
        "SOPInstanceUID": uid(seed, attendance.index, study.number, image, "instance"),
        "StudyInstanceUID": uid(seed, attendance.index, study.number, "study"),
        "SeriesInstanceUID": uid(seed, attendance.index, study.number, image, "series"),
        **dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"), date),
        **dict.fromkeys(("StudyTime", "SeriesTime", "ContentTime"), time),
        "AccessionNumber": accession(seed, attendance, study),
        "Modality": made_by["modality"],
        "Manufacturer": made_by["manufacturer"],
        "ManufacturerModelName": made_by["model"],
        "InstitutionName": "Phantom General Hospital",
        "StudyDescription": "Chest " + " ".join(study.views),
        "PatientName": who["name"],
        "PatientID": who["number"],
        "PatientSex": attendance.patient.sex,
        "ViewPosition": view if view != "LATERAL" else str(rng.choice(("LATERAL", "LL"))),
        "PatientOrientation": ["A", "F"] if view == "LATERAL" else ["L", "F"],
        "StudyID": str(study.number + 1),
        "SeriesNumber": str(image + 1),
        "InstanceNumber": "1",
        **_age(study, who, rng),
        **_pixels(made_by, pixels, spacing, rng),
    }
    optional = {"BodyPartExamined": made_by["body_part"], "KVP": made_by["kvp"]}
    optional["BurnedInAnnotation"] = "NO" if rng.random() < 0.55 else ""
    return found | {keyword: value for keyword, value in optional.items() if value}


def _age(study: Study, who: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
    """PatientAge as found in practice: mostly "054Y", sometimes "54", sometimes only to be had from
    the birth date."""
    days = (study_date(study) - datetime.datetime.strptime(who["born"], "%Y%m%d").date()).days
    years, how, birth_date_known = int(days // 365.25), rng.random(), rng.random() < 0.7
    if how < 0.06:
        return {"PatientAge": "", "PatientBirthDate": who["born"]}
    age = f"{years:03d}Y" if how > 0.10 else str(years)
    return {"PatientAge": age, "PatientBirthDate": who["born"] if birth_date_known else ""}


def _pixels(
    made_by: dict[str, str], pixels: np.ndarray, spacing: float, rng: np.random.Generator
) -> dict[str, object]:
    inverse = made_by["photometric"] == "MONOCHROME1"
    text = f"{spacing:.6f}"
    found = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": made_by["photometric"],
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "ImagerPixelSpacing": [text, text],
        "LossyImageCompression": "00",
        "PixelData": (TOP - pixels if inverse else pixels).astype("<u2").tobytes(),
    }
    if made_by["pixel_spacing_tag"] == "both":
        found["PixelSpacing"] = [text, text]
    if made_by["rescale_type"]:
        found |= {
            "RescaleIntercept": "0",
            "RescaleSlope": "1",
            "RescaleType": made_by["rescale_type"],
        }
    center, width = 2048 + int(rng.integers(-100, 101)), int(rng.integers(3300, 4000))
    if made_by["window"] == "full":
        found |= {"WindowCenter": "2048", "WindowWidth": "4096"}
    elif made_by["window"] == "narrow":
        found |= {"WindowCenter": str(center), "WindowWidth": str(width)}
    if made_by["lut_shape"]:
        found["PresentationLUTShape"] = made_by["lut_shape"]
    return found

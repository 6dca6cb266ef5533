"""What curation needs of a DICOM file's header, read up to the pixels."""

import datetime
import os
from dataclasses import dataclass, field
from functools import cache

from pydicom.uid import ExplicitVRLittleEndian

from pgcxr.dicom import known_images
from pgcxr.dicom.ages import age_between, age_in_years, day
from pgcxr.dicom.reading import Rejected, blaming_the_file, check_frames, quiet, read, text, whole
from pgcxr.errors import InstallationError

HEADER_TAGS = (
    *(
        "SOPClassUID",
        "AccessionNumber",
        "PatientID",
        "PatientAge",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
    ),
    *(
        "Modality",
        "BodyPartExamined",
        "ViewPosition",
        "Manufacturer",
        "Rows",
        "Columns",
        "NumberOfFrames",
    ),
    *("SamplesPerPixel", "PhotometricInterpretation", "PresentationLUTShape", "BurnedInAnnotation"),
)


@dataclass(frozen=True)
class Header:
    """What the rules need of a file. The first two fields identify a patient: they are kept out of
    repr()."""

    accession: str = field(repr=False)
    patient: str = field(repr=False)
    age: float | None = field(repr=False)  # years
    sex: str
    modality: str
    body_part: str = field(repr=False)
    view: str = field(repr=False)
    manufacturer: str = field(repr=False)
    rows: int
    columns: int
    study_date: datetime.date | None = field(default=None, repr=False)
    burned_in: str = ""  # YES, NO or "", as BurnedInAnnotation (0028,0301) says


def read_header(path: str | os.PathLike) -> Header:
    """Reads a file up to its pixels. Raises Rejected where it is not a DICOM image."""
    check_installation()
    return _read(path)


@cache
def check_installation() -> None:
    """Raises InstallationError where a known file cannot be read; once in a process."""
    try:
        header = _read(known_images.path_of(ExplicitVRLittleEndian))
    except Rejected as reason:
        raise InstallationError(f"a known file cannot be read ({reason.detail})") from None
    if (header.rows, header.columns, header.modality) != (*known_images.picture().shape, "CR"):
        raise InstallationError("a known file is read as another one")


def _read(path: str | os.PathLike) -> Header:
    with quiet(), blaming_the_file("broken DICOM"):
        dataset = read(path, stop_before_pixels=True, specific_tags=list(HEADER_TAGS))
        check_frames(dataset)
        age = age_in_years(text(dataset, "PatientAge"))
        if age is None:
            age = age_between(text(dataset, "PatientBirthDate"), text(dataset, "StudyDate"))
        return Header(
            accession=text(dataset, "AccessionNumber"),
            patient=text(dataset, "PatientID"),
            age=age,
            sex=text(dataset, "PatientSex").upper(),
            modality=text(dataset, "Modality").upper(),
            body_part=text(dataset, "BodyPartExamined"),
            view=text(dataset, "ViewPosition"),
            manufacturer=text(dataset, "Manufacturer"),
            rows=whole(dataset, "Rows"),
            columns=whole(dataset, "Columns"),
            study_date=day(text(dataset, "StudyDate")),
            burned_in=text(dataset, "BurnedInAnnotation").upper(),
        )

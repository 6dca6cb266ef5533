"""What curation needs of a DICOM file's header, read up to the pixels."""

import datetime
import os
import re
from dataclasses import dataclass, field
from functools import cache

from pydicom.uid import ExplicitVRLittleEndian

from pgcxr.dicom import known_images, views
from pgcxr.dicom.ages import age_of, day
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
    *("PresentationIntentType", "ViewCodeSequence", "PatientOrientation", *views.DESCRIPTIONS),
    *("SamplesPerPixel", "PhotometricInterpretation", "PresentationLUTShape", "BurnedInAnnotation"),
)
# For Processing of digital X-ray, mammography and intra-oral X-ray (PS3.4 B.5).
FOR_PROCESSING = tuple(f"1.2.840.10008.5.1.4.1.1.1.{kind}.1" for kind in (1, 2, 3))


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
    # Raw values of the detector, not meant to be looked at (PS3.3 C.8.11.1.1.1).
    for_processing: bool = False
    coded_view: str = ""  # of ViewCodeSequence: PA, AP, LATERAL, OBLIQUE, other or ""
    described_views: tuple[str, ...] = ()  # of descriptions that name one view
    rows_run_to: str = ""  # of PatientOrientation: A, P, R, L, H, F or ""
    two_ages: bool = False  # the stated age is not that of the dates: `age` is None


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
        try:
            check_frames(dataset)
        except Rejected as reason:
            reason.accession = text(dataset, "AccessionNumber")
            raise
        age, two_ages = age_of(
            *(text(dataset, name) for name in ("PatientAge", "PatientBirthDate", "StudyDate"))
        )
        intent = re.sub(r"[^A-Z]", "", text(dataset, "PresentationIntentType").upper())
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
            for_processing=intent == "FORPROCESSING"
            or text(dataset, "SOPClassUID") in FOR_PROCESSING,
            coded_view=views.coded(dataset),
            described_views=views.described(dataset),
            rows_run_to=views.rows_run_to(dataset),
            two_ages=two_ages,
        )

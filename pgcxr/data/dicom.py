"""From a DICOM file to the 8-bit image that a radiologist would recognise, or the reason why not.

The steps, each in a module of its own: `dicom_file` (opening, and checks before any memory is asked for; those of
compressed streams in `dicom_streams`), `dicom_codes` (stored values, by pydicom or by tensorflow-io), `dicom_luts`
(modality and VOI transformations), `normalisation` (to 8 or 16 bits).
"""

import os
from dataclasses import dataclass, field

import numpy as np
import pydicom

from pgcxr.data import dicom_codes, dicom_luts, dicom_streams, normalisation
from pgcxr.data.ages import age_between, age_in_years
from pgcxr.data.dicom_file import (
    REASONS,
    Rejected,
    blaming_the_file,
    check_frames,
    check_pixels,
    quiet,
    read,
    text,
    whole,
)
from pgcxr.data.dicom_luts import Grey
from pgcxr.data.normalisation import THESIS, Normalisation

__all__ = ("REASONS", "Header", "Rejected", "decode", "grey_table", "read_header")
HEADER_TAGS = (
    *("SOPClassUID", "AccessionNumber", "PatientID", "PatientAge", "PatientBirthDate", "PatientSex", "StudyDate"),
    *("Modality", "BodyPartExamined", "ViewPosition", "Manufacturer", "Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PresentationLUTShape"),
)


@dataclass(frozen=True)
class Header:
    """What the rules need of a file. The first two fields identify a patient: they are kept out of repr()."""

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


def read_header(path: str | os.PathLike) -> Header:
    """Reads a file up to its pixels. Raises Rejected where it is not a DICOM image."""
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
        )


def decode(
    path: str | os.PathLike, *, normalise: Normalisation = THESIS, bits: int = 8, decoder: str = dicom_codes.PYDICOM
) -> np.ndarray:
    """The image as displayed, uint8 [H, W] (uint16 for 16 bits), bones white.

    Modality LUT, then VOI LUT or window (PS3.3 C.11.1, C.11.2; a LUT is preferred to a window, and the first of several
    is taken), MONOCHROME1 inverted, then `normalise`. Padding pixels (PixelPaddingValue) are black.

    Args:
        decoder: dicom_codes.PYDICOM, or TFIO for tensorflow-io.
    Raises:
        Rejected: the file cannot be read, has no pixels, several frames, colour, or shows nothing.
        InputError: tensorflow-io is asked for and is not there.
    """
    take = dicom_codes.reader(decoder)
    with quiet(), blaming_the_file("the pixel data cannot be decoded"):
        dataset = read(path)
        check_frames(dataset)
        check_pixels(dataset)
        dicom_streams.check(dataset)
        codes = take(dataset)
        if codes.shape != (dataset.Rows, dataset.Columns) or min(codes.shape) < 2:
            raise Rejected("unreadable", "the pixel data is not one plane")
        table = grey_table(dataset, dicom_codes.count(codes), normalise, bits)
    return dicom_codes.look_up(table, codes)


def grey_table(dataset: pydicom.Dataset, counts: np.ndarray, normalise: Normalisation, bits: int) -> np.ndarray:
    """uint8 or uint16 [codes]: what each code is shown as.

    Args:
        counts: int64 [codes], how many pixels have each.
    """
    stored = dicom_codes.stored_values(dataset, counts)
    padding = dicom_codes.padding(dataset, stored)
    counts = np.where(padding, 0, counts)
    present = counts > 0
    if not present.any():
        raise Rejected("blank", "all pixels are padding")
    low, high = dicom_codes.stored_range(dataset)
    grey = dicom_luts.modality(Grey(stored.astype(np.float64), low, high), dataset, present)
    if normalise.kind != normalisation.NONE:
        grey = dicom_luts.voi(grey, dataset, present)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = Grey(-grey.values, -grey.high, -grey.low)
    table = normalise.table(grey, counts, bits)
    table[padding] = 0
    return table

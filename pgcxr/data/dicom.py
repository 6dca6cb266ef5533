"""From a DICOM file to the 8-bit image that a radiologist would recognise, or the reason why not.

Nothing that a DICOM file says about its patient reaches an error, a warning or a log from here: every reason is one of
`REASONS` with a fixed phrase, and pydicom's own warnings (they quote values) are silenced.
"""

import contextlib
import logging
import os
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pgcxr.data.ages import age_between, age_in_years

REASONS = ("unreadable", "no_pixels", "multi_frame", "colour", "too_large", "timeout", "blank")
PERCENTILE = 99.0
# 8192 x 8192 is four times the largest chest detector; a header that claims more is refused before memory is asked for.
MAX_PIXELS = 8192 * 8192
MAX_BYTES = 1 << 30
# Chest radiographs compress 2 to 100 times; a stream that promises more than this is a decompression bomb.
MAX_COMPRESSION = 1000
HEADER_TAGS = (
    *("SOPClassUID", "AccessionNumber", "PatientID", "PatientAge", "PatientBirthDate", "PatientSex", "StudyDate"),
    *("Modality", "BodyPartExamined", "ViewPosition", "Manufacturer", "Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "PhotometricInterpretation"),
)
logging.getLogger("pydicom").addHandler(logging.NullHandler())


class Rejected(Exception):
    """A file that cannot become an image: `rule` is one of REASONS, `detail` a fixed phrase (never file content)."""

    def __init__(self, rule: str, detail: str):
        if rule not in REASONS:
            raise ValueError(f"{rule} is not one of {REASONS}")
        super().__init__(rule, detail)
        self.rule, self.detail = rule, detail


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
    with _quiet():
        dataset = _read(path, stop_before_pixels=True, specific_tags=list(HEADER_TAGS))
        _check_frames(dataset)
        age = age_in_years(_text(dataset, "PatientAge"))
        if age is None:
            age = age_between(_text(dataset, "PatientBirthDate"), _text(dataset, "StudyDate"))
        return Header(
            accession=_text(dataset, "AccessionNumber"),
            patient=_text(dataset, "PatientID"),
            age=age,
            sex=_text(dataset, "PatientSex").upper(),
            modality=_text(dataset, "Modality").upper(),
            body_part=_text(dataset, "BodyPartExamined"),
            view=_text(dataset, "ViewPosition"),
            manufacturer=_text(dataset, "Manufacturer"),
            rows=_whole(dataset, "Rows"),
            columns=_whole(dataset, "Columns"),
        )


def decode(path: str | os.PathLike) -> np.ndarray:
    """The image as displayed, uint8 [H, W], bones white.

    Modality LUT, VOI LUT or window (PS3.3 C.11.1, C.11.2; a LUT is preferred to a window, the first of several is
    taken), MONOCHROME1 inverted, then `normalise`. Padding pixels (PixelPaddingValue) become black.

    Raises:
        Rejected: the file cannot be read, has no pixels, several frames, colour, or shows nothing.
    """
    with _quiet():
        dataset = _read(path)
        _check_frames(dataset)
        _check_length(dataset)
        try:
            stored = dataset.pixel_array
            padding = _padding(dataset, stored)
            image = _values_of_interest(apply_modality_lut(stored, dataset), dataset)
        except (Exception, MemoryError):
            raise Rejected("unreadable", "the pixel data cannot be decoded") from None
    if image.ndim != 2 or min(image.shape) < 2:
        raise Rejected("unreadable", "the pixel data is not one plane")
    image = image.astype(np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        image = -image
    return normalise(image, padding)


def normalise(image: np.ndarray, padding: np.ndarray | None = None) -> np.ndarray:
    """99th-percentile normalisation (thesis 1.1): clips at that percentile and scales minimum..percentile to 0..255.

    The thesis says no more than "99th percentile normalization"; clipping only the top keeps the few brightest pixels
    (markers, metal) from darkening everything else, and leaves air black.

    Args:
        image: real numbers [H, W], brighter is denser.
        padding: bool [H, W], pixels outside of the detector: not counted, black in the result.
    """
    counted = image if padding is None else image[~padding]
    if not counted.size or not np.isfinite(counted).all():
        raise Rejected("blank", "no pixel with a finite value")
    low, high = float(counted.min()), float(np.percentile(counted, PERCENTILE))
    if high <= low:
        raise Rejected("blank", "99 % of the pixels or more have the same value")
    scaled = np.rint((np.clip(image, low, high) - low) * (255.0 / (high - low)))
    if padding is not None:
        scaled[padding] = 0
    return scaled.astype(np.uint8)


@contextlib.contextmanager
def _quiet():
    """Silences pydicom, whose warnings and log lines quote values of the file."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _read(path, **options) -> pydicom.Dataset:
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Rejected("unreadable", "not a regular file")
        if status.st_size > MAX_BYTES:
            raise Rejected("too_large", "the file is larger than 1 GiB")
        with open(path, "rb") as file:
            start = file.read(132)
    except OSError:
        raise Rejected("unreadable", "cannot be read from the disk") from None
    # Without the preamble of PS3.10, a file has to begin with an element of group 0002 or 0008, in either byte order.
    if start[128:] != b"DICM" and start[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08"):
        raise Rejected("unreadable", "not DICOM")
    try:
        dataset = pydicom.dcmread(path, force=True, **options)
        known = "SOPClassUID" in dataset or "Rows" in dataset or "Modality" in dataset
    except (Exception, MemoryError):
        raise Rejected("unreadable", "broken DICOM") from None
    if not known:
        raise Rejected("unreadable", "not DICOM")
    return dataset


def _check_frames(dataset: pydicom.Dataset) -> None:
    rows, columns = _whole(dataset, "Rows"), _whole(dataset, "Columns")
    if rows < 1 or columns < 1:
        raise Rejected("no_pixels", "the header describes no image")
    if rows * columns > MAX_PIXELS:
        raise Rejected("too_large", "more than 8192 x 8192 pixels")
    if _whole(dataset, "NumberOfFrames", 1) > 1:
        raise Rejected("multi_frame", "more than one frame")
    photometric = _text(dataset, "PhotometricInterpretation")
    if _whole(dataset, "SamplesPerPixel", 1) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise Rejected("colour", "not MONOCHROME1 or MONOCHROME2")


def _check_length(dataset: pydicom.Dataset) -> None:
    """Compares what the header promises with the bytes that are there, before any memory is asked for."""
    if "PixelData" not in dataset:
        raise Rejected("no_pixels", "no pixel data")
    if not getattr(dataset, "file_meta", None):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    promised = dataset.Rows * dataset.Columns * max(_whole(dataset, "BitsAllocated", 8) // 8, 1)
    present = len(dataset.PixelData or b"")
    if not dataset.file_meta.TransferSyntaxUID.is_compressed and present < promised:
        raise Rejected("unreadable", "truncated: less pixel data than the header promises")
    if promised > MAX_COMPRESSION * max(present, 1):
        raise Rejected("too_large", "the pixel data is compressed more than 1000 times")


def _values_of_interest(image: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """VOI LUT or window; a window without a positive width says nothing about display and is left out."""
    if not dataset.get("VOILUTSequence"):
        width = dataset.get("WindowWidth")
        first = width[0] if isinstance(width, pydicom.multival.MultiValue) and len(width) else width
        if first is None or not np.isfinite(float(first)) or float(first) <= 1:
            return image
    return apply_voi_lut(image, dataset)


def _padding(dataset: pydicom.Dataset, stored: np.ndarray) -> np.ndarray | None:
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit", value)
    return (stored >= min(value, limit)) & (stored <= max(value, limit))


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
        return "" if value is None else str(value).strip().strip("\0").strip()
    except Exception:
        return ""


def _whole(dataset: pydicom.Dataset, keyword: str, default: int = 0) -> int:
    try:
        value = dataset.get(keyword)
        return default if value is None or value == "" else int(value)
    except Exception:
        return default

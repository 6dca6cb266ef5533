"""Opening a DICOM file without trusting it, and without saying anything that is in it.

Nothing that a DICOM file says about its patient reaches an error, a warning or a log from here:
every reason is one of `REASONS` with a fixed phrase, and pydicom's own warnings (they quote values)
are silenced.
"""

import contextlib
import logging
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from pgcxr.dicom import deflated
from pgcxr.errors import InputError, InstallationError, fault_of_installation
from pgcxr.io import archives, formats

REASONS = (
    "unreadable",
    "no_pixels",
    "multi_frame",
    "colour",  # as excluded.csv and report.json spell it
    "too_large",
    "timeout",
    "blank",
    "burned_in_text",
)
NOT_DICOM = "not DICOM"
# 8192 x 8192 is four times the largest chest detector; a header that claims more is refused before
# memory is asked for.
MAX_PIXELS = 8192 * 8192
MAX_BYTES = 1 << 30
# A data set with an image of 32 bits, and all else that may be in it.
MAX_INFLATED = 4 * MAX_PIXELS + (64 << 20)
# Chest radiographs compress 2 to 100 times; a stream that promises more than this is a
# decompression bomb.
MAX_COMPRESSION = 1000
GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
PYDICOM, TFIO = "pydicom", "tfio"
# Retired JPEG processes (8 or 12 bits, spectral selection and progressive) that tensorflow-io alone
# decodes; as JPEG's cosine transform leaves the last digit open, to other values than another
# decoder would.
TFIO_ALONE = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")
SHAPES = {"IDENTITY": "MONOCHROME2", "INVERSE": "MONOCHROME1"}
logging.getLogger("pydicom").addHandler(logging.NullHandler())


class Rejected(Exception):
    """A file that cannot become an image: `rule` is one of REASONS, `detail` a fixed phrase (never
    file content); `accession` its number, where the header was read."""

    def __init__(self, rule: str, detail: str):
        if rule not in REASONS:
            raise ValueError(f"{rule} is not one of {REASONS}")
        super().__init__(rule, detail)
        self.rule, self.detail, self.accession = rule, detail, ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


class _Silence(contextlib.ContextDecorator):
    """Silences pydicom, whose warnings and log lines quote values of the file; until the last
    thread is through."""

    def __init__(self):
        self._lock, self._within, self._restore = threading.Lock(), 0, None

    def __enter__(self) -> None:
        with self._lock:
            self._within += 1
            if self._within == 1:
                self._restore = contextlib.ExitStack()
                logger = logging.getLogger("pydicom")
                self._restore.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.CRITICAL + 1)
                self._restore.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")

    def __exit__(self, *_) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                self._restore.close()


_SILENCE = _Silence()


def quiet() -> _Silence:
    """Within this context pydicom says nothing."""
    return _SILENCE


@contextlib.contextmanager
def blaming_the_file(detail: str) -> Iterator[None]:
    """Whatever goes wrong within, but for a library that does not load, is the file's fault:
    Rejected("unreadable", detail).

    pydicom reads an element when it is first asked for, so that any access may raise anything.
    """
    try:
        yield
    except (Rejected, InputError):
        raise
    except MemoryError:
        raise Rejected("too_large", "takes more memory than one file may") from None
    except Exception as error:
        raise fault_of_installation(error) or Rejected("unreadable", detail) from None


def read(path: str | os.PathLike, **options) -> pydicom.Dataset:
    """pydicom.dcmread(path, **options), also without the preamble and file meta information of
    PS3.10.

    Raises:
        Rejected: it is no regular file, too large, or not DICOM.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Rejected("unreadable", "not a regular file")
        with open(path, "rb") as file:
            start = file.read(archives.START)
            # Without the preamble of PS3.10, a file has to begin with an element of group 0002 or
            # 0008, in either byte order.
            if start[128:132] != b"DICM" and start[:2] not in GROUPS:
                archive = archives.kind(path.name, start)
                raise Rejected("unreadable", archives.reason(archive) if archive else _not(start))
            if status.st_size > MAX_BYTES:
                raise Rejected("too_large", "the file is larger than 1 GiB")
            bomb = deflated.unpacks_to_more(file, MAX_INFLATED)
    except (FileNotFoundError, NotADirectoryError):
        raise Rejected("unreadable", "no such file; check the path") from None
    except OSError:
        raise Rejected("unreadable", "cannot be read from the disk") from None
    if bomb:
        raise Rejected("too_large", "unpacks to more than an image of 8192 x 8192 pixels takes")
    with blaming_the_file("broken DICOM"):
        dataset = pydicom.dcmread(path, force=True, **options)
        if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            raise Rejected("no_pixels", "a DICOMDIR, which is an index and no image")
        known = "SOPClassUID" in dataset or "Rows" in dataset or "Modality" in dataset
    if not known:
        # Of a file that ends within its pixels no element can be had.
        marked = start[128:132] == b"DICM"
        raise Rejected("unreadable", "truncated, or broken DICOM" if marked else NOT_DICOM)
    return dataset


def _not(start: bytes) -> str:
    """Why a file that begins with `start` is no DICOM."""
    if not start:
        return f"{NOT_DICOM}: an empty file"
    kind = formats.kind(start)
    if kind in (formats.PNG, formats.JPEG):
        return f"{NOT_DICOM}: a {kind} image, which only the source table reads"
    return f"{NOT_DICOM}: a {kind} file" if kind else NOT_DICOM


def check_frames(dataset: pydicom.Dataset) -> None:
    """Raises Rejected unless the header describes one frame of gray pixels."""
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if rows < 1 or columns < 1:
        raise Rejected("no_pixels", "the header describes no image")
    if rows * columns > MAX_PIXELS:
        raise Rejected("too_large", "more than 8192 x 8192 pixels")
    if whole(dataset, "NumberOfFrames", 1) > 1:
        raise Rejected("multi_frame", "more than one frame")
    # CR and DX have one sample (PS3.3 C.8.1.2, C.8.11.3): three, even if all are alike, are a
    # screenshot or a color JPEG of a radiograph, without the gray values of one and often with
    # writing on it.
    if whole(dataset, "SamplesPerPixel", 1) != 1:
        raise Rejected("colour", "more than one sample per pixel")
    kind = photometric(dataset)
    if not kind:
        raise Rejected("unreadable", "the header does not say whether bright is high or low")
    if kind not in MONOCHROME:
        raise Rejected("colour", "not MONOCHROME1 or MONOCHROME2")


def plugin(syntax: UID) -> str:
    """Which of pydicom's plugins decodes a transfer syntax, "" where none is needed. The choice is
    fixed, so that what else is installed (GDCM, Pillow, pyjpegls) changes no pixel."""
    if not syntax.is_encapsulated:
        return ""
    return PYDICOM if syntax == RLELossless else "pylibjpeg"


def _check_decoder(syntax: UID, decoder: str) -> None:
    """Raises Rejected where nothing decodes a transfer syntax, InstallationError where what does
    is not installed."""
    if syntax in TFIO_ALONE:
        if decoder == TFIO:
            return
        raise Rejected(
            "unreadable", "progressive JPEG, which decoder tfio alone reads (to 2 gray levels)"
        )
    try:
        found = get_decoder(syntax)
    except NotImplementedError:
        detail = "the transfer syntax is private or none that can be decoded"
        raise Rejected("unreadable", detail) from None
    wanted = plugin(syntax)
    if not found.is_available or (wanted and wanted not in found.available_plugins):
        raise InstallationError(f"no decoder of {found.UID.name} is installed, or none that loads")


def check_pixels(dataset: pydicom.Dataset, decoder: str = PYDICOM) -> None:
    """Compares what the header promises with the bytes that are there, before any memory is asked
    for.

    Fills in what is commonly missing: the transfer syntax, as it was read, and unsigned pixels.

    Raises:
        Rejected: the pixel data is missing, too short or unbelievably compressed, or of an unknown
            transfer syntax.
        InstallationError: what decodes a known one is not installed.
    """
    if "PixelData" not in dataset:
        raise Rejected("no_pixels", "no pixel data")
    if not getattr(dataset, "file_meta", None):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    _check_decoder(dataset.file_meta.TransferSyntaxUID, decoder)
    allocated, stored = whole(dataset, "BitsAllocated"), whole(dataset, "BitsStored")
    if allocated not in (8, 16, 32) or not 1 <= stored <= min(allocated, 16):
        raise Rejected("unreadable", "the pixels are not of 1 to 16 bits")
    dataset.BitsAllocated, dataset.BitsStored = allocated, stored
    dataset.PixelRepresentation = int(whole(dataset, "PixelRepresentation") == 1)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, photometric(dataset)
    pixels = whole(dataset, "Rows") * whole(dataset, "Columns")
    present = len(dataset.PixelData or b"")
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        if allocated == 16 and stored <= 8 and present in (pixels, pixels + pixels % 2):
            allocated = dataset.BitsAllocated = 8  # as the data lies there
        promised = pixels * (allocated // 8)
        if present < promised:
            raise Rejected("unreadable", "truncated: less pixel data than the header promises")
        # A few bytes more are common; as much again are other pixels, or deeper ones.
        if present >= 2 * promised and pixels > 1:
            raise Rejected("unreadable", "twice the pixel data that the header promises, or more")
    promised = pixels * (allocated // 8)
    if promised > MAX_COMPRESSION * max(present, 1):
        raise Rejected("too_large", "the pixel data is compressed more than 1000 times")


def photometric(dataset: pydicom.Dataset) -> str:
    """MONOCHROME1 (low is bright), MONOCHROME2, another photometric interpretation, or "" where
    nothing says.

    The Presentation LUT Shape says the same once more: MONOCHROME1 goes with INVERSE, MONOCHROME2
    with IDENTITY (PS3.3 C.8.11.3.1.2). So it is asked only where there is no photometric
    interpretation; where the two contradict each other, the photometric interpretation, which every
    image must have, is believed.
    """
    value = text(dataset, "PhotometricInterpretation").upper()
    return value or SHAPES.get(text(dataset, "PresentationLUTShape").upper(), "")


def text(dataset: pydicom.Dataset, keyword: str) -> str:
    """The value as one text, without blanks and zeros around it; "" where it is missing or cannot
    be read."""
    try:
        value = dataset.get(keyword)
        return "" if value is None else str(value).strip().strip("\0").strip()
    except Exception:
        return ""


def whole(dataset: pydicom.Dataset, keyword: str, default: int = 0) -> int:
    """The value as a whole number; `default` where it is missing or cannot be read."""
    try:
        value = dataset.get(keyword)
        return default if value is None or value == "" else int(value)
    except Exception:
        return default


def numbers(dataset: pydicom.Dataset, keyword: str) -> list[float]:
    """The values as real numbers, NaN where one is none; a comma stands for a decimal point."""
    try:
        raw = dataset.get_item(keyword)
        value = None if raw is None else raw.value
        if isinstance(value, bytes):
            value = value.decode("ascii", "replace")
        parts = (
            value.split("\\")
            if isinstance(value, str)
            else np.atleast_1d([] if value is None else value)
        )
    except Exception:
        return []
    return [_number(part) for part in parts]


def words(dataset: pydicom.Dataset, keyword: str, little_endian: bool) -> np.ndarray:
    """The value as unsigned 16-bit words, int64 [N], whether it was read as bytes or as numbers of
    either sign."""
    try:
        value = dataset.get(keyword)
        if isinstance(value, bytes):
            value = np.frombuffer(value[: len(value) // 2 * 2], "<u2" if little_endian else ">u2")
        return np.atleast_1d(np.array([] if value is None else value, np.int64)) & 0xFFFF
    except Exception:
        return np.zeros(0, np.int64)


def _number(part) -> float:
    try:
        return (
            float(part.replace(",", ".").strip().strip("\0"))
            if isinstance(part, str)
            else float(part)
        )
    except (TypeError, ValueError):
        return float("nan")

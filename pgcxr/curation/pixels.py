"""What is done to one kept file: decode, make square, reduce, write PNG. Runs in worker
processes."""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pgcxr import dicom
from pgcxr.cohort import image_files
from pgcxr.cohort.image_files import image_size, is_image
from pgcxr.curation import image_checks
from pgcxr.dicom import Rejected, known_images, pixel_data
from pgcxr.dicom.luts import Gray
from pgcxr.dicom.normalization import THESIS, Normalization
from pgcxr.dicom.reading import MAX_PIXELS
from pgcxr.errors import InputError, InstallationError, fault_of_installation
from pgcxr.images import PAD, inside_square, to_square
from pgcxr.io import user_files
from pgcxr.io.places import PARTIAL
from pgcxr.privacy import burned_in
from pgcxr.privacy.black_out import BlackOut

# Some writers leave a few bytes after JPEG's end mark.
JPEG_TRAILER = 1024
# Text is looked for in an image of this side, to say that it is there; in a film of fewer pixels
# than the second, what is 6 px high is no line of a name.
TEXT_SIDE, TEXT_LEAST = 1024, 256


@dataclass(frozen=True)
class Decoding:
    """How stored values become gray ones: the arguments of `pgcxr.dicom.decode`."""

    normalize: Normalization = THESIS
    bits: int = 8
    decoder: str = pixel_data.PYDICOM
    black_out: BlackOut = BlackOut()


@dataclass(frozen=True)
class Job:
    """One image to write: `png` and `mask_png` are where to, `size` the side in pixels, `fit`
    images.PAD or CROP; `masks` and `boxes` mark lesions (`pgcxr.sources.Scan`)."""

    path: Path = field(repr=False)
    png: Path
    mask_png: Path
    size: int
    fit: str
    decoding: Decoding = Decoding()
    masks: tuple[Path, ...] = field(default=(), repr=False)
    boxes: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Done:
    """`rejected` (rule, detail), or the hashes of decoded pixels and PNG file, whether there is a
    mask, what was measured on the decoded image (None where it is too small to be judged), and
    whether it keeps what looks like text."""

    rejected: tuple[str, str] | None = None
    pixels: str = ""
    sha256: str = ""
    mask: bool = False
    measures: image_checks.Measures | None = None
    text: bool = False


def write(job: Job) -> Done:
    """Does one job. A file that cannot be decoded is a result; a disk that cannot be written to is
    an OSError."""
    _check_installation()
    try:
        image = decode(job.path, job.decoding)
    except Rejected as reason:
        return Done((reason.rule, reason.detail))
    square = to_square(image, job.size, job.fit)
    encoded = _png(square)
    mask = _mask(job, image.shape)
    if mask is not None:
        _write(job.mask_png, _png(mask))
    _write(job.png, encoded)
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image))
    return Done(
        pixels=digest.hexdigest(),
        sha256=hashlib.sha256(encoded).hexdigest(),
        mask=mask is not None,
        measures=image_checks.measure(image),
        text=_keeps_text(image, square, job),
    )


def _keeps_text(image: np.ndarray, square: np.ndarray, job: Job) -> bool:
    """Whether there is text that nobody asked to make black or to refuse."""
    black_out = job.decoding.black_out
    if black_out.text or black_out.no_text:
        return False
    return shows_text(image, square if (job.size, job.fit) == (TEXT_SIDE, PAD) else None)


def shows_text(image: np.ndarray, square: np.ndarray | None = None) -> bool:
    """Whether there is text near the borders: looked for at half the side of `BlackOut`'s own
    search, in a quarter of its time.

    Args:
        image: uint8 or uint16 [H, W].
        square: the same, padded to `TEXT_SIDE`, where that is known.
    """
    if max(image.shape) < TEXT_LEAST:
        return False
    if max(image.shape) > TEXT_SIDE:
        reduced = to_square(image, TEXT_SIDE) if square is None else square
        image = reduced[inside_square(image.shape, TEXT_SIDE)]
    shown = image if image.itemsize == 1 else (image >> 8).astype(np.uint8)
    return len(burned_in.text_regions(shown)) > 0


@cache
def _check_installation() -> None:
    """Does to a known image what is done to any, once in a process; InstallationError where that
    fails: what cannot be processed later is another matter."""
    known = np.tile((known_images.picture() >> 4).astype(np.uint8), (4, 4))
    try:
        for image in (known, known.astype(np.uint16)):
            png = np.frombuffer(_png(to_square(image, 64, PAD)), np.uint8)
            decoded = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
            if decoded is None or decoded.dtype != image.dtype or not decoded.any():
                raise ValueError("the PNG is another image")
            image_checks.measure(image)
    except Exception as error:
        found = f"a known image cannot be processed ({type(error).__name__}: {error})"
        raise fault_of_installation(error) or InstallationError(found) from error


def intact(job: Job, done: Done) -> bool:
    """Whether what `write` wrote is there, to the last byte."""
    if done.rejected:
        return True
    try:
        same = (
            hashlib.sha256(user_files.read_bytes(job.png, image_files.MOST_BYTES)).hexdigest()
            == done.sha256
        )
        if not same or not done.mask:
            return same
        return (
            image_files.decode_png(user_files.read_bytes(job.mask_png, image_files.MOST_BYTES))
            is not None
        )
    except (InputError, OSError):
        return False


def _write(path: Path, content: bytes) -> None:
    """A killed process leaves a whole file under its name, or none."""
    beside = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    beside.write_bytes(content)
    beside.replace(path)


def decode(path: Path, decoding: Decoding = Decoding()) -> np.ndarray:
    """`dicom.decode`, and `decode_image` where the name says so."""
    if is_image(path):
        return decode_image(path, decoding)
    return dicom.decode(
        path,
        normalize=decoding.normalize,
        bits=decoding.bits,
        decoder=decoding.decoder,
        black_out=decoding.black_out,
    )


def decode_image(path: Path, decoding: Decoding = Decoding()) -> np.ndarray:
    """A gray PNG of 8 or 16 bits, or a JPEG, of a public set, normalized as DICOM is, uint8 or
    uint16 [H, W]."""
    rows, columns = image_size(path)
    if rows * columns > MAX_PIXELS:
        raise Rejected("too_large", "more than 8192 x 8192 pixels")
    try:
        content = path.read_bytes()
    except OSError:
        raise Rejected("unreadable", "cannot be read from the disk") from None
    # What is cut short OpenCV would fill with black or gray.
    jpeg = content[:2] == b"\xff\xd8"
    complete = b"\xff\xd9" in content[-JPEG_TRAILER:] if jpeg else content[-8:-4] == b"IEND"
    if not complete:
        raise Rejected("unreadable", "truncated, or neither PNG nor JPEG")
    codes = image_files.decode_gray(content)
    if codes is None:
        raise Rejected("unreadable", "neither a PNG nor a JPEG image")

    def table(counts: np.ndarray) -> np.ndarray:
        gray = Gray(np.arange(len(counts), dtype=np.float64), 0, len(counts) - 1)
        return decoding.normalize.table(gray, counts, decoding.bits)

    return decoding.black_out.look_up(codes, table)


def _mask(job: Job, shape: tuple[int, int]) -> np.ndarray | None:
    """The share of each pixel that is lesion, 0..255 (at least 1 where any is), or None where
    nothing is marked."""
    covered = np.zeros(shape, np.uint8)
    for path in job.masks:
        image_files.check_installation()
        marked = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
        if marked is not None:
            covered |= cv2.resize(
                (marked > 0).astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST
            )
    for x, y, width, height in job.boxes if job.boxes is not None else ():
        left, right = (int(round(np.clip(edge, 0, 1) * shape[1])) for edge in (x, x + width))
        top, bottom = (int(round(np.clip(edge, 0, 1) * shape[0])) for edge in (y, y + height))
        covered[top:bottom, left:right] = 1
    if not covered.any():
        return None
    # A lesion thinner than one pixel of the result must not vanish by rounding.
    touched = to_square(covered * 255, job.size, job.fit)
    if not touched.any():
        kernel = int(np.ceil(max(shape) / job.size)) | 1
        touched = to_square(
            cv2.dilate(covered, np.ones((kernel, kernel), np.uint8)) * 255, job.size, job.fit
        )
    return touched


def _png(image: np.ndarray) -> bytes:
    # On radiographs, runs alone are a fifth smaller than level 2's usual matches, and done sooner.
    options = [
        cv2.IMWRITE_PNG_COMPRESSION,
        2,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_RLE,
    ]
    done, encoded = cv2.imencode(".png", image, options)
    if not done:
        raise MemoryError("PNG encoding")
    return encoded.tobytes()

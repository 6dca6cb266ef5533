"""Image files: PNG and JPEG sizes from their headers; the PNG files of a cohort, checked and
reduced, as arrays or, for tf.data, any of them by its number."""

import io
import math
import struct
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pgcxr.dicom import known_images
from pgcxr.errors import InputError, InstallationError, fault_of_installation
from pgcxr.images import reduce_by_area
from pgcxr.io import formats, png, user_files

SUFFIXES = (".png", ".jpg", ".jpeg")
# Of one image: the largest that is curated, of 16 bits, hardly compressed.
MAX_PIXELS, MOST_BYTES = 8192 * 8192, 256 << 20
# Gray levels between the channels of a pixel, from which on it has a color: of one, and on average.
CLEARLY, TINT = 24, 4
# What is wrong with an image is said in one line here; OpenCV's own warnings would come between.
getattr(cv2.utils, "logging", cv2).setLogLevel(0)  # OpenCV 5, and 4


def is_image(path: Path) -> bool:
    """Whether it is read as PNG or JPEG, not as DICOM: by what is in it, or else by its name."""
    kind = formats.kind_of(path)
    if kind in (formats.DICOM, formats.PNG, formats.JPEG):
        return kind != formats.DICOM
    return path.suffix.lower() in SUFFIXES


def image_size(path: Path) -> tuple[int, int]:
    """(rows, columns); 0, 0 where it is no PNG or JPEG, or cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                columns, rows = image.size
    except Exception:  # Pillow raises anything on hostile headers
        check_installation()
        return 0, 0
    return rows, columns


def read_png(path: Path, size: int | None = None) -> np.ndarray:
    """A gray PNG, uint8 [H, W]; of 16 bits the upper 8. With `size`, it must be square and of
    `size` px at least."""
    content = user_files.read_bytes(
        path, MOST_BYTES, absent="make the cohort again with `pgcxr curate`"
    )
    if size is not None and all(_said_size(content)):
        _check_shape(path, _said_size(content), size)
    image = decode_png(content)
    if image is None:
        raise InputError(
            f"{path}: is damaged or not a PNG image; make the cohort again with `pgcxr curate`"
        )
    return image


def decode_png(content: bytes) -> np.ndarray | None:
    """A gray PNG, uint8 [H, W]; None where it is damaged or none.

    Of 16 bits (`bits=16` of a curation) the upper 8 are taken, as tf.io.decode_png does: networks
    are trained on 8.
    """
    # OpenCV fills with black what is cut short, and grumbles; and it makes room for whatever a
    # header claims.
    if not png.is_whole(content) or math.prod(_said_size(content)) > MAX_PIXELS:
        return None
    image = decode_gray(content)
    return (
        (image >> 8).astype(np.uint8) if image is not None and image.dtype == np.uint16 else image
    )


def decode_gray(content: bytes) -> np.ndarray | None:
    """The gray levels of a PNG or JPEG, uint8 or uint16 [H, W]; None where it is none that can be
    decoded."""
    check_installation()
    return _decode(content)


def shows_color(content: bytes) -> bool:
    """Whether a PNG or JPEG has colored pixels: 16 that clearly are, or a tint of the whole. Gray
    ones that are stored as red, green and blue have none."""
    check_installation()
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return False
    spread = image.max(axis=2) - image.min(axis=2)
    return bool((spread > CLEARLY).sum() >= 16 or spread.mean() > TINT)


def _decode(content: bytes) -> np.ndarray | None:
    return cv2.imdecode(
        np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
    )


@cache
def check_installation() -> None:
    """Raises InstallationError where OpenCV, or Pillow, does not read a known image, once in a
    process, before any file is called damaged."""
    from PIL import Image

    deep = known_images.picture()
    known = (deep >> 4).astype(np.uint8)
    for kind, picture, tolerance in (("PNG", deep, 0), ("PNG", known, 0), ("JPEG", known, 8)):
        try:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, kind)
            with Image.open(file, formats=(kind,)) as image:
                size = image.size
            shown = _decode(file.getvalue()).astype(int)
            wrong = size != picture.shape[::-1] or np.abs(shown - picture).max() > tolerance
        except Exception as error:
            found = f"a known {kind} image cannot be decoded ({type(error).__name__}: {error})"
            raise fault_of_installation(error) or InstallationError(found) from error
        if wrong:
            raise InstallationError(f"a known {kind} image is decoded as another one")


def png_size(path: Path) -> tuple[int, int]:
    """Rows and columns from the first chunk of a PNG; 0, 0 where it is none or cannot be read."""
    try:
        with user_files.opened(path, MOST_BYTES) as file:
            return _said_size(file.read(24))
    except (InputError, OSError):
        return 0, 0


def _said_size(content: bytes) -> tuple[int, int]:
    if len(content) < 24 or content[:8] != png.SIGNATURE:
        return 0, 0
    columns, rows = struct.unpack(">II", content[16:24])
    return rows, columns


def check_images(paths: list[Path], size: int) -> None:
    """Raises InputError for the first PNG that is missing, not square or smaller than `size`, by
    their headers."""
    for path in paths:
        rows, columns = png_size(path)
        if not 0 < rows * columns <= MAX_PIXELS:
            read_png(path)  # says what is wrong
            raise InputError(f"{path}: is damaged; make the cohort again with `pgcxr curate`")
        _check_shape(path, (rows, columns), size)


def _check_shape(path: Path, shape: tuple[int, int], size: int) -> None:
    if shape[0] != shape[1]:
        raise InputError(
            f"{path}: is {shape[1]} x {shape[0]} pixels, not square; make the cohort again with "
            "`pgcxr curate`"
        )
    if shape[0] < size:
        raise InputError(
            f"{path}: is {shape[1]} x {shape[0]}, smaller than the {size} px asked for; "
            f"curate at {1 << (size - 1).bit_length()} px or more, or choose a lower resolution"
        )


def load_images(paths: list[Path], size: int) -> np.ndarray:
    """uint8 [N, size, size, 1]: PNGs reduced by area; InputError where one is not square or smaller
    than `size`."""
    images = np.empty((len(paths), size, size, 1), np.uint8)

    def fill(index: int) -> None:
        images[index, :, :, 0] = reduce_by_area(read_png(paths[index], size), size, size)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, range(len(paths))))
    return images


class PngFiles:
    """Square gray PNG files of at least `resolution` px."""

    def __init__(self, paths: list[Path], resolution: int):
        self.paths, self._resolution = paths, resolution

    def read(self, index, levels: tuple[int, ...]) -> tuple:
        """Image `index` at each of `levels` (log2 of the size): uint8 tensors [2^level, 2^level,
        1]."""
        import tensorflow as tf

        path = tf.gather(tf.constant([str(path) for path in self.paths]), index)
        image = tf.image.decode_png(tf.io.read_file(path), channels=1)
        return tuple(reduce_tensor(image, 1 << level) for level in levels)

    def check(self, indices: Iterable[int]) -> None:
        """Raises InputError for the first of these files that cannot be read, or is too small."""
        for index in indices:
            load_images([self.paths[index]], self._resolution)


def reduce_tensor(image, size: int):
    """uint8 tensor [R, R, 1] -> [size, size, 1], the rounded mean over each box."""
    import tensorflow as tf

    return tf.cast(tf.round(tf.image.resize(image, (size, size), method="area")), tf.uint8)

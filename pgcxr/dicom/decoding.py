"""From a DICOM file to the 8-bit image that a radiologist would recognize, or the reason why not.

The steps, each in a module of its own: `reading` (opening, and checks before any memory is asked
for; those of compressed streams in `streams`), `pixel_data` (stored values, by pydicom or by
tensorflow-io), `luts` (modality and VOI transformations), `normalization` (to 8 or 16 bits),
`display_area` (shutters, square pixels).
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np
import pydicom
from pydicom.uid import UID, ExplicitVRLittleEndian

from pgcxr.dicom import display_area, known_images, luts, normalization, pixel_data, streams
from pgcxr.dicom.luts import Gray
from pgcxr.dicom.normalization import THESIS, Normalization
from pgcxr.dicom.reading import (
    Rejected,
    blaming_the_file,
    check_frames,
    check_pixels,
    quiet,
    read,
    text,
)
from pgcxr.errors import ArgumentError, InstallationError, fault_of_installation

WHOLE_RANGE = Normalization(normalization.NONE)


class BlackOut(Protocol):
    """Makes parts of an image black while its codes are looked up."""

    def look_up(
        self,
        codes: np.ndarray,
        table: Callable[[np.ndarray], np.ndarray],
        maker: str = "",
        outside: np.ndarray | None = None,
    ) -> np.ndarray:
        """The image of `codes` [H, W]; `table` maps the number of pixels of each code to what each
        is shown as; `outside` [H, W] is black, too."""
        ...


def decode(
    path: str | os.PathLike,
    *,
    normalize: Normalization = THESIS,
    bits: int = 8,
    decoder: str = pixel_data.PYDICOM,
    black_out: BlackOut | None = None,
) -> np.ndarray:
    """The image as displayed, bones white.

    Modality LUT, then VOI LUT or window (PS3.3 C.11.1, C.11.2; a LUT is preferred to a window, and
    the first of several is taken), MONOCHROME1 inverted, then `normalize`. Padding pixels
    (PixelPaddingValue) and what lies outside of display shutters are black, and not counted by
    `normalize`. Pixels that are not square are made square.

    Args:
        path: a DICOM file with one frame of gray pixels.
        normalize: which gray values become black and white (thesis 1.1).
        bits: 8 or 16.
        decoder: pixel_data.PYDICOM, or TFIO for tensorflow-io.
        black_out: what is made black, and not counted by `normalize` (pgcxr.privacy.black_out).

    Returns:
        uint8 [H, W], or uint16 for 16 bits.

    Raises:
        Rejected: the file cannot be read, has no pixels, several frames, color, or shows nothing.
        ArgumentError: tensorflow-io is asked for and is not there.
        InstallationError: what is installed cannot decode a known image of that transfer syntax.

    Example:

        >>> import tempfile
        >>> from pathlib import Path
        >>> from pgcxr.phantom.export import PhantomOptions, write_export
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     options = PhantomOptions(patients=1, size=64, workers=1)
        ...     counts = write_export(f"{folder}/export", options)
        ...     image = decode(next(Path(folder, "export").rglob("*.dcm")))
        >>> image.dtype, int(image.min()), int(image.max())
        (dtype('uint8'), 0, 255)
    """
    take = pixel_data.reader(decoder)
    check_installation(ExplicitVRLittleEndian, decoder)
    with quiet(), blaming_the_file("the pixel data cannot be decoded"):
        dataset = _open(path, decoder)
        if decoder == pixel_data.PYDICOM:  # the other cannot decode all
            check_installation(dataset.file_meta.TransferSyntaxUID)
        codes = _codes(dataset, take)

        def table(counts: np.ndarray) -> np.ndarray:
            pixel_data.deepen(dataset, codes, counts)
            return gray_table(dataset, counts, normalize, bits)

        outside = display_area.hidden(dataset)
        if black_out is not None:
            image = black_out.look_up(codes, table, text(dataset, "Manufacturer"), outside)
        else:
            image = pixel_data.look_up_inside(table, codes, outside)
        return display_area.square_pixels(image, display_area.aspect(dataset))


def _open(path: str | os.PathLike, decoder: str = pixel_data.PYDICOM) -> pydicom.Dataset:
    dataset = read(path)
    check_frames(dataset)
    check_pixels(dataset, decoder)
    streams.check(dataset)
    return dataset


def _codes(dataset: pydicom.Dataset, take: Callable[[pydicom.Dataset], np.ndarray]) -> np.ndarray:
    codes = take(dataset)
    if codes.shape != (dataset.Rows, dataset.Columns) or min(codes.shape) < 2:
        raise Rejected("unreadable", "the pixel data is not one plane")
    if not dataset.file_meta.TransferSyntaxUID.is_compressed and pixel_data.is_cut_off(codes):
        detail = "truncated: zeros from the middle of a row to the end of the pixels"
        raise Rejected("unreadable", detail)
    return codes


@cache
def check_installation(syntax: UID, decoder: str = pixel_data.PYDICOM) -> None:
    """Decodes a known image of a transfer syntax, once in a process, before any file of it is
    judged.

    Raises:
        InstallationError: it cannot be decoded, or becomes another image.
    """
    path = known_images.path_of(syntax)
    if path is None:  # none that can be decoded
        return
    try:
        with quiet():
            dataset = _open(path)
            codes = _codes(dataset, pixel_data.reader(decoder))
            table = gray_table(dataset, pixel_data.count(codes), WHOLE_RANGE, 8)
            shown = pixel_data.look_up(table, codes)
        wrong = known_images.difference(shown)
    except ArgumentError:
        raise  # tensorflow-io is asked for and is not there
    except Exception as error:
        said = error.detail if isinstance(error, Rejected) else f"{type(error).__name__}: {error}"
        found = f"a known image in {syntax.name} cannot be decoded ({said})"
        raise fault_of_installation(error) or InstallationError(found) from error
    if wrong > known_images.TOLERANCE:
        raise InstallationError(f"a known image in {syntax.name} is decoded as another one")


def gray_table(
    dataset: pydicom.Dataset, counts: np.ndarray, normalize: Normalization, bits: int
) -> np.ndarray:
    """uint8 or uint16 [codes]: what each code is shown as.

    Args:
        counts: int64 [codes], how many pixels have each.
    """
    stored = pixel_data.stored_values(dataset, counts)
    padding = pixel_data.padding(dataset, stored)
    counts = np.where(padding, 0, counts)
    present = counts > 0
    if not present.any():
        raise Rejected("blank", "all pixels are padding")
    low, high = pixel_data.stored_range(dataset)
    gray = luts.modality(Gray(stored.astype(np.float64), low, high), dataset, present)
    if normalize.kind != normalization.NONE:
        gray = luts.voi(gray, dataset, present)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        gray = Gray(-gray.values, -gray.high, -gray.low)
    table = normalize.table(gray, counts, bits)
    table[padding] = 0
    return table

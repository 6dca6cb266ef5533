"""The pixels of a DICOM image as they lie in memory, and what each of the possible codes stands
for.

A code is the container of one pixel, an unsigned number of 8 or 16 bits: the stored value, and
above its high bit whatever was left there (overlays, signs, junk; PS3.5 8.1.1). All that a header
says of gray values is a function of the code, so it is worked out once for each of the 256 or
65,536 codes and looked up for the pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pydicom
from pydicom.pixels import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    RLELossless,
)

from pgcxr.dicom import streams
from pgcxr.dicom.reading import PYDICOM, TFIO, plugin, whole, words
from pgcxr.errors import ArgumentError

# What was lost may be beyond the highest stored value, or below the lowest.
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)
# Of these codecs alone, the stream says itself whether it is signed.
SIGNED = (JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
# A lossy stream that is deeper than the header says overshoots the stored values, which are
# clipped; but not by more than this share of their range in more than this share of the pixels.
OVERSHOOT, OVERSHOOTING = 0.25, 0.001
# Of the pixels before those that were not written, how many may be 0 all the same; of all, how many
# may have bits above the stored ones that are no part of a value.
BLACK, BEYOND = 0.05, 0.01
# OpenCV counts in float32, which is exact up to here.
EXACT = 1 << 24


def reader(decoder: str) -> Callable[[pydicom.Dataset], np.ndarray]:
    """What decodes the pixels of a data set: PYDICOM or TFIO; ArgumentError where it is another, or
    not installed."""
    if decoder == PYDICOM:
        return read
    if decoder != TFIO:
        raise ArgumentError("decoder", f"must be {PYDICOM} or {TFIO}", received=decoder)
    # Loads TensorFlow.
    from pgcxr.dicom import tfio_decoder

    return tfio_decoder.read


def read(dataset: pydicom.Dataset) -> np.ndarray:
    """uint8 or uint16 [H, W]: the codes, decoded by pydicom."""
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    options = {"raw": True, "view_only": True, "correct_unused_bits": False}
    codes, _ = decoder.as_array(
        dataset, index=0, decoding_plugin=plugin(dataset.file_meta.TransferSyntaxUID), **options
    )
    size = codes.dtype.itemsize
    codes = codes.astype(codes.dtype.newbyteorder("="), copy=False).view(f"u{size}")
    return codes.astype(np.uint16) if size == 4 else codes


def count(codes: np.ndarray) -> np.ndarray:
    """int64 [256 or 65536]: how many pixels have each code."""
    bins = 1 << 8 * codes.itemsize
    parts = np.array_split(codes, codes.size // EXACT + 1)
    counts = sum(
        cv2.calcHist([part], [0], None, [bins], [0, bins]).astype(np.int64) for part in parts
    )
    return counts.ravel()  # [N, 1] of OpenCV 4, [N] of OpenCV 5


def look_up(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """table[codes], faster."""
    # There is an entry for every code, and to check that takes half of the time.
    return cv2.LUT(codes, table) if codes.itemsize == 1 else np.take(table, codes, mode="wrap")


def look_up_inside(
    table: Callable[[np.ndarray], np.ndarray], codes: np.ndarray, outside: np.ndarray | None
) -> np.ndarray:
    """The image of `codes` [H, W], black `outside`, whose pixels `table` does not count."""
    if outside is None:
        return look_up(table(count(codes)), codes)
    shown = codes[~outside]
    counts = count(shown[:, None]) if len(shown) else np.zeros(1 << 8 * codes.itemsize, np.int64)
    image = look_up(table(counts), codes)
    image[outside] = 0
    return image


def is_cut_off(codes: np.ndarray) -> bool:
    """Whether codes [H, W] are zeros from the middle of a row to their end, and hardly elsewhere:
    what a file holds that was made room for and not written to its end."""
    rows, columns = codes.shape
    if codes[-max(rows // 100, 1) :].any():
        return False
    last = next((row for row in range(rows - 1, -1, -1) if codes[row].any()), 0)
    end = int(np.flatnonzero(codes[last])[-1]) + 1 if last else 0
    # A border ends with a row, or leaves a corner of the row above black, too.
    edge = max(columns // 50, 1)
    if not edge < end <= columns - edge:
        return False
    parts = codes[last, :end], codes[last - 1], codes[:last]
    return all(np.count_nonzero(part) >= (1 - BLACK) * part.size for part in parts)


def deepen(dataset: pydicom.Dataset, codes: np.ndarray, counts: np.ndarray) -> None:
    """Sets BitsStored to what the pixels of a container need, where it is too low: neighbors then
    differ less with the bits above it than without. Of overlays and of what was left there (PS3.5
    8.1.1) they differ more.

    Args:
        codes: [H, W]; `counts` how many of its pixels have each.
    """
    bits, syntax = dataset.BitsStored, dataset.file_meta.TransferSyntaxUID
    if (syntax.is_encapsulated and syntax != RLELossless) or len(counts) <= 1 << bits:
        return
    signed = dataset.PixelRepresentation == 1
    values = np.arange(len(counts))
    full = _signed(values, len(counts)) if signed else values
    held = values & ((1 << bits) - 1)
    held = _signed(held, 1 << bits) if signed else held
    beyond = counts[full != held].sum()
    if beyond <= BEYOND * counts.sum() or whole(dataset, "HighBit", bits - 1) >= bits:
        return
    part = codes[:: max(len(codes) // 256, 1)]
    rough, smooth = (np.abs(np.diff(table[part], axis=1)).sum() for table in (held, full))
    if rough > smooth:
        most = full[counts > 0]
        most = max(int(most.max()), -int(most.min()) - 1)
        dataset.BitsStored = most.bit_length() + signed


def stored_values(dataset: pydicom.Dataset, counts: np.ndarray) -> np.ndarray:
    """int64 [codes]: the stored value of each code (PS3.5 8.1.1): BitsStored bits below HighBit,
    signed or not. Where the values of a stream need more, its own depth becomes BitsStored."""
    syntax = dataset.file_meta.TransferSyntaxUID
    bits = dataset.BitsStored = _needed_bits(dataset, counts)
    codes = np.arange(len(counts))
    signed = dataset.PixelRepresentation == 1
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if syntax in LOSSY and (not signed or syntax in SIGNED):
        return np.clip(_signed(codes, len(counts)) if signed else codes, low, high)
    shift = whole(dataset, "HighBit", bits - 1) + 1 - bits
    # A high bit above the stored ones says that pixels fill the container from the top (ACR-NEMA).
    # Where none of them reaches up there, it is the header that is wrong.
    if shift > 0 and len(counts) >= 1 << bits + shift and counts[1 << bits :].any():
        codes = codes >> shift
    return _signed(codes & ((1 << bits) - 1), 1 << bits) if signed else codes & high


def _needed_bits(dataset: pydicom.Dataset, counts: np.ndarray) -> int:
    """BitsStored; or the depth of a compressed stream that has values beyond. What a codec gives
    above BitsStored are no overlays, as those of a container may be (PS3.5 8.1.1, 8.2)."""
    bits, syntax = dataset.BitsStored, dataset.file_meta.TransferSyntaxUID
    deep = None if syntax == RLELossless else streams.depth(dataset)
    if deep is None or deep <= bits or whole(dataset, "HighBit", bits - 1) >= bits:
        return bits
    codes = np.arange(len(counts)) & ((1 << deep) - 1)
    low, high = stored_range(dataset)
    # Negative values are written in BitsStored bits, or in all of the stream's.
    held = _signed(codes, 1 << deep) if low else codes
    held = np.where(codes < 1 << bits, np.minimum(held, high), held)
    if syntax not in LOSSY:
        beyond = ((held < low) | (held > high)) & (counts > 0)
        return deep if beyond.any() else bits
    room = OVERSHOOT * (high - low)
    far = (held < low - room) | (held > high + room)
    return deep if counts[far].sum() > OVERSHOOTING * counts.sum() else bits


def stored_range(dataset: pydicom.Dataset) -> tuple[int, int]:
    """The lowest and the highest value that can be stored."""
    bits = dataset.BitsStored
    return (
        (-(1 << bits - 1), (1 << bits - 1) - 1)
        if dataset.PixelRepresentation == 1
        else (0, (1 << bits) - 1)
    )


def padding(dataset: pydicom.Dataset, values: np.ndarray) -> np.ndarray:
    """bool [codes]: outside of the image (PS3.3 C.7.5.1.1.2), PixelPaddingValue to
    PixelPaddingRangeLimit.

    Args:
        values: the stored value of each code.
    """
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    first = words(dataset, "PixelPaddingValue", little)
    limit = words(dataset, "PixelPaddingRangeLimit", little)
    if not len(first):
        return np.zeros(len(values), bool)
    ends = np.array([first[0], limit[0] if len(limit) else first[0]])
    signed = dataset.PixelRepresentation == 1
    meant = _signed(ends, 1 << 16) if signed else ends
    low, high = stored_range(dataset)
    if ((meant >= low) & (meant <= high)).all():
        return (values >= meant.min()) & (values <= meant.max())
    # A value that the stored bits cannot hold is that of the whole container.
    codes = np.arange(len(values))
    held = _signed(codes, len(values)) if signed else codes
    return (held >= meant.min()) & (held <= meant.max())


def _signed(values: np.ndarray, count: int) -> np.ndarray:
    """Two's complement: the upper half of `count` unsigned values stands for negative ones."""
    return np.where(values >= count // 2, values - count, values)

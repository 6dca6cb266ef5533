"""Modality and VOI transformations of PS3.3 C.11.1 and C.11.2, forgiving with tags that are
broken."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pydicom

from pgcxr.dicom.reading import numbers, text, words

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
# Of the entries of a table, 8 to 16 (PS3.3 C.11.1.1.1).
FEWEST_BITS = 8


@dataclass(frozen=True)
class Gray:
    """`values`, float64 [codes], of every code, and the range that they can have: `low` to
    `high`."""

    values: np.ndarray
    low: float
    high: float


@dataclass(frozen=True)
class Table:
    """A lookup table: `entries`, int64 [N], for the values from `first` on; those outside take the
    entry at the end."""

    first: int
    entries: np.ndarray
    bits: int

    def __call__(self, gray: Gray) -> Gray:
        index = np.clip(np.rint(gray.values) - self.first, 0, len(self.entries) - 1).astype(
            np.int64
        )
        return Gray(self.entries[index].astype(np.float64), 0, (1 << self.bits) - 1)


@dataclass(frozen=True)
class Window:
    """Center and width, in the values' unit, and one of LINEAR, LINEAR_EXACT and SIGMOID."""

    center: float
    width: float
    function: str = LINEAR

    def __call__(self, gray: Gray) -> Gray:
        """0 to 1 (PS3.3 C.11.2.1.2.1; LINEAR_EXACT, C.11.2.1.3.2; SIGMOID, C.11.2.1.3.1)."""
        center, width = self.center, self.width
        if self.function == SIGMOID:
            with np.errstate(over="ignore"):
                return Gray(1 / (1 + np.exp(-4 * (gray.values - center) / width)), 0, 1)
        if self.function == LINEAR:
            center, width = center - 0.5, width - 1
        return Gray(np.clip((gray.values - center) / width + 0.5, 0, 1), 0, 1)


def modality(gray: Gray, dataset: pydicom.Dataset, present: np.ndarray) -> Gray:
    """Stored values to what the modality measured (C.11.1): the table of ModalityLUTSequence, or
    slope and intercept.

    A slope of 0 or none says nothing, and leaves the values as they are.

    Args:
        present: bool [codes], which of them any pixel has.
    """
    for table in _tables(dataset, "ModalityLUTSequence", gray.values[present]):
        return table(gray)
    slope = next(iter(numbers(dataset, "RescaleSlope")), 1.0)
    intercept = next(iter(numbers(dataset, "RescaleIntercept")), 0.0)
    if not (np.isfinite(slope) and np.isfinite(intercept) and slope):
        return gray
    low, high = sorted((gray.low * slope + intercept, gray.high * slope + intercept))
    return Gray(gray.values * slope + intercept, low, high)


def voi(gray: Gray, dataset: pydicom.Dataset, present: np.ndarray) -> Gray:
    """Values to what is displayed (C.11.2): the first table of VOILUTSequence, or else the first
    window, that is whole and leaves something to see. Without one, the values as they are.
    """
    for apply in (*_tables(dataset, "VOILUTSequence", gray.values[present]), *_windows(dataset)):
        shown = apply(gray)
        if np.ptp(shown.values[present]) > 0:
            return shown
    return gray


def _windows(dataset: pydicom.Dataset) -> Iterator[Window]:
    function = text(dataset, "VOILUTFunction").upper()
    function = function if function in (LINEAR_EXACT, SIGMOID) else LINEAR
    for center, width in zip(
        numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth"), strict=False
    ):
        # A LINEAR window of width 1 is a threshold: two grays are no radiograph.
        if np.isfinite(center) and np.isfinite(width) and width > (1 if function == LINEAR else 0):
            yield Window(center, width, function)


def _tables(dataset: pydicom.Dataset, keyword: str, values: np.ndarray) -> Iterator[Table]:
    """The tables of a sequence that can be read.

    Args:
        values: float64 [N], what is to be looked up.
    """
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    try:
        items = list(dataset.get(keyword) or ())
    except Exception:
        return
    for item in items:
        descriptor, data = words(item, "LUTDescriptor", little), words(item, "LUTData", little)
        if len(descriptor) != 3:
            continue
        count, first, bits = int(descriptor[0]) or 1 << 16, int(descriptor[1]), int(descriptor[2])
        if bits <= 8 and len(data) < count and len(data) == (count + 1) // 2:
            # Two entries of 8 bits in a word, the first in its low byte.
            data = data.astype("<u2").view(np.uint8).astype(np.int64)
        entries = data[:count]
        if len(entries):
            # The depth is that of the largest entry: files also say 8 where they hold 12, and 16
            # where they hold 10.
            yield Table(
                _first(first, len(entries), values),
                entries,
                max(int(entries.max()).bit_length(), FEWEST_BITS),
            )


def _first(word: int, count: int, values: np.ndarray) -> int:
    """The first value mapped, which is signed if the values can be (C.11.2.1.1). Files get that
    wrong either way, so it is read as the number whose table holds more of the values' range."""
    low, high = values.min(), values.max()

    def held(first: int) -> float:
        return min(first + count - 1, high) - max(first, low)

    return max((word, word - (1 << 16) if word >= 1 << 15 else word), key=held)

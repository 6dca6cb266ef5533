"""From gray values to the 8 or 16 bits of a PNG."""

import re
from dataclasses import dataclass

import numpy as np

from pgcxr.dicom.luts import Gray
from pgcxr.dicom.reading import Rejected
from pgcxr.errors import ArgumentError

PERCENTILE, WINDOW, NONE = "percentile", "window", "none"
THESIS_PERCENTILE = 99.0


@dataclass(frozen=True)
class Normalization:
    """Which values become black and white; those beyond are clipped.

    Attributes:
        kind: PERCENTILE: of the pixels as displayed (after the VOI window or table), `low` and
            `high`, in percent. WINDOW: the ends of what the VOI window or table displays, whatever
            the pixels. NONE: the ends of what the stored bits can hold; no window is applied.

    The thesis (1.1) says no more than "99th percentile normalization"; clipping only the top keeps
    the few brightest pixels (markers, metal) from darkening everything else, and leaves air black.
    """

    kind: str = PERCENTILE
    low: float = 0.0
    high: float = THESIS_PERCENTILE

    def table(self, gray: Gray, counts: np.ndarray, bits: int = 8) -> np.ndarray:
        """uint8 or uint16 [codes]: what each code becomes.

        Args:
            gray: of each code, brighter is denser.
            counts: int64 [codes], pixels of each; those of padding are not counted.
        Raises:
            Rejected: there is nothing to see ("blank").
        """
        present = counts > 0
        if not present.any() or not np.isfinite(gray.values[present]).all():
            raise Rejected("blank", "no pixel with a finite value")
        low, high = gray.low, gray.high
        if self.kind == PERCENTILE:
            low, high = (percentile(gray.values, counts, share) for share in (self.low, self.high))
            if high <= low:
                raise Rejected(
                    "blank", f"{self.high - self.low:g} % of the pixels or more have the same value"
                )
        elif np.ptp(np.clip(gray.values[present], low, high)) == 0:
            raise Rejected("blank", "all pixels have the same value")
        white = (1 << bits) - 1
        scaled = np.rint((np.clip(gray.values, low, high) - low) * (white / (high - low)))
        return scaled.astype(np.uint8 if bits == 8 else np.uint16)

    def __str__(self) -> str:
        if self.kind != PERCENTILE:
            return self.kind
        return (
            f"{PERCENTILE}:{self.high:g}"
            if self.low == 0
            else f"{PERCENTILE}:{self.low:g},{self.high:g}"
        )


THESIS = Normalization()


def normalize(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W] of real numbers [H, W], brighter is denser, as the thesis does it; of an image
    that is no file."""
    if not np.isfinite(image).all():
        raise Rejected("blank", "a pixel without a finite value")
    values, codes, counts = np.unique(image, return_inverse=True, return_counts=True)
    table = THESIS.table(
        Gray(values.astype(np.float64), float(values[0]), float(values[-1])), counts
    )
    return table[codes].reshape(image.shape)


def parse(text: str) -> Normalization:
    """Reads `percentile` (the thesis's 99), `percentile:HIGH`, `percentile:LOW,HIGH`, `window` or
    `none`.

    Raises:
        ArgumentError: the text is none of these.

    Example:

        >>> parse("percentile:1,99")
        Normalization(kind='percentile', low=1.0, high=99.0)
    """
    if text in (PERCENTILE, WINDOW, NONE):
        return Normalization(text)
    match = re.fullmatch(rf"{PERCENTILE}:(?:([\d.]+),)?([\d.]+)", text)
    try:
        low, high = float(match[1] or 0), float(match[2])
    except (TypeError, ValueError):
        low, high = 1, 0
    if not 0 <= low < high <= 100:
        expected = "must be percentile:HIGH, percentile:LOW,HIGH (0 to 100), window or none"
        raise ArgumentError("normalize", expected, received=text)
    return Normalization(PERCENTILE, low, high)


def percentile(values: np.ndarray, counts: np.ndarray, share: float) -> float:
    """np.percentile(np.repeat(values, counts), share), by linear interpolation, without
    repeating."""
    present = np.flatnonzero(counts)
    order = present[np.argsort(values[present], kind="stable")]
    up_to = np.cumsum(counts[order])
    place = (up_to[-1] - 1) * share / 100
    below, above = (
        values[order[np.searchsorted(up_to, rank, side="right")]]
        for rank in (np.floor(place), min(np.floor(place) + 1, up_to[-1] - 1))
    )
    return float(below + (above - below) * (place - np.floor(place)))

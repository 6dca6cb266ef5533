"""How far two maps of one image agree, and means over images with intervals: NumPy in, numbers out.

Maps are float [N, H, W], higher where more speaks for the output. What is undefined for an image (a
map that is the same everywhere, a lesion that is unknown) is NaN, and is left out of means and
counted.
"""

import math

import numpy as np
from scipy import stats

TOP = 0.1
# A pixel belongs to a lesion from this share of its area on (a small nodule may fill no pixel at
# low resolution).
COVERED = 0.25


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation of the pixels of a[i] and b[i], float [N]."""
    a, b = _flat(a), _flat(b)
    known = _varied(a) & _varied(b)
    a, b = (maps - maps.mean(axis=1, keepdims=True) for maps in (a, b))
    spread = np.where(known, np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)), 1.0)
    return np.where(known, (a * b).sum(axis=1) / spread, math.nan)


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank correlation (midranks) of the pixels of a[i] and b[i], float [N]."""
    return pearson(*(stats.rankdata(_flat(maps), axis=1)[:, None] for maps in (a, b)))


def top_pixels(maps: np.ndarray, share: float = TOP) -> np.ndarray:
    """bool [N, H, W]: the hottest `share` of each map's pixels, and those that tie with the last of
    them.

    What is as cold as the coldest is never hot: of a map that is 0 nearly everywhere, only what
    lies above 0 is.
    """
    flat = _flat(maps)
    count = math.ceil(share * flat.shape[1])
    last = np.partition(flat, -count, axis=1)[:, -count, None]
    return ((flat >= last) & (flat > flat.min(axis=1, keepdims=True))).reshape(np.shape(maps))


def iou(a: np.ndarray, b: np.ndarray, share: float = TOP) -> np.ndarray:
    """Intersection over union of the hottest pixels of a[i] and b[i], float [N]; by chance share /
    (2 - share)."""
    a, b = (_flat(top_pixels(maps, share)) for maps in (a, b))
    union = (a | b).sum(axis=1)
    known = a.any(axis=1) & b.any(axis=1)
    return np.where(known, (a & b).sum(axis=1) / np.maximum(union, 1), math.nan)


def hits(maps: np.ndarray, lesions: np.ndarray) -> np.ndarray:
    """float [N]: 1 where the hottest pixel lies in the lesion (the "pointing game"), else 0; NaN
    without a lesion.

    Of equally hot pixels, the share that lies inside counts.

    Args:
        lesions: bool [N, H, W], see `inside`.
    """
    flat, lesions = _flat(maps), np.reshape(lesions, (len(lesions), -1))
    hottest = (flat == flat.max(axis=1, keepdims=True)) & _varied(flat)[:, None]
    known = lesions.any(axis=1) & hottest.any(axis=1)
    return np.where(
        known, (hottest & lesions).sum(axis=1) / np.maximum(hottest.sum(axis=1), 1), math.nan
    )


def inside(coverage: np.ndarray) -> np.ndarray:
    """bool [N, H, W] of lesion coverage in [0, 1] (NaN unknown): COVERED or more, or the most
    covered pixels."""
    coverage = np.nan_to_num(coverage)
    most = coverage.max(axis=(1, 2), keepdims=True)
    return (coverage >= np.minimum(COVERED, most)) & (coverage > 0)


def mean_ci(values, groups=None, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> dict:
    """{n, mean, ci95}: the mean of what is not NaN and its percentile bootstrap interval, None for
    under two groups.

    Args:
        values: [N].
        groups: [N], e.g. patients: whole groups are drawn, as images of one patient are not
            independent.
    """
    values = np.asarray(values, float)
    known = np.isfinite(values)
    if not known.any():
        return {"n": 0, "mean": None, "ci95": [None, None]}
    names = np.arange(len(values)) if groups is None else np.asarray(groups)
    _, member = np.unique(names[known], return_inverse=True)
    sums, counts = np.bincount(member, values[known]), np.bincount(member)
    summary = {"n": int(known.sum()), "mean": float(values[known].mean()), "ci95": [None, None]}
    if len(sums) > 1:
        drawn = np.random.default_rng(seed).multinomial(
            len(sums), np.full(len(sums), 1 / len(sums)), resamples
        )
        tails = ((1 - level) / 2, (1 + level) / 2)
        summary["ci95"] = [
            float(end) for end in np.quantile(drawn @ sums / (drawn @ counts), tails)
        ]
    return summary


def _flat(maps: np.ndarray) -> np.ndarray:
    maps = np.asarray(maps)
    return maps.reshape(len(maps), -1).astype(np.float64 if maps.dtype != bool else bool)


def _varied(flat: np.ndarray) -> np.ndarray:
    return flat.max(axis=1) - flat.min(axis=1) > 1e-12 * np.maximum(
        np.abs(flat).max(axis=1), 1e-300
    )

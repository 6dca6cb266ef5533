"""Whether anomaly maps find each lesion, not each pixel: a large lesion counts as one.

References:
    AUPRO: Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 129, 2021, section 5.2.
    FROC: Chakraborty and Winter, Free-response methodology, Radiology 174, 1990; the mean of seven
    points: LUNA16, Setio et al., Medical Image Analysis 42, 2017.
"""

import numpy as np
from scipy import ndimage

# Up to this share of false pixels the overlap is integrated.
FALSE_PIXELS = 0.3
# False marks in a normal image at which the lesions found are stated.
FALSE_MARKS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
# No other mark is within this share of the width of one.
APART = 1 / 16
# What hangs together, within an image: a pixel and its eight neighbors.
_EIGHT = np.zeros((3, 3, 3), bool)
_EIGHT[1] = True


def aupro(maps: np.ndarray, lesions: np.ndarray, limit: float = FALSE_PIXELS) -> float:
    """Area under the mean overlap with lesions by the share of false pixels, up to `limit` and
    divided by it: 1 at best, limit / 2 by chance.

    A lesion is what hangs together; its overlap is the share of it that is above the threshold.

    Args:
        maps: [N, S, S], higher is more anomalous; of normal images, too.
        lesions: bool [N, S, S]; somewhere True, and somewhere not.

    Example:

        >>> lesions = np.zeros((2, 8, 8), bool)
        >>> lesions[0, 2:4, 2:4] = True
        >>> aupro(lesions.astype(float), lesions)
        1.0
    """
    named, count = ndimage.label(lesions, _EIGHT)
    sizes = np.bincount(named.ravel())[named]
    # What a pixel adds to the mean overlap, and to the share of false pixels.
    overlap = np.divide(lesions, sizes * count, out=np.zeros(lesions.shape), where=lesions)
    order = np.argsort(-maps, axis=None, kind="stable")
    values = maps.ravel()[order]
    ends = np.append(np.flatnonzero(np.diff(values)), values.size - 1)
    rise = np.concatenate([[0.0], np.cumsum(overlap.ravel()[order])[ends]])
    false = np.concatenate([[0.0], np.cumsum(~lesions.ravel()[order])[ends] / (~lesions).sum()])
    last = int(np.searchsorted(false, limit, side="right"))
    end = float(np.interp(limit, false, rise))
    x, y = np.append(false[:last], limit), np.append(rise[:last], end)
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum() / limit)


def froc(maps: np.ndarray, lesions: np.ndarray, normal: np.ndarray) -> dict:
    """{false_marks: per normal image, found: share of lesions, mean: of `found`, lesions: number}.

    Marks are the peaks of a map, none within 1/16 of the width of a higher one. A lesion is found
    by a mark in it; false marks are counted in normal images alone, as what an abnormal image shows
    outside the marked lesions may be disease, too.

    Args:
        maps: [N, S, S].
        lesions: bool [N, S, S], widened by what counts as near; somewhere True.
        normal: bool [N]; True somewhere.

    Example:

        >>> maps, lesions = np.zeros((2, 32, 32)), np.zeros((2, 32, 32), bool)
        >>> lesions[0, 4:8, 4:8] = True
        >>> maps[0, 5, 5], maps[1, 20, 20] = 3.0, 1.0
        >>> froc(maps, lesions, np.array([False, True]))["mean"]
        1.0
    """
    reach = max(int(round(APART * maps.shape[-1])), 1)
    peaks = maps == ndimage.maximum_filter(maps, (1, 2 * reach + 1, 2 * reach + 1))
    # A plain of one value is one mark, not many.
    marks, count = ndimage.label(peaks & normal[:, None, None], _EIGHT)
    false = np.sort(ndimage.maximum(maps, marks, np.arange(1, count + 1)))[::-1]
    named, count = ndimage.label(lesions & ~normal[:, None, None], _EIGHT)
    heights = np.where(peaks, maps, -np.inf)
    highest = np.asarray(ndimage.maximum(heights, named, np.arange(1, count + 1)))
    shares = []
    for rate in FALSE_MARKS:
        allowed = int(rate * normal.sum())
        threshold = false[allowed] if allowed < len(false) else -np.inf
        shares.append(float((highest > threshold).mean()))
    return {
        "false_marks": list(FALSE_MARKS),
        "found": shares,
        "mean": float(np.mean(shares)),
        "lesions": count,
    }

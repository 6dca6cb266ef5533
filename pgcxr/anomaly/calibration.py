"""From anomaly maps to scores, p-values and a threshold, with nothing but healthy images.

The score of an image is the mean of the highest 3 % of its anomaly map. What a score says follows
from those of held-out healthy images: its conformal p-value is uniform for a new image of their
kind (Bates et al., Ann. Stat. 51, 2023), whatever the distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pgcxr.anomaly.maps import anomaly_map, learn_healthy, standardized
from pgcxr.errors import ArgumentError

# The share of the image that is scored: about a small lesion.
TOP = 0.03
FOLDS = 5


@dataclass(frozen=True)
class CalibratedScores:
    """Scores of one method, higher for abnormal, and what they say.

    Attributes:
        healthy: of held-out healthy images, [M].
        test: of the images in question, [N].
        specificity: on healthy images, that the threshold aims at.
    """

    healthy: np.ndarray
    test: np.ndarray
    specificity: float

    @cached_property
    def threshold(self) -> float:
        """See `threshold`."""
        return threshold(self.healthy, self.specificity)

    @cached_property
    def p(self) -> np.ndarray:
        """Conformal p-values [N] of the images in question."""
        return p_values(self.healthy, self.test)

    @cached_property
    def detected(self) -> np.ndarray:
        """bool [N]: which are called abnormal."""
        return self.test > self.threshold


def image_scores(z: np.ndarray) -> np.ndarray:
    """[N]: the mean of the highest `TOP` of each image's anomaly map.

    Example:

        >>> z = np.zeros((1, 2, 10, 10))
        >>> z[0, :, 4, 4:7] = 6
        >>> image_scores(z)
        array([6.])

    Args:
        z: [N, C, S, S] of `maps.standardized`.
    """
    return top(anomaly_map(z))


def top(maps: np.ndarray) -> np.ndarray:
    """[N]: the mean of the highest `TOP` of each map [N, S, S]."""
    flat = maps.reshape(len(maps), -1)
    count = max(int(round(TOP * flat.shape[1])), 1)
    return np.partition(flat, -count, axis=1)[:, -count:].mean(axis=1)


def fused(
    healthy: Sequence[np.ndarray],
    *others: Sequence[np.ndarray],
    weights: Sequence[float] | None = None,
) -> list[np.ndarray]:
    """Scores of several methods as one: their mean, each in units of its own spread over healthy
    images (from the median to the 84 % quantile).

    Example:

        >>> healthy = [np.arange(101.0), np.arange(101.0) * 7]
        >>> fused(healthy, [np.array([50.0, 84.0]), np.array([50.0, 84.0]) * 7])[1].tolist()
        [0.0, 1.0]

    Args:
        healthy: of each method, [M]: of images that no method has learned from.
        others: each the same of other images.
        weights: of each method; equal by default.

    Returns:
        [of the healthy images [M], of each of the others]. The two numbers that are taken of the
        healthy scores make the p-values of the mean exact but for a term of the order of 1 / M.
    """
    shares = np.ones(len(healthy)) if weights is None else np.asarray(weights, np.float64)
    summed = []
    for scores in (healthy, *others):
        total = 0.0
        for own, reference, share in zip(scores, healthy, shares / shares.sum(), strict=True):
            middle, upper = np.quantile(reference, (0.5, 0.84))
            total = total + share * (own - middle) / max(upper - middle, 1e-12)
        summed.append(total)
    return summed


def specificity_limit(count: int, specificity: float, level: float = 0.95) -> float:
    """The lower limit, with the confidence `level`, of the specificity that `threshold` has.

    The share of healthy images below the k-th smallest of M healthy scores is distributed as
    Beta(k, M + 1 - k), whatever the scores (Vovk, ACML 2012).

    Example:

        >>> round(specificity_limit(1000, 0.95), 3), round(specificity_limit(39, 0.95), 3)
        (0.938, 0.884)

    Args:
        count: M, healthy images.
        specificity: that the threshold aims at.
    """
    from scipy import stats

    above = _allowed(count, specificity)
    return float(stats.beta.ppf(1 - level, count - above, above + 1))


def cross_scores(windows: np.ndarray, rng: np.random.Generator, folds: int = FOLDS) -> np.ndarray:
    """Scores of healthy images, each against the mean and deviation of the other folds.

    Judged by statistics that it took part in, a healthy image looks too healthy, and the threshold
    would be too low.

    Args:
        windows: [N, C, S, S] of `maps.windowed`.
        rng: draws the folds.
        folds: their number.

    Returns:
        [N].

    Raises:
        ArgumentError: there are fewer images than folds.
    """
    if not 2 <= folds <= len(windows):
        raise ArgumentError("folds", f"must be from 2 to the {len(windows)} images", folds)
    fold = rng.permutation(len(windows)) % folds
    out = np.empty(len(windows))
    for index in range(folds):
        inside = fold == index
        healthy = learn_healthy(windows[~inside])
        out[inside] = image_scores(standardized(windows[inside], healthy))
    return out


def p_values(healthy_scores: np.ndarray, new_scores: np.ndarray) -> np.ndarray:
    """Conformal p-values, (1 + #{healthy >= s}) / (M + 1).

    Example:

        >>> p_values(np.array([1.0, 2.0, 3.0]), np.array([0.5, 2.5, 9.0]))
        array([1.  , 0.5 , 0.25])

    Args:
        healthy_scores: [M], of images that the method has not learned from.
        new_scores: [N].

    Returns:
        [N]: uniform for new images of the healthy kind, small for abnormal ones.
    """
    ordered = np.sort(healthy_scores)
    at_least = len(ordered) - np.searchsorted(ordered, new_scores, side="left")
    return (1 + at_least) / (len(ordered) + 1)


def fewest_healthy(specificity: float) -> int:
    """The number of healthy images without which no p-value is 1 - specificity or less."""
    return int(np.ceil(1 / (1 - specificity) - 1e-9)) - 1


def threshold(healthy_scores: np.ndarray, specificity: float) -> float:
    """The score above which an image is called abnormal: its p-value is then 1 - specificity or
    less.

    Example:

        >>> threshold(np.arange(39.0), specificity=0.95)
        37.0

    Args:
        healthy_scores: [M], as of `p_values`.
        specificity: share of healthy images that are to be called so.

    Raises:
        ArgumentError: too few healthy images for any p-value to be that small.
    """
    count = len(healthy_scores)
    allowed = _allowed(count, specificity)
    if allowed < 0:
        raise ArgumentError(
            "healthy_scores",
            f"{count} healthy images can't show a specificity of {specificity:.0%}; "
            f"{fewest_healthy(specificity)} are needed",
        )
    # At most `allowed` healthy scores are at or above the score of an image that is called
    # abnormal.
    return float(np.sort(healthy_scores)[::-1][allowed])


def _allowed(count: int, specificity: float) -> int:
    """How many of `count` healthy scores may lie above the threshold."""
    return int(np.floor((1 - specificity) * (count + 1) + 1e-9)) - 1

"""Area under the ROC curve, its variance and the paired comparison of two (DeLong et al. 1988).

The area is the probability that a positive case scores higher than a negative one, ties counting half. Placements
are computed from midranks in O(n log n): Sun & Xu 2014, Fast implementation of DeLong's algorithm for comparing the
areas under correlated ROC curves, IEEE Signal Processing Letters 21, 1389-1393.
"""

import math

import numpy as np
from scipy import stats

from pgcxr.metrics.hanley_mcneil import hanley_mcneil, hanley_mcneil_1982, hanley_mcneil_1983
from pgcxr.metrics.roc import auroc, checked, roc_curve, youden, z_test

__all__ = [
    "area_covariance",
    "auroc",
    "delong",
    "delong_ci",
    "hanley_mcneil",
    "hanley_mcneil_1982",
    "hanley_mcneil_1983",
    "roc_curve",
    "youden",
]


def delong(labels, scores_a, scores_b, level: float = 0.95) -> dict:
    """DeLong's two-sided test of two areas that were read on the same cases.

    Returns:
        {auroc_a, auroc_b, difference (a - b), z, p, ci95 (of the difference, normal), variance_a, variance_b,
        covariance}. Where the variance of the difference is 0: z 0 and p 1 for equal areas, else z +-inf and p 0.
    """
    areas, covariance = area_covariance(labels, scores_a, scores_b)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(max(variance, 0.0))
    return {
        "auroc_a": float(areas[0]),
        "auroc_b": float(areas[1]),
        "difference": difference,
        **z_test(difference, variance),
        "ci95": [difference - reach, difference + reach],
        "variance_a": float(covariance[0, 0]),
        "variance_b": float(covariance[1, 1]),
        "covariance": float(covariance[0, 1]),
    }


def delong_ci(labels, scores, level: float = 0.95) -> tuple[float, float, float]:
    """(area, low, high): the interval is normal on the logit scale, so it stays inside [0, 1].

    DeLong's variance is 0 when the classes are separated completely (area 1 or 0), which says nothing about how many
    cases stand behind it. There the inner limit is the exact binomial one for as many successes as the smaller class
    has cases: (alpha/2)^(1/n).
    """
    areas, covariance = area_covariance(labels, scores)
    area, variance = float(areas[0]), float(covariance[0, 0])
    if area in (0.0, 1.0):
        positives = int(np.sum(labels))
        inner = ((1 - level) / 2) ** (1 / min(positives, len(labels) - positives))
        return (area, inner, 1.0) if area == 1.0 else (area, 0.0, 1 - inner)
    middle = math.log(area / (1 - area))
    # The delta method: d logit(A) / dA = 1 / (A (1 - A)).
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(max(variance, 0.0)) / (area * (1 - area))
    return area, 1 / (1 + math.exp(reach - middle)), 1 / (1 + math.exp(-reach - middle))


def area_covariance(labels, *readings) -> tuple[np.ndarray, np.ndarray]:
    """Areas [K] and their DeLong covariance [K, K], for K readings [N] of the same cases."""
    of_positives, of_negatives = [], []
    for scores in readings:
        known, scores = checked(labels, scores)
        positive = known == 1
        n_positive, n_negative = int(positive.sum()), int((~positive).sum())
        if min(n_positive, n_negative) < 2:
            raise ValueError(
                f"a variance needs two cases of each class; got {n_positive} positive and {n_negative} negative"
            )
        ranks = stats.rankdata(scores)
        # For each positive the share of negatives below it, for each negative the share of positives above it.
        of_positives.append((ranks[positive] - stats.rankdata(scores[positive])) / n_negative)
        of_negatives.append(1 - (ranks[~positive] - stats.rankdata(scores[~positive])) / n_positive)
    of_positives, of_negatives = np.stack(of_positives), np.stack(of_negatives)
    covariance = np.atleast_2d(np.cov(of_positives)) / n_positive + np.atleast_2d(np.cov(of_negatives)) / n_negative
    return of_positives.mean(axis=1), covariance

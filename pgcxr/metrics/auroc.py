"""Area under the ROC curve, its variance and the paired comparison of two (DeLong et al. 1988;
Obuchowski 1997).

The area is the probability that a positive case scores higher than a negative one, ties counting
half. Placements are computed from midranks in O(n log n): Sun & Xu 2014, Fast implementation of
DeLong's algorithm for comparing the areas under correlated ROC curves, IEEE Signal Processing
Letters 21, 1389-1393.

Images of one patient are alike, so they say less than as many patients would. Where `patients` are
given, placements are summed over each patient first: Obuchowski 1997, Nonparametric analysis of
clustered ROC curve data, Biometrics 53, 567-578. With one image for each patient that is DeLong's
variance, and computed so.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from pgcxr.metrics.hanley_mcneil import hanley_mcneil, hanley_mcneil_1982, hanley_mcneil_1983
from pgcxr.metrics.roc import (
    at_specificity,
    auroc,
    checked,
    checked_level,
    normal_quantile,
    patient_codes,
    roc_curve,
    youden,
    z_test,
)

__all__ = [
    "area_covariance",
    "at_specificity",
    "auroc",
    "delong",
    "delong_ci",
    "hanley_mcneil",
    "hanley_mcneil_1982",
    "hanley_mcneil_1983",
    "roc_curve",
    "youden",
]


# A variance below it is 0 but for rounding.
ROUNDING = 1e-16


def delong(labels, scores_a, scores_b, level: float = 0.95, patients=None) -> dict:
    """DeLong's two-sided test of two areas that were read on the same cases; Obuchowski's with
    `patients` [N].

    Returns:
        {auroc_a, auroc_b, difference (a - b), z, p, ci95 (of the difference, normal), variance_a,
        variance_b, covariance}. Where the variance of the difference is 0: z 0 and p 1 for equal
        areas, else z +-inf and p 0.
    """
    areas, covariance = area_covariance(labels, scores_a, scores_b, patients=patients)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    reach = normal_quantile(level) * math.sqrt(max(variance, 0.0))
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


def delong_ci(labels, scores, level: float = 0.95, patients=None) -> tuple[float, float, float]:
    """(area, low, high): the interval is normal on the logit scale, so it stays inside [0, 1].

    DeLong's variance is 0 when the classes are separated completely (area 1 or 0), which says
    nothing about how many cases stand behind it. There the inner limit is `separated_limit`. It is
    0 also where all scores are equal: there Hanley and McNeil's takes its place.

    Args:
        patients: [N], whose image each case is: Obuchowski's variance.
    """
    found = influences(labels, scores, patients=patients)
    return float(found.areas[0]), *limits(found, 0, normal_quantile(level))


def limits(found: "Influences", place: int, z: float) -> tuple[float, float]:
    """(low, high) of the area at `place`, as in `delong_ci`, for `z` standard errors on the logit
    scale."""
    area, variance = float(found.areas[place]), float(found.covariance()[place, place])
    if area in (0.0, 1.0):
        inner = stats.norm.sf(z) ** (1 / min(found.with_positive, found.with_negative))
        return (float(inner), 1.0) if area == 1.0 else (0.0, float(1 - inner))
    if variance < ROUNDING:
        variance = (
            hanley_mcneil(area, found.with_positive, found.with_negative)["standard_error"] ** 2
        )
    # The delta method: d logit(A) / dA = 1 / (A (1 - A)).
    middle, reach = special.logit(area), z * math.sqrt(variance) / (area * (1 - area))
    return float(special.expit(middle - reach)), float(special.expit(middle + reach))


def area_covariance(labels, *readings, patients=None) -> tuple[np.ndarray, np.ndarray]:
    """Areas [K] and their covariance [K, K] (DeLong, or Obuchowski by `patients`), for K readings
    [N] of one set."""
    found = influences(labels, *readings, patients=patients)
    return found.areas, found.covariance()


@dataclass(frozen=True)
class Influences:
    """What each of P patients adds to the error of K areas [K]: `above` through positive cases,
    `below` through negative ones, both [K, P] and of sum 0. `with_positive`, `with_negative`: how
    many patients have such a case."""

    areas: np.ndarray
    above: np.ndarray
    below: np.ndarray
    with_positive: int
    with_negative: int

    def covariance(self) -> np.ndarray:
        """[K, K]: Obuchowski 1997, equations 2 to 4: S10 / M + S01 / N + (S11 + S11') / (M N)."""
        both = self.above @ self.below.T
        return (
            _unbiased(self.with_positive) * self.above @ self.above.T
            + _unbiased(self.with_negative) * self.below @ self.below.T
            + _unbiased(self.above.shape[1]) * (both + both.T)
        )


def influences(labels, *readings, patients=None) -> Influences:
    """The areas of K readings [N] and what each patient adds to their errors.

    Raises:
        ValueError: fewer than two patients (or cases) with, or without, a positive one: no
            variance.
    """
    areas, above, below = [], [], []
    for scores in readings:
        known, scores = checked(labels, scores)
        positive = known == 1
        codes = patient_codes(patients, len(known))
        count, n_positive, n_negative = (
            int(codes.max()) + 1,
            int(positive.sum()),
            int((~positive).sum()),
        )
        with_positive, with_negative = (len(np.unique(codes[own])) for own in (positive, ~positive))
        if min(with_positive, with_negative) < 2:
            of = "cases" if patients is None else "patients with cases"
            raise ValueError(
                f"a variance needs two {of} of each class; got {with_positive} positive and "
                f"{with_negative} negative"
            )
        ranks = stats.rankdata(scores)
        # For each positive the share of negatives below it, for each negative the share of
        # positives above it.
        placed = (ranks[positive] - stats.rankdata(scores[positive])) / n_negative
        beneath = 1 - (ranks[~positive] - stats.rankdata(scores[~positive])) / n_positive
        areas.append(float(placed.mean()))
        above.append(np.bincount(codes[positive], placed - areas[-1], count) / n_positive)
        below.append(np.bincount(codes[~positive], beneath - areas[-1], count) / n_negative)
    return Influences(
        np.array(areas), np.stack(above), np.stack(below), with_positive, with_negative
    )


def separated_limit(found: Influences, level: float = 0.95) -> float:
    """Lower limit of an area of 1: the exact binomial one, (alpha/2)^(1/n), for n successes in n.

    n is how many patients (or cases) the smaller class has.
    """
    return ((1 - checked_level(level)) / 2) ** (1 / min(found.with_positive, found.with_negative))


def _unbiased(count: int) -> float:
    return count / (count - 1)

"""Area under the ROC curve, its variance and the comparison of two: DeLong et al. 1988, Obuchowski
1997, and Hanley and McNeil 1982 and 1983, which the thesis uses.

None of these is in SciPy or scikit-learn.

The area is the probability that a positive case scores higher than a negative one, ties counting
half. Placements are computed from midranks in O(n log n): Sun & Xu 2014, Fast implementation of
DeLong's algorithm for comparing the areas under correlated ROC curves, IEEE Signal Processing
Letters 21, 1389-1393.

Images of one patient are alike, so they say less than as many patients would. Where `patients` are
given, placements are summed over each patient first: Obuchowski 1997, Nonparametric analysis of
clustered ROC curve data, Biometrics 53, 567-578. With one image for each patient that is DeLong's
variance, and computed so.

References:
    DeLong, DeLong & Clarke-Pearson 1988, Comparing the areas under two or more correlated receiver
        operating characteristic curves. Biometrics 44, 837-845.
    Hanley & McNeil 1982, The meaning and use of the area under a ROC curve. Radiology 143, 29-36
        (thesis reference 35).
    Hanley & McNeil 1983, A method of comparing the areas under ROC curves derived from the same
        cases. Radiology 148, 839-843.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from pgcxr.metrics.roc import (
    auroc,
    checked,
    checked_level,
    normal_quantile,
    patient_codes,
    z_test,
)

# A variance below it is 0 but for rounding.
ROUNDING = 1e-16
# With these numbers of cases the binormal derivation gives the published table of 1983 (found by
# fitting: the limit of many cases misses it by up to 0.017, 50 + 50 cases never by more than its
# rounding).
TABLE_CASES = 50


def delong(labels, scores_a, scores_b, level: float = 0.95, patients=None) -> dict:
    """DeLong's two-sided test of two areas that were read on the same cases; Obuchowski's with
    `patients` [N].

    Args:
        labels: 0 or 1, [N], two of each.
        scores_a, scores_b: finite, [N], higher for positive.
        level: of the interval.
        patients: [N], whose image each case is.

    Returns:
        {auroc_a, auroc_b, difference (a - b), z, p, ci95 (of the difference, normal), variance_a,
        variance_b, covariance}. Where the variance of the difference is 0: z 0 and p 1 for equal
        areas, else z +-inf and p 0.

    Example:

        >>> from pgcxr.metrics.auroc import delong
        >>> labels = [0, 0, 0, 0, 1, 1, 1, 1]
        >>> scores_a = [0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9]
        >>> scores_b = [0.1, 0.5, 0.3, 0.6, 0.2, 0.7, 0.4, 0.9]
        >>> test = delong(labels, scores_a, scores_b)
        >>> round(test['difference'], 3), round(test['z'], 3), round(test['p'], 3)
        (0.25, 1.414, 0.157)
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

    Example:

        >>> from pgcxr.metrics.auroc import delong_ci
        >>> labels = [0, 0, 0, 0, 1, 1, 1, 1]
        >>> scores_a = [0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9]
        >>> area, low, high = delong_ci(labels, scores_a)
        >>> round(area, 3), round(low, 3), round(high, 3)
        (0.938, 0.438, 0.997)
    """
    by_patient = influences(labels, scores, patients=patients)
    return float(by_patient.areas[0]), *limits(by_patient, 0, normal_quantile(level))


def limits(by_patient: "Influences", place: int, z: float) -> tuple[float, float]:
    """(low, high) of the area at `place`, as in `delong_ci`, for `z` standard errors on the logit
    scale."""
    area, variance = float(by_patient.areas[place]), float(by_patient.covariance()[place, place])
    if area in (0.0, 1.0):
        inner = stats.norm.sf(z) ** (1 / min(by_patient.with_positive, by_patient.with_negative))
        return (float(inner), 1.0) if area == 1.0 else (0.0, float(1 - inner))
    if variance < ROUNDING:
        variance = (
            hanley_mcneil(area, by_patient.with_positive, by_patient.with_negative)[
                "standard_error"
            ]
            ** 2
        )
    # The delta method: d logit(A) / dA = 1 / (A (1 - A)).
    middle, reach = special.logit(area), z * math.sqrt(variance) / (area * (1 - area))
    return float(special.expit(middle - reach)), float(special.expit(middle + reach))


def area_covariance(labels, *readings, patients=None) -> tuple[np.ndarray, np.ndarray]:
    """Areas [K] and their covariance [K, K] (DeLong, or Obuchowski by `patients`), for K readings
    [N] of one set."""
    by_patient = influences(labels, *readings, patients=patients)
    return by_patient.areas, by_patient.covariance()


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


def separated_limit(by_patient: Influences, level: float = 0.95) -> float:
    """Lower limit of an area of 1: the exact binomial one, (alpha/2)^(1/n), for n successes in n.

    n is how many patients (or cases) the smaller class has.
    """
    return ((1 - checked_level(level)) / 2) ** (
        1 / min(by_patient.with_positive, by_patient.with_negative)
    )


def _unbiased(count: int) -> float:
    return count / (count - 1)


def hanley_mcneil(auroc: float, n_positive: int, n_negative: int, level: float = 0.95) -> dict:
    """Standard error of an area from the area and the numbers of cases alone (1982, equations 1 and
    2).

    SE^2 = [A(1-A) + (n+ - 1)(Q1 - A^2) + (n- - 1)(Q2 - A^2)] / (n+ n-), Q1 = A/(2-A), Q2 =
    2A^2/(1+A)

    Args:
        auroc: the area, in [0, 1].
        n_positive, n_negative: cases of each class, one or more.
        level: of the interval.

    Returns:
        {standard_error, q1, q2, ci95}; the interval is A +- z SE cut to [0, 1] (named ci95 whatever
        `level`).

    Example:

        >>> from pgcxr.metrics.auroc import hanley_mcneil
        >>> area = hanley_mcneil(0.881, n_positive=1632, n_negative=1421)
        >>> round(area['standard_error'], 4), [round(end, 3) for end in area['ci95']]
        (0.0062, [0.869, 0.893])
    """
    if not 0 <= auroc <= 1:
        raise ValueError(f"an area under a ROC curve lies in [0, 1], not {auroc}")
    if n_positive < 1 or n_negative < 1:
        raise ValueError(
            f"both classes need at least one case; got {n_positive} positive and {n_negative} "
            "negative"
        )
    q1 = auroc / (2 - auroc)
    q2 = 2 * auroc**2 / (1 + auroc)
    spread = (
        auroc * (1 - auroc)
        + (n_positive - 1) * (q1 - auroc**2)
        + (n_negative - 1) * (q2 - auroc**2)
    )
    error = math.sqrt(max(spread, 0.0) / (n_positive * n_negative))
    reach = normal_quantile(level) * error
    return {
        "standard_error": error,
        "q1": q1,
        "q2": q2,
        "ci95": [max(auroc - reach, 0.0), min(auroc + reach, 1.0)],
    }


def hanley_mcneil_1982(auroc_a: float, auroc_b: float, n_positive: int, n_negative: int) -> dict:
    """{z, p}: two areas as if read on different cases (each on `n_positive` + `n_negative`),
    two-sided.

    Conservative when the cases are the same and the readings agree, as in thesis 3.1 of the
    results.
    """
    error_a = hanley_mcneil(auroc_a, n_positive, n_negative)["standard_error"]
    error_b = hanley_mcneil(auroc_b, n_positive, n_negative)["standard_error"]
    return z_test(auroc_a - auroc_b, error_a**2 + error_b**2)


def hanley_mcneil_1983(labels, scores_a, scores_b, correlation: str = "pearson") -> dict:
    """{z, p, r}: two areas read on the same cases, two-sided.

    The correlation between the two scores is taken within the positive and within the negative
    cases and averaged; `area_correlation` turns it into the correlation r between the areas.

    Args:
        labels: 0 or 1, [N].
        scores_a, scores_b: finite, higher for positive, [N].
        correlation: "pearson", the paper's choice for continuous results, or "kendall", its choice
            for ratings.
    """
    labels, scores_a = checked(labels, scores_a)
    labels, scores_b = checked(labels, scores_b)
    measure = {"pearson": stats.pearsonr, "kendall": stats.kendalltau}[correlation]
    within = [
        _score_correlation(measure, scores_a[labels == value], scores_b[labels == value])
        for value in (0, 1)
    ]
    area_a, area_b = auroc(labels, scores_a), auroc(labels, scores_b)
    n_positive, n_negative = int(labels.sum()), int((1 - labels).sum())
    error_a = hanley_mcneil(area_a, n_positive, n_negative)["standard_error"]
    error_b = hanley_mcneil(area_b, n_positive, n_negative)["standard_error"]
    r = area_correlation(float(np.mean(within)), (area_a + area_b) / 2)
    variance = error_a**2 + error_b**2 - 2 * r * error_a * error_b
    return {**z_test(area_a - area_b, variance), "r": r}


def area_correlation(
    rating_correlation: float,
    mean_area: float,
    n_positive: int = TABLE_CASES,
    n_negative: int = TABLE_CASES,
) -> float:
    """Correlation between two areas of mean `mean_area`, from the mean correlation between the
    ratings (1983, table 1).

    Both readings are taken as binormal with equal variances and the same area A. With h = Phi^-1(A)
    and B(rho) = P(U < h, V < h) - A^2 for standard normal U, V of correlation rho, the covariance
    of the two Wilcoxon statistics is [B(rho) + (n+ + n- - 2) B(rho/2)] / (n+ n-), and their
    variance the same with rho = 1. The table is this with 50 + 50 cases; unlike the table it also
    holds for areas beyond 0.70 to 0.975.
    """
    if not 0 < mean_area < 1:
        return 0.0
    h = float(stats.norm.ppf(mean_area))
    others = n_positive + n_negative - 2
    variance = mean_area * (1 - mean_area) + others * _both_below(h, 0.5, mean_area)
    shared = _both_below(h, rating_correlation, mean_area)
    return (shared + others * _both_below(h, rating_correlation / 2, mean_area)) / variance


def _both_below(h: float, rho: float, area: float) -> float:
    """P(U < h, V < h) - P(U < h) P(V < h) for standard normal U, V of correlation `rho`, by Owen's
    T function."""
    rho = min(max(rho, -1.0), 1.0)
    slope = math.sqrt((1 - rho) / (1 + rho)) if rho > -1 else math.inf
    return float(area - 2 * special.owens_t(h, slope) - area**2)


def _score_correlation(measure, first: np.ndarray, second: np.ndarray) -> float:
    """0, which makes the test conservative, where a constant score has no correlation."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(measure(first, second).statistic)

"""Hanley and McNeil's tests on areas under ROC curves.

References:
    1982: The meaning and use of the area under a ROC curve. Radiology 143, 29-36 (thesis reference
        35).
    1983: A method of comparing the areas under ROC curves derived from the same cases. Radiology
        148, 839-843.
"""

import math

import numpy as np
from scipy import special, stats

from pgcxr.metrics import roc

# With these numbers of cases the binormal derivation gives the published table of 1983 (found by
# fitting: the limit of many cases misses it by up to 0.017, 50 + 50 cases never by more than its
# rounding).
TABLE_CASES = 50


def hanley_mcneil(auroc: float, n_positive: int, n_negative: int, level: float = 0.95) -> dict:
    """Standard error of an area from the area and the numbers of cases alone (1982, equations 1 and
    2).

    SE^2 = [A(1-A) + (n+ - 1)(Q1 - A^2) + (n- - 1)(Q2 - A^2)] / (n+ n-), Q1 = A/(2-A), Q2 =
    2A^2/(1+A)

    Returns:
        {standard_error, q1, q2, ci95}; the interval is A +- z SE cut to [0, 1] (named ci95 whatever
        `level`).
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
    reach = roc.normal_quantile(level) * error
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
    return roc.z_test(auroc_a - auroc_b, error_a**2 + error_b**2)


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
    labels, scores_a = roc.checked(labels, scores_a)
    labels, scores_b = roc.checked(labels, scores_b)
    measure = {"pearson": stats.pearsonr, "kendall": stats.kendalltau}[correlation]
    within = [
        _correlation(measure, scores_a[labels == value], scores_b[labels == value])
        for value in (0, 1)
    ]
    area_a, area_b = roc.auroc(labels, scores_a), roc.auroc(labels, scores_b)
    n_positive, n_negative = int(labels.sum()), int((1 - labels).sum())
    error_a = hanley_mcneil(area_a, n_positive, n_negative)["standard_error"]
    error_b = hanley_mcneil(area_b, n_positive, n_negative)["standard_error"]
    r = area_correlation(float(np.mean(within)), (area_a + area_b) / 2)
    variance = error_a**2 + error_b**2 - 2 * r * error_a * error_b
    return {**roc.z_test(area_a - area_b, variance), "r": r}


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


def _correlation(measure, first: np.ndarray, second: np.ndarray) -> float:
    """0, which makes the test conservative, where a constant score has no correlation."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(measure(first, second).statistic)

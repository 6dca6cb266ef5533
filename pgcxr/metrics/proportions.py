"""Intervals of proportions, of single cases and of cases that come in clusters, and the paired test
of two.

References:
    Clopper & Pearson 1934, Biometrika 26, 404-413; Wilson 1927, JASA 22, 209-212. Rao & Scott 1992,
    A simple method for the analysis of clustered binary data. Biometrics 48, 577-585. McNemar 1947,
    Psychometrika 12, 153-157 (here exact, by the binomial distribution).
"""

import math

import numpy as np
from scipy import stats

from pgcxr.metrics.roc import checked_level, normal_quantile


def clopper_pearson(k: int, n: int, level: float = 0.95) -> list[float]:
    """Exact interval [low, high] of k successes in n; [0, 1] where n is 0.

    By SciPy's quantiles of the beta distribution; its binomtest searches for the limits, and gives
    them to 9 figures.

    Example:

        >>> from pgcxr.metrics.proportions import clopper_pearson
        >>> [round(end, 3) for end in clopper_pearson(45, 50)]
        [0.782, 0.967]
    """
    _check_counts(k, n)
    tail = (1 - checked_level(level)) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return [low, high]


def wilson(k: float, n: float, level: float = 0.95) -> list[float]:
    """Wilson's score interval [low, high] of k successes in n; [0, 1] where n is 0.

    As in scipy.stats.binomtest, which takes whole numbers alone; `clustered_wilson` needs
    the others.

    Example:

        >>> from pgcxr.metrics.proportions import wilson
        >>> [round(end, 3) for end in wilson(45, 50)]
        [0.786, 0.957]
    """
    _check_counts(k, n)
    z = normal_quantile(level)
    if n == 0:
        return [0.0, 1.0]
    middle = (k + z**2 / 2) / (n + z**2)
    reach = z * math.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    # Exactly 0 and 1 at the ends, where the sum leaves a rounding error.
    return [max(middle - reach, 0.0) if k else 0.0, min(middle + reach, 1.0) if k < n else 1.0]


def clustered_wilson(successes: np.ndarray, totals: np.ndarray, level: float = 0.95) -> list[float]:
    """Interval [low, high] of a proportion whose cases come from patients with several images.

    Wilson's interval for the number of independent cases that would say as much (Rao & Scott 1992):
    n / d, where d is the variance of the ratio of sums over patients, divided by that of as many
    patients with one image each. d below 1 counts as 1. Where every case is a success, or none is,
    nothing tells d: then each patient counts once, as also where there is only one. With one image
    for each patient it is Wilson's interval.

    Args:
        successes, totals: of each patient, [P]; patients without cases are left out.
    """
    successes, totals = np.asarray(successes, np.float64), np.asarray(totals, np.float64)
    if successes.shape != totals.shape or successes.ndim != 1:
        raise ValueError(
            f"one number for each patient; got shapes {successes.shape} and {totals.shape}"
        )
    if not ((successes >= 0) & (successes <= totals)).all():
        raise ValueError("a patient has more successes than cases, or a number is NaN or negative")
    successes, totals = successes[totals > 0], totals[totals > 0]
    patients, n = len(totals), float(totals.sum())
    if not patients:
        return wilson(0, 0, level)
    share = float(successes.sum()) / n
    if patients == 1 or share in (0.0, 1.0):
        return wilson(share * patients, patients, level)
    # Each patient's part in the ratio's error; their sum is 0.
    variance = patients / (patients - 1) * float(((successes - share * totals) ** 2).sum()) / n**2
    effective = min(n, n * share * (1 - share) / (n - 1) / variance) if variance > 0 else n
    return wilson(share * effective, effective, level)


def predictive_values(
    tn: int, fp: int, fn: int, tp: int, prevalence: float, level: float = 0.95
) -> dict:
    """{prevalence, ppv, npv, ppv_ci95, npv_ci95} where `prevalence` of the cases are positive
    (Bayes).

    A test set with as many abnormal as normal images makes PPV look far better than it is in a
    ward. The intervals are conservative: both rise with sensitivity and specificity, so they lie
    between the values at the lower and at the upper Clopper-Pearson limits of these two, each of
    level sqrt(`level`), which hold together at `level`.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"a prevalence lies between 0 and 1, not {prevalence}")
    each = math.sqrt(checked_level(level))
    sensitivity = (tp / (tp + fn) if tp + fn else math.nan, *clopper_pearson(tp, tp + fn, each))
    specificity = (tn / (tn + fp) if tn + fp else math.nan, *clopper_pearson(tn, tn + fp, each))
    ppv = [
        _share(prevalence * a, (1 - prevalence) * (1 - b))
        for a, b in zip(sensitivity, specificity, strict=True)
    ]
    npv = [
        _share((1 - prevalence) * b, prevalence * (1 - a))
        for a, b in zip(sensitivity, specificity, strict=True)
    ]
    return {
        "prevalence": float(prevalence),
        "ppv": ppv[0],
        "npv": npv[0],
        "ppv_ci95": ppv[1:],
        "npv_ci95": npv[1:],
    }


def mcnemar(b: int, c: int) -> dict:
    """{p, b, c}: exact two-sided test that two readers of the same cases differ.

    Args:
        b, c: cases that only the first, and only the second, got right. Without any, p is 1.

    Example:

        >>> from pgcxr.metrics.proportions import mcnemar
        >>> round(mcnemar(1, 9)['p'], 4)
        0.0215
    """
    _check_counts(b, b + c)
    return {
        "p": float(stats.binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0,
        "b": int(b),
        "c": int(c),
    }


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest else math.nan


def _check_counts(k: float, n: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no proportion")

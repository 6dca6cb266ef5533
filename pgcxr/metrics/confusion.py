"""What a threshold makes of scores: the confusion matrix, its rates, and exact intervals of proportions.

A case is called positive where its score is at or above the threshold. Sensitivity and specificity are of the truth's
classes, PPV and NPV of the calls: the thesis (Tables 3 to 5) prints NPV and PPV under the former's names.
"""

import math

import numpy as np
from scipy import stats

from pgcxr.metrics.auroc import delong, delong_ci, hanley_mcneil_1982, hanley_mcneil_1983, youden
from pgcxr.metrics.roc import checked

RATES = ("sensitivity", "specificity", "ppv", "npv")


def confusion(labels, scores, threshold: float) -> dict:
    """The rates at one threshold; `rates` says what the dict holds.

    Args:
        labels: 0 or 1, [N], both present.
        scores: finite, [N].
        threshold: cases at or above it are called positive.
    """
    labels, scores = checked(labels, scores)
    called = scores >= threshold
    tp, fp = int((called & (labels == 1)).sum()), int((called & (labels == 0)).sum())
    tn, fn = int((~called & (labels == 0)).sum()), int((~called & (labels == 1)).sum())
    return {**rates(tn, fp, fn, tp), "threshold": float(threshold)}


def rates(tn: int, fp: int, fn: int, tp: int) -> dict:
    """{sensitivity, specificity, ppv, npv, confusion: {tn, fp, fn, tp}, ci95, wilson95}.

    `ci95` holds the exact (Clopper-Pearson) and `wilson95` the score interval [low, high] of each rate. A rate with
    nothing in its denominator is NaN.
    """
    parts = dict(zip(RATES, ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp), (tn, tn + fn)), strict=True))
    return {
        **{name: k / n if n else math.nan for name, (k, n) in parts.items()},
        "confusion": {"tn": tn, "fp": fp, "fn": fn, "tp": tp},
        "ci95": {name: clopper_pearson(k, n) for name, (k, n) in parts.items()},
        "wilson95": {name: wilson(k, n) for name, (k, n) in parts.items()},
    }


def clopper_pearson(k: int, n: int, level: float = 0.95) -> list[float]:
    """Exact interval [low, high] of k successes in n; [0, 1] where n is 0."""
    _check_counts(k, n)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return [low, high]


def wilson(k: int, n: int, level: float = 0.95) -> list[float]:
    """Wilson's score interval [low, high] of k successes in n; [0, 1] where n is 0."""
    _check_counts(k, n)
    if n == 0:
        return [0.0, 1.0]
    z = float(stats.norm.ppf((1 + level) / 2))
    middle = (k + z**2 / 2) / (n + z**2)
    reach = z * math.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    # Exactly 0 and 1 at the ends, where the sum leaves a rounding error.
    return [max(middle - reach, 0.0) if k else 0.0, min(middle + reach, 1.0) if k < n else 1.0]


def mcnemar(b: int, c: int) -> dict:
    """{p, b, c}: exact two-sided test that two readers of the same cases differ.

    Args:
        b, c: cases that only the first, and only the second, got right. Without any, p is 1.
    """
    _check_counts(b, b + c)
    return {"p": float(stats.binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0, "b": int(b), "c": int(c)}


def evaluation(labels, scores, threshold: float = 0.5) -> dict:
    """All that is said about one classifier on one test set (thesis 2.3), at `threshold` and at Youden's.

    Returns:
        {auroc, auroc_ci95, sensitivity, specificity, ppv, npv, threshold, confusion, ci95, wilson95, youden: {the
        same from sensitivity on}}.
    """
    area, low, high = delong_ci(labels, scores)
    return {
        "auroc": area,
        "auroc_ci95": [low, high],
        **confusion(labels, scores, threshold),
        "youden": confusion(labels, scores, youden(labels, scores)["threshold"]),
    }


def comparison(labels, scores_a, scores_b, margin: float = 0.05) -> dict:
    """Whether reading b (trained on synthetic images) is worse than reading a (trained on real ones), same cases.

    Non-inferior where the lower limit of the two-sided 95 % interval (DeLong) of AUROC b - a lies above -margin.

    Returns:
        {delong: {z, p, difference (a - b), ci95, ...}, hanley_mcneil_1982: {z, p}, hanley_mcneil_1983: {z, p, r},
        non_inferiority: {margin, passed, lower_bound}}.
    """
    if not margin > 0:
        raise ValueError(f"a non-inferiority margin must be above 0, not {margin}")
    paired = delong(labels, scores_a, scores_b)
    n_positive = int(np.sum(np.asarray(labels) == 1))
    n_negative = len(labels) - n_positive
    lower_bound = -paired["ci95"][1]
    return {
        "delong": paired,
        "hanley_mcneil_1982": hanley_mcneil_1982(paired["auroc_a"], paired["auroc_b"], n_positive, n_negative),
        "hanley_mcneil_1983": hanley_mcneil_1983(labels, scores_a, scores_b),
        "non_inferiority": {"margin": margin, "passed": lower_bound > -margin, "lower_bound": lower_bound},
    }


def _check_counts(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no proportion")

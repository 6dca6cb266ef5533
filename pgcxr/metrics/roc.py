"""The empirical ROC curve and the area under it. Scores are higher for positive; labels are 0 or
1."""

import math

import numpy as np
from scipy import stats


def auroc(labels, scores) -> float:
    """Area under the ROC curve of `scores` [N] (higher: positive) for `labels` [N] in {0, 1}.

    Example:

        >>> from pgcxr.metrics.roc import auroc
        >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
        0.875
    """
    labels, scores = checked(labels, scores)
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    ranks = stats.rankdata(scores)
    return float(mann_whitney_u(ranks[positive].sum(), n_positive) / (n_positive * n_negative))


def mann_whitney_u(rank_sum, n: int):
    """Mann-Whitney's U of n cases whose midranks among all sum up to `rank_sum` (a number or an
    array): the pairs with another case that they win, ties half. Of all pairs, it is the AUROC."""
    return rank_sum - n * (n + 1) / 2  # less their ranks among themselves


def roc_curve(labels, scores) -> dict:
    """{false_positive_rate, true_positive_rate, threshold}: arrays [T], from (0, 0) at +inf to (1,
    1).

    A case is called positive where its score is at or above the threshold; equal scores make one
    point.
    """
    labels, scores = checked(labels, scores)
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    true_positives = np.cumsum(labels)[last_of_ties]
    false_positives = 1 + last_of_ties - true_positives
    return {
        "false_positive_rate": np.append(0.0, false_positives / false_positives[-1]),
        "true_positive_rate": np.append(0.0, true_positives / true_positives[-1]),
        "threshold": np.append(np.inf, scores[last_of_ties]),
    }


def youden(labels, scores) -> dict:
    """{threshold, index}: the observed score that maximizes sensitivity + specificity - 1; the
    highest where tied.

    Chosen and judged on the same cases, so its sensitivity and specificity are optimistic.

    Example:

        >>> from pgcxr.metrics.roc import youden
        >>> youden([0, 0, 1, 1], [0.1, 0.4, 0.5, 0.8])
        {'threshold': 0.5, 'index': 1.0}
    """
    curve = roc_curve(labels, scores)
    index = (curve["true_positive_rate"] - curve["false_positive_rate"])[1:]
    # Equal indices differ by rounding errors.
    best = int(np.argmax(index.round(12)))
    return {"threshold": float(curve["threshold"][1 + best]), "index": float(index[best])}


def at_specificity(labels, scores, specificity: float = 0.95) -> dict:
    """{threshold, specificity, sensitivity}: the point of highest sensitivity among those of
    `specificity` or more.

    The threshold is an observed score, or, where even the highest is too common among the
    negatives, just above all. On the cases that it was chosen on, the specificity is optimistic:
    choose it on validation data.
    """
    if not 0 < specificity <= 1:
        raise ValueError(f"a specificity lies above 0 and at most at 1, not {specificity}")
    curve = roc_curve(labels, scores)
    # 1 - 0.9 is a little below a tenth.
    point = int(np.flatnonzero(curve["false_positive_rate"] <= 1 - specificity + 1e-12)[-1])
    threshold = curve["threshold"][point] if point else np.nextafter(curve["threshold"][1], np.inf)
    return {
        "threshold": float(threshold),
        "specificity": float(1 - curve["false_positive_rate"][point]),
        "sensitivity": float(curve["true_positive_rate"][point]),
    }


def z_test(difference: float, variance: float) -> dict:
    """{z, p}, two-sided; for a variance of 0 (rounding included), z 0 where the difference is 0,
    else +-inf."""
    if abs(difference) < 1e-12:
        return {"z": 0.0, "p": 1.0}
    # Readings that differ by a constant leave a variance of the size of the rounding error, of
    # either sign.
    z = (
        difference / math.sqrt(variance)
        if variance > 1e-16
        else math.copysign(math.inf, difference)
    )
    return {"z": z, "p": float(2 * stats.norm.sf(abs(z)))}


def checked(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    """int64 [N] and float64 [N], or a ValueError that says what is wrong with them."""
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            f"labels and scores must be flat and of one length; got shapes {labels.shape} and "
            f"{scores.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are NaN or infinite"
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    labels = labels.astype(np.int64)
    if labels.min(initial=1) == labels.max(initial=0):
        raise ValueError(f"all {len(labels)} cases are of one class ({labels[0]}); both are needed")
    if not len(labels):
        raise ValueError("no cases")
    return labels, scores


def patient_codes(patients, count: int) -> np.ndarray:
    """int64 [N] from 0 on: which of `count` cases are of one patient; without `patients`, each is
    its own."""
    if patients is None:
        return np.arange(count)
    patients = np.asarray(patients)
    if patients.shape != (count,):
        raise ValueError(
            f"patients must name one for each of {count} cases; got shape {patients.shape}"
        )
    if any(patient is None or patient != patient or patient == "" for patient in patients.tolist()):
        raise ValueError(
            "a patient is missing (empty, None or NaN); without patients, leave the argument out"
        )
    return np.unique(patients, return_inverse=True)[1].astype(np.int64)


def checked_level(level: float) -> float:
    """`level` of an interval, or a ValueError where it is no share such as 0.95."""
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not {level}")
    return float(level)


def normal_quantile(level: float) -> float:
    """z of a two-sided interval: 1.96 for 0.95."""
    return float(stats.norm.ppf((1 + checked_level(level)) / 2))

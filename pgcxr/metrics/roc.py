"""The empirical ROC curve and the area under it. Scores are higher for positive; labels are 0 or 1."""

import math

import numpy as np
from scipy import stats


def auroc(labels, scores) -> float:
    """Area under the ROC curve of `scores` [N] (higher: positive) for `labels` [N] in {0, 1}."""
    labels, scores = checked(labels, scores)
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    ranks = stats.rankdata(scores)
    # Mann-Whitney: the ranks of the positives among all, less their ranks among themselves.
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def roc_curve(labels, scores) -> dict:
    """{false_positive_rate, true_positive_rate, threshold}: arrays [T], from (0, 0) at +inf to (1, 1).

    A case is called positive where its score is at or above the threshold; equal scores make one point.
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
    """{threshold, index}: the observed score that maximises sensitivity + specificity - 1; the highest where tied.

    Chosen and judged on the same cases, so its sensitivity and specificity are optimistic.
    """
    curve = roc_curve(labels, scores)
    index = (curve["true_positive_rate"] - curve["false_positive_rate"])[1:]
    # Equal indices differ by rounding errors.
    best = int(np.argmax(index.round(12)))
    return {"threshold": float(curve["threshold"][1 + best]), "index": float(index[best])}


def z_test(difference: float, variance: float) -> dict:
    """{z, p}, two-sided; for a variance of 0 (rounding included), z 0 where the difference is 0, else +-inf."""
    if abs(difference) < 1e-12:
        return {"z": 0.0, "p": 1.0}
    # Readings that differ by a constant leave a variance of the size of the rounding error, of either sign.
    z = difference / math.sqrt(variance) if variance > 1e-16 else math.copysign(math.inf, difference)
    return {"z": z, "p": float(2 * stats.norm.sf(abs(z)))}


def checked(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    """int64 [N] and float64 [N], or a ValueError that says what is wrong with them."""
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            f"labels and scores must be flat and of one length; got shapes {labels.shape} and {scores.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are NaN or infinite")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    labels = labels.astype(np.int64)
    if labels.min(initial=1) == labels.max(initial=0):
        raise ValueError(f"all {len(labels)} cases are of one class ({labels[0]}); a ROC curve needs both")
    if not len(labels):
        raise ValueError("no cases")
    return labels, scores

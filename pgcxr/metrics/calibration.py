"""Whether a probability of 0.8 is right in 8 of 10 cases: reliability curve, calibration error,
Brier score.

Bins are of P(positive), as in scikit-learn's `calibration_curve`: equal in width, or holding
equally many cases; a score on an edge belongs to the lower bin. All of it holds for the share of
positives in the test set, which is seldom that of a ward. scikit-learn has the curve's points and
the score alone: not how many cases stand behind a point, its interval, the parts of the score, or
what chance makes of the error.

References:
    Naeini, Cooper & Hauskrecht 2015, AAAI 29, 2901-2907: the expected calibration error (ECE).
    Brocker & Smith 2007, Weather and Forecasting 22, 651-661: consistency resampling, what chance
    makes of it. Kumar, Liang & Ma 2019, Verified uncertainty calibration, NeurIPS 32: the debiased
    root mean square error. Murphy 1973, J. Applied Meteorology 12, 595-600, and Stephenson et al.
    2008, Weather and Forecasting 23, 752-757: the parts of the Brier score.
"""

import numpy as np

from pgcxr.metrics.proportions import wilson
from pgcxr.metrics.recalibration import log_loss, recalibration
from pgcxr.metrics.roc import checked

BINS = 10
DRAWS = 1000
_AT_ONCE = 2_000_000


def calibration(labels, probabilities, bins: int = BINS, patients=None, seed: int = 0) -> dict:
    """All that is said about the calibration of one classifier on one test set.

    Returns:
        {brier: see `brier` (equal mass), log_loss, equal_width and equal_mass: {ece, ece_by_chance,
        ece_by_chance_high, p, rms_debiased, curve}, recalibration: see
        `pgcxr.metrics.recalibration.recalibration`}.

        ece is never 0: `ece_by_chance` is its mean, and `ece_by_chance_high` its 95th percentile,
            for labels drawn from the scores themselves, and p the share of those draws (1,000, from
            `seed`) that reach it: above 0.05 nothing speaks against perfect calibration.
            rms_debiased is about 0 then.

    Args:
        labels: 0 or 1, [N], both present.
        probabilities: in [0, 1], [N].
        patients: [N], whose image each is; it widens the intervals of `recalibration`, nothing
            else.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.calibration import calibration
        >>> chance = np.linspace(0.01, 0.99, 200)
        >>> labels = np.random.default_rng(0).random(200) < chance
        >>> report = calibration(labels.astype(int), chance)
        >>> round(report['brier']['score'], 3), round(report['equal_width']['ece'], 3)
        (0.189, 0.094)
    """
    labels, scores = checked_probabilities(labels, probabilities)
    kinds = {
        "equal_width": bin_edges(scores, bins),
        "equal_mass": bin_edges(scores, bins, equal_mass=True),
    }
    chance = _errors_by_chance(scores, list(kinds.values()), np.random.default_rng(seed))
    by_kind = {}
    for drawn, (kind, edges) in zip(chance, kinds.items(), strict=True):
        error = ece(labels, scores, edges)
        by_kind[kind] = {
            "ece": error,
            "ece_by_chance": float(drawn.mean()),
            "ece_by_chance_high": float(np.quantile(drawn, 0.95)),
            "p": float((1 + (drawn >= error - 1e-12).sum()) / (1 + len(drawn))),
            "rms_debiased": rms_debiased(labels, scores, edges),
            "curve": {
                name: value.tolist()
                for name, value in reliability_curve(labels, scores, edges).items()
            },
        }
    return {
        "brier": brier(labels, scores, kinds["equal_mass"]),
        "log_loss": log_loss(labels, scores),
        **by_kind,
        "recalibration": recalibration(labels, scores, patients),
    }


def bin_edges(scores: np.ndarray, bins: int = BINS, equal_mass: bool = False) -> np.ndarray:
    """Edges [bins + 1] over [0, 1], or quantiles of the scores, of which equal ones enclose
    nothing."""
    if bins < 1:
        raise ValueError(f"{bins} bins are too few; give at least 1")
    shares = np.linspace(0.0, 1.0, bins + 1)
    return np.quantile(scores, shares) if equal_mass else shares


def reliability_curve(labels, probabilities, edges) -> dict:
    """{low, high, n, score, share, wilson95}: arrays over the bins that hold a case.

    `score` is the mean of the probabilities, `share` that of the labels; `wilson95` [B, 2] takes
    images as independent.
    """
    labels, scores = checked_probabilities(labels, probabilities)
    counts, of_scores, of_labels = _sums(edges, scores, np.ones(len(scores)), scores, labels)
    held = counts > 0
    counts, edges = counts[held].astype(int), np.asarray(edges, np.float64)
    positives = of_labels[held].astype(int)
    return {
        "low": edges[:-1][held],
        "high": edges[1:][held],
        "n": counts,
        "score": of_scores[held] / counts,
        "share": positives / counts,
        "wilson95": np.array(
            [wilson(int(k), int(n)) for k, n in zip(positives, counts, strict=True)]
        ),
    }


def ece(labels, probabilities, edges) -> float:
    """Expected calibration error: the mean of |share of positives - mean score| over the bins, by
    cases."""
    labels, scores = checked_probabilities(labels, probabilities)
    return float(np.abs(_sums(edges, scores, labels - scores)[0]).sum() / len(scores))


def rms_debiased(labels, probabilities, edges) -> float:
    """Root mean square of (share of positives - mean score) over the bins, less what chance adds to
    its square.

    0 where chance adds more than there is. Bins of one case tell nothing and are left out; NaN
    where all are such.
    """
    labels, scores = checked_probabilities(labels, probabilities)
    counts, gaps, positives = _sums(edges, scores, np.ones(len(scores)), labels - scores, labels)
    held = counts > 1
    if not held.any():
        return float("nan")
    counts, gaps, share = counts[held], gaps[held] / counts[held], positives[held] / counts[held]
    square = float((counts * (gaps**2 - share * (1 - share) / (counts - 1))).sum() / counts.sum())
    return max(square, 0.0) ** 0.5


def brier(labels, probabilities, edges) -> dict:
    """{score, reliability, resolution, uncertainty, within_bins}: the mean of (probability -
    label)^2, and its parts.

    score = reliability - resolution + uncertainty + within_bins. Reliability is the mean square
    between score and share of positives over the bins (small is good), resolution that between
    shares and prevalence (large is good), uncertainty prevalence (1 - prevalence), and within_bins
    what differences inside the bins add or take away.
    """
    labels, scores = checked_probabilities(labels, probabilities)
    counts, of_scores, of_labels = _sums(edges, scores, np.ones(len(scores)), scores, labels)
    held = counts > 0
    weight, score, share = (
        counts[held] / len(scores),
        of_scores[held] / counts[held],
        of_labels[held] / counts[held],
    )
    prevalence = float(labels.mean())
    parts = {
        "score": float(((scores - labels) ** 2).mean()),
        "reliability": float((weight * (score - share) ** 2).sum()),
        "resolution": float((weight * (share - prevalence) ** 2).sum()),
        "uncertainty": prevalence * (1 - prevalence),
    }
    rest = parts["score"] - parts["reliability"] + parts["resolution"] - parts["uncertainty"]
    return {**parts, "within_bins": rest}


def checked_probabilities(labels, probabilities) -> tuple[np.ndarray, np.ndarray]:
    """int64 [N] and float64 [N] in [0, 1], or a ValueError that says what is wrong with them."""
    labels, scores = checked(labels, probabilities)
    outside = int(((scores < 0) | (scores > 1)).sum())
    if outside:
        raise ValueError(
            f"{outside} of {len(scores)} scores lie outside [0, 1]; calibration is of probabilities"
        )
    return labels, scores


def _bin_of(edges, scores: np.ndarray) -> np.ndarray:
    edges = np.asarray(edges, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) >= 0).all():
        raise ValueError("edges must be flat, at least two, and in ascending order")
    return np.searchsorted(edges[1:-1], scores)


def _sums(edges, scores: np.ndarray, *values: np.ndarray) -> list[np.ndarray]:
    """The sum of each of `values` [N] over each bin, [B]."""
    place = _bin_of(edges, scores)
    return [np.bincount(place, value, len(edges) - 1) for value in values]


def _errors_by_chance(
    scores: np.ndarray, binnings: list, rng: np.random.Generator
) -> list[np.ndarray]:
    """ECE [DRAWS] by each binning where labels are drawn with the probabilities that the scores
    say."""
    scores = np.sort(scores)  # so that each bin is a run of columns
    starts = [np.flatnonzero(np.diff(_bin_of(edges, scores), prepend=-1)) for edges in binnings]
    by_binning = [[] for _ in binnings]
    held = max(_AT_ONCE // len(scores), 1)
    for begin in range(0, DRAWS, held):
        gaps = (rng.random((min(held, DRAWS - begin), len(scores))) < scores) - scores
        for errors, first in zip(by_binning, starts, strict=True):
            errors.append(np.abs(np.add.reduceat(gaps, first, axis=1)).sum(axis=1) / len(scores))
    return [np.concatenate(errors) for errors in by_binning]

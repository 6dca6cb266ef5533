"""What speaks for an axis: how well it predicts the classifier on images that it was not fitted on
(a permutation test), and how firmly the images point to it (a bootstrap)."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from pgcxr.errors import ArgumentError
from pgcxr.latent.axes import AxisFit, unit
from pgcxr.metrics.roc import mann_whitney_u

# Held-out images of a finding, and without it, that an AUROC needs at least.
MIN_CASES = 20
# Where the classifier calls fewer images diseased than that: its highest tenth stands for them.
TOP = 0.1


@dataclass(frozen=True)
class Prediction:
    """How well the projection on an axis predicts a finding.

    Attributes:
        auroc: of the projection, for the held-out images called diseased.
        p: of a permutation test of it (one-sided).
        cases: images called diseased.
        reference: what counted as diseased.
    """

    auroc: float
    p: float
    cases: int
    reference: str


def permutation_test(
    projection: np.ndarray, likelihood: np.ndarray, permutations: int, rng: np.random.Generator
) -> Prediction:
    """Tests on held-out images whether the projection on an axis predicts the classifier's finding.

    The null permutes the classifier's answers among the held-out images. They had no part in the
    axis, so the test is exact: p = (1 + #{null >= observed}) / (1 + permutations).

    Example:

        >>> rng = np.random.default_rng(1)
        >>> projection = rng.normal(size=200)
        >>> likelihood = 1 / (1 + np.exp(-projection - rng.normal(size=200)))
        >>> result = permutation_test(projection, likelihood, 999, rng)
        >>> round(result.auroc, 2), result.p
        (0.82, 0.001)

    Args:
        projection: [M] u . axis of the held-out images.
        likelihood: [M] the classifier's likelihood of the disease, in [0, 1].
        permutations: of the null.
        rng: draws them.

    Raises:
        ArgumentError: the two are not of one length.
    """
    if len(projection) != len(likelihood):
        lengths = f"{len(projection)} and {len(likelihood)}"
        raise ArgumentError("projection", "must be as long as likelihood", received=lengths)
    diseased = likelihood >= 0.5
    cases = int(diseased.sum())
    reference = "likelihood >= 0.5"
    if min(cases, len(diseased) - cases) < MIN_CASES:
        highest = max(int(round(TOP * len(likelihood))), 1)
        diseased = rankdata(likelihood, method="ordinal") > len(likelihood) - highest
        reference = f"highest {TOP:.0%} of likelihoods"
    positives, negatives = int(diseased.sum()), int((~diseased).sum())
    if not positives or not negatives:
        return Prediction(float("nan"), 1.0, cases, reference)
    pairs = positives * negatives
    ranks = rankdata(projection)
    observed = mann_whitney_u(ranks[diseased].sum(), positives) / pairs
    shuffled = rng.permuted(np.broadcast_to(ranks, (permutations, len(ranks))), axis=1)
    null = mann_whitney_u(shuffled[:, :positives].sum(axis=1), positives) / pairs
    p = (1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + permutations)
    return Prediction(float(observed), float(p), cases, reference)


def bootstrap_cosines(
    u: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    fit: AxisFit,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """How far axes turn when the images are drawn again, with replacement, at the same ridge.

    Args:
        u: [N, L] latents, `targets` [N, K] and `weights` [N] of `fit_axes`, which gave `fit`.
        resamples: how often they are drawn again.
        rng: draws them.

    Returns:
        [resamples, K]: |cosine| of each axis with its like.
    """
    cosines = np.empty((resamples, targets.shape[1]))
    for row in range(resamples):
        drawn = weights * np.bincount(rng.integers(len(u), size=len(u)), minlength=len(u))
        scale = drawn.sum()
        x, y = u - drawn @ u / scale, targets - drawn @ targets / scale
        gram, moment = (x * drawn[:, None]).T @ x, (x * drawn[:, None]).T @ y
        for ridge in np.unique(fit.ridges):
            same = fit.ridges == ridge
            # A whisker of ridge keeps a resample with fewer images than dimensions solvable.
            damped = gram + max(ridge, 1e-9) * scale * np.eye(len(gram))
            again = unit(np.linalg.solve(damped, moment[:, same]).T)
            cosines[row, same] = np.abs(np.sum(again * fit.axes[same], axis=1))
    return cosines

"""What speaks for an axis: how well it predicts the classifier on images that it was not fitted
on."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

# Held-out images of a finding, and without it, that an AUROC needs at least.
MIN_CASES = 20
# Where the classifier calls fewer images diseased than that: its highest tenth stands for them.
TOP = 0.1


@dataclass(frozen=True)
class Prediction:
    """`auroc` of the projection for the held-out images called diseased; `p` of a permutation test
    of it (one-sided); `cases` called diseased; `reference` says what counted as diseased."""

    auroc: float
    p: float
    cases: int
    reference: str


def predict(
    projection: np.ndarray, likelihood: np.ndarray, permutations: int, rng: np.random.Generator
) -> Prediction:
    """Tests on held-out images whether the projection on an axis predicts the classifier's finding.

    The null permutes the classifier's answers among the held-out images. They had no part in the
    axis, so the test is exact: p = (1 + #{null >= observed}) / (1 + permutations).

    Args:
        projection: [M] u . axis.
        likelihood: [M] classifier's likelihood of the disease.
    """
    positive = likelihood >= 0.5
    reference = "likelihood >= 0.5"
    if min(positive.sum(), (~positive).sum()) < MIN_CASES:
        highest = max(int(round(TOP * len(likelihood))), 1)
        positive = rankdata(likelihood, method="ordinal") > len(likelihood) - highest
        reference = f"highest {TOP:.0%} of likelihoods"
    cases, rest = int(positive.sum()), int((~positive).sum())
    if not cases or not rest:
        return Prediction(float("nan"), 1.0, int((likelihood >= 0.5).sum()), reference)
    ranks = rankdata(projection)
    observed = _auroc(ranks[positive].sum(), cases, rest)
    shuffled = rng.permuted(np.broadcast_to(ranks, (permutations, len(ranks))), axis=1)
    null = _auroc(shuffled[:, :cases].sum(axis=1), cases, rest)
    p = (1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + permutations)
    return Prediction(float(observed), float(p), int((likelihood >= 0.5).sum()), reference)


def _auroc(rank_sum, positives: int, negatives: int):
    """Mann-Whitney: the area under the ROC curve from the ranks of the positives."""
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)

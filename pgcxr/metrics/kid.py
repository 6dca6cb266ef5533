"""Kernel distance between two sets of features (KID: Binkowski et al., ICLR 2018, arXiv
1801.01401).

The unbiased estimate of the squared maximum mean discrepancy with k(x, y) = (x.y / D + 1)^3. Unlike
FID it is 0 on average, so sometimes below 0, where both sets are of one distribution, whatever
their number. scikit-learn's polynomial kernel would hold all pairs; here they come in blocks.
"""

import numpy as np

from pgcxr.metrics.feature_sets import checked, products

SUBSETS, SUBSET_SIZE = 100, 1000


def kid(
    real: np.ndarray,
    fake: np.ndarray,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> dict:
    """KID of features [N, D] and [M, D], of all pairs and, as it is often published, of random
    subsets.

    Args:
        subsets: how many are drawn, each without replacement; 0: none, and NaN for what they give.
        subset_size: images of each set in a subset; at most half of the smaller set, that subsets
            may differ.

    Returns:
        {kid: of all pairs, subset_mean, subset_std, subsets, subset_size, n_real, n_fake, features:
        D}.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.kid import kid
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(200, 8)), rng.normal(1, size=(200, 8))
        >>> round(kid(real, fake)['kid'], 2)
        7.01
    """
    real, fake = checked(real, fake, least=4)
    size = min(subset_size, len(real) // 2, len(fake) // 2)
    if size < 2:
        raise ValueError(f"subset_size must be 2 or more, not {subset_size}")
    rng = np.random.default_rng(seed)
    estimates = [
        mmd2(*(features[rng.permutation(len(features))[:size]] for features in (real, fake)))
        for _ in range(subsets)
    ]
    return {
        "kid": mmd2(real, fake),
        "subset_mean": float(np.mean(estimates)) if estimates else float("nan"),
        "subset_std": float(np.std(estimates, ddof=1)) if len(estimates) > 1 else float("nan"),
        "subsets": subsets,
        "subset_size": size,
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
    }


def mmd2(real: np.ndarray, fake: np.ndarray) -> float:
    """The unbiased estimate: means of k within each set, pairs of an image with itself left out,
    less twice across."""
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    within = [(_kernel_sum(x, x) - _own(x)) / (len(x) * (len(x) - 1)) for x in (real, fake)]
    return float(sum(within) - 2 * _kernel_sum(real, fake) / (len(real) * len(fake)))


def _kernel_sum(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of k over all pairs, by blocks."""
    total, squares = 0.0, np.empty(0)
    for _, base in products(a / a.shape[1], b):
        base += 1
        # The sum of x^2 x: a power of 3 takes many times as long.
        squares = np.multiply(base, base, out=squares if squares.shape == base.shape else None)
        total += float(np.vdot(squares, base))
    return total


def _own(x: np.ndarray) -> float:
    return float(np.sum((np.einsum("nd,nd->n", x, x) / x.shape[1] + 1) ** 3))

"""Precision, recall, density and coverage of two sets of features.

Around each image a ball reaches to its k-th neighbor in its own set. Precision: the share of fake
images inside a ball of a real one (realism); recall: of real images inside a ball of a fake one
(variety; Kynkäänniemi et al. 2019). Density: how many balls of real images a fake image lies in,
over k; may exceed 1; coverage: the share of real balls that hold a fake image (Naeem et al., ICML
2020, arXiv 2002.09797: one outlier alone moves these two little).

Distances are gone through by blocks: memory does not grow with the square of the number of images.
"""

import numpy as np

from pgcxr.metrics.feature_sets import checked, squared_distances

NEIGHBORS = 5


def prdc(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBORS) -> dict:
    """The four measures of features [N, D] and [M, D].

    Args:
        k: which neighbor; 5 as in the paper. N and M must be larger.

    Returns:
        {precision, recall, density, coverage, k, n_real, n_fake, features: D}. Compare values of
        one N, M and k only.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.prdc import prdc
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(200, 8)), rng.normal(1, size=(200, 8))
        >>> measures = prdc(real, fake)
        >>> [round(measures[name], 2) for name in ('precision', 'recall', 'density', 'coverage')]
        [0.7, 0.69, 0.37, 0.42]
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    real, fake = checked(real, fake, least=k + 1)
    # Around their own mean few digits are lost in the distances.
    center = real.mean(axis=0, dtype=np.float64)
    real, fake = real - center, fake - center
    radii_real, radii_fake = _radii(real, k), _radii(fake, k)
    inside = np.zeros(len(fake), np.int64)  # balls of real images around each fake one
    recalled = covered = 0
    for rows, apart in squared_distances(real, fake):
        within = apart < radii_real[rows, None]
        inside += np.count_nonzero(within, axis=0)
        covered += int(within.any(axis=1).sum())
        recalled += int((apart < radii_fake).any(axis=1).sum())
    return {
        "precision": float((inside > 0).mean()),
        "recall": recalled / len(real),
        "density": float(inside.mean()) / k,
        "coverage": covered / len(real),
        "k": k,
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
    }


def _radii(features: np.ndarray, k: int) -> np.ndarray:
    """[N]: the squared distance to the k-th of the others."""
    radii = np.empty(len(features))
    for rows, apart in squared_distances(features, features):
        apart[np.arange(len(apart)), np.arange(rows.start, rows.stop)] = np.inf
        apart.partition(k - 1, axis=1)
        radii[rows] = apart[:, k - 1]
    return radii

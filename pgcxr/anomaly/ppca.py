"""What differences healthy images share: probabilistic principal components of difference maps.

No generator makes every healthy image; where it misses (the edge of the heart, the diaphragm), it
misses in the same few ways from patient to patient. Tipping and Bishop's model (J. R. Stat. Soc. B
61, 1999), d = mean + W x + noise, is fitted to the difference maps of normals from the training
split. Its estimate of W x is taken out of every map, and what remains is unfamiliar.

scikit-learn's PCA (`score_samples`, `noise_variance_`) is not used: with fewer maps N than pixels D
it takes the mean of the N - K variances that are left for the noise, where the model's estimate
(their equation 8) spreads them over D - K dimensions, so that its likelihood picks another number
of components; and it decomposes the maps anew for each number, eight times where once is enough.
"""

from dataclasses import dataclass

import numpy as np

from pgcxr.errors import ArgumentError

FOLDS = 5
# Numbers of components that are tried.
RANKS = (0, 2, 5, 10, 20, 40, 80, 160)
# Maps per component at least.
PER_RANK = 4
# With fewer maps nothing is learned.
FEWEST = 20


@dataclass(frozen=True)
class ProbabilisticPCA:
    """K components of difference maps of D pixels.

    Attributes:
        mean: [D].
        directions: [K, D], orthonormal.
        gains: [K] in [0, 1], how much of each is signal, not noise.
    """

    mean: np.ndarray
    directions: np.ndarray
    gains: np.ndarray

    def remove(self, maps: np.ndarray) -> np.ndarray:
        """Maps [N, S, S] without the mean and without what the components explain, float32."""
        if np.prod(np.shape(maps)[1:]) != len(self.mean):
            raise ArgumentError("maps", f"must have {len(self.mean)} pixels", np.shape(maps)[1:])
        rest = maps.reshape(len(maps), -1) - self.mean
        rest = rest - (rest @ self.directions.T * self.gains) @ self.directions
        return rest.reshape(maps.shape).astype(np.float32)


def fit_ppca(maps: np.ndarray, rng: np.random.Generator) -> ProbabilisticPCA:
    """Fits the components; their number has the highest likelihood on left-out maps.

    Example:

        >>> rng = np.random.default_rng(0)
        >>> shared = rng.normal(size=(1, 8, 8))  # one way to miss, more or less in each map
        >>> maps = rng.normal(size=(60, 1, 1)) * shared + 0.1 * rng.normal(size=(60, 8, 8))
        >>> components = fit_ppca(maps, rng)
        >>> bool(components.remove(maps).std() < 0.15 < 0.5 < maps.std())
        True

    Args:
        maps: [N, S, S] of healthy images, see `maps.differences`.
        rng: draws the folds.

    Returns:
        The components; none, with a mean of 0, from fewer than `FEWEST` maps.
    """
    size = int(np.prod(maps.shape[1:]))
    if len(maps) < FEWEST:
        return ProbabilisticPCA(np.zeros(size), np.zeros((0, size)), np.zeros(0))
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    fold = rng.permutation(len(flat)) % FOLDS
    ranks = [rank for rank in RANKS if rank <= min(len(flat) // PER_RANK, size // 2)]
    totals = np.zeros(len(ranks))
    for index in range(FOLDS):
        mean, directions, variances = _components(flat[fold != index])
        for place, rank in enumerate(ranks):
            totals[place] += log_likelihood(
                flat[fold == index] - mean, directions, variances, rank
            ).sum()
    rank = ranks[int(np.argmax(totals))]
    mean, directions, variances = _components(flat)
    noise = _noise(variances, rank, size)
    gains = np.maximum(variances[:rank] - noise, 0) / variances[:rank]
    return ProbabilisticPCA(mean, directions[:rank], gains)


def log_likelihood(
    rest: np.ndarray, directions: np.ndarray, variances: np.ndarray, rank: int
) -> np.ndarray:
    """[N], up to a constant: of centered rows [N, D] under `rank` components and equal noise
    elsewhere."""
    size = rest.shape[1]
    noise = _noise(variances, rank, size)
    along = (rest @ directions[:rank].T) ** 2
    across = np.maximum(np.sum(rest**2, axis=1) - along.sum(axis=1), 0)
    log_volume = np.log(variances[:rank]).sum() + (size - rank) * np.log(noise)
    return -0.5 * (log_volume + (along / variances[:rank]).sum(axis=1) + across / noise)


def _components(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean [D], orthonormal directions [R, D], variances [R] from high to low)."""
    mean = flat.mean(axis=0)
    _, singular, directions = np.linalg.svd(flat - mean, full_matrices=False)
    return mean, directions, singular**2 / len(flat)


def _noise(variances: np.ndarray, rank: int, size: int) -> float:
    """Variance per remaining dimension."""
    return max(float(variances[rank:].sum()) / (size - rank), 1e-12)

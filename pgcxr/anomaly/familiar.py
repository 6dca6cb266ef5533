"""What differences healthy images share: probabilistic principal components of difference maps.

No generator makes every healthy image; where it misses (the edge of the heart, the diaphragm), it
misses in the same few ways from patient to patient. Tipping and Bishop's model (J. R. Stat. Soc. B
61, 1999), d = mean + W x + noise, is fitted to the difference maps of normals from the training
split. Its estimate of W x is taken out of every map, and what remains is unfamiliar.
"""

from dataclasses import dataclass

import numpy as np

FOLDS = 5
RANKS = (0, 2, 5, 10, 20, 40, 80, 160)
# Images per component at least.
PER_RANK = 4


@dataclass(frozen=True)
class Familiar:
    """`mean` [D], orthonormal `directions` [K, D], and `gains` [K] in [0, 1]: how much of each is
    signal, not noise."""

    mean: np.ndarray
    directions: np.ndarray
    gains: np.ndarray

    def remove(self, maps: np.ndarray) -> np.ndarray:
        """Maps [N, S, S] without the mean and without what the components explain."""
        rest = maps.reshape(len(maps), -1) - self.mean
        rest = rest - (rest @ self.directions.T * self.gains) @ self.directions
        return rest.reshape(maps.shape).astype(np.float32)


def learn(maps: np.ndarray, rng: np.random.Generator) -> Familiar:
    """Fits the components to healthy maps [N, S, S]; their number has the highest likelihood on
    left-out maps.

    With fewer than 20 maps nothing is learned, and `remove` returns what it is given.
    """
    size = int(np.prod(maps.shape[1:]))
    if len(maps) < 20:
        return Familiar(np.zeros(size), np.zeros((0, size)), np.zeros(0))
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
    return Familiar(
        mean, directions[:rank], np.maximum(variances[:rank] - noise, 0) / variances[:rank]
    )


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

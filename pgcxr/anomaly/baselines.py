"""Simple ways to find anomalies from normal images alone, which a GAN or a network must beat.

Images are float32 [N, S, S] in [-1, 1]; what each learns from are normals of split train.

References:
    PaDiM: Defard et al., ICPR Workshops 2021. kNN: SPADE, Cohen & Hoshen, arXiv 2005.02357.
"""

from dataclasses import dataclass

import numpy as np

# A pixel that never changes (a black border) would divide by nothing: share of the range.
LEAST_DEVIATION = 0.02
NEIGHBORS = 3
# Of the covariance's mean variance, added to its diagonal.
RIDGE = 0.01


def mean_image_maps(learned: np.ndarray, images: np.ndarray) -> np.ndarray:
    """|z| [N, S, S]: by how many deviations of normals each pixel is off their mean.

    Example:

        >>> normals = np.random.default_rng(0).normal(0, 0.1, (500, 2, 2))
        >>> mean_image_maps(normals, np.full((1, 2, 2), 0.3)).round().tolist()
        [[[3.0, 3.0], [3.0, 3.0]]]
    """
    deviation = np.maximum(learned.std(axis=0), LEAST_DEVIATION)
    return np.abs(images - learned.mean(axis=0)) / deviation


@dataclass(frozen=True)
class Subspace:
    """Principal components of normal images.

    Attributes:
        mean: [D].
        directions: [K, D], orthonormal, from the largest variance to the smallest.
        variances: [K].
    """

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray

    def first(self, count: int) -> "Subspace":
        """The first `count` components alone."""
        return Subspace(self.mean, self.directions[:count], self.variances[:count])

    def coordinates(self, images: np.ndarray) -> np.ndarray:
        """[N, K]."""
        return (images.reshape(len(images), -1) - self.mean) @ self.directions.T

    def nearest(self, images: np.ndarray) -> np.ndarray:
        """The images of the subspace that are nearest to `images`, [N, S, S]."""
        found = self.coordinates(images) @ self.directions + self.mean
        return found.reshape(images.shape).astype(np.float32)

    def distances(self, images: np.ndarray) -> np.ndarray:
        """[N]: squared Mahalanobis distances inside the subspace: how far an image is from the
        mean, even where the components explain it."""
        return (self.coordinates(images) ** 2 / self.variances).sum(axis=1)


def fit_subspace(learned: np.ndarray, count: int, seed: int) -> Subspace:
    """The first components of normal images, `count` or as many as they have.

    Example:

        >>> normals = np.random.default_rng(0).normal(size=(30, 4, 4))
        >>> found = fit_subspace(normals, 5, seed=0)
        >>> found.directions.shape, bool(np.all(np.diff(found.variances) <= 0))
        ((5, 16), True)
    """
    from sklearn.decomposition import PCA

    flat = learned.reshape(len(learned), -1)
    count = max(min(count, len(flat) - 1, flat.shape[1]), 1)
    solver = "randomized" if count < min(flat.shape) // 2 else "full"
    found = PCA(count, svd_solver=solver, random_state=seed).fit(flat)
    variances = np.maximum(found.explained_variance_, 1e-12)
    return Subspace(found.mean_, found.components_, variances)


def gaussian_maps(learned: np.ndarray, features: np.ndarray) -> np.ndarray:
    """PaDiM: Mahalanobis distances [N, h, w] of features [N, h, w, C] from those of normals at the
    same place."""
    mean = learned.mean(axis=0)
    out = np.empty(features.shape[:3], np.float32)
    for y, x in np.ndindex(features.shape[1:3]):
        rest = features[:, y, x] - mean[y, x]
        out[:, y, x] = np.sqrt(((rest @ _whitening(learned[:, y, x])) ** 2).sum(axis=1))
    return out


def neighbor_maps(learned: np.ndarray, features: np.ndarray) -> np.ndarray:
    """kNN: mean distances [N, h, w] of features [N, h, w, C] to the nearest `NEIGHBORS` of normals
    at the same place, all decorrelated as there."""
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBORS, len(learned))
    out = np.empty(features.shape[:3], np.float32)
    for y, x in np.ndindex(features.shape[1:3]):
        whitening = _whitening(learned[:, y, x])
        known = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(
            learned[:, y, x] @ whitening
        )
        out[:, y, x] = known.kneighbors(features[:, y, x] @ whitening)[0].mean(axis=1)
    return out


def _whitening(learned: np.ndarray) -> np.ndarray:
    """[C, C]: (x - mean) times it has the covariance 1 for x of `learned` [N, C], about."""
    rest = learned - learned.mean(axis=0)
    covariance = rest.T @ rest / len(learned)
    variance = float(np.trace(covariance)) / len(covariance)
    covariance += np.eye(len(covariance)) * (RIDGE * variance + 1e-6)
    return np.linalg.cholesky(np.linalg.inv(covariance))

"""FID, KID and PRDC as their papers write them: whole matrices and loops, nothing in blocks."""

import numpy as np
from scipy import linalg
from scipy.spatial.distance import cdist


def fid(real, fake):
    """By the principal square root of the unsymmetric product, as the authors' program does."""
    a, b = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = np.real(linalg.sqrtm(np.atleast_2d(a) @ np.atleast_2d(b)))
    apart = real.mean(axis=0) - fake.mean(axis=0)
    return apart @ apart + np.trace(np.atleast_2d(a + b)) - 2 * np.trace(root)


def kid(real, fake):
    """Pair by pair."""

    def mean(a, b, skip):
        found = [
            (sum(p * q for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3
            for i, x in enumerate(a.tolist())
            for j, y in enumerate(b.tolist())
            if not (skip and i == j)
        ]
        return sum(found) / len(found)

    return mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)


def prdc(real, fake, k):
    """Image by image, from whole matrices of distances."""

    def radius(distances, index):
        return sorted(np.delete(distances[index], index))[k - 1]

    of_real, of_fake, across = cdist(real, real), cdist(fake, fake), cdist(real, fake)
    real_radii = [radius(of_real, i) for i in range(len(real))]
    fake_radii = [radius(of_fake, j) for j in range(len(fake))]
    n, m = len(real), len(fake)
    inside = np.array([[across[i, j] < real_radii[i] for j in range(m)] for i in range(n)])
    return {
        "precision": np.mean([inside[:, j].any() for j in range(m)]),
        "recall": np.mean([any(across[i, j] < fake_radii[j] for j in range(m)) for i in range(n)]),
        "density": inside.sum() / (k * m),
        "coverage": np.mean([min(across[i]) < real_radii[i] for i in range(n)]),
    }

"""Fréchet distance between two sets of features, taken as Gaussian (FID: Heusel et al. 2017, arXiv
1706.08500).

d^2 = |m_r - m_f|^2 + tr(C_r) + tr(C_f) - 2 tr((C_r C_f)^(1/2))

The last trace is the sum of the roots of the eigenvalues of W^T C_f W with C_r = W W^T: symmetric
matrices alone, so nothing is complex, and W leaves out the directions in which C_r is singular, so
no rounding error is rooted there.

Of finite samples it is too large, by about 1/n: compare values of one n only, well above the number
of features (`enough`). FID_infinity (Chong and Forsyth, CVPR 2020) extrapolates to 1/n = 0.
"""

import numpy as np
from scipy import linalg

from pgcxr.metrics.feature_sets import checked

# FID_infinity: parts of both sets, evenly spaced in 1/n; the smallest must still have more images
# than features.
PARTS = 1 / np.linspace(1, 3, 9)


class Moments:
    """Mean and covariance of features that come in batches, in flat memory (Chan, Golub and LeVeque
    1979)."""

    def __init__(self, dimensions: int):
        self.n = 0
        self.mean = np.zeros(dimensions)
        self.scatter = np.zeros((dimensions, dimensions))

    def add(self, features: np.ndarray) -> "Moments":
        """Takes in a batch [N, D]; returns itself."""
        part = Moments(len(self.mean))
        features = np.asarray(features, np.float64)
        if len(features):
            part.n, part.mean = len(features), features.mean(axis=0)
            centered = features - part.mean
            part.scatter = centered.T @ centered
        return self.merge(part)

    def merge(self, other: "Moments") -> "Moments":
        """Takes in what another has seen; returns itself."""
        total = self.n + other.n
        if other.n:
            apart = other.mean - self.mean
            self.scatter += other.scatter + np.outer(apart, apart) * (self.n * other.n / total)
            self.mean = self.mean + apart * (other.n / total)
            self.n = total
        return self

    def covariance(self) -> np.ndarray:
        """float64 [D, D], by n - 1."""
        if self.n < 2:
            raise ValueError(f"a covariance needs 2 images, not {self.n}")
        return self.scatter / (self.n - 1)


def frechet(real: np.ndarray, fake: np.ndarray) -> dict:
    """FID of features [N, D] and [M, D]; `of_moments` says what the dict holds.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.frechet import frechet
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(200, 8)), rng.normal(1, size=(200, 8))
        >>> round(frechet(real, fake)['fid'], 2)
        7.53
    """
    real, fake = checked(real, fake)
    return of_moments(Moments(real.shape[1]).add(real), Moments(fake.shape[1]).add(fake))


def of_moments(real: Moments, fake: Moments) -> dict:
    """{fid, mean_term, covariance_term (their sum is fid), n_real, n_fake, features: D, enough: n >
    D of both}."""
    apart = real.mean - fake.mean
    mean_term = float(apart @ apart)
    a, b = real.covariance(), fake.covariance()
    factor = _factor(a)
    shared = np.sqrt(np.maximum(linalg.eigvalsh(factor.T @ b @ factor), 0)).sum()
    covariance_term = max(float(np.trace(a) + np.trace(b) - 2 * shared), 0.0)
    return {
        "fid": mean_term + covariance_term,
        "mean_term": mean_term,
        "covariance_term": covariance_term,
        "n_real": real.n,
        "n_fake": fake.n,
        "features": len(apart),
        "enough": min(real.n, fake.n) > len(apart),
    }


def fid_infinity(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> float:
    """FID extrapolated linearly in 1/n from random parts of both sets; NaN where a third is not
    more than D images."""
    real, fake = checked(real, fake)
    if min(len(real), len(fake)) * PARTS[-1] <= real.shape[1]:
        return float("nan")
    rng = np.random.default_rng(seed)
    distances = []
    for part in PARTS:
        sets = [
            features[rng.permutation(len(features))[: round(part * len(features))]]
            for features in (real, fake)
        ]
        distances.append(frechet(*sets)["fid"])
    return float(np.polyfit(1 / PARTS, distances, 1)[1])


def _factor(covariance: np.ndarray) -> np.ndarray:
    """W [D, rank] with W W^T = C."""
    values, vectors = linalg.eigh(covariance, driver="evd")
    regular = values > len(values) * np.finfo(float).eps * values[-1]
    return vectors[:, regular] * np.sqrt(values[regular])

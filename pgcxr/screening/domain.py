"""How far an image is from the normals that a model knows, as a whole: whether its score says
anything.

Two distances. Of the layout: Mahalanobis, of the image reduced to `LAYOUT` x `LAYOUT` pixels, which
a small lesion hardly changes, and another part of the body, projection or size of the field does.
Of the rest: the root mean square of what principal components leave. Each is in units of what
`QUANTILE` of held-out normals stay below, and the larger one counts; again in units of that.
"""

from dataclasses import dataclass

import numpy as np

from pgcxr.anomaly.baselines import RIDGE, Subspace
from pgcxr.images import reduce_by_factor, resize

LAYOUT = 8
# Of held-out normals, that are at a distance of 1 at most.
QUANTILE = 0.995
# From here on an image is so unlike any normal that no score of it says anything. Of the phantom's
# 1,903 abnormal test images none is at more than 1.5.
FAR = 2.0


@dataclass(frozen=True)
class Domain:
    """What is known of held-out normals.

    Attributes:
        mean: of layouts, [L].
        whitening: [L, L]: (layout - mean) times it has the covariance 1.
        units: of both distances, in which each is 1.
        unit: of the larger one.
    """

    mean: np.ndarray
    whitening: np.ndarray
    units: np.ndarray
    unit: float

    @classmethod
    def learned(cls, normals: np.ndarray, healthy: np.ndarray, subspace: Subspace) -> "Domain":
        """From normals [N, S, S] in [-1, 1] and others [M, S, S] that are held out.

        Args:
            subspace: the principal components of the first.
        """
        layouts = _layouts(normals)
        mean = layouts.mean(axis=0)
        covariance = (layouts - mean).T @ (layouts - mean) / len(layouts)
        covariance += np.eye(len(mean)) * (RIDGE * np.trace(covariance) / len(mean) + 1e-9)
        whitening = np.linalg.cholesky(np.linalg.inv(covariance))
        first = cls(mean, whitening, np.ones(2), 1.0)
        both = first._both(healthy, subspace)
        units = np.maximum(np.quantile(both, QUANTILE, axis=0), 1e-12)
        unit = float(np.quantile((both / units).max(axis=1), QUANTILE))
        return cls(mean, whitening, units, unit)

    def distances(self, images: np.ndarray, subspace: Subspace) -> np.ndarray:
        """[N] of images [N, S, S] in [-1, 1]: above 1 for one in 200 normals, and from `FAR` on
        for none."""
        return (self._both(images, subspace) / self.units).max(axis=1) / self.unit

    def _both(self, images: np.ndarray, subspace: Subspace) -> np.ndarray:
        """[N, 2]"""
        layout = (_layouts(images) - self.mean) @ self.whitening
        rest = images - subspace.nearest(images)
        both = [(layout**2).mean(axis=1), (rest.astype(np.float64) ** 2).mean(axis=(1, 2))]
        return np.sqrt(np.stack(both, axis=1))


def _layouts(images: np.ndarray) -> np.ndarray:
    side = images.shape[1]
    if side % LAYOUT == 0:
        reduced = reduce_by_factor(images[..., None], side // LAYOUT)
    else:
        reduced = np.stack([resize(image, min(LAYOUT, side)) for image in images])
    return reduced.reshape(len(images), -1).astype(np.float64)

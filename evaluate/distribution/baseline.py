"""The plain baseline: images drawn from a Gaussian over the principal components of the training images.

It has their mean and the main of how their pixels vary together, and nothing else: no edge that moves, no lesion. A GAN
that is worth its training is nearer to real images than this.
"""

import numpy as np

# Values of the training images that are held for the fit, 512 MB: 32,768 images of 64 px, 128 of 1024 px.
PIXELS = 2**27


class PCAGaussian:
    """uint8 images [n, R, R, 1]: mean + sum of N(0, variance) along each component, cut to [0, 255].

    Args:
        images: uint8 [N, R, R, 1], two or more.
        components: kept, at most N - 1; what the others vary by is missing.
        seed: of the randomized solver that large sets are given.
    """

    def __init__(self, images: np.ndarray, components: int, seed: int):
        from sklearn.decomposition import PCA

        flat = images.reshape(len(images), -1).astype(np.float32)
        pca = PCA(min(components, len(flat) - 1, flat.shape[1]), random_state=seed & 0x7FFFFFFF, copy=False)
        pca.fit(flat)
        self.shape = images.shape[1:]
        self.mean = pca.mean_.astype(np.float32)
        self.directions = (pca.components_ * np.sqrt(pca.explained_variance_)[:, None]).astype(np.float32)
        self.components = len(self.directions)
        self.explained = float(pca.explained_variance_ratio_.sum())
        self.fitted = len(images)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """uint8 [n, R, R, 1]."""
        flat = self.mean + rng.standard_normal((n, self.components), np.float32) @ self.directions
        return np.clip(np.rint(flat), 0, 255).astype(np.uint8).reshape(n, *self.shape)

    def describe(self) -> dict:
        """For the report: `explained` is the share of the training images' variance."""
        return {"components": self.components, "explained": self.explained, "fitted_images": self.fitted}


def fit(rows, size: int, components: int, seed: int) -> PCAGaussian:
    """The baseline of a cohort's rows at `size` px; of the first of them where all would not fit into memory."""
    from pgcxr.data.cohort import load_images

    return PCAGaussian(load_images(rows.paths()[: max(PIXELS // size**2, 2)], size), components, seed)

"""The plain baseline: images drawn from a Gaussian over the principal components of the training
images.

It has their mean and the main of how their pixels vary together, and nothing else: no edge that
moves, no lesion. A GAN that is worth its training is nearer to real images than this. How many
components make the strongest baseline? On phantoms of 32 px, 95 % of the variance (64 components)
gave an FID of 3.7, 85 % (16) 8.5, 99 % (256) 7.0, and all but
nothing left out 14: the last components are seen as noise.
"""

import numpy as np

# Values of the training images that are held for the fit, 512 MB: 32,768 images of 64 px, 128 of
# 1024 px.
PIXELS = 2**27
MOST_COMPONENTS = 256


class PCAGaussian:
    """uint8 images [n, R, R, 1]: mean + sum of N(0, variance) along each component, cut to [0,
    255].

    Args:
        images: uint8 [N, R, R, 1], two or more.
        explained: share of the variance to keep, in 256 components at most; what the others vary by
            is missing.
        seed: of the randomized solver that large sets are given.
    """

    def __init__(self, images: np.ndarray, explained: float, seed: int):
        from sklearn.decomposition import PCA

        flat = images.reshape(len(images), -1).astype(np.float32)
        pca = PCA(
            min(MOST_COMPONENTS, len(flat) - 1, flat.shape[1]),
            random_state=seed & 0x7FFFFFFF,
            copy=False,
        )
        pca.fit(flat)
        self.shape = images.shape[1:]
        self.mean = pca.mean_.astype(np.float32)
        shares = np.cumsum(pca.explained_variance_ratio_)
        kept = min(int(np.searchsorted(shares, explained)) + 1, len(shares))
        deviations = np.sqrt(pca.explained_variance_[:kept, None])
        self.directions = (pca.components_[:kept] * deviations).astype(np.float32)
        self.components, self.explained = kept, float(shares[kept - 1])
        self.fitted = len(images)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """uint8 [n, R, R, 1]."""
        flat = self.mean + rng.standard_normal((n, self.components), np.float32) @ self.directions
        return np.clip(np.rint(flat), 0, 255).astype(np.uint8).reshape(n, *self.shape)

    def describe(self) -> dict:
        """For the report: `explained` is the share of the training images' variance."""
        return {
            "components": self.components,
            "explained": self.explained,
            "fitted_images": self.fitted,
        }


def fit(rows, size: int, explained: float, seed: int) -> PCAGaussian:
    """The baseline of a cohort's rows at `size` px; of the first of them where all would not fit
    into memory."""
    from pgcxr.cohort.image_files import load_images

    return PCAGaussian(
        load_images(rows.paths()[: max(PIXELS // size**2, 2)], size), explained, seed
    )

"""Beyond the latents: what the generator can almost make, by features of its levels that are freed
one level after the other.

No z gives a real image exactly. As intermediate layer optimization does (Daras et al., ICML 2021),
an offset is added to the features of 4 px, then also to those of 8 px and so on, and searched with
z for the nearest image; the mean square of each offset, times a penalty, keeps it small. The
features of one level have a mean square of about 1. Coarse levels move borders of organs, fine ones
can paint a lesion: how far to go is a choice, made on artificial lesions.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.latent.descent import descend, padded


class Depths(NamedTuple):
    """What was found with 0, 1, ... levels free.

    Attributes:
        images: [D + 1, N, R, R, C].
        latents: [N, L], of the last.
        seconds: [D], that it took to each of the levels.
    """

    images: np.ndarray
    latents: np.ndarray
    seconds: np.ndarray


class FeatureSearch:
    """Goes on from latents with features that are free.

    Example:

        >>> from pgcxr.losses.residuals import squared_error
        >>> from pgcxr.networks import Generator
        >>> generator = Generator(resolution=8, fmap_max=8)
        >>> search = FeatureSearch(
        ...     generator_with_offsets(generator), generator.feature_shapes()[:1], squared_error
        ... )
        >>> image, z = np.zeros((1, 8, 8, 1), np.float32), np.ones((1, 8), np.float32)
        >>> found = search.search(image, z, iterations=20, learning_rate=0.05)
        >>> found.images.shape, bool((found.images[1] ** 2).mean() < (found.images[0] ** 2).mean())
        ((2, 1, 8, 8, 1), True)

    Args:
        generate: (latents [N, L], offsets, each [N, H, W, C]) -> images [N, R, R, C].
        shapes: [H, W, C] of the features of each level that is freed, in their order.
        loss: (images, images) -> [N].
        penalty: on the mean square of each level's offset.
        batch: searches at once.
    """

    def __init__(
        self,
        generate: Callable,
        shapes: Sequence[tuple[int, int, int]],
        loss: Callable,
        penalty: float = 0.01,
        batch: int = 64,
    ):
        import tensorflow as tf

        if batch < 1:
            raise ArgumentError("batch", "must be 1 or more", received=batch)
        self.generate, self.shapes, self.loss = generate, list(shapes), loss
        self.penalty, self.batch = penalty, batch
        self._descend = tf.function(self._descended, autograph=False)
        self._draw = tf.function(generate, autograph=False)

    def search(
        self,
        images: np.ndarray,
        latents: np.ndarray,
        *,
        iterations: int,
        learning_rate: float,
        progress: Callable[[int], None] = lambda images: None,
    ) -> Depths:
        """Frees level after level.

        Args:
            images: [N, R, R, C] in [-1, 1].
            latents: [N, L], what an inversion found.
            iterations: steps after each level that is freed.
            learning_rate: the highest, of latents and offsets.
            progress: called with the number of images finished since the last call.
        """
        import tensorflow as tf

        seconds = np.zeros(len(self.shapes))
        how = tf.constant(iterations), tf.constant(learning_rate, tf.float32)
        pictures, found = [], []
        for begin in range(0, len(images), self.batch):
            targets, count = padded(
                np.asarray(images[begin : begin + self.batch], np.float32), self.batch
            )
            targets = tf.constant(targets)
            z = tf.constant(padded(latents[begin : begin + self.batch], self.batch)[0])
            offsets: list = []
            drawn, began = [self._draw(z, offsets)], time.perf_counter()
            for level, shape in enumerate(self.shapes):
                offsets = [*offsets, tf.zeros((self.batch, *shape))]
                z, *offsets = self._descend(targets, [z, *offsets], *how)
                drawn.append(self._draw(z, offsets))
                seconds[level] += time.perf_counter() - began
            pictures.append(np.stack([each.numpy()[:count] for each in drawn]))
            found.append(z.numpy()[:count])
            progress(count)
        return Depths(np.concatenate(pictures, axis=1), np.concatenate(found), seconds)

    def _descended(self, images, variables, iterations, learning_rate):
        import tensorflow as tf

        def losses(now):
            far = self.loss(images, self.generate(now[0], now[1:]))
            for offset in now[1:]:
                far += self.penalty * tf.reduce_mean(tf.square(offset), axis=(1, 2, 3))
            return far

        return descend(losses, variables, iterations, learning_rate)[0]


def generator_with_offsets(generator) -> Callable:
    """(latents, offsets) -> images of the part of a `pgcxr.networks.Generator` that has grown."""
    from pgcxr.networks import synthesize

    lod = float(np.asarray(generator.lod))
    return lambda z, offsets: synthesize(generator, z, lod=lod, offsets=offsets)

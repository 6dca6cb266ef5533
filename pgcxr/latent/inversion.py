"""The latent whose image is nearest to a given one, for a batch of images at once (thesis 4.2).

The generator depends only on the direction of z, so the search runs on the sphere |z| = sqrt(L):
after every step z is put back on it. The loss, one of `pgcxr.losses.residuals`, is that of each
image alone (see `pgcxr.latent.descent`). Where a search starts: `pgcxr.latent.starts`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.latent.descent import descend, padded, watched
from pgcxr.latent.starts import Start


@dataclass(frozen=True)
class Inversion:
    """The nearest images that the generator makes.

    Attributes:
        latents: [N, L] of each image's best search.
        images: [N, R, R, C] that they give, in [-1, 1].
        means: [N, R, R, C] of the images of all searches of each.
        first_losses, losses: [N], of the best search before and after.
        iterations: steps of each search.
        seconds: that it took, guesses included.
    """

    latents: np.ndarray
    images: np.ndarray
    means: np.ndarray
    first_losses: np.ndarray
    losses: np.ndarray
    iterations: int
    seconds: float


@dataclass(frozen=True)
class Descent:
    """The way of one image's searches, of T steps; at each step the best that was met until then.

    Attributes:
        means: [T + 1, R, R, C], mean of the images of all searches, in [-1, 1].
        losses: [T + 1], of the best search.
    """

    means: np.ndarray
    losses: np.ndarray


class Inverter:
    """Inverts images with one generator, loss and start; compiled once for each shape of batch.

    Example:

        >>> import tensorflow as tf
        >>> from pgcxr.latent.starts import make_bank
        >>> from pgcxr.losses.residuals import mean_pairwise_squared_error
        >>> tilt = tf.constant(np.random.default_rng(0).normal(size=(16, 64)), tf.float32)
        >>> def generate(z):  # stands for a network of 8 px
        ...     return tf.tanh(tf.reshape(z @ tilt / 8, (-1, 8, 8, 1)))
        >>> bank = make_bank(generate, np.random.default_rng(1).normal(size=(64, 16)))
        >>> inverter = Inverter(generate, bank, mean_pairwise_squared_error, starts=2, batch=8)
        >>> image = generate(tf.ones((1, 16))).numpy()
        >>> result = inverter.invert(image, iterations=20, learning_rate=0.1)
        >>> result.latents.shape, bool(result.losses[0] < 0.1 * result.first_losses[0])
        ((1, 16), True)

    Args:
        generate: latents [N, L] -> images [N, R, R, C], differentiable TensorFlow.
        start: what searches start from, see `pgcxr.latent.starts`; also `pgcxr.latent.encoder`.
        loss: (images, images) -> [N], see pgcxr.losses.residuals.
        starts: searches per image, from the best of the guesses. Each ends in a valley of its own,
            with errors of its own, which their mean lacks.
        batch: searches at once.

    Raises:
        ArgumentError: `starts` or `batch` is below 1.
    """

    def __init__(
        self, generate: Callable, start: Start, loss: Callable, starts: int = 1, batch: int = 64
    ):
        import tensorflow as tf

        for name, value in (("starts", starts), ("batch", batch)):
            if value < 1:
                raise ArgumentError(name, "must be 1 or more", received=value)
        self.generate, self.start, self.loss = generate, start, loss
        self.starts, self.queries = starts, max(batch // starts, 1)
        # autograph=False: there is no Python control flow to turn into a graph.
        self._screen = tf.function(self._screened, autograph=False)
        self._descend = tf.function(self._descended, autograph=False)
        self._watch = tf.function(self._watched, autograph=False)
        self._show = tf.function(self._shown, autograph=False)

    def invert(
        self,
        images: np.ndarray,
        *,
        iterations: int,
        learning_rate: float,
        progress: Callable[[int], None] = lambda images: None,
    ) -> Inversion:
        """Finds the latents whose images are nearest.

        Args:
            images: [N, R, R, C] in [-1, 1].
            iterations: steps of each search.
            learning_rate: the highest, of latents of length sqrt(L).
            progress: called with the number of images finished since the last call.
        """
        import tensorflow as tf

        began = time.perf_counter()
        how = tf.constant(iterations), tf.constant(learning_rate, tf.float32)
        parts = []
        for begin in range(0, len(images), self.queries):
            queries, count = padded(
                np.asarray(images[begin : begin + self.queries], np.float32), self.queries
            )
            targets = tf.constant(queries)
            z, first = self._screen(targets, tf.constant(self.start.guesses(queries, self.starts)))
            searches = self._descend(tf.repeat(targets, self.starts, axis=0), z, *how)
            parts.append([part.numpy()[:count] for part in (*self._best(*searches), first)])
            progress(count)
        latents, pictures, means, last, first = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return Inversion(
            latents, pictures, means, first, last, iterations, time.perf_counter() - began
        )

    def watch(self, image: np.ndarray, *, iterations: int, learning_rate: float) -> Descent:
        """The way to what `invert` finds for one image, which is its last step.

        Args:
            image: [R, R, C] in [-1, 1].
            iterations, learning_rate: as of `invert`.
        """
        import tensorflow as tf

        queries, _ = padded(np.asarray(image[None], np.float32), self.queries)
        targets = tf.constant(queries)
        z, _ = self._screen(targets, tf.constant(self.start.guesses(queries, self.starts)))
        how = tf.constant(iterations), tf.constant(learning_rate, tf.float32)
        path = self._watch(tf.repeat(targets, self.starts, axis=0), z, *how)[:, : self.starts]
        best, least, means, losses = None, np.full(self.starts, np.inf), [], []
        for latents in path:
            pictures, found = (part.numpy() for part in self._show(targets[:1], latents))
            better = found < least
            least = np.where(better, found, least)
            best = np.where(
                better[:, None, None, None], pictures, pictures if best is None else best
            )
            means.append(best.mean(axis=0))
            losses.append(least.min())
        return Descent(np.stack(means), np.array(losses))

    def _screened(self, images, guesses):
        """(z [B * starts, L], least loss [B]): the best of the guesses [B, P, L] of each image."""
        import tensorflow as tf

        losses = [self.loss(images, self.generate(guess)) for guess in tf.unstack(guesses, axis=1)]
        least, which = tf.math.top_k(-tf.stack(losses, axis=1), k=self.starts)
        z = tf.gather(guesses, which, batch_dims=1)  # [B, starts, L]
        return tf.reshape(z, (-1, guesses.shape[2])), -least[:, 0]

    def _best(self, z, pictures, losses):
        """Of the searches [B * starts, ...] the lowest one's latents, image and loss, and the mean
        image: [B, ...]."""
        import tensorflow as tf

        grouped = tf.reshape(losses, (-1, self.starts))
        rows = tf.range(grouped.shape[0]) * self.starts + tf.argmin(
            grouped, axis=1, output_type=tf.int32
        )
        means = tf.reduce_mean(tf.reshape(pictures, (-1, self.starts, *pictures.shape[1:])), axis=1)
        return tf.gather(z, rows), tf.gather(pictures, rows), means, tf.gather(losses, rows)

    def _descended(self, images, z, iterations, learning_rate):
        """(latents, pictures, losses) of the best that was met on the way."""
        (z,), _ = descend(
            lambda now: self.loss(images, self.generate(now[0])), [z], iterations, learning_rate
        )
        pictures = self.generate(z)
        return z, pictures, self.loss(images, pictures)

    def _watched(self, images, z, iterations, learning_rate):
        """Latents [T + 1, B * starts, L] of all steps."""
        return watched(
            lambda now: self.loss(images, self.generate(now[0])), z, iterations, learning_rate
        )

    def _shown(self, image, z):
        """(pictures, losses) of the searches of one image [1, R, R, C]."""
        import tensorflow as tf

        pictures = self.generate(z)
        return pictures, self.loss(tf.repeat(image, z.shape[0], axis=0), pictures)

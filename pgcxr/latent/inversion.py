"""The latent whose image is nearest to a given one, for a batch of images at once (thesis 4.2).

The generator depends only on the direction of z, so the search runs on the sphere |z| = sqrt(L):
after every step z is put back on it. The loss, one of `pgcxr.losses.residuals`, is summed over the
batch, never averaged, and every step of Adam is per element: an image gets the same answer alone as
in any batch.

A search that starts anywhere needs hundreds of steps. Here each image starts from the best of a few
guesses: the nearest of a bank of random images, and a linear encoder, ridge regression of latents
on pixels.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.images import reduce_by_factor
from pgcxr.latent.axes import normalize

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# Share of the steps in which the learning rate rises from nothing; it falls as a cosine over the
# rest.
WARMUP = 0.1
THUMBNAIL = 32  # px: enough to guess from
# Images of the bank that are tried beside the encoder's guess.
NEAREST = 3
ENCODER_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class Bank:
    """Random images, and a linear encoder learned from them: what searches start from.

    Attributes:
        latents: [M, L], of length sqrt(L).
        thumbnails: [M, D] of their images, see `thumbnails`.
        slopes, offset: of the encoder, [D, L] and [L].
    """

    latents: np.ndarray
    thumbnails: np.ndarray
    slopes: np.ndarray
    offset: np.ndarray

    def guesses(self, images: np.ndarray, starts: int = 1) -> np.ndarray:
        """[N, P, L]: for images [N, R, R, C] the latents of the encoder's guess, then of the bank's
        nearest images."""
        queries = thumbnails(images)
        # |a - b|^2 = |a|^2 - 2 ab + |b|^2, and |a|^2 doesn't change which b is nearest.
        distance = np.sum(self.thumbnails**2, axis=1)[None] - 2 * queries @ self.thumbnails.T
        nearest = np.argsort(distance, axis=1)[:, : max(NEAREST, starts)]
        return np.concatenate([self.encode(queries)[:, None], self.latents[nearest]], axis=1)

    def encode(self, queries: np.ndarray) -> np.ndarray:
        """Latents [N, L] that the linear encoder guesses for thumbnails [N, D]."""
        return normalize(queries @ self.slopes + self.offset).astype(np.float32)


@dataclass(frozen=True)
class Inversion:
    """The nearest images that the generator makes.

    Attributes:
        latents: [N, L] of each image's best search.
        images: [N, R, R, C] that they give, in [-1, 1].
        means: [N, R, R, C] of the images of all searches of each.
        first_losses, losses: [N], of the best search before and after.
        iterations: steps of each search.
        seconds: that it took.
    """

    latents: np.ndarray
    images: np.ndarray
    means: np.ndarray
    first_losses: np.ndarray
    losses: np.ndarray
    iterations: int
    seconds: float


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Images [N, R, R, C] box-reduced to at most `THUMBNAIL` px, flat [N, D] and each of mean 0.

    Brightness is taken out because the loss of the thesis is blind to it.
    """
    small = reduce_by_factor(images, max(images.shape[1] // THUMBNAIL, 1))
    flat = small.reshape(len(images), -1).astype(np.float32)
    return flat - flat.mean(axis=1, keepdims=True)


def make_bank(generate: Callable, latents: np.ndarray, batch: int = 64) -> Bank:
    """The images of random latents, and the encoder fitted on four fifths of them with the ridge
    that is best on the rest.

    Args:
        generate: latents [N, L] -> images [N, R, R, C], a TensorFlow function.
        latents: [M, L] of any length.
        batch: images at once.

    Raises:
        ArgumentError: no latents.
    """
    if not len(latents):
        raise ArgumentError("latents", "must hold one latent at least", received="none")
    latents = normalize(latents).astype(np.float32)
    flat = np.concatenate([thumbnails(images) for images in _in_batches(generate, latents, batch)])
    fitted = max(int(len(latents) * 0.8), 1)
    slopes, offset = _linear_encoder(
        flat[:fitted], latents[:fitted], flat[fitted:], latents[fitted:]
    )
    return Bank(latents, flat, slopes.astype(np.float32), offset.astype(np.float32))


class Inverter:
    """Inverts images with one generator, one loss, one bank; compiled once for each shape of batch.

    Example:

        >>> import tensorflow as tf
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
        bank: see `make_bank`.
        loss: (images, images) -> [N], see pgcxr.losses.residuals.
        starts: searches per image, from the best of the encoder's guess and the bank's nearest
            images. Each ends in a valley of its own, with errors of its own, which their mean
            lacks.
        batch: searches at once.

    Raises:
        ArgumentError: `starts` or `batch` is below 1.
    """

    def __init__(
        self, generate: Callable, bank: Bank, loss: Callable, starts: int = 1, batch: int = 64
    ):
        import tensorflow as tf

        for name, value in (("starts", starts), ("batch", batch)):
            if value < 1:
                raise ArgumentError(name, "must be 1 or more", received=value)
        self.generate, self.bank, self.loss = generate, bank, loss
        self.starts, self.queries = starts, max(batch // starts, 1)
        # autograph=False: there is no Python control flow to turn into a graph.
        self._screen = tf.function(self._screened, autograph=False)
        self._descend = tf.function(self._descended, autograph=False)

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
        rates = tf.constant(_schedule(iterations, learning_rate), tf.float32)
        parts = []
        for begin in range(0, len(images), self.queries):
            queries, count = _padded(
                np.asarray(images[begin : begin + self.queries], np.float32), self.queries
            )
            targets = tf.constant(queries)
            z, first = self._screen(targets, tf.constant(self.bank.guesses(queries, self.starts)))
            searches = self._descend(tf.repeat(targets, self.starts, axis=0), z, rates)
            parts.append([part.numpy()[:count] for part in (*self._best(*searches), first)])
            progress(count)
        latents, pictures, means, last, first = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return Inversion(
            latents, pictures, means, first, last, iterations, time.perf_counter() - began
        )

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

    def _descended(self, images, z, rates):
        """(latents, pictures, losses): all steps of Adam on the sphere; the best latent met on the
        way is kept."""
        import tensorflow as tf

        size = tf.sqrt(tf.cast(z.shape[1], tf.float32))

        def step(index, z, mean, square, best, least):
            with tf.GradientTape() as tape:
                tape.watch(z)
                losses = self.loss(images, self.generate(z))
                total = tf.reduce_sum(losses)
            slope = tape.gradient(total, z)
            better = losses < least
            best, least = tf.where(better[:, None], z, best), tf.where(better, losses, least)
            number = tf.cast(index + 1, tf.float32)
            mean = BETA1 * mean + (1 - BETA1) * slope
            square = BETA2 * square + (1 - BETA2) * tf.square(slope)
            z -= (
                rates[index]
                * (mean / (1 - BETA1**number))
                / (tf.sqrt(square / (1 - BETA2**number)) + EPSILON)
            )
            return (
                index + 1,
                z * size / tf.norm(z, axis=1, keepdims=True),
                mean,
                square,
                best,
                least,
            )

        nothing = tf.zeros_like(z)
        start = (tf.constant(0), z, nothing, nothing, z, tf.fill([z.shape[0]], np.float32(np.inf)))
        _, z, _, _, best, least = tf.while_loop(
            lambda index, *_: index < tf.shape(rates)[0], step, start, parallel_iterations=1
        )
        z = tf.where((self.loss(images, self.generate(z)) < least)[:, None], z, best)
        pictures = self.generate(z)
        return z, pictures, self.loss(images, pictures)


def _schedule(iterations: int, learning_rate: float) -> np.ndarray:
    """Learning rate of each step: a short linear rise, then half a cosine down to nothing."""
    step = (np.arange(iterations) + 1) / max(iterations, 1)
    return (
        learning_rate
        * np.minimum(step / WARMUP, 1.0)
        * 0.5
        * (1 + np.cos(np.pi * np.clip(step, 0, 1) * 0.98))
    )


def _linear_encoder(
    flat, latents, flat_held_out, latents_held_out
) -> tuple[np.ndarray, np.ndarray]:
    """(slopes [D, L], offset [L]) of ridge regression from pixels to latents, in its dual form: M <
    D as a rule. One decomposition serves all ridges; scikit-learn's Ridge makes one for each."""
    mean_x, mean_z = flat.mean(axis=0, dtype=np.float64), latents.mean(axis=0, dtype=np.float64)
    x, z = flat - mean_x, latents - mean_z
    values, vectors = np.linalg.eigh(x @ x.T)
    values = np.maximum(values, 0.0)
    turned = vectors.T @ z
    scale = values.mean() + np.finfo(float).tiny
    best, chosen = np.inf, None
    for ridge in ENCODER_RIDGES:
        dual = vectors @ (turned / (values + ridge * scale)[:, None])
        slopes = x.T @ dual
        if len(flat_held_out):
            error = np.mean(((flat_held_out - mean_x) @ slopes + mean_z - latents_held_out) ** 2)
        else:
            error = ridge
        if error < best:
            best, chosen = error, slopes
    return chosen, mean_z - mean_x @ chosen


def _padded(images: np.ndarray, batch: int) -> tuple[np.ndarray, int]:
    """A batch filled up with copies of its last image (one shape, one trace), and how many of it
    are real."""
    count = len(images)
    return (
        images
        if count == batch
        else np.concatenate([images, np.repeat(images[-1:], batch - count, axis=0)])
    ), count


def _in_batches(generate: Callable, latents: np.ndarray, batch: int):
    import tensorflow as tf

    run = tf.function(generate, autograph=False)
    for begin in range(0, len(latents), batch):
        part, count = _padded(latents[begin : begin + batch], batch)
        yield run(tf.constant(part)).numpy()[:count]

"""Where searches for a latent start: at guesses for each image, of which the best are taken.

A search that starts anywhere needs hundreds of steps. A bank of random images knows the nearest of
them, and a linear encoder, ridge regression of latents on pixels; `pgcxr.latent.encoder` is a
network that guesses better.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.images import reduce_by_factor
from pgcxr.latent.axes import normalize
from pgcxr.latent.descent import padded

THUMBNAIL = 32  # px: enough to guess from
# Images of the bank that are tried beside the encoder's guess.
NEAREST = 3
ENCODER_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


class Start(Protocol):
    """What searches start from."""

    def guesses(self, images: np.ndarray, starts: int = 1) -> np.ndarray:
        """[N, P, L]: for images [N, R, R, C] latents of length sqrt(L), P of them from `starts`
        up."""


@dataclass(frozen=True)
class RandomStart:
    """Random latents, as in the thesis: an image gets the same in any batch.

    Attributes:
        latent_size: L.
        seed: one seed, the same latents for the same pixels.
    """

    latent_size: int
    seed: int

    def guesses(self, images: np.ndarray, starts: int = 1) -> np.ndarray:
        """[N, starts, L]."""
        shape = (starts, self.latent_size)
        return np.stack(
            [normalize(self._rng(each).standard_normal(shape)) for each in images]
        ).astype(np.float32)

    def _rng(self, image: np.ndarray) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(np.ascontiguousarray(image).tobytes())])


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


def _in_batches(generate: Callable, latents: np.ndarray, batch: int):
    import tensorflow as tf

    run = tf.function(generate, autograph=False)
    for begin in range(0, len(latents), batch):
        part, count = padded(latents[begin : begin + batch], batch)
        yield run(tf.constant(part)).numpy()[:count]

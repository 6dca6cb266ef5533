"""A network that guesses the latent of an image, and corrects its guess a few times.

As ReStyle does (Alaluf et al., ICCV 2021): each pass sees the image, what the generator makes of
the guess so far, and the difference of the two, and adds to the guess: z <- z + E([x, G(z), x -
G(z)]), put back on the sphere. The first guess is no latent, z = 0, whose image lies in the middle
of all.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops


def encoder_network(
    size: int, channels: int, latent_size: int, widths: tuple[int, ...], hidden: int
) -> keras.Model:
    """[N, size, size, 3 channels] (image, guess, difference) -> what is added to latents, [N, L].

    Args:
        size: a multiple of 2^len(widths).
        channels: of an image.
        latent_size: L.
        widths: filters at half the size, at a quarter and so on.
        hidden: units of the layer before the last.
    """
    inputs = x = keras.Input((size, size, 3 * channels))
    for place, width in enumerate(widths):
        x = layers.Conv2D(width, 3, strides=2, padding="same", kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        if place:  # at half the size it would take as long as all the rest
            x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Dense(hidden, kernel_initializer="he_normal")(layers.Flatten()(x))
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(inputs, layers.Dense(latent_size)(x), name="latent_encoder")


def refine(encoder: keras.Model, images, latents, pictures):
    """Latents [N, L] on the sphere after one pass more.

    Args:
        images: [N, R, R, C] in [-1, 1].
        latents: [N, L], of length sqrt(L) or 0.
        pictures: [N, R, R, C], what the generator makes of them.
    """
    seen = ops.concatenate([images, pictures, images - pictures], axis=-1)
    moved = latents + encoder(seen)
    length = ops.sqrt(ops.sum(ops.square(moved), axis=1, keepdims=True) + 1e-12)
    return moved * float(np.sqrt(moved.shape[1])) / length


def first_guess(generate: Callable, images, latent_size: int):
    """(z = 0 [N, L], its image [N, R, R, C]) from which the passes go on."""
    zeros = ops.zeros((ops.shape(images)[0], latent_size))
    return zeros, ops.broadcast_to(generate(zeros[:1]), ops.shape(images))


class EncoderStart:
    """What an encoder guesses, as a start of `pgcxr.latent.inversion.Inverter`.

    Args:
        encoder: see `encoder_network`.
        generate: latents [N, L] -> images [N, R, R, C], for which it was trained.
        passes: how often the guess is corrected.
    """

    def __init__(self, encoder: keras.Model, generate: Callable, passes: int):
        import tensorflow as tf

        self.encoder, self.generate, self.passes = encoder, generate, passes
        self._run = tf.function(self._passed, autograph=False)

    def guesses(self, images: np.ndarray, starts: int = 1) -> np.ndarray:
        """[N, starts, L]: the guesses after the last passes, of which there are `passes`, or as
        many as `starts`."""
        return self._run(ops.convert_to_tensor(images), max(self.passes, starts)).numpy()[
            :, -starts:
        ]

    def _passed(self, images, passes: int):
        """[N, passes, L]"""
        latents, pictures = first_guess(self.generate, images, self.encoder.output_shape[1])
        found = []
        for _ in range(passes):
            latents = refine(self.encoder, images, latents, pictures)
            found.append(latents)
            if len(found) < passes:
                pictures = self.generate(latents)
        return ops.stack(found, axis=1)

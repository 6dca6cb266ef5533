"""A generator whose latent directions are known patterns, and a classifier that reads them: for
tests of axes and of what is made with them."""

import keras
import numpy as np
from keras import ops

from pgcxr import networks
from pgcxr.cohort.findings import FINDINGS
from pgcxr.latent.axes import unit

SIZE, LATENTS = 8, 20
# Where each finding lies, and how much of its latent direction it takes to show: the last is rare.
PLACES = ((1, 1), (1, 5), (4, 1), (4, 5), (6, 3))
OFFSETS = (-2.0, -2.0, -2.0, -2.0, -3.6)


def directions() -> np.ndarray:
    drawn = unit(np.random.default_rng(11).normal(size=(len(FINDINGS), LATENTS)))
    drawn[1] = unit(0.5 * drawn[0] + 0.85 * drawn[1])
    return drawn.astype(np.float32)


def patterns() -> np.ndarray:
    held = np.zeros((len(FINDINGS), SIZE, SIZE, 1), np.float32)
    for index, (y, x) in enumerate(PLACES):
        held[index, y : y + 2, x : x + 2] = 1.0
    return held


@keras.saving.register_keras_serializable(package="pgcxr-tests")
class Known(networks.Generator):
    """Gray images with a bright 2 x 2 square for each finding, as bright as sigmoid(2 (u .
    direction) + offset)."""

    def call(self, latents, labels=None, level=None, fade=None):
        u = self.pixel_norm(latents)
        strength = ops.sigmoid(2.0 * ops.matmul(u, directions().T) + np.array(OFFSETS, np.float32))
        return 1.6 * ops.tensordot(strength, patterns(), axes=1) - 0.8


@keras.saving.register_keras_serializable(package="pgcxr-tests")
class Told(networks.Generator):
    """Like `Known`, of which finding shows a label says alone: the last five numbers of what it is
    given, latents and labels (normal first)."""

    def call(self, latents, labels=None, level=None, fade=None):
        u = self.pixel_norm(
            latents if labels is None else ops.concatenate([latents, labels], axis=-1)
        )
        strength = ops.sigmoid(8.0 * (u[:, -len(FINDINGS) :] - 0.5))
        return 1.6 * ops.tensordot(strength, patterns(), axes=1) - 0.8


def reading() -> keras.Model:
    """Reads the brightness of each square; normal where no square is bright."""
    inputs = keras.Input((SIZE, SIZE, 1), name="images")
    same = keras.layers.Conv2D(1, 1, name="conv2_block1_out")
    dense = keras.layers.Dense(6, name="logits")
    outputs = keras.layers.Activation("sigmoid", name="predictions")(
        dense(keras.layers.Flatten()(same(inputs)))
    )
    model = keras.Model(inputs, outputs)
    same.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    squares = (
        patterns().reshape(len(FINDINGS), -1) / 4
    )  # a row's product with an image is its square's brightness
    # Brightness -0.8 ... 0.8 becomes a logit of -6 ... 6; normal is their sum, turned round.
    weights = np.concatenate([-3.0 * squares.sum(axis=0, keepdims=True), 7.5 * squares]).T
    dense.set_weights([weights, np.array([-8.0, 0, 0, 0, 0, 0])])
    return model

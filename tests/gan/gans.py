"""Small GANs for tests of the training step."""

import keras
import numpy as np
import tensorflow as tf

from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.networks import Discriminator, Generator

SIZES = {"resolution": 16, "fmap_base": 32, "fmap_max": 8}


def small_gan(
    seed=0, mirror=False, mbstd_group_size=4, jit_compile=False, minimal_filtering=False, **sizes
) -> ProgressiveGAN:
    """Compiled, of SIZES changed by `sizes`; weights depend on the seed alone."""
    keras.utils.set_random_seed(seed)
    sizes = SIZES | sizes
    discriminator = Discriminator(**sizes, mbstd_group_size=mbstd_group_size)
    gan = ProgressiveGAN(Generator(**sizes), discriminator, seed=seed, mirror=mirror)
    gan.compile(jit_compile=jit_compile, minimal_filtering=minimal_filtering)
    return gan


class Catch:
    """Stands where the optimizer does and keeps the gradients."""

    def scale_loss(self, loss):
        return loss

    unscale = scale_loss

    def apply(self, gradients, variables):
        self.gradients = dict(
            zip([v.path for v in variables], map(np.asarray, gradients), strict=True)
        )


def nhwc(array):
    """The original's layout -> ours."""
    return tf.constant(array.transpose(0, 2, 3, 1))


def inputs(count: int, size: int, latent_size: int = 8, labels: int = 0, seed: int = 0) -> dict:
    """Arguments of `discriminator_step` ("reals", "latents", "mixing") and, for labels > 0,
    "labels"."""
    rng = np.random.default_rng(seed)
    values = {
        "reals": tf.constant(rng.uniform(-1, 1, (count, size, size, 1)), tf.float32),
        "latents": tf.constant(rng.standard_normal((count, latent_size)), tf.float32),
        "mixing": tf.constant(rng.uniform(size=(count, 1, 1, 1)), tf.float32),
    }
    if labels:
        values["labels"] = tf.constant(np.eye(labels)[rng.integers(labels, size=count)], tf.float32)
    return values


def weights(gan: ProgressiveGAN) -> list:
    """All that an update may change: networks and moments."""
    kept = (
        gan.generator.weights
        + gan.discriminator.weights
        + gan.g_optimizer.variables
        + gan.d_optimizer.variables
    )
    return [np.array(variable) for variable in kept]

"""Adam for many searches at once, each of which counts alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# Share of the steps in which the learning rate rises from nothing; it falls as a cosine over the
# rest.
WARMUP = 0.1


def descend(
    losses_of: Callable, variables: Sequence, iterations, learning_rate
) -> tuple[list, object]:
    """All steps of Adam; the best that each search met on its way is kept.

    The losses are summed over the searches, never averaged, and every step is per element: a search
    goes the same way alone as in any batch.

    Args:
        losses_of: variables -> losses [N].
        variables: tensors [N, ...]; the first holds latents, which stay on the sphere.
        iterations: number of steps, a tensor, so that one graph serves all.
        learning_rate: the highest, a tensor: after a short linear rise it falls as half a cosine.

    Returns:
        (variables, losses [N]).
    """
    best, least, _ = _descended(losses_of, variables, iterations, learning_rate, with_path=False)
    return best, least


def watched(losses_of: Callable, latents, iterations, learning_rate):
    """What `descend` does with latents [N, L] alone, and the way that it goes.

    Returns:
        Latents [T + 1, N, L] after none to all T steps.
    """
    _, _, path = _descended(losses_of, [latents], iterations, learning_rate, with_path=True)
    return path.stack()


def _descended(
    losses_of: Callable, variables: Sequence, iterations, learning_rate, with_path: bool
) -> tuple[list, Any, Any]:
    """(the best variables, their losses, a TensorArray of the latents before each step and after
    the last; empty without `with_path`)."""
    import tensorflow as tf

    size = tf.sqrt(tf.cast(variables[0].shape[1], tf.float32))
    count = variables[0].shape[0]

    def better_of(new, losses, best, least):
        which = losses < least
        chosen = [
            tf.where(tf.reshape(which, [count] + [1] * (len(one.shape) - 1)), one, other)
            for one, other in zip(new, best, strict=True)
        ]
        return chosen, tf.where(which, losses, least)

    def step(index, now, means, squares, best, least, path):
        path = path.write(index, now[0]) if with_path else path
        with tf.GradientTape() as tape:
            tape.watch(now)
            losses = losses_of(now)
            total = tf.reduce_sum(losses)
        slopes = tape.gradient(total, now)
        best, least = better_of(now, losses, best, least)
        number = tf.cast(index + 1, tf.float32)
        rate = learning_rate * share_of_rate(number / tf.cast(iterations, tf.float32))
        means = [BETA1 * m + (1 - BETA1) * g for m, g in zip(means, slopes, strict=True)]
        squares = [
            BETA2 * s + (1 - BETA2) * tf.square(g) for s, g in zip(squares, slopes, strict=True)
        ]
        now = [
            value - rate * (m / (1 - BETA1**number)) / (tf.sqrt(s / (1 - BETA2**number)) + EPSILON)
            for value, m, s in zip(now, means, squares, strict=True)
        ]
        now[0] = now[0] * size / tf.norm(now[0], axis=1, keepdims=True)
        return index + 1, now, means, squares, best, least, path

    now = list(variables)
    nothing = [tf.zeros_like(value) for value in now]
    least = tf.fill([count], np.float32(np.inf))
    way = tf.TensorArray(
        tf.float32, iterations + 1 if with_path else 0, element_shape=variables[0].shape
    )
    start = (tf.constant(0), now, nothing, nothing, now, least, way)
    _, now, _, _, best, least, way = tf.while_loop(
        lambda index, *_: index < iterations, step, start, parallel_iterations=1
    )
    way = way.write(iterations, now[0]) if with_path else way
    return *better_of(now, losses_of(now), best, least), way


def share_of_rate(done):
    """Of the highest learning rate, where `done` in (0, 1] of the steps are."""
    import tensorflow as tf

    return tf.minimum(done / WARMUP, 1.0) * 0.5 * (1 + tf.cos(np.pi * 0.98 * done))


def padded(images: np.ndarray, batch: int) -> tuple[np.ndarray, int]:
    """A batch filled up with copies of its last image (one shape, one trace), and how many of it
    are real."""
    count = len(images)
    return (
        images
        if count == batch
        else np.concatenate([images, np.repeat(images[-1:], batch - count, axis=0)])
    ), count

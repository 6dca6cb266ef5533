"""Random numbers of the training step: TensorFlow's own, on any number of replicas."""

import numpy as np
import pytest
import tensorflow as tf

from pgcxr.gan import devices, draws


@pytest.mark.parametrize(("n", "shape"), [(8, (4,)), (3, (5,)), (4, (1, 1, 1))])
def test_they_are_tensorflows_philox_numbers(n, shape):
    key = tf.constant([7 * 8 + draws.MIXING, 24], tf.int64)
    ours = draws.normal(7, draws.MIXING, key[1], n, shape)
    np.testing.assert_allclose(ours, tf.random.stateless_normal((n, *shape), key), atol=2e-6)
    ours = draws.uniform(7, draws.MIXING, key[1], n, shape)
    np.testing.assert_array_equal(ours, tf.random.stateless_uniform((n, *shape), key))


def test_indices_come_as_often_as_they_should():
    ends = np.cumsum([300, 0, 100])
    picked = draws.pick(0, draws.LABELS_G, tf.constant(0, tf.int64), 4000, ends).numpy()
    np.testing.assert_allclose(np.bincount(picked, minlength=3) / 4000, [0.75, 0, 0.25], atol=0.03)


def test_replicas_share_the_numbers_of_the_global_batch():
    seen = tf.constant(16, tf.int64)

    def all_three(n):
        return (
            draws.normal(1, draws.LATENTS_G, seen, n, (4,)),
            draws.uniform(1, draws.MIRROR, seen, n, (1,)),
            draws.pick(1, draws.LABELS_G, seen, n, np.array([3, 10])),
        )

    strategy = devices.strategy(2, ["CPU:0", "CPU:1"])
    halves = [
        np.concatenate(strategy.experimental_local_results(part))
        for part in strategy.run(all_three, args=(4,))
    ]
    for ours, whole in zip(halves, all_three(8), strict=True):
        np.testing.assert_array_equal(ours, whole)

"""The whole training step compiled by XLA: the same numbers, in both half-phases, with labels; and
on replicas."""

import numpy as np
import pytest
import tensorflow as tf

from pgcxr.gan import devices
from tests.gan.gans import small_gan


def _trained(strategy, jit_compile: bool, levels: list) -> tuple[np.ndarray, list]:
    rng = np.random.default_rng(0)
    with strategy.scope():
        gan = small_gan(resolution=8, label_size=2, mirror=True, jit_compile=jit_compile)
    histories = []
    for level, fading in levels:
        size = 2**level
        reals = rng.integers(0, 256, (2, 8, size, size, 1), np.uint8)
        labels = np.eye(2, dtype=np.float32)[rng.integers(2, size=(2, 8))]
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        data = tf.data.Dataset.from_tensor_slices((reals, labels)).with_options(options)
        gan.grow_to(level, fading, 8, 0.9)
        gan.set_point(3 - level + 0.5 * fading, 0.001)
        histories.append(gan.fit(data, steps_per_epoch=2, verbose=0, shuffle=False).history)
    assert int(np.asarray(gan.cur_nimg)) == 16 * len(levels)
    weights = gan.generator_ema.weights + gan.generator.weights + gan.discriminator.weights
    return np.concatenate([np.ravel(weight) for weight in weights]), histories


@pytest.mark.parametrize(("replicas", "levels"), [(1, [(3, True)]), (2, [(2, False)])])
def test_xla_trains_as_tensorflow_does(replicas, levels):
    strategy = devices.strategy(replicas, ["CPU:0", "CPU:1"])
    expected, plain = _trained(strategy, False, levels)
    found, compiled = _trained(strategy, True, levels)
    for ours, theirs in zip(compiled, plain, strict=True):
        assert set(ours) == set(theirs)
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, rtol=1e-3, atol=1e-5, err_msg=name)
    # As between any two orders of summation: a gradient that is rounding noise costs a weight a few
    # steps of 1e-3.
    differences = np.abs(found - expected)
    assert np.quantile(differences, 0.99) < 1e-5 and differences.max() < 5e-3

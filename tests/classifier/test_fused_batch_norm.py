"""The fused kernel against Keras's own layer: values, gradients and moving averages."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgcxr.classifier.fused_batch_norm import FusedBatchNormalization


def _both(dtype="float32"):
    rng = np.random.default_rng(1)
    weights = [
        rng.normal(1, 0.3, 5),
        rng.normal(0, 1, 5),
        rng.normal(0, 1, 5),
        rng.uniform(0.5, 2, 5),
    ]
    for kind in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer = kind(momentum=0.7, epsilon=1.001e-5, dtype=dtype)
        layer.build((None, 3, 4, 5))
        layer.set_weights([part.astype(np.float32) for part in weights])
        yield layer


def _trained(layer, x, dtype="float32"):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32) * 2) * np.arange(5, dtype=np.float32))
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    return [np.asarray(each, np.float32) for each in (y, *gradients, *layer.get_weights())]


@pytest.mark.parametrize("count", [1, 6])
def test_a_training_step_is_that_of_keras(count):
    x = np.random.default_rng(0).normal(3, 2, (count, 3, 4, 5)).astype(np.float32)
    plain, fused = (_trained(layer, x) for layer in _both())
    for ours, theirs in zip(fused, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)


def test_float16_activations_have_float32_statistics():
    x = np.random.default_rng(0).normal(3, 2, (6, 3, 4, 5))
    plain, fused = (_trained(layer, x, "float16") for layer in _both("mixed_float16"))
    for ours, theirs in zip(fused, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=0.02)


def test_inference_reads_the_moving_averages_and_leaves_them():
    x = np.random.default_rng(0).normal(3, 2, (2, 3, 4, 5)).astype(np.float32)
    plain, fused = _both()
    before = fused.get_weights()
    for training in (False, None):
        np.testing.assert_allclose(
            fused(x, training=training), plain(x, training=training), rtol=1e-5, atol=1e-5
        )
    assert all((old == new).all() for old, new in zip(before, fused.get_weights(), strict=True))

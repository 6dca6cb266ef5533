"""ResNet: equal to keras.applications.ResNet50, and what else it can be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgcxr.classifier import network
from pgcxr.errors import InputError


@pytest.fixture(scope="module")
def original():
    """keras.applications.ResNet50 with settled (not initial) batch statistics, so that none is left
    out unseen."""
    model = keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (
                rng.normal(0, 0.1, value.shape) for value in layer.get_weights()
            )
            layer.set_weights([1 + gamma, beta, mean, np.exp(variance)])
        elif layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, 0.1, bias.shape)])
    return model


def test_default_is_resnet50(original):
    ours = network.resnet(64, 6, channels=3)
    for layer in original.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    images = np.random.default_rng(1).normal(0, 1, (2, 64, 64, 3)).astype(np.float32)
    features = keras.Model(ours.input, ours.get_layer("conv5_block3_out").output)
    np.testing.assert_allclose(features(images), original(images), rtol=1e-4, atol=1e-4)
    # 23,587,712 is the number that keras.applications documents for ResNet-50 without its top.
    assert ours.count_params() == 23_587_712 + 6 * 2048 + 6


def test_weights_file(original, tmp_path, monkeypatch):
    """Inside the image the first layer's response is that of the file's network on its own
    input."""
    # What a file is loaded into is made once: all of its weights are the file's.
    asked = {"include_top": False, "weights": None, "input_shape": (None, None, 3)}
    once = keras.applications.ResNet50(**asked)
    made = []
    monkeypatch.setattr(
        keras.applications, "ResNet50", lambda **options: made.append(options) or once
    )
    path = tmp_path / "resnet50.weights.h5"
    original.save_weights(path)
    ours = network.resnet(64, 1)
    network.load_weights_file(ours, path)
    gray = np.random.default_rng(2).uniform(-1, 1, (2, 64, 64, 1)).astype(np.float32)
    theirs = keras.applications.resnet50.preprocess_input(np.repeat(127.5 * (gray + 1), 3, axis=-1))
    found = keras.Model(ours.input, ours.get_layer("conv1_conv").output)(gray)
    wanted = keras.Model(original.input, original.get_layer("conv1_conv").output)(theirs)
    # Two pixels at each border see the padding, which is black there and mean gray here.
    np.testing.assert_allclose(found[:, 2:-2, 2:-2], wanted[:, 2:-2, 2:-2], rtol=1e-3, atol=1e-2)
    for name in ("conv2_block1_0_conv", "conv5_block3_3_bn"):
        for mine, given in zip(
            ours.get_layer(name).get_weights(), original.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(mine, given)

    with pytest.raises(InputError, match="another shape"):
        network.load_weights_file(network.resnet(64, 1, width=4), path)
    with pytest.raises(InputError, match="other stages"):
        network.load_weights_file(network.resnet(64, 1, blocks=(3, 4, 6), width=4), path)
    (tmp_path / "text.weights.h5").write_text("not weights")
    with pytest.raises(InputError, match="is not a weights file"):
        network.load_weights_file(ours, tmp_path / "text.weights.h5")
    with pytest.raises(InputError, match="no such weights file"):
        network.load_weights_file(ours, tmp_path / "absent.h5")
    assert made == [asked] * 4


@pytest.mark.parametrize(("stem", "end"), [("imagenet", 2), ("half", 4), ("small", 8)])
def test_stems_and_logits(stem, end):
    model = network.resnet(32, 6, blocks=(1, 2, 1), width=4, stem=stem)
    assert model.get_layer(network.last_stage(model)).output.shape[1:] == (end, end, 64)
    images = np.random.default_rng(3).normal(0, 1, (3, 32, 32, 1)).astype(np.float32)
    logits, probabilities = (
        np.asarray(network.with_logits(model)(images)),
        np.asarray(model(images)),
    )
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits)), rtol=1e-5)
    assert logits.shape == (3, 6) and logits.std() > 0


def test_names_and_errors():
    assert network.architecture((3, 4, 6, 3), 64, "imagenet") == "ResNet-50"
    assert "not ResNet-50" in network.architecture((3, 4, 6, 3), 64, "small")
    with pytest.raises(InputError, match="too small"):
        network.resnet(16, 1)
    with pytest.raises(InputError, match="choose one of"):
        network.resnet(32, 1, stem="large")


def _normalizations(dtype="float32"):
    rng = np.random.default_rng(1)
    weights = [
        rng.normal(1, 0.3, 5),
        rng.normal(0, 1, 5),
        rng.normal(0, 1, 5),
        rng.uniform(0.5, 2, 5),
    ]
    for kind in (keras.layers.BatchNormalization, network.FusedBatchNormalization):
        layer = kind(momentum=0.7, epsilon=1.001e-5, dtype=dtype)
        layer.build((None, 3, 4, 5))
        layer.set_weights([part.astype(np.float32) for part in weights])
        yield layer


def _training_step(layer, x, dtype="float32"):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32) * 2) * np.arange(5, dtype=np.float32))
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    return [np.asarray(each, np.float32) for each in (y, *gradients, *layer.get_weights())]


@pytest.mark.parametrize("count", [1, 6])
def test_a_training_step_of_fused_normalization_is_that_of_keras(count):
    x = np.random.default_rng(0).normal(3, 2, (count, 3, 4, 5)).astype(np.float32)
    plain, fused = (_training_step(layer, x) for layer in _normalizations())
    for ours, theirs in zip(fused, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)


def test_fused_normalization_of_float16_has_float32_statistics():
    x = np.random.default_rng(0).normal(3, 2, (6, 3, 4, 5))
    plain, fused = (
        _training_step(layer, x, "float16") for layer in _normalizations("mixed_float16")
    )
    for ours, theirs in zip(fused, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=0.02)


def test_fused_normalization_reads_the_moving_averages_and_leaves_them():
    x = np.random.default_rng(0).normal(3, 2, (2, 3, 4, 5)).astype(np.float32)
    plain, fused = _normalizations()
    before = fused.get_weights()
    for training in (False, None):
        np.testing.assert_allclose(
            fused(x, training=training), plain(x, training=training), rtol=1e-5, atol=1e-5
        )
    assert all((old == new).all() for old, new in zip(before, fused.get_weights(), strict=True))

"""Grad-CAM on a network whose map is known by hand, and CAM, which it must be up to sign and
factor."""

import keras
import numpy as np
from keras import layers

from pgcxr.classifier import network
from pgcxr.classifier.gradcam import cam, gradcam


def _linear(kernel, dense) -> keras.Model:
    """Image -> 1x1 convolution (A = kernel_k * x) -> mean -> logits = A's means times dense."""
    inputs = keras.Input((4, 6, 1))
    x = layers.Conv2D(len(kernel), 1, use_bias=False, name="conv2_block1_out")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(dense.shape[1], name="logits")(x)
    model = keras.Model(inputs, layers.Activation("sigmoid", name="predictions")(x))
    model.get_layer("conv2_block1_out").set_weights([np.float32(kernel).reshape(1, 1, 1, -1)])
    model.get_layer("logits").set_weights([np.float32(dense), np.zeros(dense.shape[1], np.float32)])
    return model


def test_map_of_a_linear_network():
    kernel, dense = np.array([2.0, -1.0]), np.array([[3.0, -1.0], [1.0, 4.0]])
    images = np.random.default_rng(0).normal(0, 1, (5, 4, 6, 1)).astype(np.float32)
    model = _linear(kernel, dense)
    for output in (0, 1):
        # d(logit) / d A_k = dense[k, output] / 24 at each of the 24 places, and so is its mean.
        wanted = np.maximum(images[..., 0] * (kernel * dense[:, output]).sum() / 24, 0)
        np.testing.assert_allclose(gradcam(model, images, output, batch_size=2), wanted, atol=1e-6)


def test_a_place_lights_up_that_makes_the_difference():
    """A nonlinear twin: only what lies above 0 speaks, and the map lies there."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(1, 1, use_bias=False, activation="relu", name="conv2_block1_out")(inputs)
    x = layers.Dense(1, name="logits")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Activation("sigmoid", name="predictions")(x))
    model.get_layer("conv2_block1_out").set_weights([np.ones((1, 1, 1, 1), np.float32)])
    model.get_layer("logits").set_weights([np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    image = np.full((1, 8, 8, 1), -0.5, np.float32)
    image[0, 2:4, 5:7] = 0.8
    found = gradcam(model, image)[0]
    assert (found > 0).sum() == 4 and (found[2:4, 5:7] > 0).all()
    # Where the score is saturated the map does not vanish: it explains the logit, not the
    # probability.
    model.get_layer("logits").set_weights(
        [np.full((1, 1), 1e4, np.float32), np.zeros(1, np.float32)]
    )
    assert gradcam(model, image)[0, 2, 5] > 100


def test_cam_by_hand():
    kernel, dense = np.array([2.0, -1.0]), np.array([[3.0, -1.0], [1.0, 4.0]])
    images = np.random.default_rng(0).normal(0, 1, (5, 4, 6, 1)).astype(np.float32)
    for output in (0, 1):
        wanted = images[..., 0] * (kernel * dense[:, output]).sum()
        np.testing.assert_allclose(
            cam(_linear(kernel, dense), images, output, batch_size=2), wanted, atol=1e-5
        )


def test_gradcam_is_cam_for_a_network_that_ends_in_pooling_and_one_dense_layer():
    """The identity of Selvaraju et al., section 3.1: one by the gradient, the other by the
    weights."""
    keras.utils.set_random_seed(4)
    model = network.resnet(24, 3, blocks=(1, 1), width=4, stem="small")
    images = np.random.default_rng(1).uniform(-1, 1, (3, 24, 24, 1)).astype(np.float32)
    places = 12 * 12
    for output in (0, 2):
        found = cam(model, images, output)
        assert found.shape == (3, 12, 12) and (found < 0).any() and (found > 0).any()
        np.testing.assert_allclose(
            gradcam(model, images, output), np.maximum(found, 0) / places, atol=1e-6
        )
        # And both account for the whole logit.
        logits = np.asarray(network.with_logits(model)(images))[:, output]
        np.testing.assert_allclose(found.mean(axis=(1, 2)), logits, rtol=1e-4)  # its bias is 0

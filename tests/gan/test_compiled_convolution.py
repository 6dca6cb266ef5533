"""The compiled convolutions and their first and second gradients against TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf

from pgcxr.gan import compiled_convolution
from pgcxr.networks import convolution, minimal_filtering
from tests.gan.gans import small_gan

NAMES = ("convolve", "upscale_convolve", "fused_upscale_convolve", "fused_convolve_downscale")


@pytest.fixture(autouse=True)
def everything_suits(monkeypatch):
    monkeypatch.setattr(compiled_convolution, "suits", minimal_filtering.suits)
    monkeypatch.setattr(convolution, "LARGE", 1)


def drawn(name):
    rng = np.random.default_rng(0)
    kernel = (3, 3, 5, 3) if name == "fused_upscale_convolve" else (3, 3, 3, 5)
    return [tf.constant(rng.standard_normal(shape, np.float32)) for shape in ((4, 4, 4, 3), kernel)]


def values_and_gradients(function, x, kernel, means):
    """y, dP/dx, dP/dkernel and the gradients of a function of dP/dx: what WGAN-GP needs."""
    with convolution.by(means):

        @tf.function
        def compute(x, kernel):
            with tf.GradientTape(persistent=True) as outer:
                outer.watch([x, kernel])
                with tf.GradientTape(persistent=True) as inner:
                    inner.watch([x, kernel])
                    y = function(x, kernel)
                    power = tf.reduce_sum(tf.sin(y))
                first = inner.gradient(power, [x, kernel])
                penalty = tf.reduce_sum(first[0] ** 3) + tf.reduce_sum(tf.sin(first[1]))
            return [y, *first, *outer.gradient(penalty, [x, kernel])]

        return compute(x, kernel)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_twice(name, monkeypatch):
    """In two parts, as large batches go."""
    monkeypatch.setattr(compiled_convolution, "MOST", 2 * 4 * 4 * 3)
    function = getattr(convolution, name)
    direct = values_and_gradients(function, *drawn(name), None)
    found = values_and_gradients(function, *drawn(name), compiled_convolution)
    for a, b in zip(found, direct, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * float(np.abs(b).max()))


def test_as_many_images_go_at_once_as_are_small(monkeypatch):
    monkeypatch.setattr(compiled_convolution, "MOST", 96)
    dy = tf.zeros((6, 2, 2, 5))
    for x_shape, parts in (
        ((6, 4, 4, 1), 1),
        ((6, 4, 4, 2), 2),
        ((6, 4, 4, 4), 6),
        ((6, 8, 8, 4), 6),
    ):
        assert compiled_convolution._parted(x_shape, dy).shape == (parts, 6 // parts, 2, 2, 5)


@pytest.mark.parametrize("name", NAMES[2:])
def test_narrow_ones_and_the_activation_twice(name, monkeypatch):
    monkeypatch.setattr(compiled_convolution, "suits", lambda *shapes: False)
    x, kernel = drawn(name)

    def layer(x, kernel):
        return convolution.leaky_relu(getattr(convolution, name)(x, kernel, 0.7), 0.2)

    direct, found = (
        values_and_gradients(layer, x, kernel, means) for means in (None, compiled_convolution)
    )
    for a, b in zip(found, direct, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * float(np.abs(b).max()))


def test_a_product_and_its_gradients_twice():
    rng = np.random.default_rng(0)
    x, kernel = (tf.constant(rng.standard_normal(shape, np.float32)) for shape in ((3, 5), (5, 4)))

    def multiply(x, kernel):
        return convolution.matmul(x, kernel, 0.3)

    found, direct = (
        values_and_gradients(multiply, x, kernel, means) for means in (compiled_convolution, None)
    )
    for a, b in zip(found, direct, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_kernel_is_transformed_once_for_all_passes():
    _, kernel = drawn("convolve")
    done = []

    def transform(*arguments):
        done.append(arguments)
        return convolution.scaled(*arguments)

    for passes in (1, 2):
        with convolution.by(compiled_convolution):
            kept = [convolution.once(transform, kernel, 0.5, "float32") for _ in range(3)]
        assert len(done) == passes and kept[0] is kept[2]
    with convolution.by(compiled_convolution):
        half, whole = (
            convolution.once(transform, kernel, scale, "float32") for scale in (0.5, 1.0)
        )
    np.testing.assert_array_equal(2 * half, whole)
    convolution.once(transform, kernel, 0.5, "float32")
    assert len(done) == 5, "nothing is kept outside"


def test_a_whole_step_is_the_same():
    logs = []
    for minimal in (False, True):
        gan = small_gan(minimal_filtering=minimal, resolution=8)
        gan.grow_to(3, False, 4, 0.999)
        gan.set_point(0.0, 0.001)
        step = tf.function(gan.train_step)
        reals = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1)).astype(np.uint8)
        logs.append(
            [
                {name: float(value) for name, value in step(tf.constant(reals)).items()}
                for _ in range(2)
            ]
        )
    for direct, found in zip(*logs, strict=True):
        assert found == pytest.approx(direct, rel=2e-4)
        assert found != direct

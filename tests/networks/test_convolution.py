"""Minimal filtering against direct convolutions of the untransformed kernel."""

import numpy as np
import pytest
from keras import ops

from pgcxr.networks import convolution, minimal_filtering, pixels

SHAPES = [(1, 2, 2, 1, 1), (2, 4, 4, 3, 5), (3, 8, 6, 4, 2), (1, 16, 16, 8, 8)]


def drawn(n, height, width, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, height, width, inputs), np.float32)
    return x, rng.standard_normal((3, 3, inputs, outputs), np.float32)


def slow(x, kernel):
    """Convolution tap by tap, float64."""
    n, height, width, _ = x.shape
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    total = np.zeros((n, height, width, kernel.shape[-1]))
    for i in range(3):
        for j in range(3):
            total += padded[:, i : i + height, j : j + width] @ kernel[i, j].astype(np.float64)
    return total


@pytest.mark.parametrize("shape", SHAPES)
def test_convolve(shape):
    x, kernel = drawn(*shape)
    np.testing.assert_allclose(
        minimal_filtering.convolve(x, kernel), slow(x, kernel), rtol=1e-5, atol=2e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_upscale_convolve(shape):
    x, kernel = drawn(*shape)
    expected = slow(np.asarray(pixels.upscale(x)), kernel)
    np.testing.assert_allclose(
        minimal_filtering.upscale_convolve(x, kernel), expected, rtol=1e-5, atol=2e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_convolve_downscale(shape):
    x, kernel = drawn(*shape)
    expected = 4 * np.asarray(
        pixels.downscale(ops.convert_to_tensor(slow(x, kernel).astype(np.float32)))
    )
    np.testing.assert_allclose(
        minimal_filtering.convolve_downscale(x, kernel), expected, rtol=1e-5, atol=4e-5
    )


@pytest.mark.parametrize(
    "name", ["convolve", "upscale_convolve", "fused_upscale_convolve", "fused_convolve_downscale"]
)
def test_every_means_gives_the_same(name):
    x, kernel = drawn(2, 8, 8, 4, 4)
    direct = getattr(convolution, name)(x, kernel)
    with convolution.by(minimal_filtering):
        found = getattr(convolution, name)(x, kernel)
    assert not np.array_equal(found, direct)  # another sum, not the same function called twice
    np.testing.assert_allclose(found, direct, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    "shape,kernel", [((1, 5, 5, 2), (3, 3, 2, 2)), ((1, 4, 4, 2), (1, 1, 2, 3))]
)
def test_what_does_not_suit_is_computed_directly(shape, kernel):
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal(shape, np.float32), rng.standard_normal(kernel, np.float32)
    direct = convolution.convolve(x, kernel)
    with convolution.by(minimal_filtering):
        np.testing.assert_array_equal(convolution.convolve(x, kernel), direct)

"""Layers against slow NumPy twins and numbers by hand."""

import keras
import numpy as np
import pytest

from pgcxr.networks import layers, pixels
from tests.reference import pggan

RNG = np.random.default_rng(0)


def _normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def _built(layer, x):
    layer.build(x.shape)
    layer.kernel.assign(_normal(*layer.kernel.shape))
    return layer


def test_convolution_is_scaled_by_the_he_constant():
    x = _normal(2, 5, 5, 3)
    layer = _built(layers.EqualizedConv2D(4), x)
    expected = pggan.conv2d(x, np.asarray(layer.kernel) * np.sqrt(2 / 27))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_fused_upscaling_is_nearest_then_convolution_with_the_rotated_kernel():
    x = _normal(2, 4, 4, 3)
    layer = _built(layers.UpscaleConv2D(5), x)
    rotated = np.asarray(layer.kernel)[::-1, ::-1].transpose(0, 1, 3, 2) * np.sqrt(2 / 27)
    np.testing.assert_allclose(layer(x), pggan.conv2d(pggan.upscale(x), rotated), atol=1e-5)


def test_unfused_upscaling():
    x = _normal(2, 4, 4, 3)
    layer = _built(layers.UnfusedUpscaleConv2D(5), x)
    expected = pggan.conv2d(pggan.upscale(x), np.asarray(layer.kernel) * np.sqrt(2 / 27))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_fused_downscaling_is_convolution_then_box():
    x = _normal(2, 6, 6, 3)
    layer = _built(layers.ConvDownscale2D(5), x)
    expected = pggan.box(pggan.conv2d(x, np.asarray(layer.kernel) * np.sqrt(2 / 27)))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_pixel_norm_by_hand():
    x = np.array([[[[3.0, 4.0]]]], np.float32)
    np.testing.assert_allclose(layers.PixelNorm()(x), x / np.sqrt(12.5), rtol=1e-6)


@pytest.mark.parametrize("count", [3, 4, 8, 12])
def test_minibatch_stddev_groups_every_mth_image(count):
    x = _normal(count, 4, 4, 3)
    group = 4 if count % 4 == 0 else count
    out = np.asarray(layers.MinibatchStddev(group)(x))
    np.testing.assert_array_equal(out[..., :3], x)
    np.testing.assert_allclose(out[:, 0, 0, 3], pggan.minibatch_stddev(x, group), rtol=1e-5)
    assert np.ptp(out[..., 3], axis=(1, 2)).max() == 0


def test_minibatch_stddev_keeps_parts_apart():
    x = _normal(16, 4, 4, 3)
    layer = layers.MinibatchStddev(4)
    apart = np.concatenate([layer(x[:8]), layer(x[8:])])
    np.testing.assert_allclose(layer(x, parts=2), apart, rtol=1e-6)
    assert np.abs(np.asarray(layer(x)) - apart).max() > 1e-3


def test_box_and_nearest():
    x = _normal(2, 8, 8, 2)
    np.testing.assert_allclose(pixels.downscale(x), pggan.box(x), atol=1e-6)
    np.testing.assert_array_equal(pixels.upscale(x), pggan.upscale(x))
    np.testing.assert_allclose(pixels.downscale(x, 4), pggan.box(pggan.box(x)), atol=1e-6)


def test_fading_reals_from_their_half_resolution_to_themselves():
    x = _normal(2, 8, 8, 1)
    np.testing.assert_allclose(pixels.fade_reals(x, 1.0), pggan.upscale(pggan.box(x)), atol=1e-6)
    np.testing.assert_allclose(pixels.fade_reals(x, 0.0), x, atol=1e-6)


def test_mirrored_where_the_draw_is_not_below_a_half():
    x = _normal(3, 4, 4, 1)
    mirrored = np.asarray(
        pixels.mirror(x, np.array([0.49, 0.5, 0.9], np.float32).reshape(3, 1, 1, 1))
    )
    np.testing.assert_array_equal(mirrored[0], x[0])
    np.testing.assert_array_equal(mirrored[1:], x[1:, :, ::-1])


def test_mirrored_reals_equal_the_original(shared):
    reference = np.load(shared / "reference" / "process_reals.npz")
    reals = pixels.from_uint8(reference["gray_in_lod0.4"].transpose(0, 2, 3, 1))
    found = pixels.fade_reals(
        pixels.mirror(reals, reference["gray_mirror_mask"].reshape(-1, 1, 1, 1)), 0.4
    )
    np.testing.assert_allclose(
        found, reference["gray_out_lod0.4_mirror"].transpose(0, 2, 3, 1), atol=1e-6
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_narrow_layers_keep_float32_where_it_counts(policy):
    narrow = "float16" if policy == "mixed_float16" else "bfloat16"
    x = keras.ops.cast(_normal(4, 4, 4, 512) * 1e-4, narrow)
    wide = np.asarray(keras.ops.cast(x, "float32"))
    out = layers.PixelNorm(dtype=policy)(x)
    assert keras.backend.standardize_dtype(out.dtype) == narrow
    # Squares of 1e-4 are nothing in float16, and so is the epsilon.
    expected = wide / np.sqrt((wide.astype(np.float64) ** 2).mean(-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(keras.ops.cast(out, "float32"), expected, rtol=0.01, atol=1e-3)
    out = keras.ops.cast(layers.MinibatchStddev(4, dtype=policy)(x), "float32")
    np.testing.assert_allclose(out[:, 0, 0, -1], pggan.minibatch_stddev(wide, 4), rtol=0.01)
    layer = layers.EqualizedConv2D(3, dtype=policy)
    layer.build(x.shape)
    assert layer.kernel.dtype == "float32"
    kernel = keras.ops.cast(layer.kernel * np.float32(np.sqrt(2 / (9 * 512))), narrow)
    direct = keras.ops.conv(x, kernel, padding="same", data_format="channels_last")
    np.testing.assert_array_equal(
        *(keras.ops.cast(y, "float32") for y in (layer(x), direct)), "rounded once"
    )


def test_uint8_and_back_is_the_identity():
    x = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(pixels.to_uint8(pixels.from_uint8(x)), x)
    np.testing.assert_array_equal(pixels.to_uint8(np.array([-3.0, 3.0], np.float32)), [0, 255])


@pytest.mark.parametrize(
    "layer",
    [
        layers.PixelNorm(1e-6),
        layers.MinibatchStddev(2),
        layers.EqualizedDense(3, gain=1.0),
        layers.EqualizedConv2D(3, kernel_size=1, use_bias=False),
        layers.UpscaleConv2D(3),
        layers.ConvDownscale2D(3),
        layers.UnfusedUpscaleConv2D(3),
        layers.ChannelBias(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_come_back_from_their_config(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    shape = (4, 8) if isinstance(layer, layers.EqualizedDense) else (4, 8, 8, 2)
    assert tuple(layer(np.zeros(shape, np.float32)).shape) == layer.compute_output_shape(shape)

"""Growing: shapes, continuity from level to level, which weights count, saving."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgcxr.networks import Discriminator, Generator, criticize, synthesize

SIZES = {"resolution": 32, "fmap_base": 64, "fmap_max": 16}


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(0)
    return Generator(**SIZES)


@pytest.fixture(scope="module")
def discriminator():
    keras.utils.set_random_seed(1)
    return Discriminator(**SIZES)


@pytest.fixture(scope="module")
def latents():
    return np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)


@pytest.mark.parametrize("lod", [0, 0.5, 1, 2.25, 3])
def test_images_are_of_full_resolution_at_every_lod(generator, discriminator, latents, lod):
    pixels = synthesize(generator, latents, lod=lod)
    assert pixels.shape == (4, 32, 32, 1)
    scores, labels = criticize(discriminator, pixels, lod=lod)
    assert scores.shape == (4, 1) and labels.shape == (4, 0)


@pytest.mark.parametrize("lod", [1, 2])
def test_a_new_level_fades_in_without_a_jump(generator, discriminator, latents, lod):
    pixels = np.asarray(synthesize(generator, latents, lod=lod))
    np.testing.assert_allclose(synthesize(generator, latents, lod=lod - 1e-6), pixels, atol=1e-4)
    np.testing.assert_allclose(synthesize(generator, latents, lod=lod + 1e-6), pixels, atol=1e-4)
    scores = np.asarray(criticize(discriminator, pixels, lod=lod)[0])
    np.testing.assert_allclose(
        criticize(discriminator, pixels, lod=lod - 1e-6)[0], scores, atol=1e-4
    )


def test_only_the_direction_of_the_latent_counts(generator, latents):
    np.testing.assert_allclose(
        synthesize(generator, latents * 7), synthesize(generator, latents), atol=1e-4
    )


@pytest.mark.parametrize(
    ("level", "fading"), [(2, False), (3, True), (3, False), (5, True), (5, False)]
)
def test_active_variables_are_those_with_a_gradient(
    generator, discriminator, latents, level, fading
):
    fade = 0.5 if fading else None
    with tf.GradientTape(persistent=True) as tape:
        pixels = generator(latents, level=level, fade=fade)
        scores, _ = discriminator(pixels, level=level, fade=fade)
        total = tf.reduce_sum(scores)
    for network in (generator, discriminator):
        gradients = tape.gradient(
            total, [variable.value for variable in network.trainable_variables]
        )
        with_gradient = {
            v.path
            for v, g in zip(network.trainable_variables, gradients, strict=True)
            if g is not None
        }
        assert with_gradient == {
            variable.path for variable in network.active_variables(level, fading)
        }


def test_labels_enter_the_generator_and_leave_the_discriminator():
    generator = Generator(**SIZES, label_size=3)
    latents, labels = np.ones((2, 16), np.float32), np.eye(3, dtype=np.float32)[:2]
    pixels = np.asarray(synthesize(generator, latents, labels))
    assert np.abs(pixels[0] - pixels[1]).max() > 1e-3
    assert criticize(Discriminator(**SIZES, label_size=3), pixels)[1].shape == (2, 3)


def test_saved_networks_come_back_equal(generator, discriminator, latents, tmp_path):
    generator.save(tmp_path / "g.keras")
    discriminator.save(tmp_path / "d.keras")
    pixels = np.asarray(synthesize(generator, latents))
    np.testing.assert_array_equal(
        synthesize(keras.saving.load_model(tmp_path / "g.keras"), latents), pixels
    )
    again = keras.saving.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(criticize(again, pixels)[0], criticize(discriminator, pixels)[0])


@pytest.mark.parametrize(("policy", "close"), [("mixed_float16", 0.01), ("mixed_bfloat16", 0.08)])
def test_mixed_precision_is_the_same_function_and_is_saved(
    generator, discriminator, latents, tmp_path, policy, close
):
    pixels = np.asarray(synthesize(generator, latents, lod=0.5))
    narrow = Generator(**SIZES, dtype=policy)
    narrow.set_weights(generator.get_weights())
    found = synthesize(narrow, latents, lod=0.5)
    assert found.dtype == "float32" and {v.dtype for v in narrow.weights} == {"float32"}
    # Not the largest difference: at a pixel whose features nearly vanish, PixelNorm enlarges the
    # rounding.
    assert 0 < np.quantile(np.abs(found - pixels), 0.99) < close * np.ptp(pixels)
    critic = Discriminator(**SIZES, dtype=policy)
    critic.set_weights(discriminator.get_weights())
    scores = np.asarray(criticize(discriminator, pixels)[0])
    assert criticize(critic, pixels)[0].dtype == "float32"
    np.testing.assert_allclose(
        criticize(critic, pixels)[0], scores, atol=5 * close * np.abs(scores).max()
    )
    narrow.save(tmp_path / "g.keras")
    again = keras.saving.load_model(tmp_path / "g.keras")
    assert again.dtype_policy.name == policy and again.convs[0].dtype_policy.name == policy
    np.testing.assert_array_equal(synthesize(again, latents, lod=0.5), found)


def test_full_size_networks_have_the_papers_feature_maps():
    generator = Generator(1024)
    assert [generator.features(stage) for stage in range(10)] == [
        512,
        512,
        512,
        512,
        512,
        256,
        128,
        64,
        32,
        16,
    ]
    # arXiv 1710.10196, table 2: 23.1 M parameters each, for three channels.
    assert Generator(1024, channels=3).count_params() == pytest.approx(23.1e6, rel=0.01)
    assert Discriminator(1024, channels=3).count_params() == pytest.approx(23.1e6, rel=0.01)


@pytest.mark.parametrize("resolution", [0, -4, 2, 48])
def test_a_resolution_that_is_no_power_of_two_is_refused(resolution):
    with pytest.raises(ValueError, match="power of two"):
        Generator(resolution)

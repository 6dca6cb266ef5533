"""The encoder must learn latents that are known, and correct its guesses as is said."""

import keras
import numpy as np
import pytest

from pgcxr import networks
from pgcxr.errors import ArgumentError
from pgcxr.latent.encoder import EncoderStart, encoder_network
from pgcxr.latent.encoder_config import EncoderConfig
from pgcxr.latent.encoder_training import Normals, fit_encoder, whole_images
from pgcxr.latent.starts import RandomStart

TINY = EncoderConfig(
    widths=(8,), hidden=32, passes=1, epochs=2, steps_per_epoch=60, batch_size=8, artificial=0.0
)


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    return networks.Generator(resolution=4, fmap_base=64, fmap_max=8)


def test_it_learns_and_leaves_the_generator_as_it_is(generator, tmp_path):
    """Images that the generator makes stand for real ones."""
    before, run = (
        [np.array(weights) for weights in generator.get_weights()],
        whole_images(generator),
    )

    def normals(step: int) -> Normals:
        z = np.random.default_rng([9, step]).normal(size=(4, 8)).astype(np.float32)
        images = np.asarray(run(z))
        return Normals(images, images)

    _, history = fit_encoder(normals, generator, TINY, 5, 1.0, tmp_path / "state.npz")
    for name in ("image", "latent"):
        assert history[name][1] < history[name][0] - 0.03, name
    for one, two in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_every_pass_adds_to_the_guess_before(generator):
    """Against the formula, pass by pass."""
    network, generate = encoder_network(4, 1, 8, (4,), 8), whole_images(generator)
    images = np.random.default_rng(0).normal(size=(3, 4, 4, 1)).astype(np.float32)
    z, expected = np.zeros((3, 8), np.float32), []
    for _ in range(3):
        pictures = np.asarray(generate(z))
        z = z + np.asarray(network(np.concatenate([images, pictures, images - pictures], axis=-1)))
        z *= np.sqrt(8) / np.linalg.norm(z, axis=1, keepdims=True)
        expected.append(z)
    expected = np.stack(expected, axis=1)
    start = EncoderStart(network, generate, passes=2)
    np.testing.assert_allclose(start.guesses(images), expected[:, 1:2], atol=1e-4)
    np.testing.assert_allclose(start.guesses(images, 2), expected[:, :2], atol=1e-4)
    np.testing.assert_allclose(start.guesses(images, 3), expected, atol=1e-4)


def test_images_that_cannot_be_halved_so_often_are_refused():
    with pytest.raises(ArgumentError, match="widths: 4 of them halve images of 8 px too often"):
        EncoderConfig().check_size(8)


def test_a_random_start_is_the_image_s_own():
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 1)).astype(np.float32)
    start = RandomStart(8, seed=1)
    found = start.guesses(images, 2)
    assert found.shape == (4, 2, 8) and found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), np.sqrt(8), rtol=1e-5)
    np.testing.assert_array_equal(start.guesses(images[2:3], 2)[0], found[2])
    flat = np.concatenate([found.reshape(8, 8), RandomStart(8, seed=2).guesses(images)[:, 0]])
    assert np.abs(flat @ flat.T / 8 - np.eye(12)).max() < 0.99, "two of them are the same"

"""Inversion must find images that the generator can make, and treat every image of a batch
alone."""

import keras
import numpy as np
import pytest

from pgcxr import networks
from pgcxr.latent import inversion, starts
from pgcxr.losses.residuals import mean_pairwise_squared_error


@pytest.fixture(scope="module")
def world():
    """(generate, bank, queries) of a small generator with random weights."""
    keras.utils.set_random_seed(3)
    generator = networks.Generator(resolution=8, fmap_base=64, fmap_max=16)

    def generate(latents):
        return networks.synthesize(generator, latents)

    rng = np.random.default_rng(0)
    bank = starts.make_bank(generate, rng.normal(size=(256, generator.latent_size)))
    queries = np.asarray(generate(rng.normal(size=(6, generator.latent_size)).astype(np.float32)))
    return generate, bank, queries


@pytest.fixture(scope="module")
def inverter(world):
    generate, bank, _ = world
    return inversion.Inverter(generate, bank, mean_pairwise_squared_error, starts=4, batch=16)


def search(inverter, queries, iterations=80):
    return inverter.invert(queries, iterations=iterations, learning_rate=0.2)


def test_images_of_the_generator_are_found_again(world, inverter):
    queries = world[2]
    found = search(inverter, queries)
    assert found.latents.shape == (6, 16) and found.images.shape == queries.shape
    fallen = found.losses / found.first_losses
    # With random weights one search in six may end in a valley of its own.
    assert np.median(fallen) < 0.01 and np.sum(fallen < 0.1) >= 5, fallen
    np.testing.assert_allclose(
        found.losses,
        np.asarray(mean_pairwise_squared_error(queries, found.images)),
        rtol=1e-3,
        atol=1e-6,
    )


def test_latents_stay_on_the_sphere(world, inverter):
    np.testing.assert_allclose(
        np.linalg.norm(search(inverter, world[2], 5).latents, axis=1), 4.0, rtol=1e-4
    )


def test_an_image_alone_gets_the_same_answer_as_in_a_batch(world, inverter):
    queries = world[2]
    # Beside images a thousand times as bright: a loss that mixed the batch would be about them.
    crowded = np.concatenate([queries[:1], 1000 * queries[1:4]])
    alone, together = search(inverter, queries[:1], 20), search(inverter, crowded, 20)
    np.testing.assert_allclose(alone.latents[0], together.latents[0], atol=1e-2)
    np.testing.assert_allclose(alone.losses[0], together.losses[0], rtol=1e-2)


def test_a_brightness_offset_changes_nothing(world, inverter):
    queries = world[2]
    np.testing.assert_allclose(
        search(inverter, queries + 0.5, 5).losses, search(inverter, queries, 5).losses, rtol=1e-2
    )


def test_more_steps_and_more_starts_end_lower(world, inverter):
    generate, bank, queries = world
    strange = np.random.default_rng(5).uniform(-1, 1, size=queries.shape).astype(np.float32)
    none, some = search(inverter, strange, 0), search(inverter, strange, 40)
    np.testing.assert_allclose(none.losses, none.first_losses, rtol=1e-4)
    assert np.all(some.losses < none.losses)
    single = inversion.Inverter(generate, bank, mean_pairwise_squared_error, starts=1, batch=16)
    assert np.all(some.losses <= search(single, strange, 40).losses * 1.01)


def test_the_mean_of_the_searches_is_returned_beside_the_best(world, inverter):
    generate, bank, queries = world
    found = search(inverter, queries, 0)
    # Without any steps, the searches are where they began: at the four guesses there are.
    guesses = bank.guesses(queries, 4)
    drawn = np.stack([np.asarray(generate(guess)) for guess in guesses])  # [N, P, R, R, C]
    losses = np.stack(
        [
            np.asarray(mean_pairwise_squared_error(np.repeat(q[None], 5, 0), d))
            for q, d in zip(queries, drawn, strict=True)
        ]
    )
    kept = np.argsort(losses, axis=1)[:, :4]
    expected = np.stack(
        [pictures[order].mean(axis=0) for pictures, order in zip(drawn, kept, strict=True)]
    )
    np.testing.assert_allclose(found.means, expected, atol=1e-3)
    np.testing.assert_allclose(found.losses, losses.min(axis=1), rtol=1e-4)


def test_the_bank_knows_its_own_images_and_the_encoder_beats_chance(world):
    _, bank, queries = world
    guesses = bank.guesses(queries + 0.3)
    assert guesses.shape == (6, 1 + starts.NEAREST, 16)
    np.testing.assert_allclose(np.linalg.norm(guesses, axis=2), 4.0, rtol=1e-5)
    own = bank.latents[-50:]
    images = np.asarray(world[0](own))
    guesses = bank.guesses(images + 0.3)
    np.testing.assert_array_equal(guesses[:, 1], own)
    # The last fifth of the bank had no part in the encoder's slopes.
    assert np.mean(np.sum(guesses[:, 0] * own, axis=1) / 16) > 0.5


def test_thumbnails_are_means_of_blocks_without_brightness():
    image = np.zeros((1, 64, 64, 1), np.float32)
    image[0, :2, :2] = [[[1], [2]], [[3], [6]]]
    small = starts.thumbnails(image + 5)
    assert small.shape == (1, 1024)
    np.testing.assert_allclose(small[0, 0] - small[0, 1], 3.0, rtol=1e-5)
    np.testing.assert_allclose(small.mean(), 0, atol=1e-6)


def test_the_last_step_that_is_watched_is_what_is_found(world, inverter):
    queries = world[2]
    found = search(inverter, queries[:1], 12)
    way = inverter.watch(queries[0], iterations=12, learning_rate=0.2)
    assert way.means.shape == (13, *queries.shape[1:]) and (np.diff(way.losses) <= 0).all()
    np.testing.assert_allclose(way.means[-1], found.means[0], atol=1e-3)
    np.testing.assert_allclose(way.losses[[0, -1]], [found.first_losses[0], found.losses[0]], 1e-2)

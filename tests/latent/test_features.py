"""Freed features must bring the generator nearer, as far as the penalty allows, each image for
itself; and an offset must be added where it is said to be."""

import keras
import numpy as np
import pytest

from pgcxr import networks
from pgcxr.latent.features import FeatureSearch, generator_with_offsets
from pgcxr.losses.residuals import squared_error


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    return networks.Generator(resolution=8, fmap_base=64, fmap_max=8)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)


def test_each_level_that_is_freed_brings_the_images_nearer(generator, images):
    z = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    z *= np.sqrt(8) / np.linalg.norm(z, axis=1, keepdims=True)
    how = {"iterations": 25, "learning_rate": 0.05}

    def make(levels: int, penalty: float) -> FeatureSearch:
        shapes = generator.feature_shapes()[:levels]
        generate = generator_with_offsets(generator)
        return FeatureSearch(generate, shapes, squared_error, penalty, batch=3)

    free = make(2, penalty=1e-3)
    found = free.search(images, z, **how)
    assert found.images.shape == (3, 3, 8, 8, 1) and found.seconds.shape == (2,)
    np.testing.assert_allclose(found.images[0], np.asarray(generator(z)), atol=1e-5)
    far = ((found.images - images) ** 2).mean(axis=(2, 3, 4))
    assert np.all(far[1] < 0.9 * far[0]) and np.all(far[2] < 0.9 * far[1]), far
    # Beside images a thousand times as bright, an image gets the same answer.
    crowded = free.search(np.concatenate([images[:1], 1000 * images[1:]]), z, **how)
    np.testing.assert_allclose(crowded.images[:, 0], found.images[:, 0], atol=5e-2)
    held = make(1, penalty=1e4).search(images, z, **how)
    kept = ((held.images[1] - images) ** 2).mean(axis=(1, 2, 3))
    assert np.all(kept > far[1] + 0.02), "the penalty holds nothing back"


def test_an_offset_is_added_to_the_features_of_its_level(generator):
    z = np.ones((1, 8), np.float32)
    shapes = generator.feature_shapes()
    assert shapes == [(4, 4, 8), (8, 8, 8)]
    rng = np.random.default_rng(2)
    coarse, fine = (rng.normal(size=(1, *shape)).astype(np.float32) for shape in shapes)
    for level, offsets, last in ((2, [coarse], coarse), (3, [0 * coarse, fine], fine)):
        rgb = generator.to_rgb[level - 2]
        moved = np.asarray(generator(z, level=level, offsets=offsets))
        still = np.asarray(generator(z, level=level))
        # toRGB is linear: what the image gains is toRGB of the offset, less its bias.
        np.testing.assert_allclose(
            moved - still, np.asarray(rgb(last) - rgb(0 * last)), atol=1e-4, rtol=1e-3
        )
    through = np.asarray(networks.synthesize(generator, z, offsets=[coarse]))
    assert np.abs(through - np.asarray(generator(z))).max() > 1e-3

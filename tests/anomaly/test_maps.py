"""Maps of differences: what must not matter to them, and what a healthy image looks like."""

import numpy as np
import pytest

from pgcxr.anomaly import maps
from pgcxr.errors import ArgumentError

WIDTH = 16


def healthy(rng, count):
    """Differences whose size depends on the place: large at the right, none at the left edge."""
    size = np.linspace(0, 1, WIDTH) ** 2
    return (rng.normal(size=(count, WIDTH, WIDTH)) * size + 0.2 * size).astype(np.float32)


def test_differences_forget_brightness():
    rng = np.random.default_rng(0)
    query, made = rng.normal(size=(2, 3, WIDTH, WIDTH, 1))
    np.testing.assert_allclose(
        maps.differences(query + 7, made), maps.differences(query, made), atol=1e-5
    )
    assert maps.differences(query, made).shape == (3, WIDTH, WIDTH)


def test_windows_of_an_even_map_hold_its_value_and_its_energy():
    drawn = np.full((2, WIDTH, WIDTH), 3.0, np.float32)
    seen = maps.windowed(drawn)
    count = len(maps.WINDOWS)
    assert seen.shape == (2, 2 * count - 1, WIDTH, WIDTH)
    np.testing.assert_allclose(seen[:, :count], 3.0, rtol=1e-5)
    np.testing.assert_allclose(seen[:, count:], np.log(9.0 + maps.QUIET), rtol=1e-5)


def test_contrast_cancels():
    drawn = healthy(np.random.default_rng(3), 4)
    np.testing.assert_allclose(maps.scaled(7 * drawn), maps.scaled(drawn), rtol=1e-5)
    np.testing.assert_allclose(np.median(np.abs(maps.scaled(drawn)), axis=(1, 2)), 1, rtol=1e-5)


def test_healthy_z_has_mean_0_and_deviation_1_at_every_place():
    seen = maps.windowed(healthy(np.random.default_rng(1), 1500))
    z = maps.standardized(seen, maps.learn_healthy(seen))[:, :, :, 4:]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-3)
    assert abs(z.std(axis=0).mean() - 1) < 0.05
    np.testing.assert_allclose(z.std(axis=0), 1, atol=0.25)


def test_a_reconstruction_of_another_size_is_named():
    with pytest.raises(ArgumentError, match="reconstructions: must be"):
        maps.differences(np.zeros((2, 8, 8, 1)), np.zeros((1, 8, 8, 1)))

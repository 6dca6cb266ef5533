"""The residual of thesis 4.2 against a double loop over pairs of pixels, and against numbers worked
by hand."""

import numpy as np
import pytest

from pgcxr.losses.residuals import LOSSES, mean_pairwise_squared_error, squared_error


def slow_mpse(image, other):
    """Mean over ordered pairs (i, j), i != j, of (d_i - d_j)^2."""
    d = (other - image).astype(np.float64).ravel()
    total = sum((d[i] - d[j]) ** 2 for i in range(d.size) for j in range(d.size) if i != j)
    return total / (d.size * (d.size - 1))


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 5, 4, 4, 1)).astype(np.float32)


def test_mpse_is_the_mean_over_pairs(pair):
    expected = [slow_mpse(a, b) for a, b in zip(*pair, strict=True)]
    np.testing.assert_allclose(np.asarray(mean_pairwise_squared_error(*pair)), expected, rtol=1e-5)


def test_mpse_by_hand():
    # d = (1, 0, 0): pairs differ by 1 in four of six ordered pairs.
    image = np.zeros((1, 1, 3, 1), np.float32)
    other = image + np.array([1.0, 0.0, 0.0], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(
        np.asarray(mean_pairwise_squared_error(image, other)), [4 / 6], rtol=1e-6
    )


def test_mpse_is_blind_to_brightness_and_squared_error_is_not(pair):
    images, others = pair
    brighter = others + np.float32(100.0)
    np.testing.assert_allclose(
        np.asarray(mean_pairwise_squared_error(images, brighter)),
        np.asarray(mean_pairwise_squared_error(images, others)),
        rtol=1e-3,
    )
    assert np.all(np.asarray(squared_error(images, brighter)) > 1000)


def test_every_image_counts_for_itself(pair):
    images, others = pair
    for loss in LOSSES.values():
        together = np.asarray(loss(images, others))
        alone = np.concatenate(
            [np.asarray(loss(images[i : i + 1], others[i : i + 1])) for i in range(len(images))]
        )
        assert together.shape == (5,)
        np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_squared_error_by_hand():
    image = np.zeros((1, 1, 2, 1), np.float32)
    np.testing.assert_allclose(np.asarray(squared_error(image, image + np.float32(3.0))), [9.0])


def test_the_robust_loss_is_the_least_over_all_lesions(pair):
    """Against a search of m, pixel by pixel, on a fine grid."""
    images, others = pair
    grid = np.linspace(-8, 8, 16001)
    d = (others - images).reshape(5, -1)
    for lesion in (0.05, 0.2, 1.0):
        costs = (d[..., None] - grid) ** 2 + 2 * lesion * np.abs(grid)
        found = np.asarray(LOSSES["robust"](images, others, lesion))
        np.testing.assert_allclose(found, costs.min(axis=-1).mean(axis=1), atol=1e-5)


def test_absolute_error_by_hand():
    image = np.zeros((1, 1, 2, 1), np.float32)
    other = np.float32([[[[1.0], [-4.0]]]])
    np.testing.assert_allclose(np.asarray(LOSSES["l1"](image, other)), [2.5])

"""Components of healthy differences against factor analysis worked out independently."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from pgcxr.anomaly import ppca

WIDTH, RANK = 8, 3


@pytest.fixture
def world():
    """(draw, ways): maps made of three orthonormal ways to miss, and noise of deviation 0.1."""
    rng = np.random.default_rng(2)
    ways = np.linalg.qr(rng.normal(size=(WIDTH * WIDTH, RANK)))[0].T

    def draw(count):
        flat = (rng.normal(size=(count, RANK)) * (4.0, 3.0, 2.0)) @ ways + 0.1 * rng.normal(
            size=(count, WIDTH**2)
        )
        return (flat + 0.5).reshape(count, WIDTH, WIDTH)

    return draw, ways


def test_the_ways_to_miss_are_found_and_taken_out(world):
    draw, ways = world
    known = ppca.fit_ppca(draw(200), np.random.default_rng(0))
    # 5 is the smallest rank offered that holds all three; the gains of the other two are next to
    # nothing.
    assert (
        len(known.gains) == 5 and np.all(known.gains[:3] > 0.99) and np.all(known.gains[3:] < 0.6)
    )
    overlap = np.linalg.svd(known.directions[:3] @ ways.T, compute_uv=False)
    assert np.all(overlap > 0.99)
    new = draw(50)
    assert new.std() > 0.5
    assert known.remove(new).std() == pytest.approx(0.1, abs=0.015)


def test_what_healthy_images_never_show_stays(world):
    draw, ways = world
    known = ppca.fit_ppca(draw(200), np.random.default_rng(0))
    lesion = np.zeros((1, WIDTH, WIDTH))
    lesion[0, 2:4, 5:7] = 2.0
    left = known.remove(draw(1) + lesion)[0]
    assert left[2:4, 5:7].mean() > 1.2
    assert abs(left[5:, :4].mean()) < 0.3


def test_pure_noise_teaches_nothing():
    noise = np.random.default_rng(3).normal(size=(120, WIDTH, WIDTH))
    assert len(ppca.fit_ppca(noise, np.random.default_rng(0)).gains) == 0


def test_too_few_maps_leave_everything_as_it_is(world):
    maps = world[0](10)
    np.testing.assert_allclose(
        ppca.fit_ppca(maps, np.random.default_rng(0)).remove(maps), maps, rtol=1e-6
    )


def test_the_likelihood_is_that_of_the_gaussian_model(world):
    """Against scipy's density with the covariance that scikit-learn's PCA (Tipping and Bishop)
    gives."""
    maps = world[0](100).reshape(100, -1)
    model = PCA(RANK).fit(maps)
    mean, directions, variances = ppca._components(maps)
    # scikit-learn divides by N - 1.
    expected = multivariate_normal(model.mean_, model.get_covariance()).logpdf(maps[:7])
    got = ppca.log_likelihood(maps[:7] - mean, directions, variances * 100 / 99, RANK)
    noise_of_sklearn = variances[RANK:].sum() * 100 / 99 / (min(maps.shape) - RANK)
    assert model.noise_variance_ == pytest.approx(noise_of_sklearn)
    np.testing.assert_allclose(got - got[0], expected - expected[0], rtol=0.02, atol=0.5)

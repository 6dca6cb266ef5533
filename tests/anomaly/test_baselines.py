"""Baselines of anomaly detection, each against something computed another way."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, mahalanobis

from pgcxr.anomaly import baselines, calibration


def images(count: int, seed: int = 0) -> np.ndarray:
    """[N, 6, 6]: three ways to vary, and noise."""
    rng = np.random.default_rng(seed)
    ways = np.random.default_rng(9).normal(size=(3, 6, 6))
    known = rng.normal(size=(count, 3)) * (3.0, 2.0, 1.0)
    return np.einsum("nk,kyx->nyx", known, ways) + rng.normal(0, 0.1, (count, 6, 6)) + 0.5


def test_components_reconstruct_what_normals_share_and_nothing_else():
    learned, new = images(400), images(20, 1)
    found = baselines.fit_subspace(learned, 3, seed=0)
    flat = learned.reshape(400, -1) - learned.reshape(400, -1).mean(axis=0)
    singular = np.linalg.svd(flat, full_matrices=False)[1]
    assert np.allclose(found.variances, singular[:3] ** 2 / 399, rtol=1e-6)
    assert np.abs(found.nearest(new) - new).std() < 0.12
    new[:, 2, 2] += 5
    rest = np.abs(new - found.nearest(new))
    assert (rest.reshape(20, -1).argmax(axis=1) == 2 * 6 + 2).all()
    assert found.first(2).nearest(new).shape == new.shape


def test_distances_within_the_components_are_mahalanobis_s():
    learned, new = images(300), images(5, 2)
    found = baselines.fit_subspace(learned, 3, seed=0)
    inverse = np.linalg.inv(np.cov(found.coordinates(learned).T))
    expected = [mahalanobis(each, np.zeros(3), inverse) ** 2 for each in found.coordinates(new)]
    assert np.allclose(found.distances(new), expected, rtol=1e-6)
    # Of squared length 3 on average, as those of three standard normals.
    assert found.distances(images(3000, 3)).mean() == pytest.approx(3, rel=0.15)


def test_components_are_no_more_than_normals_allow():
    assert len(baselines.fit_subspace(images(5), 50, seed=0).directions) == 4
    assert len(baselines.fit_subspace(images(90), 50, seed=0).directions) == 36


def test_padim_is_mahalanobis_place_by_place(monkeypatch):
    monkeypatch.setattr(baselines, "RIDGE", 0.0)
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 4))
    learned, new = (rng.normal(size=(n, 2, 3, 4)) @ mixing + 1 for n in (200, 6))
    found = baselines.gaussian_maps(learned, new)
    for y, x in np.ndindex(2, 3):
        known = learned[:, y, x]
        inverse = np.linalg.inv(np.cov(known.T, ddof=0))
        expected = [mahalanobis(each, known.mean(axis=0), inverse) for each in new[:, y, x]]
        assert np.allclose(found[:, y, x], expected, rtol=1e-3)


def test_knn_is_the_mean_distance_to_the_nearest_three_in_whitened_space():
    rng = np.random.default_rng(1)
    learned, new = rng.normal(size=(50, 2, 2, 3)), rng.normal(size=(4, 2, 2, 3))
    found = baselines.neighbor_maps(learned, new)
    for y, x in np.ndindex(2, 2):
        whitening = baselines._whitening(learned[:, y, x])
        distances = cdist(new[:, y, x] @ whitening, learned[:, y, x] @ whitening)
        assert np.allclose(found[:, y, x], np.sort(distances)[:, :3].mean(axis=1), rtol=1e-4)
    # One that is known is nearer than any that is not.
    assert baselines.neighbor_maps(learned, learned[:1]).max() < found.max()


def test_a_pixel_that_never_changes_divides_by_no_zero():
    learned = np.zeros((30, 2, 2))
    learned[:, 0, 0] = np.random.default_rng(0).normal(size=30)
    found = baselines.mean_image_maps(learned, np.full((1, 2, 2), 0.1))
    assert np.isfinite(found).all() and found[0, 1, 1] == pytest.approx(5)


def test_a_fusion_gives_no_method_more_say_for_its_units():
    rng = np.random.default_rng(0)
    healthy = [rng.normal(size=500), rng.exponential(size=500)]
    test = [rng.normal(2, 1, 200), rng.exponential(3, 200)]
    both = calibration.fused(healthy, test)
    units = [[one, 1000 * two - 7] for one, two in (healthy, test)]
    other = calibration.fused(*units)
    assert np.allclose(both[0], other[0]) and np.allclose(both[1], other[1])
    alone = calibration.fused(healthy[:1], test[:1])
    assert np.quantile(alone[0], 0.84) == pytest.approx(1) and np.isclose(np.median(alone[0]), 0)
    assert both[1].mean() > both[0].mean() + 1
    assert all(np.isfinite(part).all() for part in calibration.fused([np.ones(9)], [np.ones(2)]))


def test_the_limit_of_a_specificity_holds_as_often_as_it_says():
    rng = np.random.default_rng(0)
    # Uniform scores: the threshold is the specificity itself.
    reached = np.array([calibration.threshold(rng.random(99), 0.95) for _ in range(4000)])
    limit = calibration.specificity_limit(99, 0.95)
    assert np.mean(reached >= limit) == pytest.approx(0.95, abs=0.012)
    assert reached.mean() == pytest.approx(stats.beta.mean(95, 5), abs=0.003)
    assert calibration.specificity_limit(10_000, 0.95) > 0.945 > limit

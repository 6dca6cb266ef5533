"""Other ways to an axis, and paths: on latents whose directions are known."""

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from pgcxr.latent import directions, paths
from pgcxr.latent.axes import normalize, unit

LATENTS = 16


@pytest.fixture(scope="module")
def known():
    """Latents, and two logits whose directions have a cosine of 0.6."""
    rng = np.random.default_rng(0)
    u = normalize(rng.normal(size=(3000, LATENTS)))
    one, other = np.eye(LATENTS)[:2]
    true = np.stack([one, 0.6 * one + 0.8 * other])
    return u, 2 * u @ true.T + rng.normal(size=(3000, 2)), true


def test_the_plane_between_the_ends_finds_a_direction(known):
    u, logits, true = known
    for index in range(2):
        assert directions.hyperplane(u, logits[:, index], 0.05) @ true[index] > 0.9
    upside_down = directions.hyperplane(u, -logits[:, 0], 0.05)
    assert upside_down @ true[0] < -0.9
    assert not directions.hyperplane(u[:15], logits[:15, 0]).any(), "ten at each end are needed"


def test_axes_of_the_population_hold_the_other_output(known):
    u, logits, true = known
    found = directions.population(u, logits, seed=0, ridge=1e-3)
    effect = true @ found.axes.T  # of each axis (column) on each logit
    assert np.all(np.diag(effect) > 0.6)
    assert abs(effect[0, 1]) < 0.15 and abs(effect[1, 0]) < 0.15, "the regression's would have 0.6"
    assert np.all(found.r2 > 0.6) and np.all(found.r2 < 0.9), "of 5 parts one is noise"


def test_mean_slopes_are_those_by_differences(known):
    u, logits, _ = known
    network = MLPRegressor(hidden_layer_sizes=(8, 8), activation="tanh", max_iter=5, random_state=0)
    with pytest.warns(Warning):
        network.fit(u[:200], logits[:200])
    step, some = 1e-5, u[:50]
    expected = [
        (network.predict(some + step * e) - network.predict(some - step * e)).mean(axis=0)
        / 2
        / step
        for e in np.eye(LATENTS)
    ]
    np.testing.assert_allclose(
        directions._mean_slopes(network, some), np.stack(expected, axis=1), atol=1e-6
    )


def test_a_constant_logit_gives_no_nonsense(known):
    u, logits, _ = known
    logits = np.c_[logits[:300, 0], np.full(300, -2.0)]
    found = directions.population(u[:300], logits, seed=0)
    assert np.isfinite(found.axes).all() and found.axes[0, 0] > 0.8


def test_slopes_are_averaged_over_neighbors_and_logits_are_not():
    """Slopes with a ripple that changes its sign from place to place: what is left is the rest."""
    wave = np.random.default_rng(1).normal(size=LATENTS) * 40

    def slopes(u):
        ripple = np.sign(np.sin(u @ wave))[:, None] * np.eye(LATENTS)[3]
        return u[:, :1], (np.eye(LATENTS)[0] + 5 * ripple)[:, None]

    u = normalize(np.random.default_rng(2).normal(size=(6, LATENTS)))
    logits, smooth = paths.smoothed(slopes, 200, np.random.default_rng(3))(u)
    np.testing.assert_array_equal(logits, u[:, :1])
    np.testing.assert_allclose(smooth[:, 0, 0], 1.0)
    assert np.abs(smooth[:, 0, 3]).max() < 1.5 < np.abs(slopes(u)[1][:, 0, 3]).min()


def test_displacements_are_tangents_and_zero_where_nothing_moved():
    start = normalize(np.random.default_rng(0).normal(size=(3, LATENTS)))
    axis = unit(np.random.default_rng(1).normal(size=LATENTS))
    end = normalize(start + 0.5 * np.sqrt(LATENTS) * axis)
    end[2] = start[2]
    left = paths.displacements(np.stack([start, end]))
    np.testing.assert_allclose(np.sum(left * start, axis=1), 0, atol=1e-9)
    across = unit(axis - (unit(start) @ axis)[:, None] * unit(start))
    np.testing.assert_allclose(left[:2], across[:2], atol=1e-9)
    assert not left[2].any()


def test_a_path_stops_where_the_disease_is_there():
    def slopes(u):
        return 4 * u[:, :2], np.broadcast_to(4 * np.eye(2, LATENTS), (len(u), 2, LATENTS))

    start = normalize(np.r_[0.1, 0.5, np.ones(LATENTS - 2)][None])
    route = paths.follow(start, 0, slopes, 60)
    logits = 4 * route[:, 0, :2]
    assert logits[-1, 0] == pytest.approx(3.0, abs=0.2) and logits[-1, 1] < -2.0
    np.testing.assert_allclose(np.linalg.norm(route, axis=2), np.sqrt(LATENTS))

"""Axes must be found where they are known; the algebra must agree with scikit-learn and with
leaving images out."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from pgcxr.latent import axes as latent_axes

SIZE = 24


def sphere(rng, count, size=SIZE):
    return latent_axes.normalize(rng.normal(size=(count, size)))


def cosines(found, true):
    return np.sum(found * latent_axes.unit(true), axis=1)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_latents_are_moved_onto_the_sphere(rng):
    u = sphere(rng, 10)
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), np.sqrt(SIZE))


def test_logits_by_hand():
    np.testing.assert_allclose(
        latent_axes.logits([0.5, 0.0, 1.0]), [0.0, -np.log(99), np.log(99)], atol=1e-12
    )


def test_weights_are_one_share_per_class_that_occurs():
    # Three classes, of which one never has the highest output: K = 2, N = 4, n = (3, 1).
    probabilities = np.array([[0.9, 0.1, 0.0]] * 3 + [[0.1, 0.8, 0.0]])
    np.testing.assert_allclose(latent_axes.class_weights(probabilities), [4 / 6] * 3 + [4 / 2])
    rare = np.array([[0.9, 0.1]] * 999 + [[0.1, 0.8]])
    assert latent_axes.class_weights(rare)[-1] == latent_axes.MAX_WEIGHT
    assert list(latent_axes.class_counts(probabilities)) == [3, 1, 0]


def test_exclusive_keeps_single_patterns_only():
    rows = np.array([[0.95, 0.05, 0.0], [0.95, 0.2, 0.0], [0.8, 0.0, 0.0], [0.05, 0.1, 0.9]])
    assert list(latent_axes.exclusive(rows)) == [True, False, False, True]


def test_effective_samples_of_equal_weights_is_their_number():
    assert latent_axes.effective_samples(np.full(50, 3.0)) == pytest.approx(50)
    assert latent_axes.effective_samples(np.array([1.0, 0.0])) == pytest.approx(1)


def test_slopes_are_those_of_scikit_learn(rng):
    u, weights = sphere(rng, 60), rng.uniform(0.5, 4, 60)
    targets = u @ rng.normal(size=(SIZE, 2)) + rng.normal(size=(60, 2))
    for ridge in (0.01, 0.5):
        ours = latent_axes.fit_axes(u, targets, weights, ridges=(ridge,))
        theirs = Ridge(alpha=ridge * weights.sum()).fit(u, targets, sample_weight=weights)
        np.testing.assert_allclose(ours.slopes, theirs.coef_, rtol=1e-8)
        np.testing.assert_allclose(ours.intercepts, theirs.intercept_, rtol=1e-8)


@pytest.mark.parametrize("count", [60, 2000])
def test_ridges_and_errors_are_those_of_scikit_learn(rng, count):
    u, weights = sphere(rng, count), rng.uniform(0.5, 4, count)
    targets = u @ rng.normal(size=(SIZE, 3)) * 0.1 + rng.normal(size=(count, 3))
    ridges = latent_axes.RIDGES[1:]
    ours = latent_axes.fit_axes(u, targets, weights, ridges)
    theirs = RidgeCV(np.array(ridges) * weights.sum(), alpha_per_target=True, store_cv_results=True)
    theirs.fit(u, targets, sample_weight=weights)
    np.testing.assert_allclose(ours.ridges, theirs.alpha_ / weights.sum(), rtol=1e-9)
    np.testing.assert_allclose(ours.slopes, theirs.coef_, rtol=1e-9, atol=1e-12)
    errors = theirs.cv_results_.sum(axis=0).min(axis=1)
    total = weights @ (targets - weights @ targets / weights.sum()) ** 2
    np.testing.assert_allclose(1 - ours.loo_r2, errors / total, rtol=1e-9)


def test_the_ridge_is_the_one_of_the_least_leave_one_out_error(rng):
    u, weights = sphere(rng, 40), rng.uniform(0.5, 4, 40)
    targets = u @ rng.normal(size=(SIZE, 1)) * 0.3 + rng.normal(size=(40, 1))
    candidates = (0.003, 0.03, 0.3, 3.0)

    def left_out(ridge):
        total = 0.0
        for out in range(40):
            keep = np.arange(40) != out
            # The penalty stays that of all images: it belongs to the criterion, not to the subset.
            model = Ridge(alpha=ridge * weights.sum()).fit(
                u[keep], targets[keep, 0], sample_weight=weights[keep]
            )
            total += weights[out] * (targets[out, 0] - model.predict(u[out : out + 1])[0]) ** 2
        return total

    errors = [left_out(ridge) for ridge in candidates]
    fitted = latent_axes.fit_axes(u, targets, weights, candidates)
    assert fitted.ridges[0] == candidates[int(np.argmin(errors))]
    center = weights @ targets[:, 0] / weights.sum()
    assert fitted.loo_r2[0] == pytest.approx(
        1 - min(errors) / (weights @ (targets[:, 0] - center) ** 2), rel=1e-6
    )


def saturating(u, directions, offsets, noise, rng):
    """Six likelihoods, normal first: sigmoids of projections, as a classifier would give them."""
    scores = u @ directions.T + offsets + noise * rng.normal(size=(len(u), len(directions)))
    findings = 1 / (1 + np.exp(-scores))
    return np.concatenate([np.prod(1 - findings, axis=1, keepdims=True), findings], axis=1)


@pytest.mark.parametrize("rare", [0.0, -5.0])
def test_known_axes_are_recovered_also_rare_and_correlated_ones(rng, rare):
    directions = rng.normal(size=(5, SIZE)) * 0.5
    directions[1] = 0.7 * directions[0] + 0.7 * directions[1]
    offsets = np.array([-1.5, -1.5, -1.5, -1.5, -1.5 + rare])
    u = sphere(rng, 4000)
    likelihoods = saturating(u, directions, offsets, 1.0, rng)
    if rare:
        assert 0 < np.sum(likelihoods[:, 5] > 0.5) < 60
    fitted = latent_axes.fit_axes(
        u, latent_axes.logits(likelihoods), latent_axes.class_weights(likelihoods)
    )
    found = cosines(fitted.axes[1:], directions)
    assert np.all(found[:4] > 0.97), found
    assert found[4] > 0.85, found
    true = latent_axes.unit(directions)
    assert abs(fitted.axes[1] @ fitted.axes[2] - true[0] @ true[1]) < 0.07


def test_fewer_images_than_dimensions_still_point_the_right_way(rng):
    size, count = 120, 80
    direction = rng.normal(size=(1, size))
    u = sphere(rng, count, size)
    fitted = latent_axes.fit_axes(u, u @ direction.T + rng.normal(size=(count, 1)), np.ones(count))
    assert np.isfinite(fitted.slopes).all()
    # 80 images span 79 of 120 dimensions: the expected cosine of the projection is sqrt(79 / 120) =
    # 0.81.
    assert cosines(fitted.axes, direction)[0] > 0.7


def test_orthogonalized_axes_leave_the_others_alone(rng):
    axes = latent_axes.unit(rng.normal(size=(4, SIZE)))
    freed = latent_axes.orthogonalized(axes)
    products = freed @ axes.T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-10)
    assert np.all(np.diag(products) > 0)
    np.testing.assert_allclose(np.linalg.norm(freed, axis=1), 1)

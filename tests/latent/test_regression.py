"""Axes must be found where they are known; the algebra must agree with scikit-learn and with
leaving images out."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from evaluate.axes.evidence import predict
from pgcxr.latent import regression

SIZE = 24


def sphere(rng, count, size=SIZE):
    return regression.normalize(rng.normal(size=(count, size)))


def cosines(found, true):
    return np.sum(found * regression.unit(true), axis=1)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_latents_are_moved_onto_the_sphere(rng):
    u = sphere(rng, 10)
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), np.sqrt(SIZE))


def test_logits_by_hand():
    np.testing.assert_allclose(
        regression.logits([0.5, 0.0, 1.0]), [0.0, -np.log(99), np.log(99)], atol=1e-12
    )


def test_weights_are_one_share_per_class_that_occurs():
    # Three classes, of which one never has the highest output: K = 2, N = 4, n = (3, 1).
    probabilities = np.array([[0.9, 0.1, 0.0]] * 3 + [[0.1, 0.8, 0.0]])
    np.testing.assert_allclose(regression.class_weights(probabilities), [4 / 6] * 3 + [4 / 2])
    rare = np.array([[0.9, 0.1]] * 999 + [[0.1, 0.8]])
    assert regression.class_weights(rare)[-1] == regression.MAX_WEIGHT
    assert list(regression.class_counts(probabilities)) == [3, 1, 0]


def test_exclusive_keeps_single_patterns_only():
    rows = np.array([[0.95, 0.05, 0.0], [0.95, 0.2, 0.0], [0.8, 0.0, 0.0], [0.05, 0.1, 0.9]])
    assert list(regression.exclusive(rows)) == [True, False, False, True]


def test_effective_samples_of_equal_weights_is_their_number():
    assert regression.effective_samples(np.full(50, 3.0)) == pytest.approx(50)
    assert regression.effective_samples(np.array([1.0, 0.0])) == pytest.approx(1)


def test_slopes_are_those_of_scikit_learn(rng):
    u, weights = sphere(rng, 60), rng.uniform(0.5, 4, 60)
    targets = u @ rng.normal(size=(SIZE, 2)) + rng.normal(size=(60, 2))
    for ridge in (0.01, 0.5):
        ours = regression.fit(u, targets, weights, ridges=(ridge,))
        theirs = Ridge(alpha=ridge * weights.sum()).fit(u, targets, sample_weight=weights)
        np.testing.assert_allclose(ours.slopes, theirs.coef_, rtol=1e-8)
        np.testing.assert_allclose(ours.intercepts, theirs.intercept_, rtol=1e-8)


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
    fitted = regression.fit(u, targets, weights, candidates)
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
    fitted = regression.fit(
        u, regression.logits(likelihoods), regression.class_weights(likelihoods)
    )
    found = cosines(fitted.axes[1:], directions)
    assert np.all(found[:4] > 0.97), found
    assert found[4] > 0.85, found
    true = regression.unit(directions)
    assert abs(fitted.axes[1] @ fitted.axes[2] - true[0] @ true[1]) < 0.07


def test_fewer_images_than_dimensions_still_point_the_right_way(rng):
    size, count = 120, 80
    direction = rng.normal(size=(1, size))
    u = sphere(rng, count, size)
    fitted = regression.fit(u, u @ direction.T + rng.normal(size=(count, 1)), np.ones(count))
    assert np.isfinite(fitted.slopes).all()
    # 80 images span 79 of 120 dimensions: the expected cosine of the projection is sqrt(79 / 120) =
    # 0.81.
    assert cosines(fitted.axes, direction)[0] > 0.7


def test_no_axis_is_found_where_there_is_none(rng):
    u = sphere(rng, 600)
    noise = rng.normal(size=(600, 1))
    fitted = regression.fit(u[:400], noise[:400], np.ones(400))
    assert fitted.loo_r2[0] < 0.05
    p = [
        predict(u[400:] @ rng.normal(size=SIZE), rng.uniform(size=200), 199, rng).p
        for _ in range(60)
    ]
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) <= 0.1) < 0.25


def test_orthogonalised_axes_leave_the_others_alone(rng):
    axes = regression.unit(rng.normal(size=(4, SIZE)))
    freed = regression.orthogonalised(axes)
    products = freed @ axes.T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-10)
    assert np.all(np.diag(products) > 0)
    np.testing.assert_allclose(np.linalg.norm(freed, axis=1), 1)


def test_bootstrap_cosine_tells_a_firm_axis_from_a_loose_one(rng):
    u = sphere(rng, 800)
    targets = np.stack([u[:, 0] + 0.3 * rng.normal(size=800), rng.normal(size=800)], axis=1)
    fitted = regression.fit(u, targets, np.ones(800), ridges=(0.01,))
    firm, loose = regression.bootstrap_cosines(u, targets, np.ones(800), fitted, 20, rng).mean(
        axis=0
    )
    assert firm > 0.98
    assert loose < 0.85


def test_prediction_agrees_with_scikit_learn_and_falls_back_for_rare_findings(rng):
    from sklearn.metrics import roc_auc_score

    projection = rng.normal(size=300)
    likelihood = 1 / (1 + np.exp(-(projection + rng.normal(size=300))))
    found = predict(projection, likelihood, 199, rng)
    assert found.auroc == pytest.approx(roc_auc_score(likelihood >= 0.5, projection))
    assert found.p == pytest.approx(1 / 200) and found.reference == "likelihood >= 0.5"
    rare = predict(projection, likelihood * 0.4, 199, rng)
    assert rare.cases == 0 and rare.reference.startswith("highest")
    highest = likelihood >= np.sort(likelihood)[-30]
    assert rare.auroc == pytest.approx(roc_auc_score(highest, projection))

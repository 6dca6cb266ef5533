"""An axis must stand on evidence: none where there is nothing to find, AUROCs as scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pgcxr.errors import ArgumentError
from pgcxr.latent.axes import fit_axes, normalize
from pgcxr.latent.evidence import bootstrap_cosines, permutation_test

SIZE = 24


def sphere(rng, count):
    return normalize(rng.normal(size=(count, SIZE)))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_no_axis_is_found_where_there_is_none(rng):
    u = sphere(rng, 600)
    noise = rng.normal(size=(600, 1))
    fitted = fit_axes(u[:400], noise[:400], np.ones(400))
    assert fitted.loo_r2[0] < 0.05
    p = [
        permutation_test(u[400:] @ rng.normal(size=SIZE), rng.uniform(size=200), 199, rng).p
        for _ in range(60)
    ]
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) <= 0.1) < 0.25


def test_bootstrap_cosine_tells_a_firm_axis_from_a_loose_one(rng):
    u = sphere(rng, 800)
    targets = np.stack([u[:, 0] + 0.3 * rng.normal(size=800), rng.normal(size=800)], axis=1)
    fitted = fit_axes(u, targets, np.ones(800), ridges=(0.01,))
    firm, loose = bootstrap_cosines(u, targets, np.ones(800), fitted, 20, rng).mean(axis=0)
    assert firm > 0.98
    assert loose < 0.85


def test_prediction_agrees_with_scikit_learn_and_falls_back_for_rare_findings(rng):
    projection = rng.normal(size=300)
    likelihood = 1 / (1 + np.exp(-(projection + rng.normal(size=300))))
    found = permutation_test(projection, likelihood, 199, rng)
    assert found.auroc == pytest.approx(roc_auc_score(likelihood >= 0.5, projection))
    assert found.p == pytest.approx(1 / 200) and found.reference == "likelihood >= 0.5"
    rare = permutation_test(projection, likelihood * 0.4, 199, rng)
    assert rare.cases == 0 and rare.reference.startswith("highest")
    highest = likelihood >= np.sort(likelihood)[-30]
    assert rare.auroc == pytest.approx(roc_auc_score(highest, projection))


def test_swapped_or_mixed_up_arguments_are_named(rng):
    with pytest.raises(ArgumentError, match="projection: must be as long as likelihood"):
        permutation_test(np.zeros(3), np.zeros(4), 199, rng)
    with pytest.raises(ArgumentError, match="u: must have as many rows"):
        fit_axes(np.zeros((3, 2)), np.zeros((4, 1)), np.ones(4))

"""Agreement of readers against published numbers, statsmodels, scikit-learn and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_kappa

from pgcxr.metrics import equivalence, raters

NONE = math.nan
# Gwet 2014, Handbook of Inter-Rater Reliability, table 2.10: 12 units, 4 raters, some missing.
GWET = [
    [1, 1, NONE, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [NONE, 5, 5, 5],
    [NONE, NONE, 1, 1],
    [NONE, NONE, 3, NONE],
]
FIVE = (1, 2, 3, 4, 5)


def test_published_coefficients_with_missing_ratings():
    ac1 = raters.gwet_ac1(GWET, FIVE)
    assert ac1["value"] == pytest.approx(0.77544, abs=5e-6)
    assert ac1["ci95"] == pytest.approx([0.46081, 1], abs=5e-6)
    assert ac1["agreement"] == pytest.approx(0.81818, abs=5e-6) and ac1["n"] == 11
    kappa = raters.fleiss_kappa(GWET, FIVE)
    assert kappa["value"] == pytest.approx(0.76117, abs=5e-6)
    assert kappa["ci95"] == pytest.approx([0.42438, 1], abs=5e-6)


def test_fleiss_as_in_statsmodels():
    ratings = np.random.default_rng(0).integers(0, 4, (30, 5))
    ratings[:12] = ratings[:12, :1]
    expected = statsmodels_kappa(aggregate_raters(ratings)[0])
    assert raters.fleiss_kappa(ratings, range(4))["value"] == pytest.approx(expected)


@pytest.mark.parametrize("weights", raters.WEIGHTS)
def test_weighted_kappa_as_in_scikit_learn(weights):
    rng = np.random.default_rng(1)
    first = rng.integers(0, 4, 60)
    second = np.clip(first + rng.integers(-1, 2, 60), 0, 3)
    expected = cohen_kappa_score(
        first, second, labels=range(4), weights=None if weights == "identity" else weights
    )
    found = raters.weighted_kappa(first, second, range(4), weights)
    assert found == pytest.approx(expected)
    late = np.append(first, 2), np.append(second.astype(float), NONE)
    assert raters.weighted_kappa(*late, range(4), weights) == pytest.approx(expected)


def test_icc_of_shrout_and_fleiss():
    six = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = raters.icc(six)
    assert found["value"] == pytest.approx(0.29, abs=5e-3)
    assert found["ci95"] == pytest.approx([0.019, 0.761], abs=5e-4)
    assert raters.icc([*six, [1, 2, NONE, 4]])["value"] == found["value"]


@pytest.mark.parametrize("function", [raters.fleiss_kappa, raters.gwet_ac1])
def test_agreement_at_its_ends(function):
    full = [[0, 0, 0], [1, 1, 1], [2, 2, 2], [1, 1, 1]]
    assert function(full, range(3))["value"] == pytest.approx(1)
    chance = np.random.default_rng(2).integers(0, 3, (4000, 3))
    found = function(chance, range(3))
    assert found["value"] == pytest.approx(0, abs=0.02) and found["ci95"][0] < 0 < found["ci95"][1]
    assert math.isnan(function([[0, NONE], [NONE, 1]], range(3))["value"])
    with pytest.raises(ValueError, match="none of the categories"):
        function([[0, 7]], range(3))


def test_all_of_one_category():
    same = [[1, 1]] * 9
    assert math.isnan(raters.fleiss_kappa(same, range(3))["value"])
    assert math.isnan(raters.weighted_kappa([1] * 9, [1] * 9, range(3)))
    assert raters.gwet_ac1(same, range(3))["value"] == 1
    assert raters.icc([[1, 1], [2, 2], [3, 3]])["value"] == 1
    assert math.isnan(raters.icc([[1, 1], [1, 1]])["value"])


def test_weights_forgive_neighbors():
    near = [[0, 1], [1, 2], [2, 3], [3, 2], [0, 0], [3, 3]]
    values = [raters.fleiss_kappa(near, range(4), name)["value"] for name in raters.WEIGHTS]
    assert values == sorted(values) and values[0] < values[2]


def test_intervals_cover():
    """Of 150 samples of 60 cases whose kappa is 0.49 (each reader copies the truth with 0.7)."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(150):
        truth = rng.integers(0, 2, (60, 1))
        ratings = np.where(rng.random((60, 3)) < 0.7, truth, rng.integers(0, 2, (60, 3)))
        low, high = raters.fleiss_kappa(ratings, (0, 1))["ci95"]
        covered += low <= 0.49 <= high
    assert covered / 150 > 0.89


def test_equivalence_with_chance():
    # By hand: P(X >= 50 | 0.4) and P(X <= 50 | 0.6), of 100, are the same.
    found = equivalence.binomial(50, 100, 0.1)
    assert found["p"] == pytest.approx(0.027099, abs=1e-6) and found["equivalent"]
    assert not equivalence.binomial(60, 100, 0.1)["equivalent"]
    assert not equivalence.binomial(5, 10, 0.1)["equivalent"]
    assert not equivalence.binomial(0, 0, 0.1)["equivalent"]
    assert equivalence.of_mean(0.5, 0.05, None, 0.1)["p"] == pytest.approx(0.02275, abs=1e-5)
    assert equivalence.of_mean(0.5, 0.05, 4, 0.1)["p"] > 0.05
    with pytest.raises(ValueError, match="margin"):
        equivalence.binomial(5, 10, 0.5)
    # Of readers exactly at the margin, at most one in 20 passes.
    chances = stats.binom.pmf(np.arange(201), 200, 0.6)
    passed = [equivalence.binomial(k, 200, 0.1)["equivalent"] for k in range(201)]
    assert 0.03 < chances[passed].sum() < 0.05

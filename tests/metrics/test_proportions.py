"""Intervals and tests of proportions against statsmodels, simulation and cases by hand."""

import math

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from pgcxr.metrics.proportions import (
    clopper_pearson,
    clustered_wilson,
    mcnemar,
    predictive_values,
    wilson,
)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (1, 7), (89, 100), (1540, 1632)])
@pytest.mark.parametrize("level", [0.95, 0.9])
def test_intervals_as_in_statsmodels(k, n, level):
    assert clopper_pearson(k, n, level) == pytest.approx(
        proportion_confint(k, n, 1 - level, "beta"), abs=1e-10
    )
    assert wilson(k, n, level) == pytest.approx(
        proportion_confint(k, n, 1 - level, "wilson"), abs=1e-10
    )


def test_intervals_of_nothing():
    assert clopper_pearson(0, 0) == [0.0, 1.0] and wilson(0, 0) == [0.0, 1.0]
    with pytest.raises(ValueError, match="6 of 5"):
        clopper_pearson(6, 5)
    with pytest.raises(ValueError, match="-1 of 5"):
        wilson(-1, 5)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 9), (12, 12), (40, 2)])
def test_mcnemar_as_in_statsmodels(b, c):
    expected = statsmodels_mcnemar([[50, b], [c, 50]], exact=True).pvalue
    assert mcnemar(b, c)["p"] == pytest.approx(1.0 if b == c else expected, abs=1e-12)


@pytest.mark.parametrize("function", [clopper_pearson, wilson])
def test_no_level_and_no_count_is_refused(function):
    for level in (0, 1, 95, math.nan):
        with pytest.raises(ValueError, match="level"):
            function(1, 2, level)
    with pytest.raises(ValueError, match="no proportion"):
        function(math.nan, 2)


def test_patients_with_one_image_are_wilson_and_copies_say_nothing_new():
    successes = np.repeat([1, 0], [30, 12])
    plain = clustered_wilson(successes, np.ones(42))
    assert plain == pytest.approx(wilson(30, 42))
    # Three copies of each image: all images of a patient alike.
    assert clustered_wilson(3 * successes, np.full(42, 3)) == pytest.approx(
        wilson(30 * 126 / 42 * 41 / 125, 123 / 125 * 42)
    )
    assert clustered_wilson(3 * successes, np.full(42, 3)) == pytest.approx(plain, abs=5e-3)
    # Patients without a case don't count, and images less alike than chance don't narrow the
    # interval.
    assert clustered_wilson([*successes, 0, 0], [*np.ones(42), 0, 0]) == plain
    assert clustered_wilson([1, 1, 1, 2], [2, 2, 2, 2]) == pytest.approx(wilson(5, 8))


def test_clustered_proportions_at_their_ends():
    assert clustered_wilson([3, 2, 4], [3, 2, 4]) == wilson(3, 3)
    assert clustered_wilson([0, 0], [5, 5]) == wilson(0, 2)
    assert clustered_wilson([3], [4]) == pytest.approx(wilson(0.75, 1))
    assert clustered_wilson([], []) == clustered_wilson([0], [0]) == [0.0, 1.0]
    assert clustered_wilson([1, 1], [2, 2]) == pytest.approx(wilson(2, 4))
    for bad in (([3], [2]), ([-1], [2]), ([math.nan], [2]), ([1, 1], [2])):
        with pytest.raises(ValueError, match="patient"):
            clustered_wilson(*bad)


def test_clustered_intervals_cover_where_plain_ones_do_not():
    random = np.random.default_rng(0)
    covered = {"clustered": 0, "plain": 0}
    for _ in range(400):
        totals = random.integers(1, 9, 80)
        successes = random.binomial(
            totals, random.beta(2, 1, 80)
        )  # a patient's own chance; two thirds on average
        for name, (low, high) in (
            ("clustered", clustered_wilson(successes, totals)),
            ("plain", wilson(successes.sum(), totals.sum())),
        ):
            covered[name] += low < 2 / 3 < high
    assert 0.91 < covered["clustered"] / 400 < 0.99 and covered["plain"] / 400 < 0.88


def test_predictive_values_by_hand():
    # Sensitivity 90 %, specificity 80 %; of 1,000 people 10 are ill: 9 found, 198 false alarms, 1
    # missed, 792 right.
    found = predictive_values(tn=80, fp=20, fn=10, tp=90, prevalence=0.01)
    assert found["ppv"] == pytest.approx(9 / (9 + 198)) and found["npv"] == pytest.approx(792 / 793)
    assert found["ppv_ci95"][0] < found["ppv"] < found["ppv_ci95"][1]
    assert found["npv_ci95"][0] < found["npv"] < found["npv_ci95"][1]
    # Nothing was called, or nobody is there to be called.
    none = predictive_values(tn=5, fp=0, fn=5, tp=0, prevalence=0.1)
    assert (
        math.isnan(none["ppv"])
        and none["ppv_ci95"] == [0.0, 1.0]
        and none["npv"] == pytest.approx(0.9)
    )
    unknown = predictive_values(tn=0, fp=0, fn=1, tp=1, prevalence=0.1)
    assert (
        math.isnan(unknown["npv"])
        and unknown["npv_ci95"][0] == 0.0
        and unknown["ppv_ci95"][1] == 1.0
    )
    for bad in (0, 1, -0.1, 10, math.nan):
        with pytest.raises(ValueError, match="prevalence"):
            predictive_values(1, 1, 1, 1, bad)


def test_predictive_values_cover():
    random = np.random.default_rng(1)
    truth = 0.1 * 0.85 / (0.1 * 0.85 + 0.9 * 0.1)
    covered = 0
    for _ in range(300):
        tp, tn = random.binomial(60, 0.85), random.binomial(70, 0.9)
        low, high = predictive_values(tn, 70 - tn, 60 - tp, tp, 0.1)["ppv_ci95"]
        covered += low < truth < high
    assert covered / 300 > 0.93

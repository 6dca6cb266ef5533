"""Non-inferiority: the limit by hand, near and far from an area of 1, and how often it is wrong."""

import math

import numpy as np
import pytest
from scipy import stats

from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.non_inferiority import non_inferiority


def readings(random, n, a, b, correlation=0.0):
    """Labels, and binormal scores with the areas `a` and `b`, of n cases in each class."""
    labels = np.repeat([0, 1], n)
    one, other = random.normal(size=(2, 2 * n))
    other = correlation * one + math.sqrt(1 - correlation**2) * other
    return labels, *(
        math.sqrt(2) * stats.norm.ppf(area) * labels + e for area, e in ((a, one), (b, other))
    )


def test_the_limit_by_hand():
    labels, a, b = readings(np.random.default_rng(1), 60, 0.95, 0.9, 0.5)
    paired = delong(labels, a, b)
    (area_a, _, high), (area_b, low, _) = delong_ci(labels, a), delong_ci(labels, b)
    r = paired["covariance"] / math.sqrt(paired["variance_a"] * paired["variance_b"])
    x, y = area_b - low, high - area_a
    found = non_inferiority(labels, a, b, 0.1)
    assert found["lower_bound"] == pytest.approx(
        area_b - area_a - math.sqrt(x * x - 2 * r * x * y + y * y)
    )
    assert found["method"] == "MOVER, DeLong" and 0.2 < r < 0.8


def test_the_one_sided_p_agrees_with_the_limit():
    labels, a, b = readings(np.random.default_rng(2), 80, 0.93, 0.9)
    for margin in (0.005, 0.03, 0.1, 0.2):
        found = non_inferiority(labels, a, b, margin)
        assert found["passed"] == (found["p"] < 0.025)
    # At a margin of the limit itself it is a fortieth; at one that is the difference found, a half.
    assert non_inferiority(labels, a, b, -found["lower_bound"])["p"] == pytest.approx(
        0.025, abs=1e-6
    )
    difference = delong(labels, a, b)["difference"]
    assert non_inferiority(labels, a, b, difference)["p"] == pytest.approx(0.5, abs=1e-4)
    assert non_inferiority(labels, a, b, difference / 2)["p"] > 0.5


def test_far_from_1_it_is_the_limit_of_the_difference():
    labels, a, b = readings(np.random.default_rng(3), 1500, 0.8, 0.78, 0.6)
    paired = delong(labels, a, b)
    assert non_inferiority(labels, a, b, 0.05)["lower_bound"] == pytest.approx(
        -paired["ci95"][1], abs=5e-4
    )


@pytest.mark.parametrize(
    ("n", "a", "b", "correlation"), [(20, 0.9999, 0.9499, 0.0), (50, 0.98, 0.93, 0.6)]
)
def test_it_keeps_its_level_where_the_normal_interval_does_not(n, a, b, correlation):
    """400 studies where b is worse by the margin exactly: 2.5 % pass at most (+ 4 SE), of the
    normal limit 7 to 15."""
    random = np.random.default_rng(11)
    passed = normal = 0
    for _ in range(400):
        study = readings(random, n, a, b, correlation)
        passed += non_inferiority(*study, 0.05)["passed"]
        normal += delong(*study)["ci95"][1] < 0.05
    assert passed / 400 < 0.025 + 4 * math.sqrt(0.025 / 400) and normal > 2 * max(passed, 10)


@pytest.mark.parametrize("n", [10, 20, 50])
def test_a_worse_reading_has_no_higher_limit(n):
    labels, perfect = np.repeat([0, 1], n), np.arange(2.0 * n)
    found = []
    for swaps in range(8):
        b = perfect.copy()
        # Pairs around the border, each within the next: every swap takes from the area.
        low, high = np.arange(n - swaps, n), np.arange(n, n + swaps)
        b[low], b[high] = perfect[high], perfect[low]
        found.append(non_inferiority(labels, perfect, b, 0.05))
    bounds, passed = ([each[key] for each in found] for key in ("lower_bound", "passed"))
    # All of n: the exact binomial limit.
    assert bounds[0] == pytest.approx(0.025 ** (1 / n) - 1)
    assert (np.diff(bounds) <= 1e-12).all() and passed == sorted(passed, reverse=True)
    assert non_inferiority(labels, perfect, -perfect, 0.05)["lower_bound"] < bounds[-1]


def test_readings_without_an_error_are_as_good_as_there_are_cases():
    labels = np.repeat([0, 1], [70, 80])
    found = non_inferiority(labels, labels, 2.0 * labels, 0.05)
    assert found["lower_bound"] == pytest.approx(0.025 ** (1 / 70) - 1)
    assert found["p"] == pytest.approx(0.95**70, rel=1e-6) and not found["passed"]
    assert non_inferiority(
        np.repeat([0, 1], 80), np.repeat([0, 1], 80), np.repeat([0, 1], 80), 0.05
    )["passed"]
    few, level = np.array([0, 0, 1, 1]), np.zeros(4)
    for a, b in ((few, few), (level, level), (-few, -few), (few, level)):
        found = non_inferiority(few, a, b, 0.05)
        assert not found["passed"] and found["p"] > 0.025
    low, high = delong_ci(few, level)[1:]
    assert low < 0.2 and high > 0.8
    assert non_inferiority(labels, labels, -labels, 0.5)["p"] > 0.99
    assert non_inferiority(labels, -labels, labels, 0.05)["passed"]

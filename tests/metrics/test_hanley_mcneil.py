"""Hanley and McNeil's tests against their papers and simulation."""

import numpy as np
import pytest
from scipy import stats

from pgcxr.metrics.auroc import (
    area_correlation,
    delong,
    hanley_mcneil,
    hanley_mcneil_1982,
    hanley_mcneil_1983,
)
from tests.reference import roc_slow

# 1983, table 1: rows are the mean correlation between ratings, columns the mean area.
AREAS = (0.700, 0.725, 0.750, 0.775, 0.800, 0.825, 0.850, 0.875, 0.900, 0.925, 0.950, 0.975)
TABLE = {
    0.10: (0.09, 0.09, 0.09, 0.09, 0.08, 0.08, 0.08, 0.07, 0.07, 0.06, 0.06, 0.04),
    0.30: (0.27, 0.27, 0.27, 0.26, 0.26, 0.25, 0.25, 0.24, 0.23, 0.21, 0.19, 0.16),
    0.50: (0.47, 0.46, 0.46, 0.45, 0.45, 0.44, 0.43, 0.42, 0.41, 0.39, 0.37, 0.32),
    0.70: (0.67, 0.66, 0.66, 0.66, 0.65, 0.65, 0.64, 0.63, 0.62, 0.60, 0.58, 0.54),
    0.90: (0.88, 0.88, 0.88, 0.88, 0.87, 0.87, 0.87, 0.86, 0.86, 0.85, 0.84, 0.82),
}


def test_the_standard_error_as_published():
    """1982: area 0.893 of 51 abnormal and 58 normal images has standard error 0.032 (by the
    formula, 0.0325)."""
    found = hanley_mcneil(0.893, 51, 58)
    assert found["standard_error"] == pytest.approx(0.03251, abs=5e-6)
    assert found["ci95"] == pytest.approx(
        [0.893 - 1.959964 * 0.0325116, 0.893 + 1.959964 * 0.0325116], abs=1e-5
    )


def test_the_standard_error_by_hand():
    # A = 1/2: Q1 = Q2 = 1/3, SE^2 = (1/4 + 3/12 + 1/12) / 8.
    assert hanley_mcneil(0.5, 4, 2)["standard_error"] ** 2 == pytest.approx(
        (1 / 4 + 3 / 12 + 1 / 12) / 8
    )
    assert hanley_mcneil(1.0, 4, 2)["standard_error"] == 0.0
    assert hanley_mcneil(0.98, 5, 5)["ci95"][1] == 1.0


@pytest.mark.parametrize("rating_correlation", TABLE)
def test_the_correlation_of_areas_is_the_published_table(rating_correlation):
    found = [area_correlation(rating_correlation, area) for area in AREAS]
    # Half a unit of the table's last digit, and the rounding of its own computation.
    assert found == pytest.approx(TABLE[rating_correlation], abs=0.0053)


def test_the_correlation_of_areas_as_simulated():
    random = np.random.default_rng(4)
    separation = np.sqrt(2) * stats.norm.ppf(0.8)
    seen = roc_slow.wilcoxon_covariance(random, 20, 30, separation, rho=0.6, repeats=4000)
    # 4 standard errors of a correlation from 4000 pairs.
    assert area_correlation(0.6, 0.8, 20, 30) == pytest.approx(
        seen, abs=4 * (1 - 0.6**2) / np.sqrt(4000)
    )


def test_the_correlation_of_areas_at_its_ends():
    assert area_correlation(0.0, 0.8) == pytest.approx(0.0, abs=1e-12)
    assert area_correlation(1.0, 0.8) == pytest.approx(1.0, abs=1e-12)
    assert -1 < area_correlation(-1.0, 0.8) < area_correlation(-0.5, 0.8) < 0
    assert area_correlation(0.5, 1.0) == 0.0


def test_the_paired_test_of_1983():
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1], [300, 200])
    shared = random.normal(size=500)
    a = 1.5 * labels + shared + 0.5 * random.normal(size=500)
    b = 1.0 * labels + shared + 0.5 * random.normal(size=500)
    found = hanley_mcneil_1983(labels, a, b)
    reference = delong(labels, a, b)
    # Both scores are binormal of equal variances, where the two methods agree.
    assert found["z"] == pytest.approx(reference["z"], rel=0.2)
    in_truth = reference["covariance"] / np.sqrt(reference["variance_a"] * reference["variance_b"])
    assert found["r"] == pytest.approx(in_truth, abs=0.1)
    unpaired = hanley_mcneil_1982(reference["auroc_a"], reference["auroc_b"], 200, 300)
    assert abs(found["z"]) > abs(unpaired["z"])
    # Kendall's tau of two normal variables lies below their Pearson correlation.
    assert hanley_mcneil_1983(labels, a, b, correlation="kendall")["r"] < found["r"]


def test_readings_without_any_spread_are_taken_as_uncorrelated():
    labels = np.array([0, 0, 1, 1])
    assert hanley_mcneil_1983(labels, np.zeros(4), [0.1, 0.6, 0.4, 0.9])["r"] == 0.0
    assert hanley_mcneil_1983(labels, labels, labels) == {"z": 0.0, "p": 1.0, "r": 0.0}


def test_impossible_areas_and_counts_are_refused():
    with pytest.raises(ValueError, match="lies in"):
        hanley_mcneil(1.2, 5, 5)
    with pytest.raises(ValueError, match="at least one case"):
        hanley_mcneil(0.8, 0, 5)

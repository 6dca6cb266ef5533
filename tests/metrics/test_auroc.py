"""Areas under ROC curves against pair counting, scikit-learn and published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.roc import at_specificity, auroc, roc_curve, youden
from tests.reference import roc_slow

# Hanley & McNeil 1982, table I: 109 CT images rated 1 (definitely normal) to 5 (definitely
# abnormal).
RATINGS = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], [33, 6, 6, 11, 2, 3, 2, 2, 11, 33])
DISEASED = np.repeat([0, 1], [58, 51])

TWO_CLASSES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-5, 5), st.integers(-5, 5)), min_size=4, max_size=30
)


def columns(rows):
    """Rows with two cases of each class in front, so that a variance exists."""
    rows = [(0, 0, 1), (0, 3, -1), (1, 0, 2), (1, 4, 4), *rows]
    return (np.array(column) for column in zip(*rows, strict=True))


def test_an_area_by_hand():
    # Pairs: 0.3 > 0.1, 0.3 < 0.4, 0.4 > 0.1, 0.4 = 0.4.
    assert auroc([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.4]) == (1 + 0 + 1 + 0.5) / 4


@settings(max_examples=60, deadline=None)
@given(TWO_CLASSES)
def test_ties_and_all_as_in_scikit_learn(rows):
    labels, scores, _ = columns(rows)
    assert auroc(labels, scores) == pytest.approx(
        sklearn_metrics.roc_auc_score(labels, scores), abs=1e-12
    )
    assert auroc(labels, -scores) == pytest.approx(1 - auroc(labels, scores), abs=1e-12)
    assert auroc(labels, np.exp(scores)) == auroc(labels, scores)


@settings(max_examples=60, deadline=None)
@given(TWO_CLASSES)
def test_delong_as_by_pair_counting(rows):
    labels, a, b = columns(rows)
    areas, covariance = roc_slow.areas_and_covariance(labels, a, b)
    found = delong(labels, a, b)
    assert [found["auroc_a"], found["auroc_b"]] == pytest.approx(areas, abs=1e-12)
    assert [found["variance_a"], found["covariance"]] == pytest.approx(covariance[0], abs=1e-12)
    assert found["variance_b"] == pytest.approx(covariance[1, 1], abs=1e-12)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    if variance > 1e-9:
        assert found["z"] == pytest.approx((areas[0] - areas[1]) / np.sqrt(variance), abs=1e-6)


def test_the_ct_example_as_published():
    """Stata's manual (`roctab`): area 0.8932, DeLong's error 0.0307, interval 0.83295 to 0.95339
    for this table."""
    found = delong(DISEASED, RATINGS, np.zeros(109))
    error = np.sqrt(found["variance_a"])
    assert found["auroc_a"] == pytest.approx(0.8932, abs=5e-5)
    assert error == pytest.approx(0.0307, abs=5e-5)
    assert found["auroc_a"] + np.array([-1.959964, 1.959964]) * error == pytest.approx(
        [0.83295, 0.95339], abs=1e-5
    )


def test_the_sign_is_a_minus_b_and_swapping_turns_it():
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], 40)
    a, b = labels + random.normal(0, 0.5, 80), labels + random.normal(0, 2, 80)
    first, second = delong(labels, a, b), delong(labels, b, a)
    assert first["difference"] > 0 and first["z"] > 0
    assert second["z"] == -first["z"] and second["p"] == first["p"]
    assert first["ci95"] == [-second["ci95"][1], -second["ci95"][0]]


def test_equal_readings_and_a_constant_difference():
    labels = np.array([0, 0, 0, 1, 1, 1])
    scores = np.array([0.1, 0.5, 0.3, 0.4, 0.9, 0.2])
    same = delong(labels, scores, 10 * scores)
    assert (same["z"], same["p"], same["difference"]) == (0.0, 1.0, 0.0)
    apart = delong(labels, labels, -labels)
    assert (apart["z"], apart["p"], apart["difference"]) == (np.inf, 0.0, 1.0)


def test_intervals_stay_inside_and_separated_classes_keep_one():
    labels = np.repeat([0, 1], [20, 12])
    area, low, high = delong_ci(labels, labels)
    # Twelve of twelve: the exact binomial limit, 0.025^(1/12).
    assert (area, low, high) == (1.0, pytest.approx(0.7353515, abs=1e-6), 1.0)
    assert delong_ci(labels, -labels) == (0.0, 0.0, pytest.approx(1 - 0.7353515, abs=1e-6))
    scores = labels + np.linspace(0, 1.1, 32)[::-1]
    area, low, high = delong_ci(labels, scores)
    assert 0 < low < area < high < 1
    assert delong_ci(labels, scores, level=0.99)[1] < low


def test_the_interval_covers_and_the_test_keeps_its_level():
    """800 simulated studies: 95 % of intervals hold the true area, 5 % of tests of equal areas
    reject (+- 4 SE)."""
    random = np.random.default_rng(2)
    labels = np.repeat([0, 1], [60, 40])
    covered = rejected = 0
    for _ in range(800):
        common = random.normal(size=100)
        a, b = (1.2 * labels + 0.7 * common + 0.714 * random.normal(size=100) for _ in "ab")
        _, low, high = delong_ci(labels, a)
        covered += low < 0.8019 < high  # Phi(1.2 / sqrt(2))
        rejected += delong(labels, a, b)["p"] < 0.05
    assert 0.92 < covered / 800 < 0.98
    assert 0.02 < rejected / 800 < 0.08


def test_the_curve_as_in_scikit_learn_and_its_area():
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 200)
    scores = np.round(labels + random.normal(size=200), 1)
    curve = roc_curve(labels, scores)
    false_positive, true_positive, threshold = sklearn_metrics.roc_curve(
        labels, scores, drop_intermediate=False
    )
    assert np.array_equal(curve["false_positive_rate"], false_positive)
    assert np.array_equal(curve["true_positive_rate"], true_positive)
    assert np.array_equal(curve["threshold"], threshold)
    assert sklearn_metrics.auc(
        curve["false_positive_rate"], curve["true_positive_rate"]
    ) == pytest.approx(auroc(labels, scores), abs=1e-12)


def test_youden_is_an_observed_score_and_the_best_one():
    labels = np.array([0, 0, 0, 1, 1, 1])
    scores = np.array([0.1, 0.2, 0.6, 0.5, 0.7, 0.8])
    # At 0.5: 3 of 3 and 2 of 3; at 0.7: 2 of 3 and 3 of 3, the same index. The higher is taken.
    assert youden(labels, scores) == {"threshold": 0.7, "index": pytest.approx(2 / 3)}


def test_a_fixed_specificity_by_hand():
    labels = np.array([0] * 10 + [1] * 4)
    scores = np.array([*np.arange(10) / 10, 0.35, 0.75, 0.85, 0.95])
    # 0.9 itself is one false alarm in ten; without any, only 0.95 is left.
    assert at_specificity(labels, scores, 0.9) == {
        "threshold": 0.85,
        "specificity": 0.9,
        "sensitivity": 0.5,
    }
    assert at_specificity(labels, scores, 0.95) == {
        "threshold": 0.95,
        "specificity": 1.0,
        "sensitivity": 0.25,
    }
    assert at_specificity(labels, scores, 0.3)["sensitivity"] == 1.0
    # The highest score is a normal one: nothing may be called.
    above = at_specificity([0, 0, 1, 1], [0.9, 0.1, 0.2, 0.9], 0.95)
    assert (above["specificity"], above["sensitivity"]) == (1.0, 0.0) and 0.9 < above[
        "threshold"
    ] < 0.9 + 1e-9
    for bad in (0, 1.1, -1, np.nan):
        with pytest.raises(ValueError, match="specificity"):
            at_specificity(labels, scores, bad)


@pytest.mark.parametrize("specificity", [0.5, 0.8, 0.9, 0.95, 1.0])
def test_a_fixed_specificity_is_the_best_that_keeps_it(specificity):
    random = np.random.default_rng(6)
    labels = random.integers(0, 2, 120)
    scores = np.round(labels + random.normal(size=120), 1)
    found = at_specificity(labels, scores, specificity)
    kept = [t for t in [*scores, np.inf] if (scores[labels == 0] < t).mean() >= specificity - 1e-12]
    assert found["sensitivity"] == max((scores[labels == 1] >= t).mean() for t in kept)
    assert found["specificity"] == pytest.approx((scores[labels == 0] < found["threshold"]).mean())
    assert found["specificity"] >= specificity - 1e-12


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 0], [0.1, 0.2], "one class"),
        ([1, 1], [0.1, 0.2], "one class"),
        ([0, 1], [0.1, np.nan], "NaN"),
        ([0, 1], [0.1, np.inf], "infinite"),
        ([0, 1, 1], [0.1, 0.2], "one length"),
        ([0, 2], [0.1, 0.2], "0 or 1"),
        ([], [], "no cases"),
        ([[0, 1]], [[0.1, 0.2]], "flat"),
    ],
)
def test_what_is_no_reading_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        auroc(labels, scores)


def test_one_case_of_a_class_has_an_area_but_no_variance():
    assert auroc([0, 0, 1], [1, 2, 3]) == 1.0
    with pytest.raises(ValueError, match="two cases of each class"):
        delong_ci([0, 0, 1], [1, 2, 3])

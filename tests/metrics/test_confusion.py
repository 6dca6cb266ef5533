"""Rates at an operating point, and what is said of one reading and of two."""

import math

import numpy as np
import pytest
from scipy import stats

from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.calibration import calibration
from pgcxr.metrics.confusion import Points, comparison, confusion, evaluation
from pgcxr.metrics.non_inferiority import non_inferiority
from pgcxr.metrics.proportions import clustered_wilson, predictive_values, wilson
from pgcxr.metrics.resampling import bootstrap_auroc, bootstrap_difference
from pgcxr.metrics.roc import at_specificity, auroc, youden


def test_a_case_at_the_threshold_is_called_positive():
    found = confusion([0, 0, 1, 1], [0.2, 0.5, 0.5, 0.4], 0.5)
    assert found["confusion"] == {"tn": 1, "fp": 1, "fn": 1, "tp": 1}
    assert found["threshold"] == 0.5


def test_a_rate_of_nothing_is_nan():
    found = confusion([0, 1], [0.1, 0.2], 0.5)
    assert math.isnan(found["ppv"]) and found["ci95"]["ppv"] == [0.0, 1.0]
    assert (found["npv"], found["sensitivity"], found["specificity"]) == (0.5, 0.0, 1.0)


@pytest.fixture(scope="module")
def study():
    random = np.random.default_rng(6)
    labels = np.repeat([0, 1], [150, 120])
    shared = random.normal(size=270)
    return labels, 2 * labels + shared, 1.9 * labels + shared + 0.3 * random.normal(size=270)


def test_the_evaluation_has_the_contract_keys(study):
    labels, scores, _ = study
    found = evaluation(labels, scores, Points(threshold=1.0))
    asked = {
        "auroc",
        "auroc_ci95",
        "sensitivity",
        "specificity",
        "ppv",
        "npv",
        "threshold",
        "confusion",
        "youden",
    }
    assert asked <= set(found)
    assert (
        set(found["confusion"]) == {"tn", "fp", "fn", "tp"}
        and sum(found["confusion"].values()) == 270
    )
    assert found["auroc"] == pytest.approx(auroc(labels, scores))
    assert found["auroc_ci95"][0] < found["auroc"] < found["auroc_ci95"][1]
    best = found["youden"]
    assert best["threshold"] == youden(labels, scores)["threshold"]
    assert best["sensitivity"] + best["specificity"] >= found["sensitivity"] + found["specificity"]


def test_the_comparison_has_the_contract_keys_and_a_direction(study):
    labels, better, worse = study
    found = comparison(labels, better, worse, margin=0.05)
    assert {"z", "p", "difference", "ci95"} <= set(found["delong"])
    assert set(found["hanley_mcneil_1982"]) == {"z", "p"} and set(found["hanley_mcneil_1983"]) == {
        "z",
        "p",
        "r",
    }
    assert set(found["non_inferiority"]) == {"margin", "passed", "lower_bound", "p", "method"}
    assert found["delong"]["difference"] > 0
    assert found["non_inferiority"]["passed"]
    assert not comparison(labels, better, worse, margin=0.01)["non_inferiority"]["passed"]
    assert comparison(labels, worse, better, margin=0.01)["non_inferiority"]["passed"]
    for bad in (0, 1, -0.1, math.nan):
        with pytest.raises(ValueError, match="margin"):
            comparison(labels, better, worse, margin=bad)


@pytest.fixture(scope="module")
def clustered():
    """Labels, two probabilities and patients with one to four images each."""
    random = np.random.default_rng(12)
    patients = np.repeat(np.arange(120), random.integers(1, 5, 120))
    common = random.normal(size=120)[patients]
    labels = (random.random(len(patients)) < stats.norm.cdf(common)).astype(int)
    a, b = (
        stats.norm.cdf(1.5 * (labels - 0.5) + common + spread * random.normal(size=len(labels)))
        for spread in (1, 1.3)
    )
    return labels, a, b, patients


def test_with_patients_all_is_said_twice(clustered):
    labels, a, b, patients = clustered
    found = evaluation(labels, a, patients=patients, resamples=200, seed=5)
    plain = evaluation(labels, a)
    assert "clustered" not in plain and "clustered95" not in plain
    assert found["auroc_ci95"] == plain["auroc_ci95"] and found["wilson95"] == plain["wilson95"]
    assert found["clustered"]["auroc_ci95"] == list(delong_ci(labels, a, patients=patients)[1:])
    assert found["clustered"]["bootstrap"] == bootstrap_auroc(
        labels, a, patients, resamples=200, seed=5
    )
    assert (found["clustered"]["patients"], found["clustered"]["images"]) == (120, len(labels))
    called, of = (a >= 0.5) & (labels == 1), labels == 1
    by_patient = [np.bincount(patients, each) for each in (called, of)]
    for point in (found, found["youden"], found["at_specificity"]):
        assert set(point["clustered95"]) == {"sensitivity", "specificity", "ppv", "npv"}
    assert found["clustered95"]["sensitivity"] == clustered_wilson(*by_patient)
    widths = [np.ptp(found[name]["sensitivity"]) for name in ("clustered95", "wilson95")]
    assert widths[0] > widths[1]

    pair = comparison(labels, a, b, 0.1, patients, resamples=200, seed=5)
    assert pair["delong"] == delong(labels, a, b)
    assert pair["clustered"]["obuchowski"] == delong(labels, a, b, patients=patients)
    assert pair["clustered"]["bootstrap"] == bootstrap_difference(
        labels, a, b, patients, resamples=200, seed=5
    )
    assert pair["non_inferiority"] == non_inferiority(labels, a, b, 0.1, patients)
    assert pair["non_inferiority"]["method"] == "MOVER, Obuchowski"


def test_the_rates_of_each_point_are_clustered_by_hand():
    #         patient 1, both right; patient 2, one of two; patient 3, wrong; and two normals
    labels, scores = [1, 1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.2, 0.1, 0.6]
    found = confusion(labels, scores, 0.5, patients=["a", "a", "b", "b", "c", "d", "e"])[
        "clustered95"
    ]
    share, n = 3 / 5, 5
    variance = 3 / 2 * ((2 - 2 * share) ** 2 + (1 - 2 * share) ** 2 + (0 - share) ** 2) / n**2
    effective = n * share * (1 - share) / (n - 1) / variance
    assert effective < 5
    assert found["sensitivity"] == pytest.approx(wilson(share * effective, effective))
    # One image each: as without patients.
    assert found["specificity"] == pytest.approx(wilson(1, 2))
    # Called abnormal: two of patient a, one of b, one of e, of which e is wrong.
    assert found["ppv"] == clustered_wilson([2, 1, 0], [2, 1, 1])


def test_thresholds_from_validation_are_not_optimistic(clustered):
    labels, a, b, _ = clustered
    half = np.arange(len(labels)) % 2 == 0
    found = evaluation(
        labels[half], a[half], Points(specificity=0.9), validation=(labels[~half], a[~half])
    )
    assert found["chosen_on"] == "validation"
    assert found["youden"]["threshold"] == youden(labels[~half], a[~half])["threshold"]
    assert (
        found["at_specificity"]["threshold"]
        == at_specificity(labels[~half], a[~half], 0.9)["threshold"]
    )
    assert found["at_specificity"]["aimed_at"] == 0.9
    itself = evaluation(labels[half], a[half], Points(specificity=0.9))
    assert itself["chosen_on"] == "test" and itself["at_specificity"]["specificity"] >= 0.9
    index = [
        each["youden"]["sensitivity"] + each["youden"]["specificity"] for each in (itself, found)
    ]
    assert index[0] >= index[1]
    # The temperature is fitted there too.
    cooled = found["calibration"]["temperature"]
    assert (
        cooled["temperature"] > 0
        and cooled["ece_before"] == found["calibration"]["equal_width"]["ece"]
    )
    assert cooled["log_loss_before"] == found["calibration"]["log_loss"]
    assert itself["calibration"]["temperature"] is None
    sure = evaluation(labels[half], a[half], validation=([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]))
    assert sure["calibration"]["temperature"]["temperature"] is None
    assert "own side" in sure["calibration"]["temperature"]["reason"]
    with pytest.raises(ValueError, match="one class"):
        evaluation(labels[half], a[half], validation=([0, 0], [0.1, 0.2]))
    with pytest.raises(ValueError, match="outside"):
        evaluation(labels[half], a[half], validation=([0, 1], [0.1, 2]))


def test_scores_that_are_no_probabilities_have_no_calibration(study, clustered):
    labels, scores, _ = study
    assert evaluation(labels, scores, resamples=10)["calibration"] is None
    labels, a, _, patients = clustered
    found = evaluation(labels, a, patients=patients, resamples=10, seed=2)["calibration"]
    assert {name: value for name, value in found.items() if name != "temperature"} == calibration(
        labels, a, patients=patients, seed=2
    )


def test_each_point_says_what_it_means_at_another_prevalence(clustered):
    labels, a, _, _ = clustered
    found = evaluation(labels, a, Points(prevalence=0.02))
    for point in (found, found["youden"], found["at_specificity"]):
        assert point["at_prevalence"] == predictive_values(**point["confusion"], prevalence=0.02)
    assert (
        found["at_prevalence"]["ppv"] < found["ppv"]
        and found["at_prevalence"]["npv"] > found["npv"]
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": Points(threshold=math.nan)}, "threshold is NaN"),
        ({"points": Points(specificity=0)}, "specificity"),
        ({"points": Points(specificity=math.nan)}, "specificity"),
        ({"points": Points(prevalence=0)}, "prevalence"),
        ({"points": Points(prevalence=1.0)}, "prevalence"),
        ({"patients": [1, 2, 3]}, "name one for each"),
        ({"labels": [0, 0, 0, 0]}, "one class"),
        ({"labels": [0, 1], "scores": [0.1, 0.2]}, "two cases of each class"),
        ({"scores": [0.1, 0.2, math.nan, 0.5]}, "NaN"),
        ({"scores": [[0.1, 0.2, 0.4, 0.5]]}, "flat"),
    ],
)
def test_what_makes_no_evaluation_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        evaluation(**({"labels": [0, 0, 1, 1], "scores": [0.1, 0.6, 0.4, 0.9]} | changes))

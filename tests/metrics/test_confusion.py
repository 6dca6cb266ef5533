"""Rates, intervals and tests of proportions, replayed on the thesis's own tables."""

import math

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from pgcxr.metrics.auroc import auroc, delong, youden
from pgcxr.metrics.confusion import clopper_pearson, comparison, confusion, evaluation, mcnemar, rates, wilson

# Thesis Tables 3, 4 and 5, and what its Results 1 prints as sensitivity and specificity.
TABLES = {
    "real on real": (dict(tn=1312, fp=109, fn=92, tp=1540), (0.934, 0.933)),
    "synthetic on synthetic": (dict(tn=1264, fp=157, fn=128, tp=1504), (0.908, 0.905)),
    "synthetic on real": (dict(tn=1095, fp=326, fn=191, tp=1441), (0.851, 0.816)),
}
# Thesis Table 6, in its order.
SUBJECTS = (8, 9, 6, 9, 9, 6, 8, 9, 10, 10, 6, 10)
DETECTED = (8, 9, 6, 9, 8, 5, 7, 8, 8, 6, 5, 10)


@pytest.mark.parametrize("name", TABLES)
def test_the_thesis_prints_npv_and_ppv(name):
    table, (printed_sensitivity, printed_specificity) = TABLES[name]
    found = rates(**table)
    # 0.933 and 0.905 are cut, not rounded.
    assert found["npv"] == pytest.approx(printed_sensitivity, abs=6e-4)
    assert found["ppv"] == pytest.approx(printed_specificity, abs=1e-3)
    assert found["sensitivity"] != pytest.approx(printed_sensitivity, abs=5e-3)
    assert found["specificity"] != pytest.approx(printed_specificity, abs=5e-3)


def test_table_5_has_sensitivity_88_3_and_specificity_77_1():
    found = rates(**TABLES["synthetic on real"][0])
    assert found["sensitivity"] == pytest.approx(0.883, abs=5e-4)
    assert found["specificity"] == pytest.approx(0.771, abs=5e-4)


def test_table_3_has_1649_abnormal_calls_and_1421_normals():
    table = TABLES["real on real"][0]
    assert (table["tp"] + table["fp"], table["tn"] + table["fp"]) == (1649, 1421)


def test_table_6_sums_to_89():
    assert (sum(SUBJECTS), sum(DETECTED)) == (100, 89)
    assert clopper_pearson(89, 100) == pytest.approx([0.8117, 0.9438], abs=1e-4)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (1, 7), (89, 100), (1540, 1632)])
@pytest.mark.parametrize("level", [0.95, 0.9])
def test_intervals_as_in_statsmodels(k, n, level):
    assert clopper_pearson(k, n, level) == pytest.approx(proportion_confint(k, n, 1 - level, "beta"), abs=1e-10)
    assert wilson(k, n, level) == pytest.approx(proportion_confint(k, n, 1 - level, "wilson"), abs=1e-10)


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
    found = evaluation(labels, scores, threshold=1.0)
    asked = {"auroc", "auroc_ci95", "sensitivity", "specificity", "ppv", "npv", "threshold", "confusion", "youden"}
    assert asked <= set(found)
    assert set(found["confusion"]) == {"tn", "fp", "fn", "tp"} and sum(found["confusion"].values()) == 270
    assert found["auroc"] == pytest.approx(auroc(labels, scores))
    assert found["auroc_ci95"][0] < found["auroc"] < found["auroc_ci95"][1]
    best = found["youden"]
    assert best["threshold"] == youden(labels, scores)["threshold"]
    assert best["sensitivity"] + best["specificity"] >= found["sensitivity"] + found["specificity"]


def test_the_comparison_has_the_contract_keys_and_a_direction(study):
    labels, better, worse = study
    found = comparison(labels, better, worse, margin=0.05)
    assert {"z", "p", "difference", "ci95"} <= set(found["delong"])
    assert set(found["hanley_mcneil_1982"]) == {"z", "p"} and set(found["hanley_mcneil_1983"]) == {"z", "p", "r"}
    assert set(found["non_inferiority"]) == {"margin", "passed", "lower_bound"}
    assert found["delong"]["difference"] > 0
    assert found["non_inferiority"]["lower_bound"] == pytest.approx(-delong(labels, better, worse)["ci95"][1])
    assert found["non_inferiority"]["passed"]
    assert not comparison(labels, better, worse, margin=0.01)["non_inferiority"]["passed"]
    assert comparison(labels, worse, better, margin=0.01)["non_inferiority"]["passed"]
    with pytest.raises(ValueError, match="margin"):
        comparison(labels, better, worse, margin=0)

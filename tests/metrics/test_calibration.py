"""Calibration against scikit-learn, statsmodels, simulation and cases by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, special
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from pgcxr.metrics.calibration import (
    bin_edges,
    brier,
    calibration,
    ece,
    reliability_curve,
    rms_debiased,
)
from pgcxr.metrics.recalibration import log_loss, logits_of, recalibration, scaled, temperature

FEW = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=0, max_size=40)


def columns(rows):
    """Labels and probabilities, ties included, with both classes."""
    rows = [(0, 3), (1, 17), *rows]
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    return labels, scores / 20


def readings(count, slope=1.0, intercept=0.0, seed=0):
    """Labels that follow logit P = intercept + slope * logit(p)."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, count)
    return (random.random(count) < special.expit(intercept + slope * logits)).astype(
        int
    ), special.expit(logits)


@settings(max_examples=40, deadline=None)
@given(FEW, st.booleans(), st.integers(1, 12))
def test_the_curve_as_in_scikit_learn(rows, equal_mass, bins):
    labels, scores = columns(rows)
    inner = np.percentile(scores, np.linspace(0, 100, bins + 1)[1:-1])
    # At an edge that is a score, rounding decides on which side it lies.
    assume(not equal_mass or not np.isclose(inner[:, None], scores).any())
    share, score = calibration_curve(
        labels, scores, n_bins=bins, strategy="quantile" if equal_mass else "uniform"
    )
    curve = reliability_curve(labels, scores, bin_edges(scores, bins, equal_mass))
    assert curve["share"] == pytest.approx(share, abs=1e-12)
    assert curve["score"] == pytest.approx(score, abs=1e-12)
    assert curve["n"].sum() == len(labels)
    assert (
        (curve["low"] <= curve["score"] + 1e-12) & (curve["score"] <= curve["high"] + 1e-12)
    ).all()
    assert (
        (curve["wilson95"][:, 0] <= curve["share"]) & (curve["share"] <= curve["wilson95"][:, 1])
    ).all()


def test_ece_by_hand():
    labels = [0, 0, 1, 1, 1, 0]
    scores = [0.1, 0.3, 0.4, 0.6, 0.9, 0.8]
    # Lower half: 1 of 3 at a mean of 0.8 / 3; upper: 2 of 3 at 2.3 / 3.
    assert ece(labels, scores, bin_edges(scores, 2)) == pytest.approx(
        (abs(1 - 0.8) + abs(2 - 2.3)) / 6
    )
    # An edge belongs to the bin below; the outermost hold 0 and 1.
    curve = reliability_curve([0, 1, 1, 0], [0.0, 0.5, 1.0, 0.75], [0, 0.5, 1])
    assert curve["n"].tolist() == [2, 2] and curve["share"].tolist() == [0.5, 0.5]


def test_equal_mass_holds_equally_many():
    labels, scores = readings(1000)
    assert set(reliability_curve(labels, scores, bin_edges(scores, 10, equal_mass=True))["n"]) == {
        100
    }
    # All cases tied: one bin.
    assert reliability_curve([0, 1, 1], [0.4] * 3, bin_edges(np.full(3, 0.4), 10, True))[
        "n"
    ].tolist() == [3]


@settings(max_examples=40, deadline=None)
@given(FEW, st.integers(1, 12))
def test_the_brier_score_as_in_scikit_learn_and_its_parts_add_up(rows, bins):
    labels, scores = columns(rows)
    found = brier(labels, scores, bin_edges(scores, bins, equal_mass=True))
    assert found["score"] == pytest.approx(
        sklearn_metrics.brier_score_loss(labels, scores), abs=1e-12
    )
    # Each value a bin of its own: Murphy's three parts are all there is.
    values = np.unique(scores)
    middles = np.concatenate([[0], (values[1:] + values[:-1]) / 2, [1]])
    murphy = brier(labels, scores, middles)
    assert murphy["within_bins"] == pytest.approx(0, abs=1e-12)
    of_value = [labels[scores == value].mean() for value in values]
    count = [(scores == value).mean() for value in values]
    assert murphy["reliability"] == pytest.approx(
        np.dot(count, (values - of_value) ** 2), abs=1e-12
    )
    assert murphy["resolution"] == pytest.approx(
        np.dot(count, (of_value - labels.mean()) ** 2), abs=1e-12
    )
    assert found["uncertainty"] == pytest.approx(labels.var(), abs=1e-12)


def test_what_is_inside_bins_as_in_stephenson():
    labels, scores = readings(400)
    edges = bin_edges(scores, 5)
    place = np.searchsorted(edges[1:-1], scores)
    variance = covariance = 0.0
    for index in range(5):
        own = place == index
        variance += ((scores[own] - scores[own].mean()) ** 2).sum() / 400
        covariance += (
            2
            * ((scores[own] - scores[own].mean()) * (labels[own] - labels[own].mean())).sum()
            / 400
        )
    assert brier(labels, scores, edges)["within_bins"] == pytest.approx(
        variance - covariance, abs=1e-12
    )


def test_log_loss_as_in_scikit_learn():
    labels, scores = readings(300)
    assert log_loss(labels, scores) == pytest.approx(
        sklearn_metrics.log_loss(labels, scores), abs=1e-12
    )
    # A sure error costs much, not everything.
    assert log_loss([0, 1], [0.0, 0.0]) == pytest.approx(-np.log(1e-7) / 2, rel=1e-6)


def test_the_debiased_error_is_unbiased_where_the_plain_one_is_not():
    plain, debiased, squares = [], [], []
    for seed in range(200):
        labels, scores = readings(200, seed=seed)
        edges = bin_edges(scores, 10, equal_mass=True)
        plain.append(ece(labels, scores, edges))
        debiased.append(rms_debiased(labels, scores, edges))
        curve = reliability_curve(labels, scores, edges)
        gap, noise = (
            (curve["share"] - curve["score"]) ** 2,
            curve["share"] * (1 - curve["share"]) / (curve["n"] - 1),
        )
        squares.append((curve["n"] * (gap - noise)).sum() / 200)
    assert np.mean(plain) > 0.04
    # The square before it is cut at 0: 0 within 4 standard errors.
    assert abs(np.mean(squares)) < 4 * np.std(squares) / np.sqrt(200)
    assert np.median(debiased) < 0.02
    # Of a constant 0.6 where 0.5 is true, 0.1.
    labels = np.tile([0, 1], 2000)
    assert rms_debiased(labels, np.full(4000, 0.6), [0, 1]) == pytest.approx(0.1, abs=2e-3)
    assert np.isnan(rms_debiased([0, 1], [0.2, 0.9], [0, 0.5, 1]))


def test_the_error_by_chance():
    """The p-value is uniform where the scores are calibrated, and small where they are not."""
    p = [calibration(*readings(150, seed=seed))["equal_width"]["p"] for seed in range(60)]
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) < 0.05) < 0.2
    labels, scores = readings(1500)
    found = calibration(labels, scores)
    for kind in ("equal_width", "equal_mass"):
        assert found[kind]["ece"] < found[kind]["ece_by_chance_high"]
        assert found[kind]["ece_by_chance"] == pytest.approx(0.025, abs=0.01)
    sure = calibration(labels, scaled(scores, 0.4))
    assert sure["equal_mass"]["p"] == pytest.approx(1 / 1001) and sure["equal_mass"]["ece"] > 0.08
    assert found == calibration(labels, scores) != calibration(labels, scores, seed=1)
    assert found["brier"] == brier(labels, scores, bin_edges(scores, 10, equal_mass=True))
    assert sure["equal_mass"]["rms_debiased"] > 0.08 > 0.03 > found["equal_mass"]["rms_debiased"]


def test_the_error_by_chance_as_simulated_label_by_label():
    _, scores = readings(80, seed=3)
    edges = bin_edges(scores, 10)
    random = np.random.default_rng(4)
    slow = []
    while len(slow) < 1500:
        labels = (random.random(80) < scores).astype(int)
        slow.append(ece(labels, scores, edges))
    found = calibration(readings(80, seed=3)[0], scores)["equal_width"]
    assert found["ece_by_chance"] == pytest.approx(np.mean(slow), rel=0.05)
    assert found["ece_by_chance_high"] == pytest.approx(np.quantile(slow, 0.95), rel=0.07)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.7), (2.0, -1.0), (-0.6, 0.2)])
def test_recalibration_as_in_statsmodels(slope, intercept):
    labels, scores = readings(600, slope, intercept, seed=5)
    logits = special.logit(scores)
    family = sm.families.Binomial()
    model = sm.GLM(labels, sm.add_constant(logits), family=family).fit()
    large = sm.GLM(labels, np.ones(600), family=family, offset=logits).fit()
    found = recalibration(labels, scores)
    assert [found["intercept"], found["slope"]] == pytest.approx(model.params, abs=1e-6)
    assert [found["intercept_ci95"], found["slope_ci95"]] == [
        pytest.approx(row, abs=1e-5) for row in model.conf_int()
    ]
    assert found["in_the_large"] == pytest.approx(large.params[0], abs=1e-6)
    assert found["in_the_large_ci95"] == pytest.approx(large.conf_int()[0], abs=1e-5)
    assert found["slope_ci95"][0] < slope < found["slope_ci95"][1]


def test_recalibration_with_patients_as_in_statsmodels():
    labels, scores = readings(300, 0.7, seed=6)
    patients = np.random.default_rng(7).integers(0, 50, 300)
    model = sm.GLM(labels, sm.add_constant(special.logit(scores)), family=sm.families.Binomial())
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": patients})
    found = recalibration(labels, scores, [f"p{patient}" for patient in patients])
    assert [found["intercept_ci95"], found["slope_ci95"]] == [
        pytest.approx(row, abs=1e-5) for row in fitted.conf_int()
    ]
    assert np.isnan(recalibration(labels, scores, ["one"] * 300)["slope_ci95"]).all()


def test_recalibration_where_there_is_no_finite_answer():
    found = recalibration([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.9])
    assert (
        found["slope"] == np.inf
        and np.isnan(found["intercept"])
        and np.isnan(found["slope_ci95"]).all()
    )
    # An intercept alone there always is: 0.45 on average where half is true.
    assert 0 < found["in_the_large"] < 1
    assert recalibration([1, 1, 0, 0], [0.1, 0.2, 0.4, 0.9])["slope"] == -np.inf
    assert np.isnan(recalibration([0, 1, 1], [0.3, 0.3, 0.3])["slope"])
    assert recalibration([0, 1, 1], [0.3, 0.3, 0.3])["in_the_large"] == pytest.approx(
        np.log(2) - special.logit(0.3)
    )
    # From where Newton's first step leads too far.
    found = recalibration([1] * 6 + [0], [0.0] * 7)
    assert found["in_the_large"] == pytest.approx(np.log(6) - special.logit(1e-7))
    # Nearly separated, saturated and far from 0: still the maximum.
    for labels, scores in (
        (
            [0] * 50 + [1, 0] + [1] * 50,
            [*np.linspace(0, 0.4, 50), 0.5, 0.5001, *np.linspace(0.6, 1, 50)],
        ),
        ([0, 1, 0, 1], [0.999990, 0.999991, 0.999992, 0.999993]),
        ([1, 0, 1, 0], [0.0, 0.0, 1.0, 1.0]),
    ):
        found = recalibration(labels, scores)
        x, y = logits_of(scores), np.array(labels)
        chance = special.expit(found["intercept"] + found["slope"] * x)
        assert [(y - chance).sum(), ((y - chance) * (x - x.mean())).sum()] == pytest.approx(
            [0, 0], abs=1e-6
        )
        assert (y - special.expit(found["in_the_large"] + x)).sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5, 20.0])
def test_the_temperature_is_found_and_is_the_best(true):
    labels, scores = readings(20000, seed=8)
    logits = true * special.logit(scores)
    found = temperature(labels, logits)
    assert found == pytest.approx(true, rel=0.04)
    # Where the slope of the loss in 1 / T is 0.
    root = optimize.brentq(
        lambda b: ((special.expit(b * logits) - labels) * logits).sum(), 1e-3, 1e3, xtol=1e-12
    )
    assert found == pytest.approx(1 / root, rel=1e-5)


def test_a_temperature_mends_what_it_can():
    labels, scores = readings(4000, slope=0.5, seed=9)
    by = temperature(labels[:2000], special.logit(scores[:2000]))
    before, after = scores[2000:], scaled(scores[2000:], by)
    edges, known = bin_edges(scores), labels[2000:]
    assert log_loss(known, after) < log_loss(known, before)
    assert ece(known, after, edges) < 0.5 * ece(known, before, edges)
    assert sklearn_metrics.roc_auc_score(known, after) == sklearn_metrics.roc_auc_score(
        known, before
    )
    assert scaled(scores, 1.0) == pytest.approx(scores, abs=1e-12)


def test_no_temperature_is_found_where_there_is_none():
    with pytest.raises(ValueError, match="own side"):
        temperature([0, 1], [-1.0, 2.0])
    with pytest.raises(ValueError, match="against the labels"):
        temperature([0, 1, 1], [1.0, -2.0, 0.5])
    with pytest.raises(ValueError, match="against the labels"):
        temperature([0, 1], [3.0, 3.0])
    assert temperature([0, 1, 1], [1.0, 2.0, 3.0]) > 0
    for bad in (0, -1, np.inf, np.nan):
        with pytest.raises(ValueError, match="above 0"):
            scaled([0.5], bad)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.1, 1.2], "1 of 2 scores lie outside"),
        ([0, 1], [-0.1, -0.2], "outside"),
        ([0, 1], [0.1, np.nan], "NaN"),
        ([1, 1], [0.1, 0.2], "one class"),
        ([0, 1, 1], [0.1, 0.2], "one length"),
        ([], [], "no cases"),
    ],
)
def test_what_is_no_probability_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        calibration(labels, scores)


def test_two_cases_have_a_calibration():
    found = calibration([0, 1], [0.2, 0.6])
    assert found["brier"]["score"] == pytest.approx((0.04 + 0.16) / 2)
    assert found["equal_width"]["ece"] == pytest.approx((0.2 + 0.4) / 2)
    assert found["recalibration"]["slope"] == np.inf
    with pytest.raises(ValueError, match="bins"):
        calibration([0, 1], [0.2, 0.6], bins=0)
    with pytest.raises(ValueError, match="ascending"):
        ece([0, 1], [0.2, 0.6], [1, 0])

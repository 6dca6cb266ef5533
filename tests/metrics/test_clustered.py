"""Several images of one patient: Obuchowski's variance and the bootstrap over patients, against
slow twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pgcxr.metrics import resampling
from pgcxr.metrics.auroc import area_covariance, delong, delong_ci
from pgcxr.metrics.resampling import (
    bca,
    bootstrap_auroc,
    bootstrap_difference,
    bootstrap_macro_auroc,
    bootstrap_macro_difference,
    resampled_areas,
)
from pgcxr.metrics.roc import auroc
from tests.reference import roc_slow

CASES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 6)),
    min_size=4,
    max_size=24,
)


def columns(rows):
    """Rows with two patients of each class in front, so that a variance exists."""
    rows = [(0, 0, 1, 0), (0, 3, -1, 1), (1, 0, 2, 1), (1, 4, 4, 2), *rows]
    return [np.array(column) for column in zip(*rows, strict=True)]


def clustered_study(random, patients=60, shared=1.0):
    """One to six images for each patient, some normal and some abnormal, all alike by a share of
    their patient's."""
    owner = np.repeat(np.arange(patients), random.integers(1, 7, patients))
    labels = random.integers(0, 2, len(owner))
    common = shared * random.normal(size=(2, patients))[:, owner]
    a = 1.5 * labels + common[0] + random.normal(size=len(owner))
    b = 1.2 * labels + 0.5 * common[0] + common[1] + random.normal(size=len(owner))
    return labels, a, b, owner


@settings(max_examples=60, deadline=None)
@given(CASES)
def test_obuchowski_as_by_pair_counting(rows):
    labels, a, b, patients = columns(rows)
    areas, covariance = roc_slow.clustered_covariance(labels, patients, a, b)
    found_areas, found = area_covariance(labels, a, b, patients=patients)
    assert found_areas == pytest.approx(areas, abs=1e-12)
    assert found == pytest.approx(covariance, abs=1e-12)


def test_one_image_per_patient_is_delong_to_the_bit():
    labels, a, b, _ = clustered_study(np.random.default_rng(1))
    names = [f"patient {index:04d}" for index in range(len(labels))]
    assert delong(labels, a, b, patients=names) == delong(labels, a, b)
    assert delong_ci(labels, a, patients=names) == delong_ci(labels, a)


def test_images_written_twice_say_nothing_new():
    labels, a, b, _ = clustered_study(np.random.default_rng(2), patients=20)
    names = np.arange(len(labels))
    once = delong(labels, a, b, patients=names)
    twice = delong(*(np.repeat(each, 2) for each in (labels, a, b)), patients=np.repeat(names, 2))
    assert twice["variance_a"] == pytest.approx(once["variance_a"], rel=1e-12)
    assert twice["z"] == pytest.approx(once["z"], rel=1e-9)
    # As if they were independent, they would.
    assert abs(delong(*(np.repeat(each, 2) for each in (labels, a, b)))["z"]) > 1.3 * abs(once["z"])


def test_clustered_intervals_cover_where_unclustered_ones_do_not():
    """300 studies, every image of a patient with one label and a strong common part; +- 4 SE around
    95 %."""
    random = np.random.default_rng(3)
    covered = {"delong": 0, "obuchowski": 0}
    for _ in range(300):
        owner = np.repeat(np.arange(80), 5)
        labels = (owner < 40).astype(int)
        scores = (
            1.5 * labels
            + np.sqrt(0.8) * random.normal(size=80)[owner]
            + np.sqrt(0.2) * random.normal(size=400)
        )
        truth = stats.norm.cdf(1.5 / np.sqrt(2))
        for name, patients in (("delong", None), ("obuchowski", owner)):
            _, low, high = delong_ci(labels, scores, patients=patients)
            covered[name] += low < truth < high
    assert covered["obuchowski"] / 300 > 0.90
    assert covered["delong"] / 300 < 0.75


def test_resamples_are_those_of_whole_patients():
    labels, a, _, patients = clustered_study(np.random.default_rng(4), patients=15)
    a = np.round(a, 1)  # ties
    found, _ = resampled_areas(labels, a, patients=patients, resamples=4000, seed=1)
    slow = roc_slow.resampled_areas(np.random.default_rng(5), labels, a, patients, 400)
    assert stats.ks_2samp(found[:, 0], slow).pvalue > 0.001
    _, covariance = area_covariance(labels, a, patients=patients)
    assert found.std() == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.15)


def test_a_weighted_area_is_that_of_images_written_out():
    labels, a, b, patients = clustered_study(np.random.default_rng(6), patients=12)
    a = np.round(a)
    weights, _ = resampling._draw(np.random.default_rng(0), labels, patients, 7)
    found = resampling._weighted_areas(weights, *resampling._sorted(labels, a, patients))
    assert weights.sum(axis=1).tolist() == [12] * 7
    for row, area in zip(weights.astype(int), found, strict=True):
        copies = row[patients]
        assert area == pytest.approx(
            auroc(np.repeat(labels, copies), np.repeat(a, copies)), abs=1e-12
        )


def test_one_seed_one_result_and_two_readings_share_their_resamples(monkeypatch):
    labels, a, b, patients = clustered_study(np.random.default_rng(7))
    first = bootstrap_difference(labels, a, b, patients, resamples=300, seed=3)
    assert first == bootstrap_difference(labels, a, b, patients, resamples=300, seed=3)
    assert first != bootstrap_difference(labels, a, b, patients, resamples=300, seed=4)
    # Paired: a reading never differs from itself.
    same = bootstrap_difference(labels, a, a, patients, resamples=50)
    assert (same["difference"], same["ci95"], same["standard_error"]) == (0.0, [0.0, 0.0], 0.0)
    # The last, smaller batch of resamples is drawn like the others.
    monkeypatch.setattr(resampling, "_AT_ONCE", 40 * len(labels))
    in_parts, _ = resampled_areas(labels, a, patients=patients, resamples=90, seed=3)
    assert in_parts.shape == (90, 1) and in_parts[80:].std() > 0


def test_bootstrap_and_closed_form_agree():
    labels, a, b, patients = clustered_study(np.random.default_rng(8), patients=200)
    one = bootstrap_auroc(labels, a, patients)
    area, low, high = delong_ci(labels, a, patients=patients)
    assert one["auroc"] == area and one["patients"] == 200 and one["resamples"] == 2000
    assert one["ci95"] == pytest.approx([low, high], abs=0.012)
    two, closed = (
        bootstrap_difference(labels, a, b, patients),
        delong(labels, a, b, patients=patients),
    )
    assert two["difference"] == closed["difference"]
    assert two["ci95"] == pytest.approx(closed["ci95"], abs=0.012)


def test_bca_as_in_scipy():
    """Of a mean, whose influences are the deviations: scipy takes its acceleration from the
    jackknife."""
    sample = np.random.default_rng(9).exponential(size=60)
    expected = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=6000,
        method="BCa",
        rng=np.random.default_rng(10),
        vectorized=True,
    )
    found = bca(
        expected.bootstrap_distribution,
        float(sample.mean()),
        (sample - sample.mean()) / len(sample),
        level=0.95,
    )
    assert found == pytest.approx(list(expected.confidence_interval), abs=2e-3)
    plain = np.quantile(expected.bootstrap_distribution, [0.025, 0.975])
    assert found[0] > plain[0] + 5e-3 and found[1] > plain[1] + 5e-3  # skewed to the right


def test_resamples_without_a_class_are_drawn_again_and_counted():
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
    areas, redrawn = resampled_areas(labels, scores, resamples=4000, seed=0)
    # Of one class: 2 of 16 of all resamples; each redraw again with that chance: 4000 / 7.
    assert redrawn == pytest.approx(4000 / 7, rel=0.15)
    assert np.isfinite(areas).all() and bootstrap_auroc(labels, scores)["redrawn"] > 0


def test_separated_classes_keep_an_interval():
    labels = np.repeat([0, 1], [40, 24])
    patients = np.arange(64) // 2
    found = bootstrap_auroc(labels, labels, patients, resamples=50)
    # Twelve patients of twelve: 0.025^(1/12).
    assert found["ci95"] == [pytest.approx(0.7353515, abs=1e-6), 1.0]
    assert delong_ci(labels, labels, patients=patients)[1] == found["ci95"][0]
    assert bootstrap_auroc(labels, -labels, patients, resamples=50)["ci95"][1] == pytest.approx(
        0.2646485, abs=1e-6
    )


@pytest.mark.parametrize(
    ("patients", "message"),
    [
        ([1, 2, 3], "name one for each of 4 cases"),
        ([1, 2, 3, None], "is missing"),
        ([1.0, 2.0, 3.0, np.nan], "is missing"),
        (["a", "b", "c", ""], "is missing"),
        ([[1, 2, 3, 4]], "name one for each"),
        ([1, 1, 2, 3], "two patients with cases of each class; got 2 positive and 1 negative"),
    ],
)
def test_patients_that_are_none_are_refused(patients, message):
    labels, scores = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]
    for function in (delong_ci, bootstrap_auroc):
        with pytest.raises(ValueError, match=message):
            function(labels, scores, patients=patients)


def test_impossible_requests_are_refused():
    labels, scores = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_auroc(labels, scores, resamples=0)
    for level in (0, 1, 95, np.nan):
        for function in (delong_ci, bootstrap_auroc):
            with pytest.raises(ValueError, match="level"):
                function(labels, scores, level=level)
    with pytest.raises(ValueError, match="NaN"):
        bootstrap_difference(labels, scores, [0.1, np.nan, 1, 2])
    with pytest.raises(ValueError, match="two cases of each class"):
        bootstrap_auroc([0, 1], [0.1, 0.2])


def test_the_mean_of_areas_over_classes_and_its_interval():
    rng = np.random.default_rng(3)
    classes = np.repeat(["normal", "a", "b", "c"], [200, 60, 30, 4])
    patients = np.arange(len(classes)) // 2
    scores = rng.normal(np.select([classes == "a", classes == "b"], [1.0, 2.0], 0.0))
    found = bootstrap_macro_auroc(classes, scores, patients, resamples=800, seed=1)
    from sklearn.metrics import roc_auc_score

    areas = {}
    for name in "abc":
        rows = np.isin(classes, ["normal", name])
        areas[name] = roc_auc_score(classes[rows] == name, scores[rows])
    assert found["classes"] == pytest.approx(areas)
    assert found["macro_auroc"] == pytest.approx(np.mean(list(areas.values())))
    low, high = found["ci95"]
    assert low < found["macro_auroc"] < high
    # Slowly: patients drawn within the class of their first image.
    slow = []
    for _ in range(800):
        drawn = np.concatenate(
            [
                rng.choice(np.unique(patients[classes == name]), size=sum(classes == name) // 2)
                for name in ("normal", *"abc")
            ]
        )
        rows = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        normal = scores[rows][classes[rows] == "normal"]
        parts = [np.mean(scores[rows][classes[rows] == name][:, None] > normal) for name in "abc"]
        slow.append(np.mean(parts))
    assert np.quantile(slow, [0.025, 0.975]) == pytest.approx([low, high], abs=0.03)


def test_the_difference_of_two_means_draws_the_same_patients_for_both():
    rng = np.random.default_rng(4)
    classes = np.repeat(["normal", "a", "b"], [80, 40, 30])
    scores = rng.normal((classes != "normal").astype(float))
    other = scores + 0.3 * rng.normal(size=len(scores))
    found = bootstrap_macro_difference(classes, scores, other, resamples=400, seed=1)
    alone = [
        bootstrap_macro_auroc(classes, each, resamples=400, seed=1) for each in (scores, other)
    ]
    areas = [each["macro_auroc"] for each in alone]
    assert found["macro_auroc"] == areas and found["difference"] == areas[0] - areas[1]
    low, high = found["ci95"]
    assert low < found["difference"] < high
    widest = max(each["ci95"][1] - each["ci95"][0] for each in alone)
    assert high - low < 0.6 * widest, "two readings that go together are compared in pairs"
    same = bootstrap_macro_difference(classes, scores, scores, resamples=50, seed=1)
    assert same["difference"] == 0 and same["ci95"] == [0, 0]

"""Obuchowski-Rockette against published output, a slow jackknife, and simulated studies."""

import itertools
import math

import numpy as np
import pytest

from benchmarks.reader_study import Simulation, simulate
from pgcxr.metrics import mrmc
from pgcxr.metrics.roc import auroc
from tests.metrics.van_dyke import NORMAL, RATINGS


@pytest.fixture(scope="module")
def van_dyke():
    return mrmc.of_pairs(mrmc.roc_pairs(RATINGS[..., :NORMAL], RATINGS[..., NORMAL:]))


def test_areas_and_components_of_van_dyke(van_dyke):
    """Numbers of OR-DBM MRMC 2.51, trapezoidal areas, jackknife."""
    assert van_dyke["figures_of_merit"][0] == pytest.approx(
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066], abs=5e-9
    )
    assert van_dyke["means"] == pytest.approx([0.89703704, 0.94083736], abs=5e-9)
    published = {
        "reader": 0.00153500,
        "modality_reader": 0.00020040,
        "cov1": 0.00034661,
        "cov2": 0.00034407,
        "cov3": 0.00023903,
        "error": 0.00080229,
    }
    for name, value in published.items():
        assert van_dyke["components"][name] == pytest.approx(value, abs=5e-9), name


@pytest.mark.parametrize(
    ("general", "statistic", "ddf", "p", "se", "ci"),
    [
        (mrmc.BOTH, 4.46, 15.26, 0.0517, 0.02075, (-0.00036, 0.08796)),
        (mrmc.CASES, 5.47595, None, 0.0193, 0.01872, (0.00711, 0.08049)),
        (mrmc.READERS, 8.70, 4, 0.0420, 0.01485, (0.00258, 0.08502)),
    ],
)
def test_tests_of_van_dyke(van_dyke, general, statistic, ddf, p, se, ci):
    test = van_dyke["tests"][general]
    assert test.get("f", test.get("x2")) == pytest.approx(statistic, abs=6e-3)
    assert (test["ddf"] is None) if ddf is None else (test["ddf"] == pytest.approx(ddf, abs=6e-3))
    assert test["p"] == pytest.approx(p, abs=6e-5)
    (difference,) = test["differences"]
    assert difference["difference"] == pytest.approx(0.04380, abs=6e-6)
    assert difference["se"] == pytest.approx(se, abs=6e-6)
    assert difference["ci95"] == pytest.approx(ci, abs=6e-6)
    assert difference["p"] == pytest.approx(p, abs=6e-5)


@pytest.mark.parametrize(
    ("general", "se", "df", "ci"),
    [
        (mrmc.BOTH, 0.03317360, 12.74, (0.82522360, 0.96885048)),
        (mrmc.CASES, 0.02428971, None, (0.84943008, 0.94464399)),
        (mrmc.READERS, 0.02482994, 4, (0.82809808, 0.96597599)),
    ],
)
def test_one_modality_of_van_dyke(van_dyke, general, se, df, ci):
    first = van_dyke["tests"][general]["modalities"][0]
    assert first["se"] == pytest.approx(se, abs=5e-9)
    assert first["ci95"] == pytest.approx(ci, abs=5e-9)
    assert first["df"] is None if df is None else first["df"] == pytest.approx(df, abs=6e-3)


@pytest.mark.parametrize(
    ("general", "cases", "expected"),
    [
        (mrmc.BOTH, 165, 0.80541995),
        (mrmc.CASES, 131, 0.80091813),
        (mrmc.READERS, 53, 0.80496663),
    ],
)
def test_power_of_van_dyke(van_dyke, general, cases, expected):
    """Numbers of RJafroc's sample sizes for 10 readers (Hillis, Obuchowski & Berbaum 2011)."""
    pilot = mrmc.Components(**van_dyke["components"])
    assert mrmc.power(pilot, -0.043800322, 10, cases, general) == pytest.approx(expected, abs=1e-7)


def _slow(normal, abnormal):
    """Areas and areas without each case, one by one, by another function."""
    scores = np.concatenate([normal, abnormal], axis=-1)
    labels = np.repeat([0, 1], [normal.shape[-1], abnormal.shape[-1]])
    places = list(itertools.product(range(scores.shape[0]), range(scores.shape[1])))
    merits = np.array([auroc(labels, scores[place]) for place in places])
    without = np.array(
        [
            [auroc(np.delete(labels, k), np.delete(scores[place], k)) for k in range(len(labels))]
            for place in places
        ]
    )
    return merits.reshape(scores.shape[:2]), without.reshape(scores.shape)


def test_jackknife_as_one_by_one():
    rng = np.random.default_rng(1)
    normal, abnormal = rng.integers(1, 5, (2, 3, 9)), rng.integers(2, 6, (2, 3, 7))
    merits, without = _slow(normal, abnormal)
    pairs = mrmc.roc_pairs(normal, abnormal)
    assert pairs.mean(axis=(-2, -1)) == pytest.approx(merits)
    assert mrmc.leave_one_out(pairs) == pytest.approx(without)
    # Three modalities are compared, too, and as many pairs of them.
    three = np.concatenate([pairs, pairs[:1]])
    found = mrmc.of_pairs(three)["tests"][mrmc.BOTH]
    assert found["df"] == 2 and len(found["differences"]) == 3


def test_afroc_by_hand():
    """Normal cases with a false mark of 3 and none, lesions marked 2 and not, and 4."""
    false_marks = np.array([3.0, -np.inf])
    lesions = np.array([[2.0, -np.inf], [4.0, np.nan]])
    # Against 3: (0 + 0) / 2 and 1; against nothing: (1 + 1/2) / 2 and 1.
    assert mrmc.afroc_pairs(false_marks, lesions).tolist() == [[0, 1], [0.75, 1]]
    heavy = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert mrmc.afroc_pairs(false_marks, lesions, heavy).tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match="no lesion"):
        mrmc.afroc_pairs(false_marks, [[np.nan, np.nan]])


def test_afroc_of_one_certain_lesion_is_roc():
    rng = np.random.default_rng(2)
    normal, abnormal = rng.normal(0, 1, (2, 3, 8)), rng.normal(1, 1, (2, 3, 6))
    assert np.array_equal(
        mrmc.afroc_pairs(normal, abnormal[..., None]), mrmc.roc_pairs(normal, abnormal)
    )


def test_scores_of_one_reader():
    """With one reader, the interval is that of a mean over cases; nothing is said of readers."""
    right = np.array([1.0, 1, 0, 1, 1, 0, 1, 1])
    found = mrmc.of_scores(right[None, None])
    assert list(found["tests"]) == [mrmc.CASES]
    single = found["tests"][mrmc.CASES]["modalities"][0]
    assert single["mean"] == 0.75
    assert single["se"] == pytest.approx(right.std(ddof=1) / math.sqrt(8))


def test_the_same_twice_differs_not():
    rng = np.random.default_rng(3)
    pairs = mrmc.roc_pairs(*(rng.normal(shift, 1, (1, 4, 9)) for shift in (0, 1)))
    for test in mrmc.of_pairs(np.concatenate([pairs, pairs]))["tests"].values():
        assert test["p"] == 1.0
        assert test["differences"][0]["ci95"] == pytest.approx([0, 0], abs=1e-6)


def test_readers_without_an_error():
    pairs = np.ones((2, 3, 4, 5))
    for test in mrmc.of_pairs(pairs)["tests"].values():
        assert test["p"] == 1.0 and test["modalities"][0]["ci95"] == [1.0, 1.0]


def test_too_few_cases():
    with pytest.raises(ValueError, match="two of each"):
        mrmc.of_pairs(np.ones((2, 2, 1, 5)))


def test_size_and_coverage():
    """benchmarks.reader_study has 1,000 studies of each kind; here a smaller and looser one."""
    null = simulate(Simulation(4, 25, 25), 150)
    assert null["rejected"] < 0.11 and null["covered"] > 0.89 and null["covered_single"] > 0.88
    assert simulate(Simulation(5, 60, 60, (0.8, 2.5)), 20)["rejected"] > 0.7

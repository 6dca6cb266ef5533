"""Agreement of maps: by hand, against scipy pixel by pixel, and the bootstrap against its own slow
twin."""

import numpy as np
import pytest
from scipy import stats

from pgcxr.metrics import agreement


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, (12, 5, 6))
    b = 0.6 * a + rng.normal(0, 1, a.shape)
    # Ties, as a ReLU leaves them.
    return np.maximum(a, 0), np.maximum(b, 0).astype(np.float32)


def test_correlations_are_scipys(pairs):
    a, b = pairs
    for found, theirs in (
        (agreement.pearson(a, b), stats.pearsonr),
        (agreement.spearman(a, b), stats.spearmanr),
    ):
        wanted = [theirs(one.ravel(), other.ravel())[0] for one, other in zip(a, b, strict=True)]
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert agreement.pearson(a, 3 * a + 2) == pytest.approx(np.ones(12))
    assert agreement.spearman(a, -a) == pytest.approx(-np.ones(12))


def test_a_map_without_contrast_agrees_with_nothing():
    flat, other = np.full((1, 2, 3), 0.1), np.arange(6.0).reshape(1, 2, 3)
    for measure in (agreement.pearson, agreement.spearman, agreement.iou):
        assert np.isnan(measure(flat, other)).all() and np.isnan(measure(other, flat)).all()
    assert np.isnan(agreement.hits(flat, np.ones((1, 2, 3), bool)))
    assert not agreement.top_pixels(flat).any()


def test_top_pixels_and_iou_by_hand():
    a = np.arange(20.0).reshape(1, 4, 5)  # the hottest 10 % are the last two
    b = a.copy()
    b[0, 3, 3], b[0, 0, 0] = -1, 99
    assert np.flatnonzero(agreement.top_pixels(a)).tolist() == [18, 19]
    assert np.flatnonzero(agreement.top_pixels(b)).tolist() == [0, 19]
    assert agreement.iou(a, b) == pytest.approx([1 / 3]) and agreement.iou(a, a) == pytest.approx(
        [1]
    )
    # Two tie for the second place: both count. All but one at the least value: only that one.
    tied = np.float32([[[0, 5, 5, 5, 9, 1, 1, 1, 1, 1] * 2]])
    assert agreement.top_pixels(tied).sum() == 2
    tied[0, 0, 14] = 1
    assert agreement.top_pixels(tied).sum() == 1 + 6
    sparse = np.zeros((1, 4, 5))
    sparse[0, 1, 1] = 1
    assert agreement.top_pixels(sparse).sum() == 1


def test_iou_of_unrelated_maps_is_that_of_chance():
    maps = np.random.default_rng(1).random((2, 400, 20, 20))
    assert agreement.iou(*maps).mean() == pytest.approx(0.1 / 1.9, abs=0.005)


def test_hits_and_lesions_by_hand():
    coverage = np.zeros((4, 3, 3))
    coverage[0, 0, 0], coverage[0, 0, 1] = 0.9, 0.2  # only the first is lesion
    coverage[1, 2, 2] = 0.1  # a lesion that fills no pixel is where it covers most
    coverage[3] = np.nan
    lesions = agreement.inside(coverage)
    assert lesions.sum(axis=(1, 2)).tolist() == [1, 1, 0, 0]
    maps = np.zeros((4, 3, 3))
    maps[0, 0, 1] = maps[1, 2, 2] = maps[2, 1, 1] = maps[3, 0, 0] = 1
    np.testing.assert_array_equal(agreement.hits(maps, lesions), [0, 1, np.nan, np.nan])
    maps[0, 0, 0] = 1  # a tie of two, one inside
    assert agreement.hits(maps, lesions)[0] == 0.5


def test_mean_ci():
    rng = np.random.default_rng(2)
    values = np.append(rng.normal(3, 2, 200), np.nan)
    found = agreement.mean_ci(values)
    assert found["n"] == 200 and found["mean"] == pytest.approx(values[:-1].mean())
    reach = 1.96 * values[:-1].std() / np.sqrt(200)
    assert found["ci95"] == pytest.approx([found["mean"] - reach, found["mean"] + reach], abs=0.05)
    # Ten copies of each value, of one patient, say no more than one of each.
    copies = agreement.mean_ci(np.repeat(values, 10), np.repeat(np.arange(201), 10))
    assert copies["n"] == 2000 and copies["ci95"] == pytest.approx(found["ci95"])
    # Groups of different sizes, against drawing them one by one.
    groups = rng.integers(0, 30, 201)
    drawn = []
    for _ in range(1000):
        rows = np.concatenate(
            [np.flatnonzero(groups == group) for group in rng.integers(0, 30, 30)]
        )
        drawn.append(np.nanmean(values[rows]))
    assert agreement.mean_ci(values, groups)["ci95"] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.1
    )
    assert agreement.mean_ci([np.nan]) == {"n": 0, "mean": None, "ci95": [None, None]}
    assert agreement.mean_ci([1.0, 3.0], ["one", "one"]) == {
        "n": 2,
        "mean": 2.0,
        "ci95": [None, None],
    }

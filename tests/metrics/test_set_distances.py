"""FID, KID and PRDC against their papers' own formulas, cases by hand, and what is known of their
averages."""

import tracemalloc

import numpy as np
import pytest

from pgcxr.metrics import feature_sets, frechet, kid, prdc, resampling
from tests.reference import set_distances_slow as slow


def clouds(seed, n=60, m=50, d=6, shift=0.7):
    """Correlated, skewed, of unequal number."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d))
    return np.exp(0.3 * rng.normal(size=(n, d)) @ mix), np.exp(
        0.3 * rng.normal(size=(m, d)) @ mix
    ) + shift


def test_fid_of_two_gaussians_by_hand():
    # Variances 4 and 1 (by n - 1) with means 0 and 3: 9 + (2 - 1)^2. Two independent axes add up.
    a = np.sqrt([[6.0], [0], [6]]) * [[1.0], [0], [-1]] / np.sqrt(6 / 4)
    b = np.array([[2.0], [3], [4]])
    found = frechet.frechet(a, b)
    assert found["fid"] == pytest.approx(10) and found["mean_term"] == pytest.approx(9)
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert frechet.frechet(square, square * [3, 1] + [0, 5])["fid"] == pytest.approx(25 + 4 * 4 / 3)


@pytest.mark.parametrize(("seed", "d"), [(1, 1), (2, 6), (3, 40)])
def test_fid_as_scipy_sqrtm(seed, d):
    real, fake = clouds(seed, d=d)
    found = frechet.frechet(real.astype(np.float32), fake.astype(np.float32))
    assert found["fid"] == pytest.approx(
        slow.fid(real.astype(np.float32), fake.astype(np.float32)), rel=1e-5
    )
    assert found["fid"] == pytest.approx(frechet.frechet(fake, real)["fid"], rel=1e-5)
    assert (found["n_real"], found["n_fake"], found["features"], found["enough"]) == (
        60,
        50,
        d,
        True,
    )


def test_fid_is_0_and_real_where_covariances_are_singular():
    """Fewer images than features, dead features, equal sets: where a square root of the product
    turns complex."""
    few = np.random.default_rng(4).normal(size=(20, 64))
    few[:, :8] = 0
    found = frechet.frechet(few, few)
    assert 0 <= found["fid"] < 1e-10 and not found["enough"]
    # Far from the origin, in few digits of which the mean takes most.
    assert frechet.frechet(few + 1e4, few + 1e4 + 1)["fid"] == pytest.approx(64, rel=1e-6)


def test_moments_do_not_depend_on_the_batches():
    real, _ = clouds(5)
    whole = frechet.Moments(6).add(real)
    parts = [
        frechet.Moments(6).add(real[:7]).add(real[7:7]),
        frechet.Moments(6).add(real[7:8]).add(real[8:]),
    ]
    merged = parts[0].merge(parts[1]).merge(frechet.Moments(6))
    for found in (whole, merged):
        assert found.n == 60 and found.mean == pytest.approx(real.mean(axis=0))
        assert found.covariance() == pytest.approx(np.cov(real, rowvar=False))
    with pytest.raises(ValueError, match="2 images"):
        frechet.Moments(3).add(np.ones((1, 3))).covariance()


def test_fid_infinity_takes_most_of_the_bias_away():
    """Between standard normal and twice it, D = 4, the truth is 4; at n = 60 it is about 0.3
    more."""
    rng = np.random.default_rng(6)
    plain, endless = [], []
    for seed in range(40):
        real, fake = rng.normal(size=(60, 4)), 2 * rng.normal(size=(60, 4))
        plain.append(frechet.frechet(real, fake)["fid"])
        endless.append(frechet.fid_infinity(real, fake, seed))
    assert np.mean(plain) > 4.2 and abs(np.mean(endless) - 4) < 0.4 * (np.mean(plain) - 4)
    assert np.isnan(frechet.fid_infinity(real[:12], fake, 0))


def test_kid_pair_by_pair_and_by_blocks(monkeypatch):
    real, fake = clouds(7)
    expected = slow.kid(real, fake)
    found = kid.kid(real, fake, subsets=30, subset_size=20, seed=3)
    assert found["kid"] == pytest.approx(expected, rel=1e-9)
    assert found["subset_mean"] == pytest.approx(expected, rel=0.25) and found["subset_std"] > 0
    monkeypatch.setattr(feature_sets, "PAIRS", 130)
    assert kid.kid(real, fake, subsets=0)["kid"] == pytest.approx(expected, rel=1e-9)
    assert kid.kid(real, fake, subsets=5)["subset_size"] == 25
    # By hand, D = 1: k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1.
    assert kid.mmd2(np.zeros((2, 1)), np.ones((3, 1))) == pytest.approx(1 + 8 - 2)


def test_kid_is_0_on_average_within_one_distribution():
    rng = np.random.default_rng(8)
    found = [kid.mmd2(rng.normal(size=(20, 4)), rng.normal(size=(30, 4))) for _ in range(400)]
    # With the pairs of an image with itself it would be about 0.7.
    assert abs(np.mean(found)) < 3 * np.std(found) / 20 < 0.1 and min(found) < 0


@pytest.mark.parametrize("k", [1, 5])
def test_prdc_image_by_image_and_by_blocks(monkeypatch, k):
    real, fake = clouds(9, shift=0.2 * k)
    expected = slow.prdc(real, fake, k)
    assert all(0.1 < expected[name] < 1 for name in ("precision", "recall", "coverage"))
    for pairs in (2**22, 130):
        monkeypatch.setattr(feature_sets, "PAIRS", pairs)
        found = prdc.prdc(real, fake, k)
        assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_prdc_by_hand():
    """On a line, k = 1: real 0, 1, 10, fake 0.5, 30, 31. Real balls reach 1, 1, 9; fake ones 29.5,
    1, 1."""
    found = prdc.prdc(np.array([[0.0], [1], [10]]), np.array([[0.5], [30], [31]]), k=1)
    # 0.5 is strictly inside the balls of 0 and 1 (9.5 is beyond that of 10); only 0.5's own ball
    # holds real images.
    expected = {"precision": 1 / 3, "recall": 1.0, "density": 2 / 3, "coverage": 2 / 3}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_prdc_of_equal_copied_and_distant_sets():
    real = np.random.default_rng(10).normal(size=(40, 5)) + 100
    same = prdc.prdc(real, real)
    assert [same[name] for name in ("precision", "recall", "coverage")] == [1.0] * 3
    far = prdc.prdc(real, real + 50)
    assert [far[name] for name in ("precision", "recall", "density", "coverage")] == [0.0] * 4
    # A generator of one image: every ball is a point, and no point is inside of one.
    stuck = prdc.prdc(real, np.repeat(real[:1], 40, axis=0))
    assert stuck["precision"] == 1.0 and stuck["recall"] == 0.0 and stuck["coverage"] < 0.5


def test_pairs_are_never_held_whole(monkeypatch):
    """3,000 images on each side: their distances alone would be 72 MB."""
    real, fake = np.random.default_rng(11).normal(size=(2, 3000, 2))
    monkeypatch.setattr(feature_sets, "PAIRS", 2**18)
    tracemalloc.start()
    prdc.prdc(real, fake)
    kid.kid(real, fake, subsets=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * 8 * 2**18 < 0.2 * 8 * 3000**2


@pytest.mark.parametrize("measure", [frechet.frechet, kid.kid, prdc.prdc])
def test_what_is_no_two_sets_is_refused(measure):
    good = np.random.default_rng(12).normal(size=(10, 3))
    broken = good.copy()
    broken[4, 1] = np.nan
    for bad, said in (
        (good[:1], "at least"),
        (good[:0], "at least"),
        (good[:, :2], "dimensions"),
        (good[0], "numbers"),
        (good[:, :0], "numbers"),
        (broken, "finite"),
        (good.astype(str), "numbers"),
    ):
        for pair in ((good, bad), (bad, good)):
            with pytest.raises(ValueError, match=said):
                measure(*pair)


def test_what_cannot_be_measured_is_refused():
    good = np.zeros((10, 3))
    with pytest.raises(ValueError, match="at least 8"):
        prdc.prdc(good, good[:6], k=7)
    with pytest.raises(ValueError, match="k must"):
        prdc.prdc(good, good, k=0)
    with pytest.raises(ValueError, match="subset_size"):
        kid.kid(good, good, subset_size=1)


def test_halves_deviate_as_the_whole_does():
    """Of a mean the deviation is known: s / sqrt(n), or of the patients' means where images of one
    are alike."""
    values = np.random.default_rng(13).normal(size=200)
    halves = resampling.half_samples(np.arange(200), 2000, seed=1)
    assert all(len(set(half.tolist())) == 100 for half in halves)
    found = np.std([values[half].mean() for half in halves])
    assert found == pytest.approx(values.std(ddof=1) / np.sqrt(200), rel=0.05)
    copies = np.repeat(values, 3)
    patients = resampling.half_samples(np.repeat([f"p{i}" for i in range(200)], 3), 2000, seed=2)
    assert np.std([copies[half].mean() for half in patients]) == pytest.approx(found, rel=0.07)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(halves, resampling.half_samples(np.arange(200), 2000, 1), strict=True)
    )
    with pytest.raises(ValueError, match="4"):
        resampling.half_samples(np.array(["a", "a", "b", "c"]), 5, 0)


def test_intervals_by_hand():
    # Deviations -2..2, the value at 10: mirrored, so long tails above lead below.
    assert resampling.interval(10, np.array([0, 1, 2, 3, 4]) + 70, level=1.0) == [8, 12]
    assert resampling.interval(10, np.array([0, 0, 0, 4]), level=1.0) == [7, 11]
    assert resampling.interval(1, np.array([0, 0, 0, 4]), low=0, high=1.5, level=1.0) == [0, 1.5]
    assert np.isnan(resampling.interval(1, np.array([1]))).all()


def test_fid_intervals_hold_what_they_claim():
    """Of 60 draws of two sets, the intervals must hold FID's mean at this n in about 95 %; a
    bootstrap's hold none."""
    rng = np.random.default_rng(14)
    draw = [(rng.normal(size=(80, 3)), rng.normal(size=(80, 3)) * [1.5, 1, 1]) for _ in range(60)]
    truth = np.mean([frechet.frechet(*sets)["fid"] for sets in draw])
    halves = list(
        zip(*(resampling.half_samples(np.arange(80), 100, seed) for seed in (1, 2)), strict=True)
    )
    held = 0
    for real, fake in draw:
        found = [frechet.frechet(real[i], fake[j])["fid"] for i, j in halves]
        low, high = resampling.interval(frechet.frechet(real, fake)["fid"], found, low=0)
        held += low <= truth <= high
    assert held / 60 >= 0.88

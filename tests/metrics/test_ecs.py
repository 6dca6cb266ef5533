"""Distances of characteristic functions: closed forms of normals, image by image, and what they see
that means and covariances don't."""

import cmath

import numpy as np
import pytest

from pgcxr.metrics import ecs as module
from pgcxr.metrics.ecs import POINTS, WEIGHTS, axes, ecs, permutation_test
from pgcxr.metrics.frechet import frechet


def slow(real, fake, matched):
    """The plug-in distance along each axis, image by image and point by point, and what sampling
    adds to it: by leaving out one image at a time (Efron and Stein's jackknife)."""

    def function(x, t):
        if matched:
            mean = sum(x) / len(x)
            deviation = (sum((v - mean) ** 2 for v in x) / len(x)) ** 0.5
            x = [(v - mean) / deviation for v in x]
        return sum(cmath.exp(1j * t * v) for v in x) / len(x)

    def noise(x, t):
        left = [function(x[:i] + x[i + 1 :], t) for i in range(len(x))]
        mean = sum(left) / len(left)
        return (len(x) - 1) / len(x) * sum(abs(each - mean) ** 2 for each in left)

    found = []
    for a, b in zip(np.transpose(real).tolist(), np.transpose(fake).tolist(), strict=True):
        total = 0.0
        for t, weight in zip(POINTS, WEIGHTS, strict=True):
            apart = abs(function(a, t) - function(b, t)) ** 2
            total += weight * (apart - noise(a, t) - noise(b, t))
        found.append(total)
    return found


def kernel(mean, variance):
    """E exp(-d^2 / 2) of d ~ N(mean, variance)."""
    return np.exp(-(mean**2) / (2 * (1 + variance))) / np.sqrt(1 + variance)


def test_the_integral_is_that_of_two_normals():
    """D = E k(X - X') + E k(Y - Y') - 2 E k(X - Y), the weight being the transform of k."""
    for mean, deviation in ((0.0, 1.0), (1.0, 2.0), (-4.0, 0.3), (9.0, 1.0)):
        functions = [
            np.exp(1j * POINTS * m - (POINTS * s) ** 2 / 2) for m, s in ((0, 1), (mean, deviation))
        ]
        expected = kernel(0, 2) + kernel(0, 2 * deviation**2) - 2 * kernel(mean, 1 + deviation**2)
        assert WEIGHTS @ np.abs(functions[0] - functions[1]) ** 2 == pytest.approx(
            expected, abs=1e-4
        )


def test_two_normal_samples_come_near_the_closed_form():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(20_000, 1)), rng.normal(1, 2, (20_000, 1))
    expected = kernel(0, 2) + kernel(0, 8) - 2 * kernel(1, 5)
    found = ecs(real, fake)
    assert found["ecs"] == pytest.approx(expected, abs=0.01)
    assert abs(found["tails"]) < 1e-3  # both are normal


def test_image_by_image():
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(40, 2)), rng.exponential(size=(30, 2))
    found = ecs(real, fake)
    assert found["ecs_axes"] == pytest.approx(slow(real, fake, False), abs=1e-6)
    # Influence functions and the jackknife agree to the next order of 1/n.
    assert found["tails_axes"] == pytest.approx(slow(real, fake, True), abs=6e-3)
    plain = module._Functions.of(module.standardized(real), matched=True)
    columns = [[v for v in column] for column in real.T.tolist()]
    expected = [
        [sum(cmath.exp(1j * t * (v - np.mean(x)) / np.std(x)) for v in x) / len(x) for x in columns]
        for t in POINTS
    ]
    assert plain.values == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("shape", ["normal", "uniform", "exponential"])
def test_both_are_0_on_average_within_one_distribution(shape):
    rng = np.random.default_rng(2)
    draw = getattr(rng, shape)
    found = []
    for _ in range(60):
        real, fake = draw(size=(80, 3)), draw(size=(60, 3))
        each = ecs(real, fake)
        found.append((each["ecs"], each["tails"]))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    # The correction of `tails` is right to the first order of 1/n; without one, both would be
    # about 0.01 more.
    assert (np.abs(mean) < 3 * error + [0, 1.5e-3]).all() and (np.min(found, axis=0) < 0).all()


def test_axes_have_mean_0_and_deviation_1_and_no_covariance():
    rng = np.random.default_rng(3)
    real = rng.normal(size=(300, 4)) @ np.diag([3, 2, 1, 0.1]) @ rng.normal(size=(4, 4)) + 9
    found = axes(real, explained=1.0)
    along = found.along(real)
    assert along.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-4)
    assert np.cov(along.T) == pytest.approx(np.eye(4), abs=1e-3)
    assert axes(real, explained=1.0, most=2).matrix.shape == (
        4,
        2,
    ) and found.explained == pytest.approx(1)
    shares = np.sort(np.linalg.eigvalsh(np.cov(real.T)))[::-1] / np.trace(np.cov(real.T))
    assert axes(real, explained=shares[0] - 1e-6).matrix.shape == (4, 1)
    # Scaled: a feature's unit does not matter, and one without variance does not count.
    other = np.column_stack([real * [1, 100, 1e-3, 5], np.full(300, 0.1)])
    mine, theirs = axes(real, scaled=True), axes(other, scaled=True)
    assert np.abs(mine.along(real)) == pytest.approx(np.abs(theirs.along(other)), abs=1e-3)
    assert not theirs.matrix[4].any()
    nothing = axes(np.ones((9, 3)))
    assert nothing.matrix.shape == (3, 0)
    assert np.isnan(ecs(nothing.along(real[:, :3]), nothing.along(real[:, :3]))["tails"])
    # Fewer images than features: no more axes than directions.
    assert axes(rng.normal(size=(6, 20)), explained=1.0).matrix.shape[1] == 5


def test_the_same_mean_and_covariance_with_other_tails_is_seen_where_fid_is_at_its_floor():
    """A heavy-tailed set, and a normal one of its mean and covariance: the paper's case."""
    rng = np.random.default_rng(4)
    mix = rng.normal(size=(6, 6))
    real, floor = (rng.standard_t(4, size=(1500, 6)) @ mix for _ in range(2))
    fake = rng.multivariate_normal(real.mean(axis=0), np.cov(real.T), 1500)
    assert frechet(real, fake)["fid"] < frechet(real, floor)["fid"]
    along = axes(real, explained=1.0).along
    seen = [ecs(along(real), along(other))["tails"] for other in (floor, fake)]
    assert seen[1] > 5 * abs(seen[0])
    p = [permutation_test(along(real), along(other), permutations=99) for other in (floor, fake)]
    assert p[1]["tails"] == 0.01 and p[0]["tails"] > 0.05


def test_a_rare_kind_that_is_missing_is_seen():
    rng = np.random.default_rng(5)

    def drawn(rare):
        kinds = rng.random(2000) < rare
        return rng.normal(size=(2000, 5)) + kinds[:, None] * [6, 0, 0, 0, 0]

    real = drawn(0.03)
    along = axes(real, explained=1.0).along
    sets = [along(drawn(rare)) for rare in (0.03, 0)]
    here, missing = (ecs(along(real), fake)["tails"] for fake in sets)
    assert missing > 10 * abs(here)
    here, missing = (permutation_test(along(real), fake, permutations=99) for fake in sets)
    assert missing["tails"] == 0.01 and missing["ecs"] <= 0.05 < min(here["ecs"], here["tails"])


def test_p_is_uniform_within_one_distribution_also_of_patients_with_several_images():
    rng = np.random.default_rng(6)
    plain, apart, together = [], [], []
    for seed in range(50):
        # Three images a patient, nearly alike, against single ones.
        real = rng.normal(size=(60, 1, 2)) + 0.2 * rng.normal(size=(60, 3, 2))
        fake = rng.normal(0, np.sqrt(1.04), (180, 2))
        real, owners = real.reshape(-1, 2), (np.repeat(np.arange(60), 3), np.arange(180))
        plain.append(permutation_test(fake[:90], fake[90:], None, 19, seed))
        apart.append(permutation_test(real, fake, None, 19, seed))
        together.append(permutation_test(real, fake, owners, 19, seed))
    for name in ("ecs", "tails"):
        share = [np.mean([each[name] <= 0.1 for each in some]) for some in (plain, together)]
        assert max(share) < 0.22 and np.mean([each[name] for each in plain]) > 0.4
    # Taking images of one patient as independent finds differences that aren't there.
    assert np.mean([each["ecs"] <= 0.1 for each in apart]) > 0.3


def test_the_influence_of_an_image_is_what_a_little_more_weight_on_it_does():
    x = module.standardized(np.random.default_rng(9).exponential(size=(12, 2)))
    little = 1e-6

    def function(weights, t, matched):
        values = x.astype(float)
        if matched:
            mean = weights @ values
            values = (values - mean) / np.sqrt(weights @ np.square(values - mean))
        return weights @ np.exp(1j * t * values)

    for matched in (False, True):
        for t, found in zip(POINTS, module._influences(x, matched), strict=True):
            even = np.full(12, 1 / 12)
            moved = [(1 - little) * even + little * (np.arange(12) == each) for each in range(12)]
            expected = [function(weights, t, matched) for weights in moved]
            expected = (np.array(expected) - function(even, t, matched)) / little
            assert found == pytest.approx(expected, abs=2e-3)


def test_the_test_goes_in_blocks_and_can_be_left_out(monkeypatch):
    rng = np.random.default_rng(7)
    real, fake = rng.normal(size=(50, 3)), rng.normal(0.3, 1, (40, 3))
    whole = permutation_test(real, fake, permutations=99, seed=1)
    monkeypatch.setattr(module, "HELD", 200)
    assert permutation_test(real, fake, permutations=99, seed=1) == whole
    assert np.isnan(permutation_test(real, fake, permutations=0)["ecs"])
    assert permutation_test(real, real[::-1], permutations=99)["ecs"] > 0.9


@pytest.mark.parametrize("measure", [ecs, permutation_test])
def test_what_is_no_two_sets_is_refused(measure):
    good = np.random.default_rng(8).normal(size=(10, 3))
    broken = good.copy()
    broken[4, 1] = np.nan
    for bad, said in ((good[:3], "at least 4"), (good[:, :2], "dimensions"), (broken, "finite")):
        with pytest.raises(ValueError, match=said):
            measure(good, bad)

"""Copies of training images: found where there are some, and not where there are none."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from pgcxr.metrics import feature_sets, privacy
from tests.reference import privacy_slow

ALPHA = 0.01 / 8


def test_nearest_as_one_pair_at_a_time(monkeypatch):
    monkeypatch.setattr(feature_sets, "CHUNK", 7)  # several blocks, the last not full
    rng = np.random.default_rng(1)
    for kind in (np.float32, np.float64):
        # Far from 0, where products lose digits; whole numbers give ties and duplicates.
        references = (rng.integers(0, 3, (25, 4)) + 1000).astype(kind)
        queries = np.concatenate([references[:4], rng.integers(0, 3, (9, 4)) + 1000]).astype(kind)
        groups = rng.integers(0, 5, 13), rng.integers(0, 5, 25)
        for chosen in (None, groups):
            distance, index = feature_sets.nearest(queries, references, chosen)
            slow = privacy_slow.nearest(queries, references, chosen)
            assert distance == pytest.approx([apart for apart, _ in slow], abs=1e-12)
            # Of equally near ones rounding decides.
            assert np.linalg.norm(queries - references[index], axis=1) == pytest.approx(
                distance, abs=1e-6
            )
            if chosen is not None:
                assert (groups[0] != groups[1][index]).all()
    assert feature_sets.nearest(references[:1], references)[0][0] == 0.0


def test_memory_of_neighbors_does_not_grow_with_their_pairs(monkeypatch):
    monkeypatch.setattr(feature_sets, "CHUNK", 128)
    rng = np.random.default_rng(2)
    few, many = (rng.normal(size=(count, 8)).astype(np.float32) for count in (400, 3200))

    def peak(vectors):
        tracemalloc.start()
        feature_sets.nearest(vectors, vectors, (np.arange(len(vectors)),) * 2)
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    assert peak(many) < peak(few) + 40 * many.nbytes / 8 < many.shape[0] ** 2


def test_measured_distances_by_hand():
    training = np.array([[0.0], [1.0], [5.0], [5.5]])
    twins = np.array([[20.0], [30.0], [40.0], [50.0]])
    found = privacy.measure(
        np.array([[0.25], [29.0]]),
        np.array([[4.0], [52.0]]),
        training,
        np.array(["a", "a", "b", "b"]),
        (np.array([[1.0]]), np.array([[4.0]])),
        lambda: (twins[:], np.full((4, 1), 99.0)),
    )
    assert found.generated.tolist() == [0.25, 1.0] and found.of_generated.tolist() == [0, 1]
    assert found.twin.tolist() == [0, 1]
    assert found.held_out.tolist() == [1.0, 2.0] and found.of_held_out.tolist() == [2, 3]
    assert found.training.tolist() == [5.0, 4.0, 4.0, 4.5]  # never to the same patient
    assert found.same_patient.tolist() == [3.0]


@pytest.mark.parametrize("values", [1000, 4])
def test_z_is_that_of_mann_whitney(values):
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, values, 40), rng.integers(0, values, 70) + 1  # few values: many ties
    expected = stats.mannwhitneyu(
        a, b, alternative="less", method="asymptotic", use_continuity=False
    )
    assert stats.norm.cdf(privacy.rank_z(a, b)) == pytest.approx(expected.pvalue, rel=1e-9)
    assert privacy.rank_z(b, a) == pytest.approx(-privacy.rank_z(a, b))
    assert privacy.rank_z(np.ones(5), np.ones(9)) == 0.0


def test_c_t_is_the_weighted_mean_of_cells():
    rng = np.random.default_rng(4)
    generated, held_out = rng.random(100), rng.random(65)
    of_generated, of_held_out = (
        np.repeat([0, 1, 2, 3], [40, 40, 5, 15]),
        np.repeat([0, 1, 2, 4], [20, 30, 10, 5]),
    )
    found = privacy.c_t(generated, held_out, of_generated, of_held_out)
    # Cell 2 has too few synthetic images, 3 and 4 have none of one set.
    z = [
        privacy.rank_z(generated[:40], held_out[:20]),
        privacy.rank_z(generated[40:80], held_out[20:50]),
    ]
    assert found["mean_z"] == pytest.approx(0.4 * z[0] + 0.6 * z[1])
    assert found["z"] == pytest.approx(found["mean_z"] / np.hypot(0.4, 0.6))
    assert found["worst_cell"] == min(z) and found["cells"] == 2
    assert found["held_out_covered"] == pytest.approx(50 / 65)
    assert found["p"] == pytest.approx(stats.norm.cdf(found["z"]))
    apart = privacy.c_t(generated[:9], held_out[:9], np.zeros(9, int), np.ones(9, int))
    assert apart["cells"] == 1 and apart["z"] == pytest.approx(
        privacy.rank_z(generated[:9], held_out[:9])
    )


def test_c_t_is_standard_normal_when_nothing_is_copied():
    rng = np.random.default_rng(5)
    cells = np.arange(120) % 4, np.arange(80) % 4
    z = [privacy.c_t(rng.random(120), rng.random(80), *cells)["z"] for _ in range(400)]
    assert stats.kstest(z, "norm").pvalue > 0.01


def test_shares_by_fishers_exact_test():
    for k, n, j, m in ((7, 20, 2, 30), (0, 20, 0, 30), (20, 20, 30, 30), (3, 200, 0, 50)):
        generated, held_out = np.arange(n) < k, np.arange(m) < j
        found = privacy.share_test(generated, held_out, 0.05)
        expected = stats.fisher_exact([[k, n - k], [j, m - j]], alternative="greater").pvalue
        assert found["p"] == pytest.approx(expected, rel=1e-9)
        exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
        assert found["ci95"] == pytest.approx([exact.low, exact.high])
        enough = found["found_from"]
        if enough is not None:
            at = [
                stats.fisher_exact([[c, n - c], [j, m - j]], alternative="greater").pvalue
                for c in (round(enough * n) - 1, round(enough * n))
            ]
            assert at[1] < 0.05 <= at[0]
    assert privacy.share_test(np.ones(20, bool), np.ones(30, bool), 0.05)["found_from"] is None


def _distances(**changes):
    values = {
        "generated": np.full(40, 2.0),
        "of_generated": np.arange(40),
        "held_out": np.linspace(1, 3, 41),
        "of_held_out": np.arange(41),
        "training": np.linspace(1, 2, 101),
        "same_patient": np.linspace(0, 1, 21),
        "twin": np.zeros(40, int),
    }
    return privacy.Distances(**(values | changes))


def test_the_cutoff_by_hand():
    near = privacy.cutoff(_distances())
    assert near["value"] == near["same_patient_median"] == 0.5 and near["set_by"] == "same patient"
    assert (
        near["auroc"] == pytest.approx(1 - 0.5 / (21 * 41))
        and near["same_patient_below"] == 11 / 21
    )
    # Two images of one patient are farther apart than strangers: 1 % of these are left below.
    far = privacy.cutoff(_distances(same_patient=np.linspace(5, 9, 21)))
    assert far["value"] == pytest.approx(1.01) and far["set_by"] == "other patients"
    assert far["auroc"] == 0 and far["same_patient_below"] == 0
    none = privacy.cutoff(_distances(same_patient=np.empty(0)))
    assert none["value"] == pytest.approx(1.01) and "auroc" not in none
    assert privacy.quantiles(_distances(same_patient=np.empty(0)))["same_patient"] == {}
    assert privacy.quantiles(_distances())["held_out"]["0.5"] == 2.0


def _judged(generated, seed=6, training=None):
    """The answer for vectors of which two training patients in ten have a second, similar image."""
    rng = np.random.default_rng(seed)
    training = _drawn(rng, 600) if training is None else training
    patients = np.arange(600)
    patients[480:] = patients[:120]
    held_out, one = _drawn(rng, 300), _drawn(rng, 60)
    pairs = one, one + rng.normal(0, 0.15, one.shape)
    distances = privacy.measure(generated(training, rng), held_out, training, patients, pairs)
    cells = privacy.cells(training, generated(training, np.random.default_rng(9)), held_out, seed)
    return privacy.copying(distances, cells, ALPHA)


def _drawn(rng, count):
    return rng.normal(size=(count, 6)) * [3, 2, 1, 1, 1, 1]


def test_fresh_draws_pass_and_copies_fail():
    failed = [_judged(lambda _, rng: _drawn(rng, 1000), seed)["failed"] for seed in range(5)]
    assert sum(map(bool, failed)) <= 1  # 1 % are expected at most
    # Copies with a little noise fail every test; in a mix of 3 % those that count near ones.
    copies = _judged(
        lambda training, rng: training[rng.integers(0, 600, 1000)] + rng.normal(0, 0.02, (1000, 6))
    )
    assert copies["failed"] == ["near_copies", "nearer_than_all", "c_t", "not_authentic"]
    assert copies["near_copies"]["share"] > 0.95 and copies["c_t"]["z"] < -10

    def mix(training, rng):
        fresh = _drawn(rng, 1000)
        fresh[:30] = training[:30] + rng.normal(0, 0.02, (30, 6))
        return fresh

    assert "nearer_than_all" in _judged(mix)["failed"] and "near_copies" in _judged(mix)["failed"]


def test_blurred_images_are_near_but_not_nearer_to_training_images():
    rng = np.random.default_rng(8)
    training, held_out = _drawn(rng, 600), _drawn(rng, 400)
    blurred = 0.3 * _drawn(rng, 500)
    assert (
        privacy.rank_z(
            feature_sets.nearest(blurred, training)[0], feature_sets.nearest(held_out, training)[0]
        )
        < -5
    )
    assert 0.4 < privacy.nearer_training(blurred, training, held_out, 0)["share"] < 0.6
    copies = privacy.nearer_training(training[:100], training, held_out, 0)
    assert copies["share"] > 0.5 and copies["of_each"] == 400
    assert privacy.nearer_training(training[:100], training[:300], held_out, 0)["share"] == 1
    assert privacy.nearer_training(training[:9], training, training, 0)["n"] == 9
    same = privacy.nearer_training(blurred, training[:1], training[:1], 0)
    assert same["share"] == 0.5  # a tie counts half


def test_duplicates_among_training_images_do_not_hide_copies():
    training = np.repeat(_drawn(np.random.default_rng(7), 300), 2, axis=0)
    found = _judged(lambda training, rng: training[rng.integers(0, 600, 400)], training=training)
    assert found["cutoff"]["value"] == 0 and found["near_copies"]["share"] == 1
    assert found["failed"] == ["near_copies", "nearer_than_all", "c_t", "not_authentic"]


def test_what_cannot_be_measured_is_refused():
    one = np.zeros((3, 2))
    for queries, references, groups, said in (
        (np.array([[0.0, np.nan]]), one, None, "finite"),
        (one, np.empty((0, 2)), None, "at least 1"),
        (one, np.zeros((3, 5)), None, "dimensions"),
        (one, one, (np.zeros(3), np.zeros(3)), "two groups"),
        (one, one, (np.zeros(2), np.zeros(3)), "one is needed for each"),
    ):
        with pytest.raises(ValueError, match=said):
            feature_sets.nearest(queries, references, groups)
    with pytest.raises(ValueError):
        privacy.measure(one, one, one, np.zeros(3), (one, one))  # one patient has no others

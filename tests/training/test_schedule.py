"""The schedule by hand, and against the original's (extra)."""

import csv
from itertools import pairwise

import pytest

from pgcxr.training import schedule

MINIBATCHES = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4}
MOST = {256: 16, 512: 8, 1024: 4}
TICKS = {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10}
PRESETS = {
    "v2-1gpu": {"minibatch_base": 4, "minibatch_dict": MINIBATCHES, "lrate_dict": {1024: 0.0015}, "total_kimg": 12000},
    "v2-2gpus": {
        "minibatch_base": 8,
        "minibatch_dict": {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
        "lrate_dict": {512: 0.0015, 1024: 0.002},
        "total_kimg": 12000,
        "replicas": 2,
    },
}


def _settings(name):
    return schedule.Settings(resolution=1024, tick_kimg_dict=TICKS, max_minibatch_per_replica=MOST, **PRESETS[name])


@pytest.mark.parametrize("name", PRESETS)
def test_points_equal_the_originals(shared, name):
    settings = _settings(name)
    with open(shared / "reference" / "schedule.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["preset"] == name]
    assert len(rows) > 50
    for row in rows:
        point = schedule.at(settings, int(row["cur_nimg"]))
        assert point.lod == pytest.approx(float(row["lod"]), abs=1e-9)
        assert (point.resolution, point.minibatch) == (int(row["resolution"]), int(row["minibatch"]))
        assert (point.lrate, point.tick_kimg) == (float(row["G_lrate"]), float(row["tick_kimg"]))


@pytest.mark.parametrize("name", PRESETS)
def test_half_phases_begin_where_the_original_resets_its_optimizers(shared, name):
    with open(shared / "reference" / "schedule_events.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["preset"] == name]
    phases = list(schedule.half_phases(_settings(name)))
    assert [phase.start for phase in phases] == [int(row["cur_nimg"]) for row in rows[:-1]]
    assert phases[-1].end == int(rows[-1]["cur_nimg"])
    assert [2**phase.level for phase in phases] == [int(row["resolution"]) for row in rows[:-1]]


def test_lod_by_hand():
    settings = schedule.Settings(16, 60, lod_training_kimg=10, lod_transition_kimg=10)
    lods = {0: 2, 10_000: 2, 15_000: 1.5, 20_000: 1, 30_000: 1, 32_500: 0.75, 40_000: 0, 59_000: 0}
    assert {nimg: schedule.at(settings, nimg).lod for nimg in lods} == lods


def test_half_phases_are_contiguous_and_end_at_the_total():
    settings = schedule.Settings(
        32, 20, lod_training_kimg=1, lod_transition_kimg=1.5, minibatch_dict={4: 64, 32: 8}, minibatch_base=16
    )
    phases = list(schedule.half_phases(settings))
    assert all(before.end == after.start for before, after in pairwise(phases))
    assert [(phase.level, phase.fading) for phase in phases] == [
        (2, False), (3, True), (3, False), (4, True), (4, False), (5, True), (5, False),
    ]  # fmt: skip
    assert 20_000 <= phases[-1].end < 20_000 + 4 * 8


def test_growing_can_be_left_out():
    phases = list(schedule.half_phases(schedule.Settings(32, 2, lod_initial_resolution=32)))
    assert [(phase.level, phase.fading) for phase in phases] == [(5, False)]


@pytest.mark.parametrize("wrong", [{"minibatch_base": 0}, {"minibatch_dict": {4: 1}, "replicas": 2}])
def test_a_minibatch_without_images_does_not_run_for_ever(wrong):
    settings = schedule.Settings(resolution=8, total_kimg=1, **wrong)
    with pytest.raises(ValueError, match="at 4 px, a minibatch without an image"):
        list(schedule.half_phases(settings))

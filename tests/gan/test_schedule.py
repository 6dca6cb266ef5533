"""The schedule by hand, and that of the original's presets against its own."""

from itertools import pairwise

import numpy as np
import pytest

from pgcxr.gan import schedule
from train.common import load_config

# The original's name of a schedule -> our config.
PRESETS = {"v1-1gpu": "nvidia_v1", "v2-1gpu": "nvidia_1gpu", "v2-2gpus": "nvidia_2gpus"}


def _settings(name):
    config = load_config("gan", PRESETS[name])
    return config.schedule(config.replicas)


@pytest.mark.parametrize("name", PRESETS)
def test_points_equal_the_originals(goldens, name):
    golden = np.load(goldens / "schedule.npz")
    of = {key.split("/")[2]: golden[key] for key in golden if key.startswith(f"schedule/{name}/")}
    assert len(of["cur_nimg"]) > 50
    for index, nimg in enumerate(of["cur_nimg"].astype(int)):
        point = schedule.at(_settings(name), int(nimg))
        assert point.lod == pytest.approx(of["lod"][index], abs=1e-9)
        assert (point.resolution, point.minibatch) == (
            of["resolution"][index],
            of["minibatch"][index],
        )
        assert (point.lrate, point.tick_kimg) == (of["G_lrate"][index], of["tick_kimg"][index])


@pytest.mark.parametrize("name", PRESETS)
def test_half_phases_begin_where_the_original_resets_its_optimizers(goldens, name):
    golden = np.load(goldens / "schedule.npz")
    begins, sizes = (
        golden[f"schedule_events/{name}/{column}"].tolist() for column in ("cur_nimg", "resolution")
    )
    phases = list(schedule.half_phases(_settings(name)))
    assert [phase.start for phase in phases] == begins[:-1]
    assert phases[-1].end == begins[-1]
    assert [2**phase.level for phase in phases] == sizes[:-1]


def test_lod_by_hand():
    settings = schedule.Settings(16, 60, lod_training_kimg=10, lod_transition_kimg=10)
    lods = {0: 2, 10_000: 2, 15_000: 1.5, 20_000: 1, 30_000: 1, 32_500: 0.75, 40_000: 0, 59_000: 0}
    assert {nimg: schedule.at(settings, nimg).lod for nimg in lods} == lods


def test_while_d_warms_up_g_learns_nothing():
    settings = schedule.Settings(16, 60, lrate_base=0.002, d_warmup_kimg=10)
    rates = {nimg: schedule.at(settings, nimg) for nimg in (0, 9_999, 10_000)}
    assert [point.g_lrate for point in rates.values()] == [0.0, 0.0, 0.002]
    assert [point.lrate for point in rates.values()] == [0.002] * 3


def test_half_phases_are_contiguous_and_end_at_the_total():
    settings = schedule.Settings(
        32,
        20,
        lod_training_kimg=1,
        lod_transition_kimg=1.5,
        minibatch_dict={4: 64, 32: 8},
        minibatch_base=16,
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


@pytest.mark.parametrize(
    "wrong", [{"minibatch_base": 0}, {"minibatch_dict": {4: 1}, "replicas": 2}]
)
def test_a_minibatch_without_images_does_not_run_for_ever(wrong):
    settings = schedule.Settings(resolution=8, total_kimg=1, **wrong)
    with pytest.raises(ValueError, match="at 4 px, a minibatch without an image"):
        list(schedule.half_phases(settings))

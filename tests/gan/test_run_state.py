"""A run's saved states: whole or not there, damaged or foreign and said so."""

import errno
import os
import resource

import numpy as np
import pytest

from pgcxr.cli import command
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import devices, resume, run_dir, state_file, trainer
from pgcxr.gan.config import GanConfig
from pgcxr.io import artifacts, places
from pgcxr.networks import synthesize
from pgcxr.sampling.generation import load_generator
from tests.gan import tiny_run
from tests.gan.tiny_run import config


@pytest.fixture
def stopped(tmp_path):
    """Builds a run with two states in it, without training."""
    run = run_dir.RunDir(tmp_path / "run")
    settings = config()
    run.claim(settings)
    gan = trainer.build(settings, devices.strategy(1))
    run.identity |= {"images": "these", "replicas": 1}
    for nimg in (32, 64):
        gan.cur_nimg.assign(nimg)
        run.save(gan, nimg)
    return run, gan


def test_a_snapshot_is_a_run_of_its_own(tmp_path):
    (tmp_path / "cohort").mkdir()
    earlier = {"name": "other", "sha256": "0", "levels": [], "cohort": "../cohort"}
    run, settings = run_dir.RunDir(tmp_path / "run"), config(snapshot_kimg=0.064)
    with run.locked():
        run.claim(settings, {"cohort": "../cohort", "records": "", "init": [earlier]})
        dataset = ImageDataset(tiny_run.IMAGES, 8)
        progress = (lambda nimg, lod: None, print)
        trainer.train(dataset, run, settings, devices.strategy(1), *progress)
    kept = sorted(run.snapshots.iterdir())
    assert [folder.name for folder in kept] == ["kimg00000.064", "kimg00000.128"]
    made = [
        np.asarray(synthesize(load_generator(folder), np.ones((1, 8), np.float32)))
        for folder in (*kept, run.folder)
    ]
    assert np.array_equal(made[1], made[2]) and not np.array_equal(made[0], made[1])
    written = artifacts.read_json(kept[0] / "config.json")
    for name in (written["cohort"], written["init"][0]["cohort"]):
        assert (kept[0] / name).resolve() == tmp_path / "cohort"
    assert artifacts.read_json(kept[0] / "report.json")["kimg"] == 0.064


def test_a_full_disk_leaves_the_last_state_and_names_the_file(stopped):
    run, gan = stopped
    before = {path.name: path.read_bytes() for path in run.state.iterdir()}
    # No file may grow beyond that, as with a quota; Python ignores the signal that comes with it.
    _, hard = was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["nimg0000000064.npz"]) // 2, hard))
    try:
        with pytest.raises(OSError) as caught:
            run.save(gan, 96)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
    line = command._system_error(caught.value)
    assert "state/nimg0000000096.npz: the disk is full" in line and "free space" in line
    assert {path.name: path.read_bytes() for path in run.state.iterdir()} == before


def test_a_device_without_space_is_the_same(stopped, monkeypatch):
    run, gan = stopped

    def write_array(file, array, **options):
        with open("/dev/full", "wb", buffering=0) as full:  # a device that is always full
            full.write(array.tobytes())

    with pytest.raises(OSError) as caught, monkeypatch.context() as patched:
        patched.setattr(np.lib.format, "write_array", write_array)
        run.save(gan, 96)
    assert caught.value.errno == errno.ENOSPC and caught.value.filename.endswith(
        "nimg0000000096.npz"
    )
    assert sorted(os.listdir(run.state)) == ["nimg0000000032.npz", "nimg0000000064.npz"]
    run.save(gan, 96)
    assert sorted(os.listdir(run.state)) == ["nimg0000000064.npz", "nimg0000000096.npz"]


def test_every_flipped_byte_and_every_cut_is_noticed(stopped, tmp_path):
    run, gan = stopped
    whole, rng = (run.state / "nimg0000000064.npz").read_bytes(), np.random.default_rng(0)
    file = tmp_path / "bad.npz"
    for place in [
        *rng.integers(0, len(whole), 300),
        0,
        len(whole) - 1,
        len(whole) - 64,
        len(whole) - 86,
    ]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.integers(8)
        file.write_bytes(flipped)
        with pytest.raises(state_file.Damaged):
            state_file.read(file)
    for length in [0, 1, 63, 64, 65, len(whole) - 1, *rng.integers(0, len(whole), 50)]:
        file.write_bytes(whole[:length])
        with pytest.raises(state_file.Damaged):
            state_file.read(file)


def test_a_damaged_state_is_set_aside_and_the_one_before_is_used(stopped):
    run, gan = stopped
    newest = run.state / "nimg0000000064.npz"
    newest.write_bytes(newest.read_bytes()[:-100])
    said = []
    assert run.restore(gan, said.append) == 32
    assert (
        len(said) == 1
        and "nimg0000000064.npz: is damaged; falling back to nimg0000000032.npz" in said[0]
    )
    run.save(gan, 48)
    kept = ["nimg0000000032.npz", "nimg0000000048.npz", "nimg0000000064.damaged"]
    assert sorted(os.listdir(run.state)) == kept, "it does not take the place of a good one"


def test_nothing_begins_again_in_silence_where_every_state_is_damaged(stopped):
    run, gan = stopped
    for path in run.state.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    for _ in range(2):
        with pytest.raises(InputError, match="every saved state is damaged"):
            run.restore(gan, print)


def test_a_state_whose_rename_was_interrupted_is_passed_over_aloud(stopped):
    run, gan = stopped
    os.replace(
        run.state / "nimg0000000064.npz", run.state / f".nimg0000000064.npz{places.PARTIAL}.npz"
    )
    said = []
    assert run.restore(gan, said.append) == 32
    assert "was being saved when the training was ended" in said[0]
    assert os.listdir(run.state) == ["nimg0000000032.npz"]


@pytest.mark.parametrize(
    ("changes", "images", "line"),
    [
        ({"seed": 4}, "these", "is the state of a run with seed = 3, not 4"),
        ({"minibatch_base": 8}, "these", "with minibatch_base = 4, not 8"),
        ({}, "others", "was trained on other images than this cohort's"),
    ],
)
def test_a_state_that_belongs_elsewhere_is_refused(stopped, changes, images, line):
    run, gan = stopped
    before = gan.generator.get_weights()
    run.identity |= {"config": artifacts.plain(config(**changes).to_dict()), "images": images}
    with pytest.raises(InputError, match=line):
        run.restore(gan, print)
    assert all(
        np.array_equal(a, b) for a, b in zip(before, gan.generator.get_weights(), strict=True)
    )


def test_a_state_of_another_network_is_refused_before_anything_is_changed(stopped):
    run, _ = stopped
    other = trainer.build(config(fmap_max=4), devices.strategy(1))
    before = other.generator.get_weights()
    with pytest.raises(InputError, match="is the state of another network"):
        run.restore(other, print)
    assert all(
        np.array_equal(a, b) for a, b in zip(before, other.generator.get_weights(), strict=True)
    )


def test_another_number_of_devices_may_go_on_where_the_schedule_is_the_same(stopped):
    run, gan = stopped
    said = []
    resume.resume(run, gan, config().schedule, 2, said.append)
    assert "begun on 1 devices, goes on with 2" in said[-1]
    with pytest.raises(
        InputError, match="was begun on 1 devices, with other minibatches than 3 have"
    ):
        resume.resume(run, gan, config().schedule, 3, said.append)


def test_a_minibatch_that_devices_cannot_share_is_refused():
    settings = config(
        resolution=16,
        lod_initial_resolution=4,
        minibatch_base=12,
        minibatch_dict={16: 2},
        mbstd_group_size=3,
    )
    assert settings.schedule(2).replicas == 2
    with pytest.raises(ArgumentError, match="minibatch of 6 on each of 2 devices at 4 px"):
        settings.replace(mbstd_group_size=4).schedule(2)
    with pytest.raises(ArgumentError, match="at 16 px not one image for each of 4 devices"):
        settings.schedule(4)
    with pytest.raises(ArgumentError, match="replicas: is more devices than the 12 images .*999"):
        settings.schedule(999)


def test_a_run_of_before_an_option_was_added_goes_on(stopped):
    run, gan = stopped
    older = artifacts.read_json(run.config_file)
    del older["label_weight"], older["mirror"]
    artifacts.write_json(run.config_file, older)
    run.claim(config())
    run.identity["config"] = older
    run.save(gan, 96)
    run.claim(config())
    run.identity |= {"images": "these"}
    assert run.restore(gan, print) == 64  # what its variable holds
    assert GanConfig.of_run(run.folder) == config()
    with pytest.raises(InputError, match="holds a run with mirror = False, not True"):
        run.claim(config(mirror=True))

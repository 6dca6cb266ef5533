"""Exact resume: stopped, cut off, damaged or foreign, a run goes on to the same bits or says in one line why not."""

import dataclasses
import errno
import os
import resource
import signal

import numpy as np
import pytest
import tensorflow as tf

from pgcxr import artefacts, command
from pgcxr.data import pipeline
from pgcxr.data.cohort import Cohort, load
from pgcxr.data.pipeline import Reals
from pgcxr.errors import InputError
from pgcxr.training import callbacks, devices, loop, resume, run_dir, schedule, state_file
from tests.toy_cohort import ramps, write_cohort
from train.common import load_config

# One half-phase: the graph is traced once in each life.
TINY = {
    "resolution": 8,
    "lod_initial_resolution": 8,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.128,
    "lod_training_kimg": 1.0,
    "lod_transition_kimg": 1.0,
    "tick_kimg_base": 0.032,
    "minibatch_base": 4,
    "seed": 3,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)


def _config(**changes) -> dict:
    return load_config("gan", "demo") | TINY | changes


def _train(out, images=IMAGES, look=lambda nimg: None, said=None, **changes):
    """Trains, or goes on, as the command does; `look` is called with the image count."""
    config = _config(**changes)
    run = run_dir.RunDir(out)
    say = print if said is None else said.append
    with run.locked(say):
        run.claim(config, say)
        return loop.train(Reals(images, 8), run, config, devices.strategy(1), lambda nimg, lod: look(nimg), say)


def _stop_at(nimg):
    return lambda now: os.kill(os.getpid(), signal.SIGTERM) if now >= nimg else None


def _final(out) -> dict:
    """Every array of the newest state."""
    with state_file.read(sorted((out / "state").glob("nimg*.npz"))[-1])[1] as arrays:
        return {name: arrays[name] for name in arrays.files if name != state_file.META}


def _same(ours: dict, theirs: dict) -> bool:
    return set(ours) == set(theirs) and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert _train(out)["kimg"] == TINY["total_kimg"]
    return out


@pytest.fixture
def stopped(tmp_path):
    """Builds a run with two states in it, without training."""
    run = run_dir.RunDir(tmp_path / "run")
    config = _config()
    run.claim(config)
    gan = loop.build(config, devices.strategy(1))
    run.identity |= {"images": "these", "replicas": 1}
    for nimg in (32, 64):
        gan.seen.assign(nimg)
        run.save(gan, nimg)
    return run, gan


def test_one_seed_gives_one_result(whole, tmp_path):
    _train(tmp_path / "again")
    assert _same(_final(tmp_path / "again"), _final(whole))
    first, second = (loop.build(_config(seed=seed), devices.strategy(1)).generator.get_weights() for seed in (3, 4))
    assert not np.array_equal(first[1], second[1])


def test_a_signal_while_a_state_is_saved_waits_for_it(whole, tmp_path, monkeypatch):
    really, saved = state_file.write, []

    def write(final, *what):
        saved.append(final.name)
        if len(saved) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        really(final, *what)

    monkeypatch.setattr(state_file, "write", write)
    with pytest.raises(loop.Interrupted):
        _train(tmp_path / "run")
    assert saved[-1] in os.listdir(tmp_path / "run" / "state")
    assert (tmp_path / "run" / "training.gif").is_file()
    seen = []
    report = _train(tmp_path / "run", look=seen.append)
    assert seen[0] > 64 and report["kimg"] == TINY["total_kimg"]
    assert _same(_final(tmp_path / "run"), _final(whole))


def test_a_longer_training_is_what_it_would_have_been_from_the_start(whole, tmp_path):
    out, said = tmp_path / "run", []
    _train(out, total_kimg=0.064)
    artefacts.write_json(out / "report.json", {"finished": True})
    with pytest.raises(InputError, match="total_kimg = 0.064, not 0.032; it can only grow"):
        _train(out, total_kimg=0.032)
    report = _train(out, said=said)
    assert "total_kimg was 0.064; goes on to 0.128" in said[0]
    assert not (out / "report.json").exists() and artefacts.read_json(out / "config.json")["total_kimg"] == 0.128
    assert _same(_final(out), _final(whole)) and report["kimg"] == 0.128
    # The rate is that of all lives together.
    assert report["images_per_second"] == pytest.approx(128 / report["seconds"])


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
    assert caught.value.errno == errno.ENOSPC and caught.value.filename.endswith("nimg0000000096.npz")
    assert sorted(os.listdir(run.state)) == ["nimg0000000032.npz", "nimg0000000064.npz"]
    run.save(gan, 96)
    assert sorted(os.listdir(run.state)) == ["nimg0000000064.npz", "nimg0000000096.npz"]


def _out_of_space(*_):
    raise tf.errors.ResourceExhaustedError(None, None, f"events.out; {os.strerror(errno.ENOSPC)}")


def _too_large(*_):
    raise tf.errors.OutOfRangeError(None, None, f"events.out; {os.strerror(errno.EFBIG)}")


@pytest.mark.parametrize("fails", [_out_of_space, _too_large])
def test_a_log_that_cannot_be_written_does_not_end_the_training_as_if_it_were_done(tmp_path, monkeypatch, fails):
    monkeypatch.setattr(callbacks.Ticks, "tick", fails)
    with pytest.raises(OSError) as caught:
        _train(tmp_path / "run")
    assert "logs: the disk is full" in command._system_error(caught.value)
    assert not (tmp_path / "run" / "generator-ema.keras").exists()


def test_every_flipped_byte_and_every_cut_is_noticed(stopped, tmp_path):
    run, gan = stopped
    whole, rng = (run.state / "nimg0000000064.npz").read_bytes(), np.random.default_rng(0)
    file = tmp_path / "bad.npz"
    for place in [*rng.integers(0, len(whole), 300), 0, len(whole) - 1, len(whole) - 64, len(whole) - 86]:
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
    assert len(said) == 1 and "nimg0000000064.npz: is damaged; falling back to nimg0000000032.npz" in said[0]
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
    os.replace(run.state / "nimg0000000064.npz", run.state / f".nimg0000000064.npz{artefacts.PARTIAL}.npz")
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
    run.identity |= {"config": artefacts.plain(_config(**changes)), "images": images}
    with pytest.raises(InputError, match=line):
        run.restore(gan, print)
    assert all(np.array_equal(a, b) for a, b in zip(before, gan.generator.get_weights(), strict=True))


def test_a_state_of_another_network_is_refused_before_anything_is_changed(stopped):
    run, _ = stopped
    other = loop.build(_config(fmap_max=4), devices.strategy(1))
    before = other.generator.get_weights()
    with pytest.raises(InputError, match="is the state of another network"):
        run.restore(other, print)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.generator.get_weights(), strict=True))


def test_another_number_of_devices_may_go_on_where_the_schedule_is_the_same(stopped):
    run, gan = stopped
    said, on = [], lambda config: lambda replicas: loop.settings_of(config, replicas)
    resume.restore(run, gan, on(_config()), 2, said.append)
    assert "begun on 1 devices, goes on with 2" in said[-1]
    with pytest.raises(InputError, match="was begun on 1 devices, with other minibatches than 3 have"):
        resume.restore(run, gan, on(_config()), 3, said.append)


def test_a_minibatch_that_devices_cannot_share_is_refused():
    settings = schedule.Settings(resolution=16, total_kimg=1, minibatch_base=12, minibatch_dict={16: 2}, replicas=2)
    with pytest.raises(InputError, match="12 images at 4 px leave 6 to each of 2 devices"):
        resume.check_minibatches(settings, 4)
    resume.check_minibatches(settings, 3)
    with pytest.raises(InputError, match="2 images at 16 px leave 0 to each of 4"):
        resume.check_minibatches(dataclasses.replace(settings, replicas=4), 3)


def test_two_trainings_of_one_run_at_a_time_are_refused(tmp_path):
    run, said = run_dir.RunDir(tmp_path / "run"), []
    with run.locked(said.append):
        with pytest.raises(InputError, match=f"is being trained by process {os.getpid()} on "):
            _train(tmp_path / "run")
        assert not run.config_file.exists()
    with run.locked(said.append):
        pass
    assert not said, "nobody was killed"
    # What a killed process leaves: its name in the file, and no lock on it.
    (tmp_path / "run" / run_dir.LOCK).write_text("process 1 on elsewhere")
    with run.locked(said.append):
        assert said == [f"{run.folder}: process 1 on elsewhere was ended before it could say so"]


def test_nothing_is_left_in_a_folder_that_is_no_run(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match="exists and is not empty"), run_dir.RunDir(tmp_path).locked():
        pass
    assert os.listdir(tmp_path) == ["thesis.docx"]
    run = run_dir.RunDir(tmp_path / "new")
    run.folder.mkdir()
    run.preflight.write_text("{}")
    with run.locked():
        run.claim(_config())


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_truncated_image_is_named_in_one_line(tmp_path, monkeypatch, capfd, in_memory):
    folder = write_cohort(tmp_path / "cohort", *ramps(12, 8, 0))
    cohort: Cohort = load(folder)
    bad = cohort.paths()[5]
    bad.write_bytes(bad.read_bytes()[:-20])
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 10**9 if in_memory else 0)
    with pytest.raises(InputError, match=f"{bad.name}: is damaged"):
        _train(tmp_path / "run", cohort)
    assert "libpng" not in capfd.readouterr().err

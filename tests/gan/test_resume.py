"""Exact resume: stopped, cut off, damaged or foreign, a run goes on to the same bits or says in one
line why not."""

import errno
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from pgcxr.cli import command
from pgcxr.cohort import pipeline
from pgcxr.cohort.manifest import Cohort, load
from pgcxr.errors import InputError
from pgcxr.gan import callbacks, devices, run_dir, state_file, trainer
from pgcxr.io import artifacts
from tests.gan.tiny_run import TINY, config, final, same, train
from tests.toy_cohort import ramps, write_cohort

pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert train(out)["kimg"] == TINY["total_kimg"]
    return out


def test_one_seed_gives_one_result(whole, tmp_path):
    train(tmp_path / "again")
    assert same(final(tmp_path / "again"), final(whole))
    first, second = (
        trainer.build(config(seed=seed), devices.strategy(1)).generator.get_weights()
        for seed in (3, 4)
    )
    assert not np.array_equal(first[1], second[1])


def test_a_signal_while_a_state_is_saved_waits_for_it(whole, tmp_path, monkeypatch):
    really, saved = state_file.write, []

    def write(final, *what):
        saved.append(final.name)
        if len(saved) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        really(final, *what)

    monkeypatch.setattr(state_file, "write", write)
    with pytest.raises(trainer.Interrupted):
        train(tmp_path / "run")
    assert saved[-1] in os.listdir(tmp_path / "run" / "state")
    assert (tmp_path / "run" / "training.gif").is_file()
    seen = []
    report = train(tmp_path / "run", look=seen.append)
    assert seen[0] > 64 and report["kimg"] == TINY["total_kimg"]
    assert same(final(tmp_path / "run"), final(whole))


def test_a_longer_training_is_what_it_would_have_been_from_the_start(whole, tmp_path):
    out, said = tmp_path / "run", []
    train(out, total_kimg=0.064)
    artifacts.write_json(out / "report.json", {"finished": True})
    with pytest.raises(InputError, match="total_kimg = 0.064, not 0.032; it can only grow"):
        train(out, total_kimg=0.032)
    report = train(out, said=said)
    assert "total_kimg was 0.064; goes on to 0.128" in said[0]
    assert (
        not (out / "report.json").exists()
        and artifacts.read_json(out / "config.json")["total_kimg"] == 0.128
    )
    assert same(final(out), final(whole)) and report["kimg"] == 0.128
    # The rate is that of all lives together.
    assert report["images_per_second"] == pytest.approx(128 / report["seconds"])


def _out_of_space(*_):
    raise tf.errors.ResourceExhaustedError(None, None, f"events.out; {os.strerror(errno.ENOSPC)}")


def _too_large(*_):
    raise tf.errors.OutOfRangeError(None, None, f"events.out; {os.strerror(errno.EFBIG)}")


@pytest.mark.parametrize("fails", [_out_of_space, _too_large])
def test_a_log_that_cannot_be_written_does_not_end_the_training_as_if_it_were_done(
    tmp_path, monkeypatch, fails
):
    monkeypatch.setattr(callbacks.Ticks, "tick", fails)
    with pytest.raises(OSError) as caught:
        train(tmp_path / "run")
    assert "logs: the disk is full" in command._system_error(caught.value)
    assert not (tmp_path / "run" / "generator-ema.keras").exists()


def test_two_trainings_of_one_run_at_a_time_are_refused(tmp_path):
    run, said = run_dir.RunDir(tmp_path / "run"), []
    with run.locked(said.append):
        with pytest.raises(InputError, match=f"is being trained by process {os.getpid()} on "):
            train(tmp_path / "run")
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
    with (
        pytest.raises(InputError, match="exists and is not empty"),
        run_dir.RunDir(tmp_path).locked(),
    ):
        pass
    assert os.listdir(tmp_path) == ["thesis.docx"]
    run = run_dir.RunDir(tmp_path / "new")
    run.folder.mkdir()
    run.preflight.write_text("{}")
    with run.locked():
        run.claim(config())


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_truncated_image_is_named_in_one_line(tmp_path, monkeypatch, capfd, in_memory):
    folder = write_cohort(tmp_path / "cohort", *ramps(12, 8, 0))
    cohort: Cohort = load(folder)
    bad = cohort.paths()[5]
    bad.write_bytes(bad.read_bytes()[:-20])
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 10**9 if in_memory else 0)
    with pytest.raises(InputError, match=f"{bad.name}: is damaged"):
        train(tmp_path / "run", cohort)
    assert "libpng" not in capfd.readouterr().err

"""train.gan on a tiny cohort: resume to the bit, one line where the input is wrong."""

import os
import shutil
import signal

import cv2
import numpy as np
import pandas as pd
import pytest

from pgcxr.cli import command
from pgcxr.cohort.manifest import load
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.gan import devices, run_dir, schedule, trainer
from pgcxr.io import artifacts, places
from train.common import load_config
from train.gan import training
from train.gan.__main__ import app

pytestmark = pytest.mark.usefixtures("traced_once")

# Ends with the fade to 8 px: each half-phase is traced anew.
SMALL = {
    "resolution": 8,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.128,
    "lod_training_kimg": 0.064,
    "lod_transition_kimg": 0.064,
    "tick_kimg_base": 0.032,
    "minibatch_base": 4,
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for index in range(12):
        cv2.imwrite(str(folder / f"images/{index}.png"), rng.integers(0, 256, (16, 16), np.uint8))
        label = "normal" if index % 3 else "abnormal"
        row = {"image_id": f"{index}", "patient_id": f"p{index}", "label": label, "split": "train"}
        rows.append(row | {"png": f"images/{index}.png", "sha256": ""})
    manifest = pd.DataFrame(rows)
    for finding in (
        "nodule",
        "consolidation",
        "interstitial_opacity",
        "pleural_effusion",
        "pneumothorax",
    ):
        manifest[finding] = 0
    manifest.to_csv(folder / "manifest.csv", index=False)
    return folder


def _train(cohort, out, stop_after=None, **changes):
    config = load_config("gan", "demo").replace(**SMALL | changes | {"seed": 3})
    run = run_dir.RunDir(out)
    run.claim(config)
    looked = []

    def progress(nimg, lod):
        looked.append(nimg)
        if stop_after and nimg >= stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    reals = ImageDataset(load(cohort), config.resolution)
    return trainer.train(reals, run, config, devices.strategy(1), progress, print), looked


def _weights(out):
    import keras

    return [
        np.asarray(w)
        for name in ("generator-ema.keras", "discriminator.keras")
        for w in keras.saving.load_model(out / name).weights
    ]


@pytest.fixture(scope="module")
def undisturbed(cohort, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    report, _ = _train(cohort, out)
    assert report["finished"] and report["kimg"] == 0.128
    return _weights(out)


def test_a_stopped_training_ends_with_the_same_weights(cohort, undisturbed, tmp_path):
    stop_after = 100
    with pytest.raises(trainer.Interrupted):
        _train(cohort, tmp_path / "run", stop_after)
    assert not (tmp_path / "run" / "generator-ema.keras").exists()
    _, looked = _train(cohort, tmp_path / "run")
    assert looked[0] > stop_after, "went on, not begun again"
    for ours, theirs in zip(_weights(tmp_path / "run"), undisturbed, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_killed_before_its_first_state_begins_again(cohort, tmp_path):
    config = load_config("gan", "demo").replace(**SMALL | {"seed": 3})
    run = run_dir.RunDir(tmp_path / "run")
    run.folder.mkdir()
    (run.folder / f".config.json{places.PARTIAL}.json").write_text("{")
    run.claim(config)
    left = run.state / f".nimg0000000016.npz{places.PARTIAL}.npz"
    left.parent.mkdir()
    left.write_bytes(b"PK cut")
    run.claim(config)
    assert run.restore(trainer.build(config, devices.strategy(1)), print) == 0 and not left.exists()


def test_a_damaged_state_falls_back_to_the_one_before(cohort, undisturbed, tmp_path, capsys):
    with pytest.raises(trainer.Interrupted):
        _train(cohort, tmp_path / "run", 110)
    states = sorted((tmp_path / "run" / "state").glob("*.npz"))
    assert len(states) == run_dir.KEPT
    states[-1].write_bytes(states[-1].read_bytes()[:5000])
    _train(cohort, tmp_path / "run")
    assert "is damaged; falling back" in capsys.readouterr().out
    for ours, theirs in zip(_weights(tmp_path / "run"), undisturbed, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _fails(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        command.run(app, list(map(str, arguments)))
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1 and error.startswith("error: "), error
    return error


def test_the_whole_command(cohort, tmp_path, capsys):
    longer = SMALL | {"total_kimg": 0.16}
    sets = [part for key, value in longer.items() for part in ("--set", f"{key}={value}")]
    arguments = [
        str(cohort),
        "--config",
        "demo",
        "--out",
        str(tmp_path / "run"),
        "--label",
        "normal",
        *sets,
    ]
    _preflight(arguments, tmp_path / "run", capsys)
    with pytest.raises(SystemExit) as stop:
        command.run(app, arguments)
    assert stop.value.code == 0
    told = capsys.readouterr()
    assert "8 px" in told.out and "kimg" in told.out and "warning" not in told.err
    report = artifacts.read_json(tmp_path / "run" / "report.json")
    assert report["resolution"] == 8 and report["images"] == 8 and report["finished"]
    assert report["made_by"]["versions"]["tensorflow"]
    samples = sorted((tmp_path / "run" / "samples").glob("kimg*.png"))
    assert len(samples) >= 5 and list((tmp_path / "run" / "logs").iterdir())
    config = artifacts.read_json(tmp_path / "run" / "config.json")
    assert (tmp_path / "run" / config["cohort"] / "manifest.csv").is_file()
    with pytest.raises(SystemExit) as stop:
        command.run(app, arguments)
    assert stop.value.code == 0 and "is finished" in capsys.readouterr().out
    arguments[arguments.index("normal")] = "all"
    assert "holds a run with label = normal, not all" in _fails(capsys, *arguments)


def _preflight(arguments, run, capsys):
    """Looks at two levels, leaves preflight.json alone, and refuses what will not fit."""
    with pytest.raises(SystemExit) as stop:
        command.run(app, [*arguments, "--preflight"])
    lines = capsys.readouterr().out.splitlines()
    assert stop.value.code == 0 and lines[-1].startswith("about ") and len(lines) == 2 + 4, lines
    found = artifacts.read_json(run / "preflight.json")
    assert [each["resolution"] for each in found["levels"]] == [4, 8]
    assert all(each["measured"] and each["seconds_per_kimg"] > 0 for each in found["levels"])
    assert sum(each["kimg"] for each in found["levels"]) == pytest.approx(0.16)
    assert not (run / "config.json").exists() and not (run / "state").exists()
    wide = ["--set", "fmap_max=512", "--set", "fmap_base=8192", "--set", "minibatch_base=65536"]
    error = _fails(capsys, *arguments, *wide, "--preflight")
    assert "4 px with a minibatch of 65536 needs about" in error


def test_a_preflight_needs_no_cohort(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stated = ["--preflight", "--config", "thesis", "--memory", "24GiB", "--replicas", "2"]
    with pytest.raises(SystemExit) as stop:
        command.run(app, [*stated, "--images-per-second", "13.7"])
    told = capsys.readouterr().out
    assert stop.value.code == 0 and "about 293.0 hours on 2 devices" in told
    assert told.count(" yes ") == 9 and not list(tmp_path.iterdir())
    with pytest.raises(SystemExit) as stop:
        command.run(app, [*stated[:3], "--memory", "11GiB", "--replicas", "2", "--out", "run"])
    told = capsys.readouterr()
    assert stop.value.code == 2 and " no " in told.out and "hours unknown" in told.out
    assert told.err.startswith("error: 1024 px with a minibatch of 8 needs about 14.0 GiB")
    assert not list(tmp_path.iterdir())
    assert "--memory much: must be a size" in _fails(capsys, *stated[:3], "--memory", "much")
    assert "is for a preflight" in _fails(capsys, "cohort", "--out", "run", "--memory", "24GiB")
    assert "Missing argument 'COHORT'" in _fails(capsys, "--out", "run")
    assert "Missing option '--out'" in _fails(capsys, "cohort")


def test_an_end_before_the_full_resolution_is_said(tmp_path, capsys):
    settings = schedule.Settings(32, 6.0, lod_training_kimg=2, lod_transition_kimg=2)
    training._say_end(tmp_path, {"kimg": 6.0, "images_per_second": 50.0}, settings)
    told = capsys.readouterr().err
    assert "ended at 8 px of 32" in told and "after 12 kimg" in told
    training._say_end(tmp_path, {"kimg": 12.0, "images_per_second": None}, settings)
    assert not capsys.readouterr().err


def test_wrong_input_is_one_line(cohort, tmp_path, capsys):
    out = ("--out", tmp_path / "run")
    assert "no such folder" in _fails(capsys, tmp_path / "none", *out)
    (tmp_path / "empty").mkdir()
    assert "no manifest.csv" in _fails(capsys, tmp_path / "empty", *out)
    assert "no such config; there are demo, nvidia, quick, small, thesis" in _fails(
        capsys, cohort, *out, "--config", "huge"
    )
    assert "--set speed: is no option; did you mean seed?" in _fails(
        capsys, cohort, *out, "--set", "speed=1"
    )
    assert "expected a value like" in _fails(capsys, cohort, *out, "--set", "resolution=large")
    assert "power of two" in _fails(capsys, cohort, *out, "--set", "resolution=48")
    assert "smaller than the 64 px" in _fails(capsys, cohort, *out, "--config", "small")
    assert "--label sick: must be one of all, normal, abnormal" in _fails(
        capsys, cohort, *out, "--label", "sick"
    )
    assert "0 all images in split val" in _fails(capsys, cohort, *out, "--set", "split=val")
    replicas = (
        "--set",
        "replicas=9",
        *[p for k, v in SMALL.items() for p in ("--set", f"{k}={v}")],
    )
    replicas += ("--set", "minibatch_base=36")
    assert "GPUs" in _fails(capsys, cohort, *out, *replicas)
    assert not (tmp_path / "run").exists(), "nothing is left of a run that could not begin"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("minibatch_base=0", "whole number from 1"),
        ("minibatch_base=True", "expected a value like"),
        ("minibatch_base=6", "mbstd_group_size=4: does not divide the minibatch of 6"),
        ("minibatch_dict={8: 0}", "a dictionary of resolutions"),
        ("minibatch_dict={12: 4}", "a dictionary of resolutions"),
        ("minibatch_dict={'8': 4}", "a dictionary of resolutions"),
        ("max_minibatch_per_replica={4: -1}", "a dictionary of resolutions"),
        ("lrate_dict={8: 1e999}", "a dictionary of resolutions"),
        ("tick_kimg_dict={8: 0}", "a dictionary of resolutions"),
        ("tick_kimg_base=0", "above 0"),
        ("lrate_base=-0.1", "above 0"),
        ("replicas=-1", "whole number from 0"),
        ("latent_size=0", "whole number from 1"),
        ("fmap_base=2", "must be 4 or more at 8 px"),
        ("fmap_max=None", "whole number from 1"),
        ("channels=3", "must be 1"),
        ("mbstd_group_size=-2", "whole number from 0"),
        ("lod_initial_resolution=6", "power of two"),
        ("lod_initial_resolution=16", "must not exceed"),
        ("lod_training_kimg=-1", "from 0"),
        ("total_kimg=1e999", "total_kimg=inf"),
        ("total_kimg=" + "9" * 400, "expected a value like"),
        ("resolution=" + "9" * 400, "power of two"),
        ("ema_beta=0.9", "exactly one"),
        ("ema_beta=1.5", "above 0 and below 1"),
        ("ema_beta=abc", "above 0 and below 1"),
        ("ema_beta=[1]", "above 0 and below 1"),
        ("ema_halflife_kimg=0", "above 0"),
        ("ema_halflife_kimg=None", "exactly one"),
        ("gradient_penalty=-1", "from 0"),
        ("drift=None", "from 0"),
        ("split=None", "one of train, val, test"),
        ("jit_compile=1", "expected a value like"),
        ("seed=-1", "whole number from 0"),
        ("seed=None", "whole number from 0"),
        ("label_weight=-5", "label_weight=-5.0: must be a number from 0"),
        ("pixelnorm_epsilon=-1", "pixelnorm_epsilon=-1.0: must be a number above 0"),
        ("lod_traning_kimg=1", "is no option; did you mean lod_training_kimg?"),
    ],
)
def test_a_wrong_setting_is_one_line_and_leaves_no_run(cohort, tmp_path, capsys, setting, said):
    sets = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    assert said in _fails(
        capsys, cohort, "--config", "demo", "--out", tmp_path / "run", *sets, "--set", setting
    )
    assert not list(tmp_path.iterdir())


def test_an_image_that_does_not_fit_leaves_no_run(cohort, tmp_path, capsys):
    folder = tmp_path / "cohort"
    shutil.copytree(cohort, folder)
    cv2.imwrite(str(folder / "images/7.png"), np.zeros((4, 4), np.uint8))
    sets = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    out = ("--config", "demo", "--out", tmp_path / "run", *sets)
    assert "7.png: is 4 x 4, smaller than the 8 px" in _fails(capsys, folder, *out)
    cv2.imwrite(str(folder / "images/7.png"), np.zeros((16, 24), np.uint8))
    assert "7.png: is 24 x 16 pixels, not square" in _fails(capsys, folder, *out)
    (folder / "images/7.png").unlink()
    assert "7.png: no such file" in _fails(capsys, folder, *out)
    assert not (tmp_path / "run").exists()

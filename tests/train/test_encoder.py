"""`python -m train.encoder`: RUN, what it refuses, and that no abnormal image is read."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from pgcxr import networks
from pgcxr.cli import command
from pgcxr.io import artifacts
from pgcxr.networks import saved
from tests.toy_cohort import ramps, write_cohort
from train.encoder.__main__ import app

TINY = ("widths=4,", "hidden=8", "epochs=2", "steps_per_epoch=2", "batch_size=4", "passes=2")


def _train(gan, cohort, out, *more) -> int:
    words = [gan, cohort, "--out", out, "--config", "demo"]
    words += sum((["--set", each] for each in TINY), [])
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [str(word) for word in (*words, *more)])
    return stopped.value.code or 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    write_cohort(folder / "cohort", *ramps(60, 16, seed=4))
    rows = pd.read_csv(folder / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    for name in rows[(rows["label"] == "abnormal") | (rows["split"] == "test")]["png"]:
        (folder / "cohort" / name).unlink()  # who reads one fails
    for name, label, channels in (("gan", "normal", 1), ("all", "all", 1), ("color", "normal", 3)):
        generator = networks.Generator(resolution=16, channels=channels, fmap_base=32, fmap_max=4)
        (folder / name).mkdir()
        generator.save(folder / name / "generator-ema.keras")
        artifacts.write_json(folder / name / "config.json", {"label": label})
    return folder


def test_a_run_of_normal_images_alone(folder, capsys):
    out = folder / "run"
    assert _train(folder / "gan", folder / "cohort", out, "--seed", 5) == 0
    assert "after 2 passes" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json",
        "encoder.keras",
        "report.json",
    ]
    assert not list(folder.glob(".run.*")), "a state is left behind"
    config, report = (
        json.loads((out / name).read_text()) for name in ("config.json", "report.json")
    )
    assert (config["label"], config["split"], config["passes"]) == ("normal", "train", 2)
    assert config["generator_sha256"] == artifacts.sha256(folder / "gan" / "generator-ema.keras")
    assert (out / config["cohort"]).resolve() == (folder / "cohort").resolve()
    assert report["made_by"]["command"] == "train.encoder"
    assert len(report["val"]["rms"]) == 2 and len(report["history"]["image"]) == 2
    model = saved.load(out / "encoder.keras", "is damaged")
    assert report["parameters"] == model.count_params()
    assert np.asarray(model(np.zeros((2, 16, 16, 3)))).shape == (2, 4)

    written = (out / "encoder.keras").stat().st_mtime_ns
    assert _train(folder / "gan", folder / "cohort", out, "--seed", 5) == 0
    assert "finished" in capsys.readouterr().out
    assert (out / "encoder.keras").stat().st_mtime_ns == written
    assert _train(folder / "gan", folder / "cohort", out, "--seed", 6) == 2
    assert "seed = 5, not 6" in capsys.readouterr().err


def test_an_interrupted_run_goes_on(folder, monkeypatch):
    """Ctrl-C after the first epoch; what is trained from the second on ends as the whole did."""
    begun = []

    class Stopped(keras.callbacks.Callback):
        def __init__(self, *args):
            super().__init__()

        def on_epoch_end(self, epoch, logs=None):
            begun.append(epoch)
            if epoch == 0:
                raise KeyboardInterrupt

    monkeypatch.setattr("pgcxr.classifier.fit_progress.FitProgress", Stopped)
    assert _train(folder / "gan", folder / "cohort", folder / "stopped", "--seed", 5) == 130
    assert not (folder / "stopped").exists()
    assert _train(folder / "gan", folder / "cohort", folder / "stopped", "--seed", 5) == 0
    assert begun == [0, 1]
    whole, again = (
        saved.load(folder / name / "encoder.keras", "is damaged") for name in ("run", "stopped")
    )
    for one, two in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("gan", "more", "said"),
    [
        ("all", (), "trained on all images; what it can make is what passes as normal"),
        ("color", (), "makes images of 3 channels"),
        ("cohort", (), "is a COHORT"),
        ("gan", ("--set", "widths=8,8,8,8,8"), "5 of them halve images of 16 px too often"),
        ("gan", ("--set", "pass=1"), "did you mean passes"),
        ("gan", ("--config", "thesis"), "no such config; there are demo, small"),
    ],
)
def test_what_cannot_be_trained_is_refused(folder, tmp_path, capsys, gan, more, said):
    assert _train(folder / gan, folder / "cohort", tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and not (tmp_path / "out").exists()


def test_too_few_normals_are_refused(folder, tmp_path, capsys):
    rows = pd.read_csv(folder / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    rows[rows["split"] == "train"].to_csv(tmp_path / "manifest.csv", index=False)
    assert _train(folder / "gan", tmp_path, tmp_path / "out") == 2
    assert "split val has 0 normal images" in capsys.readouterr().err

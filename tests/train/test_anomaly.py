"""`python -m train.anomaly`: RUN, what it refuses, and that no abnormal image is read."""

import json

import numpy as np
import pandas as pd
import pytest

from pgcxr.anomaly.training import look
from pgcxr.cli import command
from pgcxr.cohort import manifest as cohorts
from pgcxr.networks import saved
from tests.toy_cohort import ramps, write_cohort
from train.anomaly import abnormal_images
from train.anomaly.__main__ import app

TINY = ("size=16", "widths=4,6", "epochs=2", "steps_per_epoch=3", "batch_size=8")


def _train(cohort, out, *more) -> int:
    words = [cohort, "--out", out, "--config", "demo"]
    words += sum((["--set", each] for each in TINY), [])
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [str(word) for word in (*words, *more)])
    return stopped.value.code or 0


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anomaly") / "cohort"
    write_cohort(folder, *ramps(60, 16, seed=4))
    rows = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
    for name in rows[(rows["label"] == "abnormal") | (rows["split"] == "test")]["png"]:
        (folder / name).unlink()  # who reads one fails
    return folder


@pytest.fixture(scope="module")
def run(cohort):
    out = cohort.parent / "run"
    (cohort.parent / ".run.partial").mkdir()  # what a killed training leaves
    assert _train(cohort, out, "--seed", 5) == 0
    return out


def test_a_run_of_normal_images_alone(run, cohort, capsys):
    out = run
    assert sorted(path.name for path in out.iterdir()) == [
        "anomaly.keras",
        "artificial.png",
        "config.json",
        "logs",
        "report.json",
    ]
    config, report = (
        json.loads((out / name).read_text()) for name in ("config.json", "report.json")
    )
    assert (config["label"], config["split"], config["seed"]) == ("normal", "train", 5)
    assert (out / config["cohort"]).resolve() == cohort.resolve()
    assert report["made_by"]["command"] == "train.anomaly"
    normal = cohorts.load(cohort).select(label="normal").manifest["split"]
    assert report["images"] == {split: int((normal == split).sum()) for split in ("train", "val")}
    assert 0 <= report["val"]["auroc"] <= 1 and len(report["history"]["loss"]) == 2
    model = saved.load(out / "anomaly.keras", "is damaged")
    assert report["parameters"] == model.count_params()
    assert np.isfinite(look(model, np.zeros((2, 16, 16, 1), np.uint8)).images).all()

    written = (out / "anomaly.keras").stat().st_mtime_ns
    assert _train(cohort, out, "--seed", 5) == 0
    assert "finished" in capsys.readouterr().out
    assert (out / "anomaly.keras").stat().st_mtime_ns == written
    assert _train(cohort, out, "--seed", 6) == 2
    assert "seed = 5, not 6" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kept", "more", "said"),
    [
        ("train", (), "split val has 0 normal images"),
        ("val", (), "split train has 0 normal images"),
        ("", ("--set", "size=15"), "must be a multiple of 2"),
        ("", ("--set", "blobb=1"), "did you mean blob"),
        ("", ("--config", "thesis"), "no such config"),
    ],
)
def test_what_cannot_be_trained_is_refused(cohort, tmp_path, capsys, kept, more, said):
    rows = pd.read_csv(cohort / "manifest.csv", dtype=str, keep_default_na=False)
    rows[rows["split"].str.contains(kept)].to_csv(tmp_path / "manifest.csv", index=False)
    assert _train(tmp_path, tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and not (tmp_path / "out").exists()


def test_a_supervised_network_learns_from_abnormal_images_and_says_so(tmp_path, capsys):
    cohort, out = tmp_path / "cohort", tmp_path / "bound"
    write_cohort(cohort, *ramps(60, 16, seed=4))
    assert _train(cohort, out, "--supervised") == 0
    assert "abnormal images: AUROC of images" in capsys.readouterr().out
    config, report = (
        json.loads((out / name).read_text()) for name in ("config.json", "report.json")
    )
    assert config["supervised"] is True and config["label"] == "all"
    of_split = cohorts.load(cohort).select(label="abnormal").manifest["split"].value_counts()
    assert report["abnormal_images"] == {split: of_split[split] for split in ("train", "val")}
    assert report["val"]["n"] == of_split["val"] and report["val"]["pixel_auroc"] is None
    assert (out / "lesions.png").is_file() and not (out / "artificial.png").exists()
    assert _train(cohort, out) == 2, "one of normal images alone is another training"
    rows = pd.read_csv(cohort / "manifest.csv", dtype=str, keep_default_na=False)
    rows = rows[(rows["label"] == "normal") | (rows["split"] != "val")]
    rows.to_csv(cohort / "manifest.csv", index=False)
    assert _train(cohort, tmp_path / "never", "--supervised") == 2
    assert "split val has 0 abnormal images" in capsys.readouterr().err


def test_classes_are_drawn_alike_and_an_image_counts_as_its_rarest(tmp_path):
    write_cohort(tmp_path / "cohort", *ramps(60, 16, seed=4))
    part = cohorts.load(tmp_path / "cohort").select("train", "abnormal")
    names = ["nodule"] * len(part)
    names[:3] = ["nodule;atelectasis", "atelectasis", ""]
    part.manifest["diagnoses"] = names
    shares = abnormal_images.lesions(part, 16).shares
    assert shares.sum() == pytest.approx(1)
    assert [shares[:2].sum(), shares[2], shares[3:].sum()] == pytest.approx([1 / 3] * 3)


def test_it_begins_with_another_network_and_says_whose(run, cohort, tmp_path, capsys):
    then = tmp_path / "then"
    still = ("--set", "learning_rate=1e-9", "--set", "epochs=1", "--set", "weight_decay=0.0")
    assert _train(cohort, then, "--seed", 6, "--init", run, *still) == 0
    before, after = (
        saved.load(folder / "anomaly.keras", "is damaged").layers[1].get_weights()[0]
        for folder in (run, then)
    )
    np.testing.assert_allclose(after, before, atol=1e-6)
    (begun,) = json.loads((then / "config.json").read_text())["init"]
    assert (begun["name"], begun["label"], begun["split"]) == ("run", "normal", "train")
    assert (then / begun["cohort"]).resolve() == cohort.resolve()
    capsys.readouterr()
    for words, said in (
        (("--init", run, "--set", "widths=4,8"), "other widths: give --set widths=4,6"),
        (("--init", "phantom-64"), "phantom-64-normal does"),
        (("--init", "phantom-46"), "did you mean phantom-64"),
        (("--init", cohort), "give a RUN written by `python -m train.anomaly`"),
    ):
        assert _train(cohort, tmp_path / "never", *words) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "never").exists()
    assert _train(cohort, then, "--seed", 6, *still) == 2, "another beginning, another training"

"""train.gan with labels, mirroring and float16: resume to the bit, images with a chosen label,
one-line errors."""

import cv2
import numpy as np
import pytest

from pgcxr.cli import app as cli
from pgcxr.cli import command
from pgcxr.cohort import labels
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.gan import devices, run_dir, trainer
from pgcxr.io import artifacts
from pgcxr.sampling import generation
from tests.toy_cohort import spots, write_cohort
from train.common import load_config
from train.gan.__main__ import app

pytestmark = pytest.mark.usefixtures("traced_once")

# One half-phase: 4 px from beginning to end. The loss scale comes down from 2^64 in the first 50 of
# 100 steps.
SMALL = {
    "resolution": 4,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.4,
    "tick_kimg_base": 0.1,
    "snapshot_kimg": 0.2,
    "minibatch_base": 4,
    "precision": "float16",
    "mirror": True,
    "seed": 3,
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "toy", *spots(40, 16, seed=0))


def _train(cohort, out, kind, stop_after=None):
    """Weights and report of a training; with `stop_after` stopped there once and gone on with."""
    config = load_config("gan", "demo").replace(**SMALL | {"labels": kind})
    images = cohorts.load(cohort).select(split="train")
    reals = ImageDataset(images, 4, labels.of_cohort(images, kind))
    run = run_dir.RunDir(out)
    run.claim(config)
    if stop_after:
        with pytest.raises(KeyboardInterrupt):
            trainer.train(
                reals, run, config, devices.strategy(1), _interrupt_after(stop_after), print
            )
    report = trainer.train(reals, run, config, devices.strategy(1), lambda nimg, lod: None, print)
    artifacts.write_report(out, report, command="train.gan", seed=3, config=config.to_dict())
    with np.load(sorted((out / "state").glob("*.npz"))[-1]) as state:
        return dict(state), report


def _interrupt_after(count):
    def progress(nimg, lod):
        if nimg >= count:
            raise KeyboardInterrupt

    return progress


@pytest.fixture(scope="module")
def run(cohort, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "labelled"
    return out, *_train(cohort, out, "findings")


def test_a_labeled_float16_run_goes_on_to_the_same_bit(cohort, run, tmp_path):
    _, undisturbed, _ = run
    resumed, _ = _train(cohort, tmp_path / "run", "findings", stop_after=250)
    assert set(resumed) == set(undisturbed)
    for name, value in undisturbed.items():
        if name == "meta.json":  # seconds are among it
            continue
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)
    scales = [
        v for k, v in undisturbed.items() if k.startswith("adam_") and v.shape == () and 10 < v < 30
    ]
    assert len(scales) == 2, (
        "both loss scales are in the state, and came down to what float16 holds"
    )


def test_a_snapshot_knows_the_labels(run):
    out, _, report = run
    kept = sorted((out / "snapshots").iterdir())
    assert len(kept) == 2
    assert generation.report_of(kept[0])["labels"] == artifacts.plain(report["labels"])


def test_images_with_a_chosen_label(run, tmp_path):
    out, _, report = run
    assert (
        report["labels"]["names"][:2] == ("normal", "nodule") and not report["labels"]["exclusive"]
    )
    images = {}
    for wanted in ("normal", "nodule", "nodule+pneumothorax", None):
        folder = tmp_path / str(wanted)
        chosen = ("--label", wanted) if wanted else ()
        arguments = ("generate", str(out), "--n", "6", "--seed", "1", "--out", str(folder), *chosen)
        with pytest.raises(SystemExit) as stop:
            command.run(cli.app, list(arguments))
        assert stop.value.code == 0
        with np.load(folder / "latents.npz") as file:
            z, rows = file["latents"], file["labels"]
        images[wanted] = [
            cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            for path in sorted(folder.glob("images/*.png"))
        ]
        again = generation.generate(generation.load_generator(out), z, rows, batch=6)
        np.testing.assert_array_equal(again[..., 0], images[wanted])
        if wanted:
            names = np.array(report["labels"]["names"])
            assert all(names[row > 0].tolist() == wanted.split("+") for row in rows)
    assert not np.array_equal(images["normal"], images["nodule"])


def test_without_a_choice_labels_come_as_in_training(run):
    out, _, report = run
    generator = generation.load_generator(out)
    assert generator.dtype_policy.name == "mixed_float16"
    rows = generation.labels(out, generator, None, 2000, seed=5)
    known = report["labels"]["counts"] / report["labels"]["counts"].sum()
    for row, share in zip(report["labels"]["rows"], known, strict=True):
        assert (rows == row).all(1).mean() == pytest.approx(share, abs=0.05)


def _fails(capsys, app, *arguments):
    with pytest.raises(SystemExit) as stop:
        command.run(app, list(map(str, arguments)))
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1 and error.startswith("error: "), error
    return error


def test_wrong_labels_are_one_line(cohort, run, tmp_path, capsys):
    out = tmp_path / "out"
    generate = ("generate", run[0], "--n", 1, "--out", out, "--label")
    assert "must be one or, joined by" in _fails(capsys, cli.app, *generate, "sick")
    train = (cohort, "--config", "demo", "--out", out, "--set")
    assert "labels=sex: must be binary, findings" in _fails(capsys, app, *train, "labels=sex")
    assert "needs images of all labels" in _fails(
        capsys, app, *train, "labels=binary", "--label", "normal"
    )
    assert "precision=half: must be one of float32, float16" in _fails(
        capsys, app, *train, "precision=half"
    )
    assert not out.exists()

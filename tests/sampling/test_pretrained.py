"""The networks that come with pgcxr: whole, small, usable by name, and trained."""

import keras
import numpy as np
import pytest

from pgcxr.anomaly.training import look
from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.errors import InputError
from pgcxr.images import from_uint8
from pgcxr.io import artifacts
from pgcxr.networks import criticize
from pgcxr.sampling import runs
from pgcxr.sampling.generation import generate, latents, load_generator


def _run(*arguments) -> int:
    with pytest.raises(SystemExit) as stop:
        command.run(app, list(map(str, arguments)))
    return stop.value.code or 0


def test_they_are_what_their_reports_say():
    assert runs.pretrained_names() == ["phantom-64", "phantom-64-normal"]
    for name in runs.pretrained_names():
        folder = runs.pretrained_run(name)
        report = artifacts.read_json(folder / "report.json")
        assert report["finished"] and set(report["sha256"]) == {
            path.name for path in folder.glob("*.keras")
        }
        for file, digest in report["sha256"].items():
            assert artifacts.sha256(folder / file) == digest
        assert (folder / "README.md").read_text().startswith(f"# Model card: {name}\n")
    files = [path for path in runs.PRETRAINED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8_000_000


def test_one_is_generated_by_name(tmp_path, capsys):
    assert (
        _run(
            "generate",
            "--pretrained",
            "phantom-64",
            "--n",
            "4",
            "--seed",
            "1",
            "--out",
            tmp_path / "made",
        )
        == 0
    )
    assert len(list((tmp_path / "made" / "images").glob("*.png"))) == 4
    assert (
        _run("generate", "--pretrained", "phantom-65", "--n", "4", "--out", tmp_path / "none") == 2
    )
    assert "no such network; there are phantom-64" in capsys.readouterr().err
    for arguments in ((), (tmp_path, "--pretrained", "phantom-64")):
        assert _run("generate", *arguments, "--n", "4", "--out", tmp_path / "none") == 2
        assert "which generator?" in capsys.readouterr().err
    with pytest.raises(InputError):
        runs.pretrained_run("../phantom-64")


def test_the_classifier_sees_both_kinds_in_its_images():
    """Chests differ from noise: bright below the middle, dark lungs beside it, and few are called
    neither."""
    folder = runs.pretrained_run("phantom-64")
    generator = load_generator(folder, 64)
    images = generate(generator, latents(5, 64, generator.latent_size))
    said = keras.saving.load_model(folder / "classifier.keras").predict(
        from_uint8(images), verbose=0
    )[:, 0]
    assert (said > 0.7).sum() > 6 and (said < 0.3).sum() > 6
    mean = images[..., 0].mean(axis=0)
    lungs = (mean[24:32, 16:22].mean() + mean[24:32, 42:48].mean()) / 2
    assert mean[26:36, 30:34].mean() > lungs + 40 and mean[56:, 24:40].mean() > lungs + 40
    assert np.abs(images.astype(int) - images.mean(axis=0)).mean() > 5, "no two alike"


def test_the_normal_one_makes_normal_images_and_its_critic_tells_them_from_others():
    folder = runs.pretrained_run("phantom-64-normal")
    generator = load_generator(folder, 64)
    images = generate(generator, latents(5, 64, generator.latent_size))
    classifier = keras.saving.load_model(runs.pretrained_run("phantom-64") / "classifier.keras")
    assert (classifier.predict(from_uint8(images), verbose=0)[:, 0] < 0.5).sum() > 44
    critic = runs.load_network(folder, runs.DISCRIMINATOR, "train.gan")[1]
    mirrored, upside_down = images[:, :, ::-1], images[:, ::-1]
    scores = [
        float(np.mean(criticize(critic, from_uint8(each))[0]))
        for each in (images, mirrored, upside_down)
    ]
    assert scores[0] > scores[1] and scores[0] > scores[2], "the heart is on the left, and below"


def test_the_anomaly_network_finds_what_was_pasted_into_its_generators_images():
    folder = runs.pretrained_run("phantom-64-normal")
    images = generate(load_generator(folder, 64), latents(5, 48, 128))
    sick = images.astype(np.float32)
    sick[:, 22:34, 12:22] += 70  # over the right lung
    network = runs.load_network(folder, "anomaly.keras", "train.anomaly")[1]
    well, ill = look(network, images), look(network, np.clip(sick, 0, 255).astype(np.uint8))
    assert (ill.images > well.images).sum() > 40
    peaks = [np.unravel_index(each.argmax(), each.shape) for each in ill.maps]
    assert sum(10 <= y <= 18 and 5 <= x <= 12 for y, x in peaks) > 36

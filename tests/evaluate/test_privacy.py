"""The gate with real generators: one that was made to memorize fails, an honest one passes; what is
released."""

import contextlib
import hashlib
import io
import json

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from evaluate.privacy import __main__ as privacy_cli
from evaluate.privacy import experiment, spaces
from pgcxr.classifier import features, network
from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.errors import InputError
from pgcxr.images import from_uint8
from pgcxr.networks import Generator, synthesize
from pgcxr.sampling import generation
from tests.toy_cohort import spots, write_cohort

SIZE = 8
KEPT = 4  # images that a generator is made to repeat


def _generator(seed):
    keras.utils.set_random_seed(seed)
    generator = Generator(resolution=SIZE, latent_size=2, fmap_base=64, fmap_max=16)
    synthesize(generator, np.ones((1, 2), np.float32))
    return generator


def _corners(z):
    """Which of KEPT images a latent stands for: the signs of its two values."""
    return (z[:, 0] > 0) + 2 * (z[:, 1] > 0)


def _memorize(generator, images):
    """Gradient descent of the squared error: every latent of a quadrant becomes one training
    image."""
    targets = tf.constant(from_uint8(images))
    optimizer = keras.optimizers.Adam(0.01)
    # At the last level, the output layer of the one below is not used.
    weights = [
        weight for weight in generator.trainable_variables if "to_rgb_4x4" not in weight.path
    ]

    @tf.function
    def step(z, target):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(synthesize(generator, z, lod=0.0) - target))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    rng = np.random.default_rng(0)
    optimizer.build(weights)
    for _ in range(400):
        z = rng.standard_normal((32, 2)).astype(np.float32)
        loss = step(tf.constant(z), tf.gather(targets, _corners(z)))
    return float(loss)


def _write(generator, folder):
    folder.mkdir()
    generator.save(folder / "generator-ema.keras")
    (folder / "config.json").write_text(
        json.dumps({"cohort": "../cohort", "split": "train", "label": "all"})
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A cohort, a classifier, and two generators made in one way: `copying` repeats images of the
    cohort's patients, `gan` as many others of the same kind, which no patient of the cohort has."""
    folder = tmp_path_factory.mktemp("privacy")
    write_cohort(folder / "cohort", *spots(500, SIZE, seed=1))
    manifest = pd.read_csv(folder / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    # Image i and i + 5 are in one split; of every second pair they show one patient.
    index = np.arange(len(manifest))
    place = np.where((index // 10) % 2, index % 5, index % 10)
    manifest["patient_id"] = [f"p{ten}-{one}" for ten, one in zip(index // 10, place, strict=True)]
    manifest.to_csv(folder / "cohort" / "manifest.csv", index=False)
    training = manifest[manifest["split"] == "train"]["png"].iloc[:KEPT]
    known = np.stack(
        [cv2.imread(str(folder / "cohort" / name), cv2.IMREAD_GRAYSCALE) for name in training]
    )
    keras.utils.set_random_seed(2)
    (folder / "binary").mkdir()
    network.resnet(SIZE, 1, blocks=(1,), width=4, stem="small").save(
        folder / "binary" / "classifier.keras"
    )
    for name, images in (("copying", known[..., None]), ("gan", spots(KEPT, SIZE, seed=103)[0])):
        generator = _generator(4)
        assert _memorize(generator, images) < 0.02  # the variance of the images is 0.1
        _write(generator, folder / name)
    return folder


def _main(runs, gan, out, *options):
    """The exit code of `python -m evaluate.privacy`."""
    with pytest.raises(SystemExit) as stop:
        command.run(
            privacy_cli.app, [str(runs / gan), str(runs / "binary"), "--out", str(out), *options]
        )
    return stop.value.code


def _generate(run, out, *options):
    with pytest.raises(SystemExit) as stop:
        command.run(app, ["generate", str(run), "--out", str(out), *map(str, options)])
    return stop.value.code


@pytest.fixture(scope="module")
def answers(runs):
    """What the gate says about both generators: exit code, folder, what stderr got."""
    found = {}
    for name in ("gan", "copying"):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = _main(runs, name, runs / f"privacy-{name}", "--n", "400")
        found[name] = code, runs / f"privacy-{name}", said.getvalue()
    return found


def test_a_generator_that_memorized_fails_and_an_honest_one_passes(runs, answers):
    code, folder, _ = answers["gan"]
    honest = json.loads((folder / "report.json").read_text())
    assert code == 0 and honest["passed"] is True and honest["reasons"] == []
    code, folder, _ = answers["copying"]
    report = json.loads((folder / "report.json").read_text())
    assert code == 1 and report["passed"] is False
    pixels = report["spaces"]["pixels"]
    assert {"near_copies", "nearer_than_all"} <= set(pixels["failed"]) and pixels["near_copies"][
        "share"
    ] > 0.2
    assert (
        any(reason.startswith("pixels: ") for reason in report["reasons"])
        and pixels["cutoff"]["pairs"] == 50
    )
    for space in ("features", "pixels"):
        assert honest["spaces"][space]["near_copies"]["share"] < 0.1


def _failed(images, made, extractor, real):
    """The spaces in which a generator of the images `made` fails."""
    sets = {"generated": [made], **{name: [each] for name, each in images.items()}}
    seen = experiment._vectors(sets, extractor, {name: len(each[0]) for name, each in sets.items()})
    _, found, _ = experiment.judged(seen, real, seed=0)
    return {space for space, tests in found.items() if tests["failed"]}


def test_copies_are_found_by_features_and_altered_ones_by_pixels(runs):
    extractor = features.load(runs / "binary")
    real, _ = spaces.real_sets(runs / "gan")
    images = {name: rows.images(SIZE) for name, rows in experiment._cohorts(real).items()}
    rng = np.random.default_rng(5)
    noise = rng.integers(-1, 2, images["training"].shape)
    noisy = np.clip(images["training"].astype(int) + noise, 0, 255).astype(np.uint8)
    fresh, _ = spots(300, SIZE, seed=55)
    few = np.concatenate([fresh[:270], noisy[:30]])
    for made, failing in (
        (noisy, {"features", "pixels"}),
        (few, {"features", "pixels"}),
        (noisy[:, :, ::-1], {"pixels"}),
        (noisy // 2 + 60, {"pixels"}),
    ):
        assert failing <= _failed(images, made, extractor, real)
    assert not _failed(images, fresh, extractor, real)


def test_moved_copies_are_found_by_pixels(runs):
    extractor = features.load(runs / "binary")
    real, _ = spaces.real_sets(runs / "gan")
    wide = {name: _wide(rows.images(SIZE)) for name, rows in experiment._cohorts(real).items()}
    copies, fresh = wide["training"][:60], _wide(spots(300, SIZE, seed=55)[0])
    assert not _failed(wide, fresh, extractor, real)
    for moved in (copies[:, :, [0, *range(31)]], copies[:, [*range(1, 32), 31]][:, :, ::-1]):
        assert "pixels" in _failed(wide, np.concatenate([fresh, moved]), extractor, real)


def _wide(images):
    """At 32 px, with edges that an image moved by a pixel does not share."""
    return np.stack(
        [cv2.resize(image, (32, 32), interpolation=cv2.INTER_NEAREST) for image in images]
    )[..., None]


def _standard(image):
    return (image - image.mean()) / image.std()


def test_what_it_writes(runs, answers):
    folder = answers["copying"][1]
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.json", "nearest.csv", "pairs.png", "distances.png"}
    text = (folder / "report.json").read_text()
    report = json.loads(text)
    for path, key in (
        ("copying/generator-ema.keras", "generator"),
        ("cohort/manifest.csv", "manifest"),
    ):
        assert report[f"{key}_sha256"] == hashlib.sha256((runs / path).read_bytes()).hexdigest()
    assert report["training_images"] == 300 and report["held_out_patients"] == 150
    assert report["gan_patients"]["shared"] == 0 and "not for release" in report["note"]
    table = pd.read_csv(folder / "nearest.csv")
    manifest = pd.read_csv(runs / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    assert not set(manifest["patient_id"]) & set(text.split('"')) and "patient" not in " ".join(
        table.columns
    )
    assert table["image"].tolist() == list(range(400)) * 2
    pixels = table[table["space"] == "pixels"].set_index("image")
    assert pixels["below_cutoff"].sum() == report["spaces"]["pixels"]["near_copies"]["count"]
    # Computed on its own: image 5 of `pgcxr generate --seed 0`, and its nearest training image or
    # the mirror image.
    image = generation.generate(
        generation.load_generator(runs / "copying"), generation.latents(0, 400, 2)
    )[5, ..., 0]
    rows = manifest[manifest["split"] == "train"].set_index("image_id")["png"]
    real = {
        name: cv2.imread(str(runs / "cohort" / png), cv2.IMREAD_GRAYSCALE)
        for name, png in rows.items()
    }
    apart = {
        (name, flip): np.sqrt(
            np.mean((_standard(image) - _standard(each[:, :: -1 if flip else 1])) ** 2)
        )
        for name, each in real.items()
        for flip in (0, 1)
    }
    nearest = min(apart, key=apart.get)
    assert (pixels.loc[5, "training_image_id"], pixels.loc[5, "mirrored"]) == nearest
    assert pixels.loc[5, "distance"] == pytest.approx(apart[nearest], rel=1e-4)


def test_the_failure_is_one_line(answers):
    code, folder, error = answers["copying"]
    assert code == 1 and (folder / "report.json").is_file()
    assert error.startswith("failed: ") and error.count("\n") == 1 and "cut-off" in error


def test_release_needs_a_pass_of_this_very_generator(runs, answers, tmp_path, capsys):
    gate = answers["gan"][1]
    assert _generate(runs / "gan", tmp_path / "released", "--release", gate, "--n", 4) == 0
    report = json.loads((tmp_path / "released" / "report.json").read_text())
    sha256 = hashlib.sha256((gate / "report.json").read_bytes()).hexdigest()
    assert report["released"] == {"privacy_report_sha256": sha256, "n": 400}
    assert _generate(runs / "gan", tmp_path / "kept", "--n", 4) == 0
    assert json.loads((tmp_path / "kept" / "report.json").read_text())["released"] is False

    for name, body in (
        ("other", {"passed": True, "generator_sha256": report["generator_sha256"]}),
        ("list", {"passed": True, "generator_sha256": report["generator_sha256"], "made_by": []}),
        ("text", {"passed": "true", "made_by": {"command": "evaluate.privacy"}}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps(body))
    (tmp_path / "empty").mkdir()
    latents = tmp_path / "released" / "latents.npz"
    assert (
        _generate(runs / "gan", tmp_path / "refused", "--release", gate, "--latents", latents) == 2
    )
    assert "found by inversion" in capsys.readouterr().err
    for run, folder, said in (
        ("copying", answers["copying"][1], "did not pass"),
        ("copying", gate, "another generator"),
        ("gan", tmp_path / "gone", "no such folder"),
        ("gan", tmp_path / "empty", "report.json"),
        ("gan", tmp_path / "other", "is none of"),
        ("gan", tmp_path / "list", "is none of"),
        ("gan", tmp_path / "text", "did not pass"),
    ):
        assert _generate(runs / run, tmp_path / "refused", "--release", folder, "--n", 4) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and said in error
        assert not (tmp_path / "refused").exists()


def test_who_is_compared(runs):
    real, _ = spaces.real_sets(runs / "gan")
    assert set(real.training.manifest["split"]) == {"train"}
    assert set(real.held_out.manifest["split"]) == {"val", "test"}
    assert real.held_out.manifest["patient_id"].is_unique
    one, other = (rows.manifest for rows in real.pairs)
    assert one["patient_id"].tolist() == other["patient_id"].tolist() and len(one) == 50
    assert not set(one["image_id"]) & set(other["image_id"])


def test_the_forms_of_a_training_image():
    assert spaces.forms(16) == [(False, 0, 0), (True, 0, 0)]
    assert len(set(spaces.forms(64))) == 18 and spaces.forms(64)[0] == (False, 0, 0)
    image = np.array([[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.float32)
    for form, drawn in (
        ((True, 0, 0), image[:, ::-1]),
        ((False, 1, 0), [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]),
        ((False, 0, -1), [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]),
        ((True, 1, 1), [[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0]]),
    ):
        drawn = np.array(drawn, float).ravel()
        found = spaces.twin(image.reshape(1, -1), form)[0]
        np.testing.assert_allclose(found, (drawn - drawn.mean()) / drawn.std(), atol=1e-6)
    assert (spaces.twin(np.full((1, 16), 7, np.float32), (True, 0, 0)) == 0).all()


def test_wrong_input_is_refused_and_leaves_nothing(runs, tmp_path, capsys):
    assert _main(runs, "gan", tmp_path / "out", "--n", "199") == 2
    assert "--n 199: must be a whole number from 200" in capsys.readouterr().err
    assert _main(runs, "gone", tmp_path / "out") == 2
    with pytest.raises(InputError, match="no such folder|classifier"):
        experiment.run(runs / "gan", runs / "gan", tmp_path / "out")
    text = (runs / "cohort" / "manifest.csv").read_text().splitlines()
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "manifest.csv").write_text("\n".join(text[:101]) + "\n")
    _write(generation.load_generator(runs / "gan"), tmp_path / "gan")
    with pytest.raises(InputError, match="held-out patients .* larger cohort"):
        experiment.run(tmp_path / "gan", runs / "binary", tmp_path / "out")
    # Against other training images a generator that repeats its own would pass.
    config = json.loads((tmp_path / "gan" / "config.json").read_text()) | {
        "cohort": str(runs / "cohort")
    }
    (tmp_path / "gan" / "config.json").write_text(
        json.dumps(config | {"manifest_sha256": "0" * 64})
    )
    with pytest.raises(InputError, match="has changed since .* was trained on it"):
        experiment.run(tmp_path / "gan", runs / "binary", tmp_path / "out")
    diverged = generation.load_generator(runs / "gan")
    diverged.weights[0].assign(np.full(diverged.weights[0].shape, np.nan))
    diverged.save(tmp_path / "gan" / "generator-ema.keras")
    with pytest.raises(InputError, match="no finite numbers: the training diverged"):
        experiment.run(tmp_path / "gan", runs / "binary", tmp_path / "out")
    assert not (tmp_path / "out").exists()

"""The whole of evaluate.axes on a generator whose latent directions are known patterns: they must
be found."""

import csv
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from evaluate import axes as package
from evaluate.axes import AxesOptions, AxesResult, criterion
from evaluate.axes.experiment import Runs
from pgcxr import networks
from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.editing import axes_folder, panel
from pgcxr.editing.edit import edit
from pgcxr.editing.options import EditOptions
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import to_uint8
from pgcxr.io import artifacts
from pgcxr.latent import axes as latent_axes
from pgcxr.plots import grids
from pgcxr.plots.page import Page
from pgcxr.sampling import latent_file
from pgcxr.sampling import runs as shipped
from pgcxr.sampling.generation import generate, load_generator, weights_sha256
from tests.toy_axes import LATENTS, OFFSETS, SIZE, Known, Told, directions, patterns, reading
from tests.toy_cohort import spots, write_cohort

QUICK = AxesOptions(
    samples=1500,
    way="ridge",
    permutations=199,
    bootstraps=5,
    starts=16,
    steps=9,
    path_starts=6,
    examples=2,
)


def real_images(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What the generator makes, as a cohort's images with one finding or none: uint8 [N, 8, 8, 1]
    and [N], 0 for normal."""
    u = latent_axes.normalize(np.random.default_rng(seed).normal(size=(4000, LATENTS)))
    strength = 1 / (1 + np.exp(-2.0 * u @ directions().T - np.array(OFFSETS)))
    images = to_uint8(1.6 * np.tensordot(strength, patterns(), axes=1) - 0.8)
    bright = strength > 0.5
    kind = np.where(bright.any(axis=1), 1 + strength.argmax(axis=1), 0)
    single = bright.sum(axis=1) <= 1
    rows = [np.flatnonzero(single & (kind == k))[: 150 if k == 0 else 50] for k in range(6)]
    rows = np.random.default_rng(seed).permutation(np.concatenate(rows))
    return images[rows], kind[rows]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_cohort(folder / "cohort", *real_images(5))
    again = reading()
    again.get_layer("logits").set_weights(
        [w * 0.9 for w in again.get_layer("logits").get_weights()]
    )
    for name, model, file in (
        (
            "gan",
            Known(resolution=SIZE, fmap_base=64, fmap_max=LATENTS, latent_size=LATENTS),
            "generator-ema.keras",
        ),
        ("classifier", reading(), "classifier.keras"),
        ("judge", again, "classifier.keras"),
        ("homeless", reading(), "classifier.keras"),
    ):
        (folder / name).mkdir()
        model.save(folder / name / file)
        config = {"imported": "known"}
        if name in ("classifier", "judge"):
            config["cohort"] = "../cohort"
        artifacts.write_json(folder / name / "config.json", config)
    return folder


@pytest.fixture(scope="module")
def result(runs):
    told = []
    result = package.run(
        runs / "gan",
        runs / "classifier",
        runs / "axes",
        QUICK,
        seed=3,
        progress=lambda *seen: told.append(seen),
        others=Runs(judges=[runs / "judge"]),
    )
    return result.figures, runs / "axes", told


def test_every_known_axis_is_found(result):
    report, folder, _ = result
    axes = latent_axes.load(folder)
    cosines = np.sum(axes.vectors * directions(), axis=1)
    assert np.all(cosines[:4] > 0.95) and cosines[4] > 0.8, cosines
    assert report["axes_found"] == axes.found.sum() >= 4
    assert all(row["found_by"] for row in report["axes"].values()), "each by one way at least"
    for row in report["axes"].values():
        assert set(row["judges"]) == {"classifier 1", "probe"} and row["found_by"]
        seeing = [told["confirms"] for told in row["judges"].values() if told["sees"]]
        assert seeing and all(seeing) == row["found"]
        assert row["heldout_auroc"] > 0.9 and row["null_p"] < 0.01
        assert row["likelihood_start"] < 0.2 and row["likelihood_end"] > 0.8 > row["off_target_max"]
        assert row["bootstrap_cosine"] > 0.8
        assert row["gradcam"]["maps"] == QUICK.examples
        assert row["reversal"] < 0.1 < row["pixel_change"], "the way back ends at the start"
        assert 0 <= row["divergence"] <= 1


def test_the_rare_finding_was_rare(result):
    report, _, _ = result
    assert (
        report["axes"]["pneumothorax"]["heldout_cases"]
        < 20
        < report["axes"]["nodule"]["heldout_cases"]
    )
    assert report["axes"]["pneumothorax"]["heldout_reference"].startswith("highest")


def test_correlated_findings_have_correlated_axes(result):
    matrix = result[0]["cosine_matrix"]
    assert matrix["nodule"]["nodule"] == pytest.approx(1)
    assert matrix["nodule"]["consolidation"] == pytest.approx(
        directions()[0] @ directions()[1], abs=0.15
    )
    assert matrix["nodule"]["consolidation"] == pytest.approx(matrix["consolidation"]["nodule"])


def test_the_folder_holds_what_the_contract_names(result):
    report, folder, told = result
    saved = artifacts.read_json(folder / "report.json")
    assert {"samples", "counts_before", "counts_after", "axes", "cosine_matrix"} <= set(saved)
    keys = {
        "found",
        "heldout_auroc",
        "null_p",
        "bootstrap_cosine",
        "likelihood_start",
        "likelihood_end",
    }
    assert set(saved["axes"]) == set(FINDINGS) and keys | {"off_target_max"} <= set(
        saved["axes"]["nodule"]
    )
    assert sum(saved["counts_before"].values()) == QUICK.samples == saved["samples"]
    assert 0 < sum(saved["counts_after"].values()) < QUICK.samples
    pictures = {path.name for path in folder.glob("*.png")}
    assert {"likelihood.png", "two_axes.png"} | {
        f"walk_{name}.png" for name in FINDINGS
    } <= pictures
    assert {f"paths_{name}.png" for name in FINDINGS} <= pictures
    said = np.load(folder / "walks.npz")
    assert said["ridge/nodule/guides"].shape == (QUICK.steps, QUICK.starts, 6)
    assert said["paths/nodule/probe"].shape == (QUICK.steps, QUICK.path_starts, 5)
    table = list(csv.DictReader((folder / "ways.csv").open()))
    assert len(table) == 6 * len(FINDINGS) and table[0]["probe shift"]
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    assert len(rows) == 5 * QUICK.steps * 6
    assert {what for what, *_ in told} >= {"synthesizing and classifying", "walking"}


def test_who_edits_along_the_axes_finds_the_networks_by_the_report(runs, result):
    found = axes_folder.checked(result[1], [], unproven=False)
    people = panel.load(found, SIZE)
    assert not people.notes and [one.name for one in people.judges] == ["classifier 1"]
    angles, logits = found.walked("nodule")
    assert np.degrees(angles[-1]) == pytest.approx(QUICK.max_angle)
    own = logits[..., 0].mean(axis=1)
    end = np.argmin(np.abs(angles - found.axes.ends[0]))
    told = result[0]["axes"]["nodule"]["judges"]["classifier 1"]["likelihood_end"]
    assert 1 / (1 + np.exp(-own[end])) == pytest.approx(told, abs=0.1) and own[0] < 0
    generator = load_generator(runs / "gan")
    found.check_generator(runs / "gan", generator, weights_sha256(generator))


def test_the_same_seed_gives_the_same_report(runs, result, monkeypatch):
    monkeypatch.setattr(  # its pictures need not be drawn again
        grids, "labeled_grid", lambda rows, path, *words: shutil.copy(result[1] / path.name, path)
    )
    others = Runs(judges=[runs / "judge"])
    again = package.run(
        runs / "gan", runs / "classifier", runs / "again", QUICK, seed=3, others=others
    )
    assert again.figures == result[0]


def test_the_result_is_read_again_and_makes_its_chapter(result):
    loaded = AxesResult.load(result[1])
    assert loaded.figures == result[0]
    assert loaded.made_by["config"]["max_angle"] == pytest.approx(np.pi / 3)
    page = Page("Axes")
    loaded.chapter(page)
    assert page.html().count("At the end the heat lies to") == 2 * len(FINDINGS), "caption and alt"
    assert page.html().count("<img") == 2 + 3 * len(FINDINGS)


def _html(result: AxesResult) -> str:
    page = Page("Axes")
    result.chapter(page)
    return page.html()


def test_where_the_classifier_sees_noise_no_axis_is_found(runs, monkeypatch):
    """A classifier that looks at a corner without any pattern: its answers don't depend on the
    latents. It and the GAN come with pgcxr, as it were, and without a cohort."""
    blind = reading()
    weights, offsets = blind.get_layer("logits").get_weights()
    blind.get_layer("logits").set_weights(
        [np.zeros_like(weights), offsets + np.array([9, -1, -1, -1, -1, -1])]
    )
    own = runs / "shipped" / "known"
    own.mkdir(parents=True)
    (own / "generator-ema.keras").symlink_to(runs / "gan" / "generator-ema.keras")
    blind.save(own / "classifier.keras")
    artifacts.write_json(own / "report.json", {"phantom_seed": 5})
    monkeypatch.setattr(shipped, "PRETRAINED", own.parent)
    few = QUICK.replace(samples=300, path_starts=0)
    real = Runs(cohort=runs / "cohort")
    result = package.run("known", "known", runs / "nothing", few, seed=0, others=real)
    assert result.figures["cohort"]["named"] and result.figures["cohort"]["folder"] == "../cohort"
    assert "known: was trained on phantoms of seed 5" in result.figures["notes"][-1]
    assert "known: was trained on phantoms" in _html(result)
    found = axes_folder.AxesFolder.load(runs / "nothing")
    assert found.report["networks"]["generator"]["run"] == "known"
    assert [run for run, _ in found.runs("guides")] == [own]
    assert len(panel.load(found, SIZE).guides) == 1
    assert result.figures["axes_found"] == 0 and set(result.figures["judges"]) == {"probe"}
    assert any("No classifier judges" in note for note in result.figures["notes"])
    assert set(result.figures["ways_left_out"]) >= {"displacement", "paths"}


def test_without_real_images_nothing_is_judged_and_the_report_says_so(runs, capsys):
    few = QUICK.replace(samples=400, path_starts=0, way="best")
    result = package.run(runs / "gan", runs / "homeless", runs / "unjudged", few, seed=0)
    assert result.figures["axes_found"] == 0 and not result.figures["judges"]
    for row in result.figures["axes"].values():
        assert row["why_not"][-1] == "no judge that took no part can see it"
        assert row["likelihood_end"] > 0.5
    assert "warning: The cohort of the classifier is not at hand" in capsys.readouterr().err


@pytest.fixture(scope="module")
def conditioned(runs):
    """A RUN of a generator that draws what it is told, one finding or none, and its axes."""
    rows = np.eye(6)
    model = Told(resolution=SIZE, fmap_base=64, fmap_max=LATENTS, latent_size=LATENTS, label_size=6)
    (runs / "told").mkdir()
    model.save(runs / "told" / "generator-ema.keras")
    artifacts.write_json(runs / "told" / "config.json", {"imported": "known"})
    known = {
        "names": [NORMAL, *FINDINGS],
        "exclusive": False,
        "rows": rows,
        "counts": [5] + [1] * 5,
    }
    artifacts.write_json(runs / "told" / "report.json", {"labels": known})
    few = QUICK.replace(samples=900, path_starts=0, way="label", max_angle=40.0)
    others = Runs(judges=[runs / "judge"])
    result = package.run(
        runs / "told", runs / "classifier", runs / "axes of told", few, seed=1, others=others
    )
    return result.figures


def test_what_a_conditioned_generator_is_told_is_an_axis(runs, conditioned):
    for index, (name, row) in enumerate(conditioned["axes"].items()):
        assert row["way"] == "label" and row["found"], row["why_not"]
        assert row["fitted_samples"] == 0, "nothing is fitted"
        found = latent_axes.load(runs / "axes of told").vectors[index]
        assert found[LATENTS] == pytest.approx(-np.sqrt(0.5)), "away from normal"
        assert found[LATENTS + 1 + index] == pytest.approx(np.sqrt(0.5)), name
    assert conditioned["latent_size"] == LATENTS + 6


def test_images_along_such_an_axis_are_made_again_from_latents_and_labels(
    runs, conditioned, tmp_path
):
    options = EditOptions(axis=("nodule",), seeds="1-2", steps=3, frames=1, gradcam=False)
    said = edit(runs / "told", runs / "axes of told", tmp_path / "out", options)
    assert said["effects"]["nodule"]["judges"]["classifier 1"]["there_at_end"] == 2
    generator = load_generator(runs / "told")
    kept = latent_file.read(tmp_path / "out" / "latents.npz", LATENTS, 6)
    assert kept.weights_sha256 == weights_sha256(generator)
    images = generate(generator, kept.latents, kept.labels)
    for number, image in enumerate(images):
        written = cv2.imread(str(tmp_path / "out" / "images" / f"{number:06d}.png"), 0)
        np.testing.assert_array_equal(written, image[..., 0])


def test_a_generator_that_was_told_nothing_has_no_such_axis(runs, tmp_path):
    with pytest.raises(ArgumentError, match="way: needs a generator that was told of the findings"):
        told = QUICK.replace(way="label")
        package.run(runs / "gan", runs / "classifier", tmp_path / "out", told)


def test_who_guides_does_not_judge(runs, tmp_path):
    for others in (Runs(judges=[runs / "classifier"]), Runs([runs / "judge"], [runs / "judge"])):
        with pytest.raises(InputError, match="holds the same network as"):
            package.run(runs / "gan", runs / "classifier", tmp_path / "out", QUICK, others=others)
    assert not (tmp_path / "out").exists()


def test_a_judge_that_learned_from_the_images_that_calibrate_is_refused(runs, tmp_path):
    """Another cohort of the same images, whose splits are others."""
    manifest = pd.read_csv(runs / "cohort" / "manifest.csv", dtype=str)
    (tmp_path / "cohort").mkdir()
    (tmp_path / "judge").mkdir()
    manifest["split"] = "train"
    manifest.to_csv(tmp_path / "cohort" / "manifest.csv", index=False)
    (tmp_path / "judge" / "classifier.keras").symlink_to(runs / "judge" / "classifier.keras")
    artifacts.write_json(tmp_path / "judge" / "config.json", {"cohort": "../cohort"})
    others = Runs(judges=[tmp_path / "judge"])
    with pytest.raises(InputError, match="patients of the real test set"):
        package.run(runs / "gan", runs / "classifier", tmp_path / "out", QUICK, others=others)


def test_walks_choose_their_end_on_other_images_than_they_report():
    curve = np.zeros((4, 6, 6))
    curve[:, ::2, 2] = np.array([0.0, 0.9, 0.5, 0.2])[:, None]
    curve[:, 1::2, 2] = np.array([0.1, 0.4, 0.8, 0.9])[:, None]
    curve[:, 1::2, 5] = 0.3
    row = criterion.walk_end(curve, 2)
    assert row["step_end"] == 1 and row["likelihood_start"] == pytest.approx(0.1)
    assert row["likelihood_end"] == pytest.approx(0.4) and row["off_target_max"] == pytest.approx(
        0.3
    )
    assert row["off_target_disease"] == "pneumothorax"
    curve[2, ::2, 2] = 0.91
    assert criterion.walk_end(curve, 2)["step_end"] == 1, "as good as the next, and shorter"
    curve[2, ::2, 2] = 0.95
    assert criterion.walk_end(curve, 2)["step_end"] == 2


@pytest.mark.parametrize(
    "bad", [{"samples": 5}, {"variant": "some"}, {"max_angle": 95.0}, {"sample": 500}]
)
def test_options_without_sense_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        AxesOptions.from_dict(bad)


def test_a_gan_without_exclusive_patterns_says_what_to_do(runs, tmp_path):
    few = QUICK.replace(samples=100, variant="exclusive")
    with pytest.raises(ArgumentError, match="variant: only .* show a single pattern"):
        package.run(runs / "gan", runs / "homeless", tmp_path / "out", few)
    assert not (tmp_path / "out").exists()


def test_runs_that_do_not_fit_are_refused(runs, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    networks.Generator(resolution=4, fmap_base=32, fmap_max=8).save(other / "generator-ema.keras")
    with pytest.raises(InputError, match="px"):
        package.run(other, runs / "classifier", tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))


def test_a_gan_that_saw_the_test_set_is_refused(runs, tmp_path):
    write_cohort(tmp_path / "cohort", *spots(10, 16, seed=1))
    for name, split in (("gan", "test"), ("classifier", "train")):
        (tmp_path / name).mkdir()
        for file in (runs / name).glob("*.keras"):
            (tmp_path / name / file.name).symlink_to(file)
        artifacts.write_json(
            tmp_path / name / "config.json", {"cohort": "../cohort", "split": split}
        )
    with pytest.raises(InputError, match="was trained on 2 patients of the real test set"):
        package.run(tmp_path / "gan", tmp_path / "classifier", tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()

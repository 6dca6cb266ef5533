"""The comparison of sets: who is in them, memory, and the whole on toy images, where the truth is
known."""

import json
import os
import tracemalloc

import keras
import numpy as np
import pandas as pd
import pytest

from evaluate import distribution
from evaluate.distribution import (
    DistributionOptions,
    baseline,
    curve,
    estimate,
    experiment,
    measures,
    snapshots,
    sources,
)
from evaluate.distribution.chapter import DistributionResult
from evaluate.distribution.estimate import Estimate, compared
from pgcxr.classifier import features, network
from pgcxr.cli import command
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import InputError
from pgcxr.metrics.ecs import axes, ecs
from pgcxr.metrics.frd import frd
from pgcxr.metrics.frechet import frechet
from pgcxr.metrics.radiomics import radiomics
from pgcxr.metrics.swd import sliced_wasserstein
from pgcxr.networks import Generator, synthesize
from pgcxr.plots.page import Page
from tests.toy_cohort import spots, write_cohort

SIZE = 16


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A cohort with two images of each patient, an untrained GAN of it, and a network for
    features."""
    folder = tmp_path_factory.mktemp("distribution")
    write_cohort(folder / "cohort", *spots(400, SIZE, seed=1))
    manifest = pd.read_csv(folder / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    # Image i and i + 5 are in one split.
    manifest["patient_id"] = [f"p{index // 10}-{index % 5}" for index in range(len(manifest))]
    manifest.to_csv(folder / "cohort" / "manifest.csv", index=False)
    keras.utils.set_random_seed(2)
    generator = Generator(resolution=SIZE, latent_size=8, fmap_base=32, fmap_max=8)
    synthesize(generator, np.ones((1, 8), np.float32))
    (folder / "gan").mkdir()
    generator.save(folder / "gan" / "generator-ema.keras")
    (folder / "gan" / "config.json").write_text(
        json.dumps({"cohort": "../cohort", "split": "train", "label": "all"})
    )
    (folder / "binary").mkdir()
    network.resnet(SIZE, 1, blocks=(1,), width=4, stem="small").save(
        folder / "binary" / "classifier.keras"
    )
    return folder


def test_the_sets_share_no_patient_and_do_not_hold_what_the_gan_saw(runs):
    sets, disjoint = sources.real_sets(runs / "gan", seed=3)
    members = [
        set(rows.manifest["patient_id"]) for rows in (sets.reference, sets.floor, sets.training)
    ]
    assert not (members[0] & members[1] or members[0] & members[2] or members[1] & members[2])
    assert [len(rows) for rows in (sets.reference, sets.floor, sets.training)] == [80, 80, 240]
    assert set(sets.training.manifest["split"]) == {"train"}
    assert (
        set(sets.reference.manifest["split"])
        == set(sets.floor.manifest["split"])
        == {"val", "test"}
    )
    # Images of one patient stand together, patients in a random order of the seed.
    patients = sets.reference.manifest["patient_id"].tolist()
    assert patients[0::2] == patients[1::2] and patients != sorted(patients)
    assert (
        sources.real_sets(runs / "gan", seed=4)[0].reference.manifest["patient_id"].tolist()
        != patients
    )
    assert disjoint["checked"] and disjoint["shared"] == 0
    assert (
        sources.chosen_number("RUN", sets, 0) == 80 and sources.chosen_number("RUN", sets, 40) == 40
    )


def test_a_gan_of_normals_is_compared_with_normals(runs, tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"cohort": str(runs / "cohort"), "split": "train", "label": "normal"})
    )
    sets, _ = sources.real_sets(tmp_path, seed=0)
    for rows in (sets.reference, sets.floor, sets.training):
        assert set(rows.manifest["label"]) == {"normal"}
    assert abs(len(sets.reference) - len(sets.floor)) <= 2


def test_the_baseline_has_the_mean_and_the_covariance_of_the_images():
    rng = np.random.default_rng(5)
    flat = 128 + rng.normal(size=(400, 3)) @ rng.normal(size=(3, 16)) * 9
    images = np.clip(np.rint(flat), 0, 255).astype(np.uint8).reshape(400, 4, 4, 1)
    gaussian = baseline.PCAGaussian(images, 0.995, seed=0)
    assert gaussian.describe()["components"] == 3 and gaussian.explained > 0.995
    drawn = gaussian.draw(4000, np.random.default_rng(1)).reshape(4000, -1).astype(float)
    flat = images.reshape(400, -1).astype(float)
    assert drawn.mean(axis=0) == pytest.approx(flat.mean(axis=0), abs=1.5)
    assert np.cov(drawn.T) == pytest.approx(np.cov(flat.T), abs=0.1 * np.cov(flat.T).max())
    shares = np.sort(np.linalg.eigvalsh(np.cov(flat.T)))[::-1] / np.trace(np.cov(flat.T))
    fewer = baseline.PCAGaussian(images, float(shares[0] + 0.1 * shares[1]), seed=0)
    assert fewer.components == 2 and fewer.explained == pytest.approx(shares[:2].sum(), abs=1e-4)
    assert baseline.PCAGaussian(images[:5], 1.0, seed=0).components == 4


def test_memory_does_not_grow_with_the_number_of_images(monkeypatch):
    monkeypatch.setattr(measures, "GROUP", 16)
    most = []

    def draw(start, stop):
        most.append(stop - start)
        return (
            np.random.default_rng(start)
            .integers(0, 256, (stop - start, SIZE, SIZE, 1))
            .astype(np.uint8)
        )

    def peak(n):
        source = sources.Source(np.arange(n), draw)
        tracemalloc.start()
        found, seen = measures.one_pass(source, source, None, 5, 0, lambda done: None)
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert list(seen) == [measures.RADIOMIC] and len(found["swd 16"].parts) == n // 16
        return reached

    few, many = peak(64), peak(384)
    assert max(most) == 16 and many < 1.3 * few  # six times as many images


def test_groups_cover_every_image_once():
    for n in (32, 33, 1907, 5000):
        edges = measures.groups(n)
        assert edges[0][0] == 0 and edges[-1][1] == n and len(edges) == max(4, n // 512)
        assert all(a[1] == b[0] for a, b in zip(edges, edges[1:], strict=False))
        assert (
            max(stop - start for start, stop in edges) - min(stop - start for start, stop in edges)
            <= 1
        )


def test_who_wins_by_hand():
    def halves(value, *parts):
        return Estimate(value, np.array(parts, float))

    gan, floor, plain = halves(3, 2, 4), halves(1, 1, 1), halves(7, 7, 7)
    found = compared(estimate.LOWER, gan, floor, plain)
    assert found["gan_wins"] and found["certain"] and found["gan_ahead_by"]["value"] == 4
    assert found["gan_ahead_by"]["ci95"] == pytest.approx([4 - 0.95, 4 + 0.95])
    assert found["gan"] == {"value": 3, "ci95": pytest.approx([3 - 0.95, 3 + 0.95])}
    assert not compared(estimate.HIGHER, gan, floor, plain)["gan_wins"]
    assert compared(estimate.NEARER, gan, floor, plain)["gan_ahead_by"]["value"] == 6 - 2
    assert not compared(estimate.NEARER, gan, halves(6, 6, 6), plain)["gan_wins"]
    assert not compared(estimate.LOWER, gan, floor, gan)["gan_wins"]  # no lead, no win
    assert not compared(estimate.LOWER, gan, floor, halves(3.5, 3.5, 3.5))["certain"]
    # Student's t of four sets: mean 2, deviation 1.2910, 3.1824 x 1.2910 / 2.
    few = Estimate(2.5, np.array([1.0, 2, 3, 4]), apart=True, range=(1.0, np.inf)).summary()
    assert few["ci95"] == pytest.approx([1.0, 2.5 + 3.1824 * 1.2910 / 2], abs=1e-3)
    assert np.isnan(Estimate(1.0, np.array([1.0]), apart=True).summary()["ci95"]).all()


def test_the_whole_with_an_untrained_generator(runs):
    options = DistributionOptions(replicates=20, permutations=39, explained=0.6)
    result = distribution.run(runs / "gan", runs / "out", str(runs / "binary"), options, 3)
    report = result.figures
    assert result.to_json() == json.loads((runs / "out" / "report.json").read_text())
    assert report["n"] == report["real_n"] == 80 and report["features"]["dimensions"] == 16
    metrics = report["metrics"]
    assert list(metrics) == [
        "fid",
        "kid",
        "precision",
        "recall",
        "density",
        "coverage",
        "ecs",
        "tails",
        "frd",
        "radiomic_ecs",
        "radiomic_tails",
        "swd",
        "ms_ssim",
    ]
    assert list(metrics["swd"]) == ["16", "mean"]
    entries = [each for name, each in metrics.items() if name != "swd"] + list(
        metrics["swd"].values()
    )
    for entry in entries:
        assert all(
            entry[name]["ci95"][0] <= entry[name]["value"] <= entry[name]["ci95"][1]
            for name in measures_of
        )
    # Noise is farther from real images than other real images, and than their principal components.
    for name in ("fid", "kid"):
        low, high = metrics[name]["gan"]["ci95"]
        assert metrics[name]["floor"]["value"] < metrics[name]["baseline"]["value"] < low < high
        assert metrics[name]["gan_ahead_by"]["ci95"][1] < 0 and report["gan_wins"][name] is False
    # Where only the pixels are looked at, too; and the test of it is sure.
    assert metrics["frd"]["floor"]["value"] + 1 < metrics["frd"]["gan"]["value"]
    for name in ("ecs", "radiomic_ecs", "radiomic_tails"):
        p = metrics[name]["p"]
        assert p["gan"] == pytest.approx(1 / 40) and p["floor"] > 0.025
    assert report["radiomics"]["used"] == 46 and not report["radiomics"]["left_out"]
    assert set(report["training_set"]) == set(metrics) - {"swd", "ms_ssim"}
    assert metrics["coverage"]["gan"]["value"] < 0.2 < 0.8 < metrics["coverage"]["floor"]["value"]

    # What it says of the floor, computed on its own from the sets.
    sets, _ = sources.real_sets(runs / "gan", seed=3)
    images = [rows.images(SIZE) for rows in (sets.reference, sets.floor)]
    real, other = (features.features(runs / "binary", [some]) for some in images)
    assert metrics["fid"]["floor"]["value"] == pytest.approx(frechet(real, other)["fid"], rel=1e-3)
    pixels = [radiomics(some) for some in images]
    assert metrics["frd"]["floor"]["value"] == pytest.approx(frd(*pixels)["frd"], rel=1e-4)
    along = axes(pixels[0], scaled=True).along
    again = ecs(*(along(each) for each in pixels))
    assert metrics["radiomic_tails"]["floor"]["value"] == pytest.approx(again["tails"], abs=1e-4)
    along = axes(real).along
    again = ecs(along(real), along(other))
    assert metrics["ecs"]["floor"]["value"] == pytest.approx(again["ecs"], abs=1e-3)
    groups = [
        sliced_wasserstein(*(some[at : at + 20] for some in images))["16"]
        for at in range(0, 80, 20)
    ]
    assert metrics["swd"]["16"]["floor"]["value"] == pytest.approx(
        np.mean(groups), rel=0.1
    )  # other directions

    table = pd.read_csv(runs / "out" / "distribution.csv").set_index(["measure", "source"])
    assert table.loc[("swd_16", "gan"), "value"] == pytest.approx(
        metrics["swd"]["16"]["gan"]["value"], rel=1e-5
    )
    assert len(table) == 3 * len(entries)
    shifts = pd.read_csv(runs / "out" / "radiomics.csv")
    assert len(shifts) == 46 * 3
    worst = shifts[shifts["source"] == "gan"].set_index("feature")["shift"].abs().idxmax()
    names = [f"{name}.png" for name in ("samples", "swd", "frd", "tails", "prdc", "fid", "kid")]
    assert all((runs / "out" / name).stat().st_size > 1000 for name in names)
    assert not {"p0-3", "patient_id"} & set((runs / "out" / "report.json").read_text().split('"'))
    loaded, page = DistributionResult.load(runs / "out"), Page("Study")
    assert loaded.to_json() == result.to_json() and len(loaded.tables["distribution.csv"]) == 42
    loaded.chapter(page)
    assert "PCA-Gaussian" in page.html() and page.html().count("<img") == 1
    assert worst in page.html() and "p of the permutation test" in page.html()
    # A folder of an earlier version has none of the radiomic parts.
    old = {key: value for key, value in result.figures.items() if key != "radiomics"}
    old["metrics"] = {name: metrics[name] for name in ("fid", "swd")}
    DistributionResult(runs / "out", old).chapter(Page("Study"))
    with pytest.raises(InputError, match="not empty"):
        distribution.run(runs / "gan", runs / "out")


measures_of = ("gan", "floor", "baseline")


def test_a_generator_of_the_truth_wins_and_is_at_the_floor(runs, tmp_path, monkeypatch):
    fresh, _ = spots(80, SIZE, seed=77)
    monkeypatch.setattr(
        sources,
        "of_gan",
        lambda *_: sources.Source(np.arange(80), lambda start, stop: fresh[start:stop]),
    )
    options = DistributionOptions(replicates=40, permutations=0, explained=0.6)
    report = distribution.run(runs / "gan", tmp_path / "out", str(runs / "binary"), options).figures
    for name in ("fid", "coverage", "frd", "radiomic_ecs"):
        entry = report["metrics"][name]
        assert report["gan_wins"][name] and entry["gan_ahead_by"]["ci95"][0] > 0
        low, high = entry["floor"]["ci95"]
        assert (
            low <= entry["gan"]["value"] <= high
            or entry["gan"]["ci95"][0] <= entry["floor"]["value"]
        )
    assert (
        report["gan_wins"]["swd"]
        and [warning for warning in report["warnings"] if "FRD of 80 images" not in warning] == []
    )
    against = report["training_set"]["fid"]
    assert against["gan"] < against["baseline"] and against["floor"] < against["baseline"]


def test_fewer_images_than_twice_the_features_are_warned_of():
    vectors = {
        name: np.random.default_rng(6).normal(size=(40, 20)) for name in ("reference", *measures_of)
    }
    assert "40 images in 20 features" in experiment._published(vectors, 0)["warnings"][0]
    assert (
        experiment._published({name: each[:, :19] for name, each in vectors.items()}, 0)["warnings"]
        == []
    )


def test_without_features_pixels_alone(runs, tmp_path):
    options = DistributionOptions(n=32, replicates=0)
    report = distribution.run(runs / "gan", tmp_path / "out", options=options).figures
    assert (
        list(report["metrics"]) == ["frd", "radiomic_ecs", "radiomic_tails", "swd", "ms_ssim"]
        and report["features"] is None
        and report["n"] == 32
    )
    assert report["training_set"] is None and report["metrics"]["ms_ssim"]["gan"]["ci95"] == [
        None,
        None,
    ]
    assert not (tmp_path / "out" / "fid.png").exists() and (tmp_path / "out" / "swd.png").exists()


def test_what_does_not_fit_is_refused_and_leaves_nothing(runs, tmp_path):
    for change, said in (
        ({"n": 81}, "80 and 80 real images .* lower n"),
        ({"n": -1}, "n: must be a whole number from 0"),
        ({"n": 31}, "n: must be 0 or at least 32.*Received: n=31"),
        ({"explained": 0.0}, "above 0"),
        ({"images": 3}, "images: is no option"),
    ):
        with pytest.raises(InputError, match=said):
            options = DistributionOptions.from_dict(change)
            distribution.run(runs / "gan", tmp_path / "out", options=options)
    with pytest.raises(InputError, match="no such network"):
        distribution.run(runs / "gan", tmp_path / "out", str(tmp_path / "gone"))
    small = Generator(resolution=8, latent_size=8, fmap_base=16, fmap_max=8)
    synthesize(small, np.ones((1, 8), np.float32))
    small.save(tmp_path / "generator-ema.keras")
    with pytest.raises(InputError, match="of 8 px"):
        distribution.run(tmp_path, tmp_path / "out")
    few = cohorts.load(runs / "cohort").select(split="val")
    sets = sources.RealSets(few, cohorts.Cohort(few.folder, few.manifest[:20]), few)
    with pytest.raises(InputError, match="train on a cohort with more"):
        sources.chosen_number("RUN", sets, 0)
    assert not (tmp_path / "out").exists() and not (tmp_path / ".out.partial").exists()


def test_the_curve_over_snapshots_finds_the_better_one_on_validation_images(runs, tmp_path):
    """The end is plain gray, as bright as the cohort; the beginning is far too bright."""
    run = tmp_path / "gan"
    config = {"cohort": "../cohort", "split": "train", "label": "all"}
    (tmp_path / "cohort").symlink_to(runs / "cohort")
    real = cohorts.load(runs / "cohort").images(SIZE).mean() / 127.5 - 1
    generator = keras.models.load_model(runs / "gan" / "generator-ema.keras")
    for place, gray in (("gan/snapshots/kimg00002.000", 1.0), ("gan", real)):
        for weight in generator.weights:
            weight.assign(np.full(weight.shape, gray * ("to_rgb" in weight.path), np.float32))
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        generator.save(folder / "generator-ema.keras")
        where = os.path.relpath(tmp_path / "cohort", folder)
        (folder / "config.json").write_text(json.dumps(config | {"cohort": where}))
    (run / "report.json").write_text('{"kimg": 4.5}')
    words = [str(run), "--features", str(runs / "binary"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="0"):
        command.run(curve.app, [*words, "--n", "40"])
    table = pd.read_csv(tmp_path / "out" / "curve.csv")
    assert table["kimg"].tolist() == [2.0, 4.5] and table["fid"][0] > 2 * table["fid"][1]
    assert (table["fid_low"] <= table["fid"]).all() and (table["fid"] <= table["fid_high"]).all()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["best"] == {"fid": 4.5, "kid": 4.5} and report["n"] == 40
    assert (tmp_path / "out" / "kid.png").is_file()
    (run / "generator-ema.keras").unlink()  # as while it is still trained
    found = snapshots.run(run, tmp_path / "begun", str(runs / "binary"), n=40)
    assert [row["kimg"] for row in found["curve"]] == [2.0]
    for changes, said in (
        ({"split": "val"}, "learned from split val"),
        ({"label": "abnormal"}, "has [0-9]+ images of label abnormal in split val, where 100"),
    ):
        (run / "config.json").write_text(json.dumps(config | changes))
        with pytest.raises(InputError, match=said):
            snapshots.run(run, tmp_path / "no", str(runs / "binary"), n=100)
    with pytest.raises(InputError, match="no snapshots/; train it with --set snapshot_kimg"):
        snapshots.run(runs / "gan", tmp_path / "no", str(runs / "binary"))

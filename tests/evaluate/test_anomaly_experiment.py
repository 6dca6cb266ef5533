"""The whole of evaluate.anomaly where the normal images are known to be exactly what the generator
can make."""

import csv
import dataclasses
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from evaluate import anomaly as package
from evaluate.anomaly import (
    AnomalyOptions,
    AnomalyResult,
    Others,
    comparison,
    explore,
    selection,
)
from evaluate.anomaly import runs as package_runs
from evaluate.anomaly.methods import Evidence
from evaluate.common import to_uint8
from pgcxr import networks
from pgcxr.anomaly.network import unet
from pgcxr.classifier import network
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import FINDINGS, TABLE_6
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.losses.residuals import LOSSES
from pgcxr.plots.page import Page
from pgcxr.sampling import runs as shipped
from pgcxr.screening import model as screening_models

SIZE = 16
KINDS = ("per_class", "normals", "healthy", "familiar")
QUICK = AnomalyOptions(
    iterations=40,
    learning_rate=0.2,
    bank=300,
    starts=2,
    per_class=3,
    normals=24,
    autoencoder_epochs=2,
)


def add_unclassified(folder) -> None:
    """One more abnormal test image, of a disease that is not in Table 6."""
    table = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
    last = table.iloc[-1:].assign(image_id="extra", patient_id="extra", diagnoses="", mask="")
    pd.concat([table, last.assign(**dict.fromkeys(FINDINGS, "0"))]).to_csv(
        folder / "manifest.csv", index=False
    )


def make_cohort(folder, generator) -> None:
    """Normals made by the generator itself with a little noise; abnormal ones carry a bright
    square."""
    rng = np.random.default_rng(8)
    rows = []
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    kinds = (
        [("normal", "train", "")] * 24
        + [("normal", "val", "")] * 30
        + [("normal", "test", "")] * 24
    )
    kinds += [("abnormal", "test", name) for name in TABLE_6 for _ in range(2)]
    latents = rng.normal(size=(len(kinds), generator.latent_size)).astype(np.float32)
    pixels = (
        np.asarray(networks.synthesize(generator, latents))
        + rng.normal(size=(len(kinds), SIZE, SIZE, 1)) * 0.02
    )
    for index, (label, split, diagnosis) in enumerate(kinds):
        row = {
            "image_id": f"i{index:03}",
            "patient_id": f"p{index:03}",
            "label": label,
            "split": split,
        }
        if label == "abnormal":
            row["patient_id"] = f"p{index // 2:03}x"
        row |= dict.fromkeys(FINDINGS, "0") | {
            "diagnoses": diagnosis,
            "mask": "",
            "png": f"images/i{index:03}.png",
        }
        if label == "abnormal":
            y, x = rng.integers(3, 10, size=2)
            pixels[index, y : y + 3, x : x + 3] += 0.8
            mask = np.zeros((SIZE, SIZE), np.uint8)
            mask[y : y + 3, x : x + 3] = 255
            row["mask"] = f"masks/i{index:03}.png"
            cv2.imwrite(str(folder / row["mask"]), mask)
            row |= {diagnosis: "1"} if diagnosis in FINDINGS else {}
        cv2.imwrite(str(folder / row["png"]), to_uint8(pixels[index])[..., 0])
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    keras.utils.set_random_seed(5)
    generator = networks.Generator(resolution=SIZE, fmap_base=64, fmap_max=16)
    # Fainter, so that 8 bits hold the images without cutting.
    generator.to_rgb[-1].kernel.assign(generator.to_rgb[-1].kernel * 0.25)
    (folder / "gan").mkdir()
    generator.save(folder / "gan" / "generator-ema.keras")
    of_normals = {"label": "normal", "cohort": "../cohort"}
    artifacts.write_json(folder / "gan" / "config.json", of_normals)
    (folder / "net").mkdir()
    unet(SIZE, (3, 4, 5)).save(folder / "net" / "anomaly.keras")
    artifacts.write_json(folder / "net" / "config.json", of_normals)
    (folder / "bound").mkdir()
    (folder / "bound" / "anomaly.keras").symlink_to(folder / "net" / "anomaly.keras")
    taught = {**of_normals, "label": "all", "supervised": True}
    artifacts.write_json(folder / "bound" / "config.json", taught)
    (folder / "classifier").mkdir()
    artifacts.write_json(folder / "classifier" / "config.json", {"cohort": "../cohort"})
    network.resnet(SIZE, 6, blocks=(1, 1), width=4, stem="small").save(
        folder / "classifier" / "classifier.keras"
    )
    make_cohort(folder / "cohort", generator)
    add_unclassified(folder / "cohort")
    return folder


@pytest.fixture(scope="module")
def result(runs):
    told = []
    result = package.run(
        runs / "gan",
        runs / "classifier",
        runs / "out",
        QUICK,
        seed=1,
        progress=lambda *seen: told.append(seen),
    )
    return result.figures, runs / "out", told


@pytest.fixture(scope="module")
def without_gan(runs):
    """Where an untrained network of train.anomaly stands in the GAN's place."""
    options = QUICK.replace(learned=20)
    both = (runs / "net", runs / "classifier", runs / "without", options)
    named = Others([runs / "bound"], cohort=runs / "cohort")
    package.run(*both, seed=1, others=named)
    return AnomalyResult.load(runs / "without")


def test_lesions_that_the_generator_cannot_make_are_found_in_place(result):
    report, _, _ = result
    assert report["cohort"]["named"] is False and report["notes"] == []
    assert report["overall"]["auroc"] > 0.9
    assert report["overall"]["sensitivity"] > 0.7
    assert report["confounders"]["devices"]["known"] is False
    assert report["normals"]["specificity"] >= 0.8
    assert report["localisation"]["n"] == 24
    assert report["localisation"]["pixel_auroc"] > 0.9
    assert (
        report["localisation"]["hit_rate"]
        > 0.7
        > 0.3
        > report["localisation"]["hit_rate_by_chance"]
    )


def test_an_untrained_classifier_is_no_better_than_chance_and_the_difference_shows(result):
    report, _, _ = result
    assert report["supervised"]["auroc"] < 0.8
    assert report["mcnemar"]["p"] < 0.01
    assert report["mcnemar"]["b"] > report["mcnemar"]["c"]


def test_the_report_holds_the_keys_of_the_contract_and_adds_up(result):
    report, folder, told = result
    saved = artifacts.read_json(folder / "report.json")
    assert {"classes", "normals", "overall", "supervised", "mcnemar", "localisation"} <= set(saved)
    assert saved["iterations"] == QUICK.iterations and saved["seconds_per_image"] > 0
    assert tuple(saved["classes"]) == TABLE_6
    for row in saved["classes"].values():
        assert row["n"] == 2 and row["sensitivity"] == row["detected"] / 2
        assert row["ci95"][0] <= row["sensitivity"] <= row["ci95"][1]
    detected = sum(row["detected"] for row in saved["classes"].values())
    assert saved["overall"]["sensitivity"] == pytest.approx(detected / 24)
    assert set(saved["overall"]) <= set(saved["supervised"]) and set(
        saved["supervised"]["classes"]
    ) == set(TABLE_6)
    assert saved["normals"]["n"] == 24
    assert saved["normals"]["specificity"] == pytest.approx(
        1 - saved["normals"]["false_alarms"] / 24
    )
    assert told[-1][1:] == (102, 102)
    for row in saved["localisation"]["classes"].values():
        assert (
            row["n"] == 2
            and 0 < row["area"] < 1
            and row["contrast"] > 0
            and 0 <= row["hit_rate"] <= 1
        )


def test_intervals_allow_for_patients_with_several_images(result):
    report, _, _ = result
    for part in (report["overall"], report["supervised"]):
        found = part["clustered"]
        assert (found["patients"], found["images"]) == (
            24 + 12,
            48,
        )  # two images of each abnormal patient
        assert (
            found["auroc_ci95"] != part["auroc_ci95"]
            and found["bootstrap"]["auroc"] == part["auroc"]
        )
        for rate in ("sensitivity", "specificity"):
            low, high = found[f"{rate}_ci95"]
            assert low <= part[rate] <= high
    assert report["obuchowski"]["difference"] == report["delong"]["difference"]
    assert report["obuchowski"]["variance_b"] != report["delong"]["variance_b"]


def test_the_table_of_scores_agrees_with_the_report_and_names_no_patient(result):
    report, folder, _ = result
    rows = list(csv.DictReader((folder / "scores.csv").open()))
    assert len(rows) == 48 and "patient_id" not in rows[0]
    alarms = sum(row["detected"] == "1" for row in rows if row["label"] == "normal")
    assert alarms == report["normals"]["false_alarms"]
    for row in rows:
        assert (float(row["p_value"]) <= 0.05) == (row["detected"] == "1")
    with np.load(folder / "maps.npz", allow_pickle=False) as maps:
        assert maps["anomaly"].shape == maps["difference"].shape == (48, SIZE, SIZE)
        assert list(maps["image_id"]) == [row["image_id"] for row in rows]
    with np.load(folder / "calibration.npz", allow_pickle=False) as held:
        assert held["healthy_scores"].shape == (30,)
    assert {"abnormal.png", "normal.png", "roc.png", "scores.png"} <= {
        path.name for path in folder.glob("*.png")
    }


def test_a_gan_of_all_images_is_refused(runs, tmp_path):
    other = tmp_path / "gan"
    other.mkdir()
    (other / "generator-ema.keras").symlink_to(runs / "gan" / "generator-ema.keras")
    artifacts.write_json(other / "config.json", {"label": "all", "cohort": str(runs / "cohort")})
    with pytest.raises(InputError, match="train one on normal images only"):
        package.run(other, runs / "classifier", tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()


def test_another_resolution_is_refused(runs, tmp_path):
    other = tmp_path / "classifier"
    other.mkdir()
    network.resnet(32, 6, blocks=(1, 1), width=4, stem="small").save(other / "classifier.keras")
    with pytest.raises(InputError, match="px"):
        package.run(runs / "gan", other, tmp_path / "out", QUICK)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("few healthy", "split val"),
        ("no normals", "split test has normal images of 0 patients"),
        ("one patient", "and of 1 with a diagnosis"),
        ("shared patient", "several splits"),
    ],
)
def test_cohorts_that_cannot_carry_the_test_are_refused(runs, tmp_path, damage, message):
    table = pd.read_csv(runs / "cohort" / "manifest.csv", dtype=str, keep_default_na=False)
    if damage == "few healthy":
        table = table[44:]
    elif damage == "no normals":
        table = table[(table["split"] != "test") | (table["label"] != "normal")]
    elif damage == "one patient":
        table.loc[table["label"] == "abnormal", "patient_id"] = "one"
    else:
        table.loc[60, "patient_id"] = table.loc[0, "patient_id"]
    (tmp_path / "cohort").mkdir()
    table.to_csv(tmp_path / "cohort" / "manifest.csv", index=False)
    other = tmp_path / "gan"
    other.mkdir()
    (other / "generator-ema.keras").symlink_to(runs / "gan" / "generator-ema.keras")
    artifacts.write_json(other / "config.json", {"label": "normal", "cohort": "../cohort"})
    with pytest.raises(InputError, match=message) as caught:
        package.run(other, runs / "classifier", tmp_path / "out", QUICK)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_gan_that_saw_the_test_set_is_refused(runs, tmp_path):
    (tmp_path / "generator-ema.keras").symlink_to(runs / "gan" / "generator-ema.keras")
    config = {"label": "normal", "split": "test", "cohort": str(runs / "cohort")}
    artifacts.write_json(tmp_path / "config.json", config)
    with pytest.raises(InputError, match="was trained on 24 patients of the real test set"):
        package.run(tmp_path, runs / "classifier", tmp_path / "out", QUICK)


@pytest.mark.parametrize(
    "bad",
    [{"specificity": 1.0}, {"loss": "lpips"}, {"iteration": 5}, {"per_class": 0}, {"normals": 1}],
)
def test_options_without_sense_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        AnomalyOptions.from_dict(bad)


def test_a_network_that_saw_the_normals_of_the_threshold_is_refused(runs, tmp_path):
    (tmp_path / "anomaly.keras").symlink_to(runs / "net" / "anomaly.keras")
    seen = {"label": "normal", "split": "val", "cohort": str(runs / "cohort")}
    artifacts.write_json(tmp_path / "config.json", seen)
    with pytest.raises(InputError, match="was trained on 30 patients"):
        package.run(tmp_path, runs / "classifier", tmp_path / "out", QUICK)


def test_every_loss_can_be_chosen():
    assert [AnomalyOptions(loss=name).loss for name in LOSSES] == list(LOSSES)


def test_the_result_is_read_again_and_makes_its_chapter(result):
    loaded = AnomalyResult.load(result[1])
    assert loaded.figures == result[0] and len(loaded.tables["scores.csv"]) == 48
    page = Page("Anomaly detection")
    loaded.chapter(page)
    assert page.html().count("<table") == 8 and page.html().count("<img") == 4


def test_every_method_is_judged_on_all_test_images_and_the_inversion_on_its_own(result):
    report, folder, _ = result
    compared = report["comparison"]
    baselines = {
        "mean_image",
        "pca_residual",
        "pca_distance",
        "autoencoder",
        "gradients",
        "fusion",
    }
    assert set(compared["methods"]) == baselines | {"inversion", "supervised"}
    assert compared["images"]["normal"] == compared["images"]["abnormal"] == 24
    assert compared["images"]["without_class"] == 1
    assert 0.5 < compared["specificity_limit"] < compared["specificity_aimed_at"] == 0.95
    scores = pd.read_csv(folder / "methods.csv")
    for name, one in compared["methods"].items():
        areas = [row["auroc"] for row in one["classes"].values()]
        assert one["macro_auroc"] == pytest.approx(np.mean(areas))
        low, high = one["macro_auroc_ci95"]
        assert low <= one["macro_auroc"] <= high
        column = scores[name]
        normal = column[scores["class"] == "normal"]
        assert one["specificity"] == pytest.approx((normal <= one["threshold"]).mean())
        detected = [
            (column[scores["class"] == diagnosis] > one["threshold"]).mean()
            for diagnosis in TABLE_6
        ]
        assert one["sensitivity"] == pytest.approx(np.mean(detected))
        assert sum(row["n"] for row in one["by_size"].values()) == 24
        assert "without_devices" not in one  # the cohort does not say who has one
    # What the inversion says is the same in both places.
    areas = compared["methods"]["inversion"]
    assert areas["specificity"] == report["normals"]["specificity"]
    assert {name: row["detected"] for name, row in areas["classes"].items()} == {
        name: row["detected"] for name, row in report["classes"].items()
    }
    # Squares that no component makes.
    assert compared["methods"]["pca_residual"]["macro_auroc"] > 0.8
    where = compared["methods"]["pca_residual"]["localisation"]
    assert where["hit_rate"] > 0.6 and where["aupro"] > 0.6 < where["froc"]["mean"]
    assert where["froc"]["lesions"] == 24
    assert compared["methods"]["autoencoder"]["macro_auroc"] > 0.7


def test_who_watches_a_search_reads_the_cohort_that_was_named(runs, result, tmp_path):
    (runs / "watched").mkdir()
    for name in ("scores.csv", "calibration.npz"):
        (runs / "watched" / name).symlink_to(result[1] / name)
    report = artifacts.read_json(result[1] / "report.json")
    report["cohort"]["named"] = True
    artifacts.write_json(runs / "watched" / "report.json", report)
    (tmp_path / "generator-ema.keras").symlink_to(runs / "gan" / "generator-ema.keras")
    assert len(explore.Explorer.load(tmp_path, runs / "watched").loaded.cohort) == 103


def test_networks_that_come_with_pgcxr_read_a_named_cohort(runs, tmp_path, monkeypatch):
    own, real = tmp_path / "shipped" / "known", Others(cohort=runs / "cohort")
    own.mkdir(parents=True)
    for folder, file in (("gan", "generator-ema.keras"), ("net", "anomaly.keras")):
        (own / file).symlink_to(runs / folder / file)
    monkeypatch.setattr(shipped, "PRETRAINED", own.parent)
    for label, reason in (("normal", None), ("all", "known: was trained on all images")):
        trained = {"config": {"label": label}}
        artifacts.write_json(own / "report.json", {"phantom_seed": 5, "made_by": trained})
        gan, networks = package_runs.sorted_runs("known", [Path("known")])
        if reason:
            with pytest.raises(InputError, match=reason):
                package_runs.load(gan, runs / "classifier", networks, real)
            continue
        loaded = package_runs.load(gan, runs / "classifier", networks, real)
        assert loaded.size == SIZE and len(loaded.networks) == 1 and len(loaded.cohort) == 103
        (note,) = loaded.real.notes
        assert note.startswith("known: was trained on phantoms of seed 5")
        with pytest.raises(InputError, match="known: comes with pgcxr, and no cohort with it"):
            package_runs.load(gan, runs / "classifier", networks)
    # Nor may the classifier know who is held out.
    (tmp_path / "classifier").mkdir()
    (tmp_path / "classifier" / "classifier.keras").symlink_to(
        runs / "classifier" / "classifier.keras"
    )
    seen = {"cohort": str(runs / "cohort"), "split": "val"}
    artifacts.write_json(tmp_path / "classifier" / "config.json", seen)
    with pytest.raises(InputError, match="classifier: was trained on 30 patients of the real"):
        package.run(runs / "gan", tmp_path / "classifier", tmp_path / "out", QUICK, others=real)


def test_without_a_gan_the_report_is_of_the_fusion(without_gan):
    report = without_gan.figures
    assert report["cohort"]["named"] and report["cohort"]["folder"] == "../cohort"
    assert report["notes"] == []
    assert (report["method"], report["iterations"]) == ("fusion", 0)
    compared = report["comparison"]
    assert {"network", "knn", "padim", "bound"} < set(compared["methods"])
    # The same weights here, of which one is asked as the bound.
    asked = [compared["methods"][name] for name in ("network", "bound")]
    assert compared["networks"] == 1 and asked[0]["classes"] == asked[1]["classes"]
    assert "inversion" not in compared["methods"]
    assert compared["fused"] == {"network": 1, "gradients": 1}
    fusion = compared["methods"]["fusion"]
    assert fusion["threshold"] == report["overall"]["threshold"]
    assert {name: row["detected"] for name, row in fusion["classes"].items()} == {
        name: row["detected"] for name, row in report["classes"].items()
    }
    assert set(report["supervised"]["classes"]) == set(TABLE_6)
    assert report["localisation"]["n"] == 24 and 0 < report["mcnemar"]["p"] <= 1
    page = Page("Anomaly detection")
    without_gan.chapter(page)
    html = page.html()
    assert html.count("<table") == 8 and html.count("<img") == 4
    assert (
        "network, artificial anomalies" in html
        and "supervised, all classes" in html
        and "nan" not in html.lower().split()
    )


def test_what_the_inversion_adds_is_told_for_every_weight_on_the_images_that_both_read(runs):
    reading = selection.select(
        cohorts.load(runs / "cohort"), dict.fromkeys(KINDS, 10**6), fewest=5, seed=0
    )
    rng = np.random.default_rng(0)
    truth = (reading.classes != "normal").astype(float)
    places = np.arange(0, len(truth), 2)
    network = Evidence(rng.normal(size=30), truth + rng.normal(size=len(truth)))
    own = (rng.normal(size=30), truth[places] + rng.normal(size=len(places)))
    rows = {"inversion": places}

    def added(**methods) -> dict:
        return comparison.compare(methods, reading, 0.95, 0, SIZE, rows)["inversion_adds"]

    found = added(network=network, inversion=Evidence(*own))
    assert found["n"] == len(places) and [row["weight"] for row in found["together"]] == [
        *comparison.BESIDE
    ]
    best = max(found["together"], key=lambda row: row["macro_auroc"])
    assert best["difference"] > 0.03, "another independent reading as good adds something"
    for row in found["together"]:
        assert row["difference"] == pytest.approx(row["macro_auroc"] - found["network"])
        assert row["ci95"][0] <= row["difference"] <= row["ci95"][1]
    # Units do not count, and what says nothing new adds nothing.
    assert added(network=network, inversion=Evidence(own[0] * 9, own[1] * 9)) == found
    same = added(network=network, inversion=Evidence(network.healthy, network.test[places]))
    assert all(row["difference"] == 0 for row in same["together"])
    assert added(network=network) is None


def test_devices_and_a_network_that_saw_test_patients(runs, tmp_path):
    reading = selection.select(
        cohorts.load(runs / "cohort"), dict.fromkeys(KINDS, 10**6), fewest=5, seed=0
    )
    rng = np.random.default_rng(0)
    scores = (reading.classes != "normal") + rng.normal(size=len(reading.classes))
    evidence = {"any": Evidence(rng.normal(size=30), scores)}
    rows = reading.test.manifest.assign(device="0")
    rows.loc[rows.index[-5:], "device"] = "1"
    some = dataclasses.replace(reading, test=cohorts.Cohort(reading.test.folder, rows))
    found = comparison.compare(evidence, some, 0.95, 0, SIZE)
    kept = found["methods"]["any"]["without_devices"]
    assert found["images"]["with_device"] == 5 and kept["n"] == {"normal": 24, "abnormal": 19}
    assert kept["macro_auroc"] != found["methods"]["any"]["macro_auroc"]
    rows.loc[rows.index[0], "device"] = ""
    unknown = comparison.compare(evidence, some, 0.95, 0, SIZE)
    assert unknown["images"]["with_device"] is None

    other = tmp_path / "net"
    other.mkdir()
    (other / "anomaly.keras").symlink_to(runs / "net" / "anomaly.keras")
    seen = {"label": "normal", "split": "test", "cohort": str(runs / "cohort")}
    artifacts.write_json(other / "config.json", seen)
    for gan, more in ((runs / "gan", [other]), (other, [])):
        with pytest.raises(InputError, match="trained on 24 patients of the real test set"):
            package.run(gan, runs / "classifier", tmp_path / "out", QUICK, others=Others(more))
    taught, both = [runs / "bound"] * 2, (runs / "net", runs / "classifier", tmp_path / "out")
    with pytest.raises(ArgumentError, match="only one may be of --supervised"):
        package.run(*both, QUICK, others=Others(taught))
    with pytest.raises(InputError, match="bound: learned from abnormal images, too"):
        package.run(runs / "bound", runs / "classifier", tmp_path / "out", QUICK)
    artifacts.write_json(other / "config.json", {**seen, "label": "all"})
    with pytest.raises(InputError, match="train one on normal images only"):
        others = Others([other])
        package.run(runs / "gan", runs / "classifier", tmp_path / "out", others=others)
    assert not (tmp_path / "out").exists()


def test_the_screening_model_says_what_the_evaluation_says(without_gan, runs):
    model = screening_models.load(runs / "without")
    assert model.folder == runs / "without" / "screening"
    rows = without_gan.tables["methods.csv"]
    cohort = cohorts.load(runs / "cohort")
    places = cohort.manifest.set_index("image_id").loc[rows["image_id"]].reset_index()
    images = cohorts.Cohort(cohort.folder, places).images(SIZE)[..., 0]
    said = model.ask({SIZE: images})
    np.testing.assert_allclose(said.scores, rows["fusion"], atol=2e-3)
    known = without_gan.figures["comparison"]["methods"]["fusion"]
    assert model.threshold() == pytest.approx(known["threshold"], abs=1e-6)
    assert (said.scores > model.threshold()).sum() == pytest.approx(
        (rows["fusion"] > known["threshold"]).sum(), abs=1
    )
    card = (model.folder / "screening.md").read_text()
    assert "Not a medical device" in card and "24 normal and 24 abnormal test images" in card
    assert model.preparation.size == SIZE and model.generator is None
    # This cohort says of no image which machine made it.
    rules = model.preparation.rules
    assert rules["view"]["enabled"] and not rules["manufacturer"]["enabled"]

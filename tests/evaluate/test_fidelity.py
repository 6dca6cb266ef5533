"""The three steps of thesis 2.3, whole, on a generator and toy images."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from sklearn import metrics

from evaluate import common, fidelity, patients
from evaluate.fidelity import (
    FidelityOptions,
    FidelityResult,
    arms,
    chapter,
    experiment,
    explanations,
    labeling,
    page,
    preset,
    real_images,
)
from evaluate.fidelity.explanations import HeldOut
from pgcxr.classifier import training
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.classifier.gradcam import cam, gradcam
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.metrics.roc import at_specificity
from pgcxr.networks import Generator, synthesize
from pgcxr.plots import figure
from pgcxr.plots.page import Page
from tests.toy_cohort import ramps, write_cohort
from train.classifier.training import train
from train.common import load_config

TINY = [
    "size=16",
    "blocks=1,",
    "width=8",
    "stem=small",
    "momentum=0.6",
    "epochs=7",
    "batch_size=16",
    "learning_rate=1e-2",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A cohort, a classifier trained on it, and a generator of twice its resolution."""
    folder = tmp_path_factory.mktemp("fidelity")
    write_cohort(folder / "cohort", *ramps(320, 16, seed=6))
    train(
        folder / "cohort",
        "binary",
        folder / "binary",
        load_config("classifier", "demo", TINY),
        seed=2,
    )
    generator = _taught_generator()
    _gan(folder / "gan", generator, {"cohort": "../cohort", "split": "train", "label": "all"})
    return folder


def _taught_generator(steps=150):
    """A generator taught by regression to draw what `ramps` draws: z[0] is the ramp, the others are
    coarse noise."""
    keras.utils.set_random_seed(3)
    generator = Generator(resolution=32, latent_size=17, fmap_base=64, fmap_max=16)
    synthesize(generator, np.ones((1, 17), np.float32))
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(generator.trainable_variables)
    ramp = np.linspace(-0.4, 0.4, 32, dtype=np.float32)[None, :, None, None]

    @tf.function(jit_compile=False)
    def step(z):
        # [N, 16] -> [N, 32, 32, 1]
        noise = tf.repeat(tf.repeat(tf.reshape(z[:, 1:], (-1, 4, 4, 1)), 8, axis=1), 8, axis=2)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                (synthesize(generator, z) - ramp * z[:, :1, None, None] - 0.2 * noise) ** 2
            )
        variables = generator.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    z = np.random.default_rng(5).standard_normal((steps, 32, 17), np.float32)
    for batch in z:
        step(tf.constant(batch))
    return generator


def _gan(run, generator, config):
    run.mkdir()
    generator.save(run / "generator-ema.keras")
    (run / "config.json").write_text(json.dumps(config))


def test_three_steps(runs, monkeypatch):
    """The whole, killed after the trainings and begun again."""
    asked = FidelityOptions(generate_batch=64, explained=40)
    arguments = runs / "gan", runs / "binary", runs / "out", asked

    def kill(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(explanations, "explain", kill)
        fidelity.run(*arguments, seed=4)
    assert not (runs / "out").exists()
    kept = sorted((runs / ".out.work").iterdir())
    assert [path.name.split("-")[0] for path in kept] == ["control", "synthetic"]
    made, learned = {}, {}

    def seen(name, function):
        def call(*given):
            made[name] = function(*given)
            return made[name]

        return call

    def taught(self, arm, images, labels, seed):
        learned[arm] = images, labels
        return trained(self, arm, images, labels, seed)

    trained = arms.Trainer.model
    with monkeypatch.context() as patched:
        patched.setattr(training, "fit_classifier", kill)  # nothing is trained again
        for name in ("synthesize", "pseudo_labeled_real"):
            patched.setattr(labeling, name, seen(name, getattr(labeling, name)))
        patched.setattr(arms.Trainer, "model", taught)
        report = fidelity.run(*arguments, seed=4).to_json()
    assert not (runs / ".out.work").exists()

    assert report == json.loads((runs / "out" / "report.json").read_text())
    rates = {
        "auroc",
        "auroc_ci95",
        "sensitivity",
        "specificity",
        "ppv",
        "npv",
        "threshold",
        "confusion",
        "youden",
    }
    assert all(rates <= set(report[arm]) for arm in arms.ARMS)
    assert {"delong", "hanley_mcneil_1982", "hanley_mcneil_1983", "non_inferiority"} <= set(
        report["comparison"]
    )
    counted = report["pseudo_labels"]
    assert counted["generated"] == counted["normal"] + counted["abnormal"] + counted["rejected"]
    assert report["wanted_reached"] and report["images"]["synthetic"] == report["images"]["real"]
    synthetic = made["synthesize"]
    assert (
        learned[arms.SYNTHETIC][0] is synthetic.images
        and learned[arms.SYNTHETIC][1] is synthetic.labels
    )
    assert all(
        given is found
        for given, found in zip(learned[arms.CONTROL], made["pseudo_labeled_real"], strict=False)
    )
    generator = common.load_generator(runs / "gan")
    (first,) = common.generate_batches(generator, common.latents(4, 64, 17), None, 64)
    means = first[..., 0].reshape(64, 16, 2, 16, 2).mean((2, 4))
    assert np.abs(means - synthetic.images["train"][0, ..., 0]).max((1, 2)).min() <= 1, (
        "reduced by area"
    )
    assert report["same_numbers"] and not report["sampling"]["bound_hit"]
    # The toy cohort says nothing of devices, which the page says.
    assert report["confounders"]["devices"]["known"] is False
    assert "show devices is not known" in (runs / "out" / "report.html").read_text()
    assert report["gan_patients"] == {
        "checked": True,
        "gan_patients": 192,
        "test_patients": 64,
        "shared": 0,
        "unknown_lineage": [],
        "notes": [],
    }
    assert report["real_on_real"]["auroc"] > 0.95 and report["synthetic_on_real"]["auroc"] > 0.8
    assert report["pseudolabelled_real_on_real"]["auroc"] > 0.9
    for key, arm in (
        ("comparison", "synthetic_on_real"),
        ("comparison_control", "pseudolabelled_real_on_real"),
    ):
        difference = report["real_on_real"]["auroc"] - report[arm]["auroc"]
        assert report[key]["delong"]["difference"] == pytest.approx(difference)
    saved = keras.models.load_model(runs / "out" / "classifier-synthetic.keras")
    assert (
        saved.count_params()
        == keras.models.load_model(runs / "binary" / "classifier.keras").count_params()
    )
    own = saved.predict(common.from_uint8(synthetic.images["test"]), verbose=0)
    own_area = metrics.roc_auc_score(synthetic.labels["test"], own)
    assert report["synthetic_on_synthetic"]["auroc"] == pytest.approx(own_area, abs=1e-6)
    with pytest.raises(InputError, match="not empty"):
        fidelity.run(runs / "gan", runs / "binary", runs / "out", preset("demo"))


def test_the_report_follows_from_its_tables(runs):
    """Of the run of `test_three_steps`."""
    out = runs / "out"
    report = json.loads((out / "report.json").read_text())
    told = pd.read_csv(out / "predictions.csv", dtype={"image_id": str})
    truth = (told["label"] == "abnormal").astype(int)
    test = cohorts.load(runs / "cohort").select(split="test")
    assert told["image_id"].tolist() == test.manifest["image_id"].tolist()
    curves = pd.read_csv(out / "roc.csv")
    for arm, column in (("real_on_real", "score_real"), ("synthetic_on_real", "score_synthetic")):
        assert report[arm]["auroc"] == pytest.approx(
            metrics.roc_auc_score(truth, told[column]), abs=1e-3
        )
        confusion = report[arm]["confusion"]
        assert confusion["tp"] == ((told[column] >= 0.5) & (truth == 1)).sum()
        table = pd.read_csv(out / f"confusion-{arm}.csv", index_col=0)
        assert table.loc["predicted_abnormal", "truth_abnormal"] == confusion["tp"]
        assert table.loc["total", "total"] == len(test)
        curve = curves[curves["arm"] == arm]
        area = metrics.auc(curve["false_positive_rate"], curve["true_positive_rate"])
        assert area == pytest.approx(report[arm]["auroc"], abs=1e-4)

    _check_statistics(runs, report, told, truth)
    accepted = pd.read_csv(out / "acceptance.csv").query("threshold == 0.7").set_index("of")
    counted, control = report["pseudo_labels"], report["pseudo_labels_control"]
    shares = counted["normal"] / counted["generated"], counted["abnormal"] / counted["generated"]
    assert accepted.loc[
        "synthetic", ["called_normal", "called_abnormal"]
    ].tolist() == pytest.approx(shares, abs=1e-5)
    assert accepted.loc["real, control arm", "right"] == pytest.approx(
        1 - control["wrong_share"], abs=1e-5
    )
    assert control["wrong"] == sum(
        part["wrong_normal"] + part["wrong_abnormal"] for part in control["splits"].values()
    )
    assert accepted["images"].to_dict() == {
        "synthetic": counted["generated"],
        "real, control arm": 256,
        "real, test set": 64,
    }
    assert control["images"] == 256 and control["splits"]["val"]["images"] == 64

    explained = pd.read_csv(out / "explain.csv", dtype={"image_id": str})
    found = report["explain"]
    assert len(explained) == 40 == found["images"] and set(explained["image_id"]) <= set(
        told["image_id"]
    )
    told = told.set_index("image_id").loc[explained["image_id"]]
    np.testing.assert_allclose(explained["score_synthetic"], told["score_synthetic"], atol=1e-6)
    assert sum(found["groups"][name]["n"] for name in explanations.GROUPS) == 40
    assert found["groups"]["All"]["cam"]["pearson"]["mean"] == pytest.approx(
        explained["cam_pearson"].mean(), abs=1e-5
    )
    # Both look at the ramp of the same image.
    assert (
        found["groups"]["All"]["cam"]["pearson"]["mean"] > found["chance"]["cam"]["pearson"]["mean"]
    )

    for name in (
        "roc",
        "reliability",
        "gradcam",
        "synthetic",
        "scheme",
        "acceptance",
        "acceptance-right",
        "confusion-real_on_real",
    ):
        with Image.open(out / f"{name}.png") as picture:
            assert round(picture.info["dpi"][0]) == figure.DPI
        assert b"<svg" in (out / f"{name}.svg").read_bytes()[:2000]
    assert (out / "report.html").stat().st_size > 100_000
    patients = set(cohorts.load(runs / "cohort").manifest["patient_id"])
    for path in [*out.glob("*.csv"), *out.glob("*.json"), out / "report.html"]:
        assert not any(patient in path.read_text() for patient in patients), path


class Ready:
    """A trainer whose networks are untrained ones of their seed, and that says what it was asked
    for."""

    def __init__(self, trained):
        self.trained, self.asked = trained, []

    def model(self, arm, images, labels, seed):
        self.asked.append((arm, seed, len(images["train"]), len(labels["val"])))
        keras.utils.set_random_seed(seed)
        return training.build(ClassifierConfig.of_run(self.trained, "config.json"), 1)


def test_other_seeds_train_every_arm_again(runs):
    trained = json.loads((runs / "binary" / "config.json").read_text())
    rows = cohorts.load(runs / "cohort").select(split="test")
    truth, images = rows.binary(), rows.images(16)
    data = {arm: ({"train": range(n)}, {"val": range(n + 1)}) for n, arm in enumerate(arms.KEYS)}
    first = {arm: np.random.default_rng(n).random(len(truth)) for n, arm in enumerate(arms.KEYS)}
    trainer = Ready(trained)
    found = experiment._more_seeds(trainer, data, HeldOut(rows, images, truth, first), 2, seed=4)
    # Classifier (real) was trained with seed 2, the others begin with the seed of the evaluation.
    assert trainer.asked == [("real", 3, 0, 1), ("synthetic", 5, 1, 2), ("control", 5, 2, 3)]
    assert found["trained_with"] == {"real": [2, 3], "synthetic": [4, 5], "control": [4, 5]}
    for arm, key in arms.KEYS.items():
        scores = training.predict(
            Ready(trained).model(arm, *data[arm], found["trained_with"][arm][1]), images
        )
        wanted = [metrics.roc_auc_score(truth, known) for known in (first[arm], scores[:, 0])]
        assert found["auroc"][key]["values"] == pytest.approx(wanted)
    table = arms.seeds_table(found)
    assert table["arm"].tolist() == ["real"] * 2 + ["synthetic"] * 2 + ["control"] * 2
    assert table["seed"].tolist() == [2, 3, 4, 5, 4, 5]
    assert table["auroc"].tolist() == sum(
        (found["auroc"][key]["values"] for key in arms.KEYS.values()), []
    )
    shown = Page("seeds")
    page._seeds(shown, found)
    assert "2 trainings of each classifier" in shown.html()


def test_explanations_are_of_the_image_they_name(runs):
    """Two equal classifiers agree wholly, on each image and not with the next; lesions are found
    where they are."""
    model = keras.models.load_model(runs / "binary" / "classifier.keras")
    rows = cohorts.load(runs / "cohort").select(split="test")
    images, truth = rows.images(16), rows.binary()
    scores = training.predict(model, images)[:, 0]
    test = HeldOut(rows, images, truth, {"real": 1 - scores, "synthetic": scores})
    report, table = explanations.explain(model, model, test, most=99, seed=1)
    assert table["image_id"].tolist() == rows.manifest["image_id"].tolist()
    np.testing.assert_allclose(table["cam_pearson"], 1, atol=1e-6)
    np.testing.assert_allclose(table["cam_iou"], 1)
    assert (table["cam_pearson_of_another"] < 0.999).all()
    assert report["groups"]["True positive"]["n"] == ((scores >= 0.5) & (truth == 1)).sum()
    # A Grad-CAM that is 0 everywhere agrees with nothing.
    dark = gradcam(model, common.from_uint8(images)).max(axis=(1, 2)) == 0
    assert table["gradcam_pearson"].isna().tolist() == dark.tolist()
    assert report["groups"]["All"]["hits"]["real"]["n"] == 0, "the toy cohort has no masks"
    # Each classifier's own map hits or misses.
    keras.utils.set_random_seed(9)
    saved = json.loads((runs / "binary" / "config.json").read_text())
    other = training.build(ClassifierConfig.of_run(saved, "config.json"), 1)
    lesions = np.arange(16)[None, None] < np.arange(0, 16, 2)[:, None, None] + np.zeros((8, 16, 16))
    found, _ = explanations._compare(model, other, images[:8], lesions)
    for name, network in (("real", model), ("synthetic", other)):
        maps = explanations.enlarged(cam(network, common.from_uint8(images[:8])), 16)
        pairs = zip(lesions, maps, strict=True)
        inside = [
            lesion.ravel()[each.argmax()] if lesion.any() else np.nan for lesion, each in pairs
        ]
        np.testing.assert_array_equal(found[f"hit_{name}"], np.float64(inside))
    assert not np.array_equal(found["hit_real"], found["hit_synthetic"], equal_nan=True)


def _check_statistics(runs, report, told, truth):
    """The statistics are those of the predictions, with thresholds and temperatures from validation
    images."""
    for arm, column in (("real_on_real", "score_real"), ("synthetic_on_real", "score_synthetic")):
        part, scores = report[arm], told[column]
        # One image each: all clustered intervals are the plain ones, but for the bootstrap.
        assert (part["clustered"]["patients"], part["clustered"]["images"]) == (64, 64)
        assert part["clustered"]["auroc_ci95"] == pytest.approx(part["auroc_ci95"])
        assert (
            part["clustered"]["bootstrap"]["ci95"][0]
            <= part["auroc"]
            <= part["clustered"]["bootstrap"]["ci95"][1]
        )
        for point in (part, part["youden"], part["at_specificity"]):
            assert (
                point["confusion"]["tp"]
                == ((scores >= point["threshold"] - 1e-6) & (truth == 1)).sum()
            )
            assert point["at_prevalence"]["prevalence"] == 0.1
            assert {"ci95", "wilson95", "clustered95"} <= set(point)
        assert part["chosen_on"] == "validation" and part["at_specificity"]["aimed_at"] == 0.95
        found = part["calibration"]
        assert found["brier"]["score"] == pytest.approx(((scores - truth) ** 2).mean(), abs=1e-5)
        assert sum(found["equal_width"]["curve"]["n"]) == 64
        assert "temperature" in found["temperature"] and {"slope", "intercept"} <= set(
            found["recalibration"]
        )
    assert "clustered" not in report["synthetic_on_synthetic"]
    compared = report["comparison"]
    assert compared["clustered"]["obuchowski"]["ci95"] == pytest.approx(compared["delong"]["ci95"])
    assert {"margin", "passed", "lower_bound", "p", "method"} == set(compared["non_inferiority"])
    # Thresholds were chosen on the validation images of the cohort.
    classifier = common.load_classifier(runs / "binary")
    val = cohorts.load(runs / "cohort").select(split="val")
    on_val = classifier.predict(common.from_uint8(val.images(16)), verbose=0)[:, 0]
    expected = at_specificity(val.binary().astype(int), on_val, 0.95)["threshold"]
    assert report["real_on_real"]["at_specificity"]["threshold"] == pytest.approx(
        expected, abs=1e-5
    )

    points = pd.read_csv(runs / "out" / "operating-points.csv").set_index(["arm", "point"])
    assert len(points) == 12
    assert points.loc[("real_on_real", "youden"), "npv"] == pytest.approx(
        report["real_on_real"]["youden"]["npv"], abs=1e-5
    )
    curve = pd.read_csv(runs / "out" / "reliability.csv")
    assert curve.groupby(["arm", "bins"])["n"].sum().tolist() == [64] * 8
    shown = Page("Statistics")
    chapter.operating_points(shown, runs / "out", report)
    assert shown.html().count("<table") == 3 and shown.html().count("<img") == 1
    result = FidelityResult.load(runs / "out")
    assert result.to_json() == report
    shown = Page("The chapter")
    result.chapter(shown)
    # Four confusion tables, rates, comparison, and the statistics.
    assert shown.html().count("<table") == 9 and shown.html().count("<img") == 5
    own = (runs / "out" / "report.html").read_text()
    assert own.count("<table") == 9 + 3 and own.count("<img") == 4 + 3


def test_a_gan_that_saw_a_test_patient_is_refused(runs):
    test = cohorts.load(runs / "cohort").select(split="test")
    _gan(
        runs / "cheat",
        Generator(resolution=16),
        {"cohort": "../cohort", "split": "test", "label": "normal"},
    )
    with pytest.raises(InputError, match="was trained on .* patients of the real test set"):
        patients.check_disjoint(runs / "cheat", test)
    with pytest.raises(InputError, match="was trained on .* patients of the real test set"):
        fidelity.run(runs / "cheat", runs / "binary", runs / "never", preset("demo"))
    # Another salt, the same images.
    rows = test.manifest.assign(patient_id=[f"other{index}" for index in range(len(test))])
    with pytest.raises(InputError, match="images of the real test set"):
        patients.check_disjoint(runs / "cheat", cohorts.Cohort(test.folder, rows))
    _gan(runs / "imported", Generator(resolution=16), {"resolution": 16, "imported": "net.pkl"})
    assert patients.check_disjoint(runs / "imported", test)["checked"] is False
    # Only a network that says it was imported is not checked: a damaged or foreign config.json
    # switches nothing off.
    config = runs / "imported" / "config.json"
    for body in ({"source": "nvidia pickle"}, {"imported": True}):
        config.write_text(json.dumps(body))
        assert patients.check_disjoint(runs / "imported", test)["checked"] is False
    wrong = [
        "{",
        "[1, 2]",
        "null",
        "{}",
        '{"cohort": 5}',
        '{"cohort": "../cohort", "split": "all"}',
    ]
    for text in [
        *wrong,
        '{"cohort": "../cohort", "label": 3}',
        '{"cohort": "../gone", "imported": true}',
    ]:
        config.write_text(text)
        with pytest.raises(InputError) as caught:
            patients.check_disjoint(runs / "imported", test)
        assert "\n" not in str(caught.value)
    config.unlink()
    with pytest.raises(InputError, match="no such file"):
        patients.check_disjoint(runs / "imported", test)


def test_a_gan_that_began_with_one_that_saw_a_test_patient_is_refused(runs, capsys):
    test = cohorts.load(runs / "cohort").select(split="test")
    manifest = artifacts.sha256(runs / "cohort/manifest.csv")
    earlier = {"name": "earlier", "cohort": "../cohort", "manifest_sha256": manifest}

    config = {"cohort": "../cohort", "split": "train", "label": "normal"}
    _gan(runs / "heir", Generator(resolution=16), config)

    def lineage(*entries):
        artifacts.write_json(runs / "heir/config.json", config | {"init": entries})
        return patients.check_disjoint(runs / "heir", test)

    with pytest.raises(InputError, match="began with earlier, which was trained on .* patients"):
        lineage({"name": "phantom-64", "pretrained": True}, earlier | {"split": "test"})
    assert lineage(earlier | {"split": "train"})["unknown_lineage"] == []
    assert "warning" not in capsys.readouterr().err
    changed = earlier | {"manifest_sha256": "0", "split": "test"}
    assert lineage(changed, {"name": "net.pkl", "imported": True})["unknown_lineage"] == [
        "earlier",
        "net.pkl",
    ]
    assert "began with net.pkl, whose training images are not known" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", [{"size": "16"}, {"size": None}, {"blocks": 3}, {"epochs": 0}, {"architecture": 1}]
)
def test_a_damaged_classifier_run_is_one_line(runs, tmp_path, change):
    config = json.loads((runs / "binary" / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=f"config.json: {next(iter(change))}"):
        fidelity.run(runs / "gan", tmp_path, tmp_path / "out", preset("demo"))
    del config[next(iter(change))]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=f"config.json: {next(iter(change))}.* is missing"):
        fidelity.run(runs / "gan", tmp_path, tmp_path / "out", preset("demo"))


def test_a_classifier_run_from_before_a_setting_was_added_is_read(runs, tmp_path):
    config = json.loads((runs / "binary" / "config.json").read_text())
    older = {key: value for key, value in config.items() if key not in ClassifierConfig.ADDED}
    assert len(older) < len(config)
    (tmp_path / "config.json").write_text(json.dumps(older))
    found = real_images.load_settings(tmp_path)
    assert (found["precision"], found["curriculum"]) == ("float32", 0)


def test_what_does_not_fit_is_refused_and_leaves_nothing(runs, tmp_path):
    small = Generator(resolution=8, latent_size=16, fmap_base=32, fmap_max=16)
    synthesize(small, np.ones((1, 16), np.float32))
    _gan(tmp_path / "small", small, {"resolution": 8})
    with pytest.raises(InputError, match="makes images of 8 px"):
        fidelity.run(tmp_path / "small", runs / "binary", tmp_path / "out", preset("demo"))
    with pytest.raises(InputError, match="no classifier of binary labels"):
        fidelity.run(runs / "gan", runs / "gan", tmp_path / "out", preset("demo"))
    (tmp_path / "small" / "report.json").write_text('{"made_by": {"command": "train.gan"}}')
    with pytest.raises(InputError, match="small: is a RUN written by `python -m train.gan`; give"):
        fidelity.run(runs / "binary", tmp_path / "small", tmp_path / "out", preset("demo"))
    config = json.loads((runs / "binary" / "config.json").read_text()) | {"curriculum": 3}
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="crops around lesions"):
        fidelity.run(runs / "gan", tmp_path / "lessons", tmp_path / "out", preset("demo"))
    # A generator of one image only: everything is called the same.
    stuck = Generator(resolution=16, latent_size=16, fmap_base=32, fmap_max=16)
    synthesize(stuck, np.ones((1, 16), np.float32))
    for variable in stuck.trainable_variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    _gan(tmp_path / "stuck", stuck, {"resolution": 16, "imported": "net.pkl"})
    with pytest.raises(InputError, match="too few to train on"):
        fidelity.run(
            tmp_path / "stuck",
            runs / "binary",
            tmp_path / "out",
            FidelityOptions(most_generated=1.0),
        )
    assert not (tmp_path / "out").exists() and not (tmp_path / ".out.partial").exists()

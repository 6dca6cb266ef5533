"""The parts of thesis 2.3 by hand: pseudo-labels, counts, tables, settings."""

from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluate import common
from evaluate.fidelity import (
    __main__,
    acceptance,
    arms,
    experiment,
    explanations,
    figures,
    labeling,
    real_images,
    statistics,
)
from evaluate.fidelity.options import PRESETS, FidelityOptions, preset
from evaluate.fidelity.pseudo import Synthetic, collect, pseudo_labels
from pgcxr.classifier import training
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import ArgumentError, InputError
from pgcxr.sampling import runs
from tests.toy_cohort import ramps, write_cohort


def test_pseudo_labels_by_hand():
    called = pseudo_labels(np.array([0.0, 0.29, 0.3, 0.5, 0.7, 0.71, 1.0]), 0.7, 0.3)
    np.testing.assert_array_equal(called, [0, 0, -1, -1, -1, 1, 1])


def _batches(values, size=4):
    images = np.uint8(values)[:, None, None, None]
    return iter([images[start : start + size] for start in range(0, len(images), size)])


def _score(images):
    """P(abnormal) is the pixel's value in percent."""
    return images[:, 0, 0, 0] / 100


def test_collect_fills_every_split_and_stops():
    values = [90, 10, 50, 91, 92, 11, 12, 93, 94, 13, 50, 95, 99, 99, 99, 99]
    wanted = {"train": (2, 3), "val": (1, 1), "test": (1, 0)}
    found = collect(_batches(values), _score, wanted, 0.7, 0.3)
    assert found.counts == {"generated": 12, "normal": 4, "abnormal": 6, "rejected": 2}
    np.testing.assert_allclose(found.probability, np.array(values[:12]) / 100)
    ended = labeling.sampling(found, wanted, 5.0)
    assert not ended["bound_hit"] and ended["share"] == 1 and ended["used"] == ended["wanted"]
    assert found.images["train"].ravel().tolist() == [10, 11, 90, 91, 92]
    assert found.labels["train"].ravel().tolist() == [0, 0, 1, 1, 1]
    assert found.images["val"].ravel().tolist() == [12, 93] and found.images[
        "test"
    ].ravel().tolist() == [13]


def test_collect_keeps_the_ratio_where_a_class_runs_out(capsys):
    values = [90, 10] + [20] * 30  # one abnormal in all, then normals only
    wanted = {"train": (6, 3), "test": (2, 1)}
    found = collect(_batches([*values, 91]), _score, wanted, 0.7, 0.3)
    assert found.counts["generated"] == 33
    # Two of the four abnormal ones wanted were found: half of everything.
    assert [len(found.labels[split]) for split in ("train", "test")] == [3 + 1, 1 + 0]
    assert found.labels["train"].sum() == 1
    ended = labeling.sampling(found, wanted, 3.0)
    assert ended["bound_hit"] and ended["share"] == 0.5
    assert ended["wanted"] == {"normal": 8, "abnormal": 4} and ended["labelled"] == {
        "normal": 31,
        "abnormal": 2,
    }
    assert ended["used"] == {"normal": 4, "abnormal": 1}
    labeling.warn("RUN", ended, 33)
    said = capsys.readouterr().err
    assert (
        said.count("\n") == 1
        and "31 of 8 normal, 2 of 4 abnormal" in said
        and "50% of the real numbers" in said
    )


def test_the_control_arm_by_hand():
    truth = np.float32([[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]]).T
    said = np.array([0.5, 0.1, 0.2, 0.9, 0.0, 0.1, 0.8, 0.9, 0.9, 0.95, 0.4])
    pictures = np.arange(11, dtype=np.uint8)[:, None, None, None]
    real = SimpleNamespace(
        parts={split: (None, pictures, truth) for split in ("train", "val", "test")}
    )
    images, labels, found = labeling.pseudo_labeled_real(
        real, FidelityOptions(), {"train": said, "val": said}
    )
    assert images["train"].ravel().tolist() == list(range(1, 10))
    assert labels["val"].ravel().tolist() == [0, 0, 1, 0, 0, 1, 1, 1, 1]
    counted = {
        "images": 11,
        "normal": 4,
        "abnormal": 5,
        "rejected": 2,
        "wrong": 2,
        "wrong_normal": 1,
    }
    counted |= {"wrong_abnormal": 1, "wrong_share": pytest.approx(2 / 9)}
    assert found["splits"] == {"train": counted, "val": counted}
    assert (found["images"], found["rejected"], found["wrong"]) == (22, 4, 4)
    with pytest.raises(InputError, match="calls almost all real images of split train the same"):
        labeling.pseudo_labeled_real(real, FidelityOptions(), {"train": said / 2, "val": said})


def test_confusion_table_is_laid_out_as_thesis_table_5():
    table = figures.confusion_table({"tn": 1095, "fp": 326, "fn": 191, "tp": 1441})
    assert table.to_numpy().tolist() == [[1095, 191, 1286], [326, 1441, 1767], [1421, 1632, 3053]]


def test_the_columns_of_synthetic_images_are_no_truth():
    table = figures.confusion_table({"tn": 1, "fp": 2, "fn": 3, "tp": 4}, "pseudo")
    assert list(table.columns) == ["pseudo_normal", "pseudo_abnormal", "total"]


def test_too_few_labels_are_blamed_on_what_is_to_blame():
    counts = {"generated": 100, "normal": 0, "abnormal": 1, "rejected": 99}
    unsure = Synthetic({}, {}, counts, np.linspace(0.45, 0.55, 100))
    ignorant = labeling.too_few("RUN", unsure, 0.55, preset("demo"))
    assert "0.50 in the median" in ignorant and "AUROC on real test images 0.55" in ignorant
    assert "the classifier has learned too little" in ignorant and "(normal never came)" in ignorant
    assert "the GAN's are alike" in labeling.too_few("RUN", unsure, 0.9, preset("demo"))


def test_acceptance_by_hand():
    probability, truth = np.array([0.05, 0.25, 0.5, 0.65, 0.75, 0.95]), np.array([0, 1, 0, 1, 0, 1])
    found = acceptance.curve(probability, truth, np.array([0.5, 0.7, 0.9, 0.97]))
    np.testing.assert_allclose(found["accepted"], [5 / 6, 4 / 6, 2 / 6, 0])
    np.testing.assert_allclose(found["called_normal"], [2 / 6, 2 / 6, 1 / 6, 0])
    np.testing.assert_allclose(found["called_abnormal"], [3 / 6, 2 / 6, 1 / 6, 0])
    np.testing.assert_allclose(found["right"], [3 / 5, 2 / 4, 1, np.nan])
    np.testing.assert_allclose(found["right_normal"], [1 / 2, 1 / 2, 1, np.nan])
    np.testing.assert_allclose(found["right_abnormal"], [2 / 3, 1 / 2, 1, np.nan])
    np.testing.assert_allclose(found["accepted_normal"], [2 / 3, 2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(found["accepted_abnormal"], [1, 2 / 3, 1 / 3, 0])
    assert (
        acceptance.THRESHOLDS[0] == 0.5
        and acceptance.THRESHOLDS[-1] == 0.99
        and 0.7 in acceptance.THRESHOLDS
    )


def test_spread_over_seeds_by_hand():
    areas = {"real": [0.9, 0.92, 0.94], "synthetic": [0.8, 0.85, 0.84], "control": [0.9, 0.9, 0.9]}
    found = arms.over_seeds(areas, {"real": arms.seeds(2**32 - 2, 3)})
    assert found["count"] == 3 and found["trained_with"]["real"] == [2**32 - 2, 2**32 - 1, 0]
    real = found["auroc"]["real_on_real"]
    assert real["mean"] == pytest.approx(0.92) and real["sd"] == pytest.approx(0.02)
    assert (real["min"], real["max"], real["values"]) == (0.9, 0.94, areas["real"])
    assert found["difference"]["values"] == pytest.approx([0.1, 0.07, 0.1])
    assert found["difference_control"]["mean"] == pytest.approx(0.02)
    assert found["training_noise"] == pytest.approx(0.02 * 2**0.5)


def test_a_kept_training_is_known_by_all_that_decides_it(tmp_path, monkeypatch):
    """What was kept under one name is never taken for another training."""
    made = []
    monkeypatch.setattr(
        training, "fit_classifier", lambda *given, **_: (made.append(given), (Saved(), {}))[1]
    )
    images = {split: np.zeros((2, 4, 4, 1), np.uint8) for split in ("train", "val")}
    labels = {split: np.float32([[0], [1]]) for split in images}
    known = ClassifierConfig().to_dict()
    others = [
        (known, "control", images, labels, 1),
        (known, "real", images, labels, 1),
        (known, "control", images, labels, 2),
        (known | {"epochs": 2}, "control", images, labels, 1),
        (known, "control", images | {"val": images["val"] + 1}, labels, 1),
        (known, "control", images, labels | {"train": 1 - labels["train"]}, 1),
        (known, "control", images, labels | {"val": 1 - labels["val"]}, 1),
    ]
    for trained, *asked in others:
        arms.Trainer(trained, tmp_path).model(*asked)
    assert len(made) == len(others) == len(list(tmp_path.iterdir()))
    monkeypatch.setattr(
        runs, "load_network", lambda folder, name, wanted: (None, (folder / name).read_text())
    )
    assert arms.Trainer(dict(known), tmp_path).model(*others[0][1:]) == "network" and len(
        made
    ) == len(others)


class Saved:
    """A network that was trained."""

    def save(self, path):
        path.write_text("network")


def test_groups_of_explained_images():
    truth, scores = np.array([0, 0, 1, 1]), np.array([0.49, 0.5, 0.5, 0.1])
    assert explanations.group_of(truth, scores).tolist() == [
        *("True negative", "False positive", "True positive", "False negative"),
    ]


def test_cases_are_the_clearest():
    truth = np.array([0, 0, 0, 1, 1, 1])
    found = figures.cases(truth, np.array([0.1, 0.2, 0.6, 0.4, 0.8, 0.9]))
    assert found == {
        "True negative": 0,
        "True positive": 5,
        "False positive": 2,
        "False negative": 3,
    }
    assert set(figures.cases(truth, np.array([0.1, 0.1, 0.1, 0.9, 0.9, 0.9]))) == {
        "True negative",
        "True positive",
    }


def test_presets():
    assert set(PRESETS) == {"demo", "quick", "small", "thesis"}
    assert preset("thesis") == FidelityOptions()
    assert preset("thesis").abnormal_above == 0.7 and preset("thesis").normal_below == 0.3
    assert (preset("demo").most_generated, preset("demo").generate_batch) == (6.0, 128)
    assert preset("small").most_generated == 20.0
    with pytest.raises(ArgumentError, match="config: must be one of thesis, small, quick, demo"):
        preset("huge")


@pytest.mark.parametrize(
    "bad",
    [
        {"thresholds": 1},
        {"normal_below": 0.8},
        {"abnormal_above": 0.2},
        {"per_class": -1},
        {"seeds": 0},
        *({key: value} for key in ("margin", "specificity", "prevalence") for value in (0, 1.0)),
    ],
)
def test_options_without_sense_are_refused(bad):
    assert FidelityOptions.from_dict({"margin": 0.1}).margin == 0.1
    with pytest.raises(ArgumentError, match=f"^{next(iter(bad))}: "):
        FidelityOptions.from_dict(bad)


def test_the_command_begins_with_a_preset_and_changes_what_was_typed(monkeypatch):
    asked = []
    monkeypatch.setattr(experiment, "run", lambda *given: asked.append(given[3]))
    monkeypatch.setattr(common, "refuse_places", lambda *places: None)
    command = ["gan", "binary", "--out", "out", "--config", "demo"]
    for more in ([], ["--most-generated", "20", "--seeds", "2"]):
        assert CliRunner().invoke(__main__.app, [*command, *more]).exit_code == 0
    assert asked == [preset("demo"), preset("demo").replace(most_generated=20.0, seeds=2)]


def test_images_asked_for_are_shared_out_to_the_last_one():
    assert real_images._shared_out(400, [3837, 1279, 1270]) == [240, 80, 80]
    assert real_images._shared_out(10, [1, 1, 1]) == [4, 3, 3] and real_images._shared_out(
        0, [5, 2]
    ) == [0, 0]
    for whole in range(60):
        assert sum(real_images._shared_out(whole, [7, 3, 2])) == whole


def test_one_patient_of_a_class_is_refused_before_anything_is_trained(tmp_path):
    cohort = cohorts.load(write_cohort(tmp_path / "cohort", *ramps(40, 16, seed=1))).select(
        split="test"
    )
    statistics.refuse_few_patients(cohort, cohort.binary()[:, None])
    names = cohort.manifest["patient_id"].where(cohort.manifest["label"] == "normal", "one")
    alone = cohorts.Cohort(cohort.folder, cohort.manifest.assign(patient_id=names))
    with pytest.raises(InputError, match="abnormal images of split test are of 1 patient"):
        statistics.refuse_few_patients(alone, alone.binary()[:, None])

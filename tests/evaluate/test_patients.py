"""Whose images judge: cohorts that are named, and what is not known of patients."""

import pandas as pd
import pytest

from evaluate import patients
from evaluate.axes import real_images
from pgcxr.cohort import manifest
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.phantom.export import PhantomOptions, seed_of, write_export
from pgcxr.sampling import runs
from tests.toy_cohort import spots, write_cohort

SEED = 2026  # of the phantoms that all networks of pgcxr's own saw


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("named") / "cohort", *spots(60, 8, seed=3))


@pytest.fixture
def other(cohort, tmp_path):
    """A RUN of another cohort, with one patient of the first in its training images."""

    def make(split: str):
        rows = pd.read_csv(cohort / "manifest.csv", dtype=str)
        own = rows.assign(patient_id="x" + rows["patient_id"], sha256="x" + rows["sha256"])
        shared = rows[rows["split"] == split].head(1).assign(split="train", image_id="shared")
        (tmp_path / "other").mkdir()
        pd.concat([own, shared]).to_csv(tmp_path / "other" / "manifest.csv", index=False)
        (tmp_path / "run").mkdir()
        artifacts.write_json(tmp_path / "run" / "config.json", {"cohort": "../other"})
        return tmp_path / "run"

    return make


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_named_cohort_holds_out_no_patient_that_a_run_was_trained_on(cohort, other, split):
    run = other(split)
    with pytest.raises(InputError, match="run: was trained on 1 patients of the real test set"):
        patients.named(cohort, ["phantom-64", run])


def test_what_a_named_cohort_trains_on_a_run_may_know(cohort, other, tmp_path):
    real = patients.named(cohort, [other("train")])
    assert real.named and real.notes == [] and len(real.cohort) == 60
    (tmp_path / "out").mkdir()
    said = real.report(tmp_path / "out")
    assert (tmp_path / "out" / said["folder"]).resolve() == cohort.resolve()
    assert said["images"] == {"train": 36, "val": 12, "test": 12}
    assert said["manifest_sha256"] == artifacts.sha256(cohort / "manifest.csv")
    assert len(patients.of_report(tmp_path / "out", {"cohort": said})) == 60
    for earlier in ({}, {"cohort": None}, {"cohort": said | {"named": False}}):
        assert patients.of_report(tmp_path / "out", earlier) is None


def of_seed(cohort, folder, seed):
    """The cohort, as if its export were phantoms of that seed."""
    folder.mkdir()
    (folder / "manifest.csv").symlink_to(cohort / "manifest.csv")
    artifacts.write_json(folder / "report.json", {"phantom_seed": seed})
    return folder


def test_what_a_shipped_network_may_know_is_said(cohort, tmp_path, capsys):
    same, apart = (of_seed(cohort, tmp_path / str(seed), seed) for seed in (SEED, SEED + 1))
    for folder, kind, words in (
        (cohort, "warning", "whether patients of the test set are among them was not checked"),
        (same, "warning", "may have been on patients of the test set"),
        (apart, "note", f"other patients than the test set's phantoms of seed {SEED + 1}"),
    ):
        # The same network twice is one network.
        (note,) = patients.named(folder, ["phantom-64", "phantom-64"]).notes
        assert note.startswith(f"phantom-64: was trained on phantoms of seed {SEED}")
        assert words in note and note.endswith(".")
        assert capsys.readouterr().err == f"{kind}: {note[:-1]}\n"


def test_a_run_that_began_with_a_shipped_network_knows_its_patients(cohort, tmp_path, capsys):
    same, apart = (of_seed(cohort, tmp_path / str(seed), seed) for seed in (SEED, SEED + 1))
    (tmp_path / "run").mkdir()
    config = {"cohort": str(cohort), "init": [{"name": "phantom-64", "pretrained": True}]}
    artifacts.write_json(tmp_path / "run" / "config.json", config)
    (note,) = patients.named(same, [tmp_path / "run"]).notes
    assert "phantom-64: was trained" in note
    assert patients.named(apart, [tmp_path / "run"]).notes == []
    assert patients.named(cohort, [tmp_path / "run"]).notes == []


def test_imported_networks_are_said_to_be_unknown(cohort, tmp_path, capsys):
    artifacts.write_json(tmp_path / "config.json", {"imported": True})
    (note,) = patients.named(cohort, [tmp_path]).notes
    assert note.startswith(f"{tmp_path.name}: was imported") and "was not checked" in note
    assert f"warning: {tmp_path}: was imported" in capsys.readouterr().err


def test_every_shipped_network_says_what_it_saw():
    for name in runs.pretrained_names():
        assert runs.pretrained_report(name)["phantom_seed"] == SEED
        assert patients.knows_no_images(name)


def test_a_cohort_that_does_not_do_is_one_line(cohort, tmp_path):
    unlabeled = pd.read_csv(cohort / "manifest.csv", dtype=str)
    unlabeled.loc[unlabeled["split"] == "val", "label"] = "normal"
    unlabeled[["nodule", "consolidation", "interstitial_opacity"]] = ""
    unlabeled[["pleural_effusion", "pneumothorax"]] = ""
    unlabeled.to_csv(tmp_path / "manifest.csv", index=False)
    for call, message in (
        (lambda: real_images.named(tmp_path, []), "split train has .* and 0 with one of the five"),
        (lambda: patients.named(cohort, []).refuse_small(16), "are of 8 px where .* read 16 px"),
        (lambda: patients.refuse_missing(tmp_path / "none", "phantom-64"), "no such folder"),
        (lambda: patients.named(tmp_path / "none", []), "no such folder"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(ArgumentError, match="cohort: is needed: phantom-64-normal comes with"):
        patients.refuse_missing(None, "phantom-64-normal")
    patients.refuse_missing(None, tmp_path), patients.refuse_missing(cohort, "phantom-64-normal")
    patients.named(cohort, []).refuse_small(8)
    assert len(real_images.named(cohort, []).cohort) == 60


def test_an_export_says_whose_phantoms_it_shows(tmp_path):
    write_export(tmp_path / "export", PhantomOptions(patients=1, seed=7, size=64, workers=1))
    assert seed_of(tmp_path / "export") == 7
    assert seed_of(tmp_path) is None
    for text in ("[", "[]", '{"made_by": {"command": "pgcxr curate", "seed": 7}}'):
        (tmp_path / "report.json").write_text(text)
        assert seed_of(tmp_path) is None
    assert manifest.SPLITS == ("train", "val", "test")

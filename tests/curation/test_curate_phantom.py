"""The generated export, whose truth is known, through curation."""

import csv

import pytest

from pgcxr.cohort import manifest
from pgcxr.io import artifacts
from pgcxr.phantom.export import PhantomOptions, write_export
from tests.curation.curating import curate

# What a broken file may be excluded by: the rule that it was broken for, or one that is asked
# before.
REASONS = {
    "truncated": {"unreadable"},
    "empty": {"unreadable"},
    "not_dicom": {"unreadable"},
    "no_pixel_data": {"no_pixels"},
    "wrong_body_part": {"body_part"},
    "wrong_age": {"age"},
    "multi_frame": {"multi_frame"},
    "unreferenced_accession": {"diagnosis"},
}
HEADER = {"age", "manufacturer", "view", "device"}


@pytest.fixture(scope="module")
def curated(tmp_path_factory):
    """(truth rows by file, messy kinds by file, trace rows by file, the cohort)"""
    folder = tmp_path_factory.mktemp("phantom")
    options = PhantomOptions(patients=16, seed=3, size=64, messy=True, workers=1)
    write_export(folder / "export", options)
    options = {
        "key_file": folder / "key",
        "trace": folder / "trace.csv",
        "processes": 0,
        "show_progress": False,
    }
    curate(folder / "export", folder / "cohort", **options)

    def table(path, key):
        with open(path, newline="") as file:
            return {row[key]: row for row in csv.DictReader(file)}

    truth, messy = folder / "export/truth/truth.csv", folder / "export/truth/messy.csv"
    trace = table(folder / "trace.csv", "path")
    return table(truth, "file"), table(messy, "item"), trace, manifest.load(folder / "cohort")


def test_labels_are_the_truth(curated):
    truth, _, trace, made = curated
    paths = {row["image_id"]: path for path, row in trace.items() if row["image_id"]}
    assert len(made) >= 5
    assert artifacts.read_json(made.folder / "report.json")["phantom_seed"] == 3
    for row in made.manifest.itertuples():
        true = truth[paths[row.image_id]]
        findings = sorted(part.split(":")[0] for part in true["findings"].split(";") if part)
        assert sorted(filter(None, row.diagnoses.split(";"))) == findings
        assert row.label == ("abnormal" if findings else "normal") and bool(row.mask) == bool(
            findings
        )
        assert row.label == "abnormal" or not true["devices"]


def test_messy_files_are_excluded_for_what_they_are(curated):
    _, messy, trace, _ = curated
    assert {row["kind"] for row in messy.values()} >= REASONS.keys()
    for path, row in messy.items():
        if row["kind"] in REASONS:
            assert trace[path]["rule"] in REASONS[row["kind"]] | HEADER, (
                path,
                row["kind"],
                trace[path],
            )

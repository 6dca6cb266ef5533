"""Swapped arguments: a folder in a RUN's place is told what it is, and what to give."""

import json

import pytest

from pgcxr.errors import InputError
from pgcxr.io import folders
from pgcxr.sampling import runs


def _made_by(folder, command: str):
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"made_by": {"command": command}}))
    return folder


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("train.classifier", "a RUN written by `python -m train.classifier`"),
        ("pgcxr curate", "a COHORT written by `pgcxr curate`"),
        ("pgcxr phantom", "an EXPORT written by `pgcxr phantom`"),
        ("pgcxr generate", "a folder of synthetic images written by `pgcxr generate`"),
        ("evaluate.axes", "a folder written by `python -m evaluate.axes`"),
    ],
)
def test_what_is_no_gan_says_what_it_is(tmp_path, command, what):
    folder = _made_by(tmp_path / "given", command)
    assert folders.describe(folder) == what
    with pytest.raises(InputError) as caught:
        runs.load_network(folder, runs.GENERATOR, folders.GAN)
    assert str(caught.value) == f"{folder}: is {what}; give a RUN written by `python -m train.gan`"


def test_dicom_files_are_an_export_and_a_manifest_is_a_cohort(tmp_path):
    (tmp_path / "export" / "study").mkdir(parents=True)
    (tmp_path / "export" / "study" / "image").write_bytes(bytes(128) + b"DICM")
    assert folders.describe(tmp_path / "export") == "an EXPORT of DICOM files"
    (tmp_path / "manifest.csv").write_text("image_id")
    assert folders.describe(tmp_path) == folders.KINDS["pgcxr curate"]


def test_a_run_of_the_right_kind_and_an_unknown_folder_pass(tmp_path):
    for command in ("train.gan", "pgcxr import-nvidia"):
        folder = _made_by(tmp_path / command.replace(" ", "-"), command)
        assert folders.existing_run(folder, (folders.GAN,)) == folder
    (tmp_path / "empty").mkdir()
    assert folders.existing_run(tmp_path / "empty", (folders.GAN,)) == tmp_path / "empty"
    with pytest.raises(InputError, match="no generator-ema.keras; name a RUN"):
        runs.load_network(tmp_path / "train.gan", runs.GENERATOR, folders.GAN)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"made_by": 3}', '{"made_by": {"command": 1}}'])
def test_a_damaged_report_says_nothing(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    assert folders.describe(tmp_path) is None

"""The options of `curate`, and their words, which stand in other modules too."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pgcxr import sources
from pgcxr.cli.app import app
from pgcxr.curation import options as module
from pgcxr.curation.options import CurationOptions
from pgcxr.dicom import normalization, pixel_data
from pgcxr.errors import ArgumentError
from pgcxr.images import CROP, PAD
from pgcxr.io import workers
from pgcxr.sources.weak_labels import decision


def test_the_words_are_those_of_their_modules():
    assert set(module.SOURCES) == set(sources.LAYOUTS)
    assert module.DECODERS == (pixel_data.PYDICOM, pixel_data.TFIO)
    assert module.LABELS == decision.POLICIES and module.UNCERTAIN == decision.UNCERTAIN_POLICIES
    assert module.MOST_PROCESSES == workers.MOST
    default = CurationOptions()
    assert normalization.parse(default.normalize) == normalization.THESIS
    assert default.fit == PAD and CurationOptions(fit=CROP)
    assert default.labels == decision.CODES and default.uncertain == decision.UNKNOWN


@pytest.mark.parametrize(
    "values",
    [
        {"bits": 12},
        {"size": 2},
        {"split": (1.0,)},
        {"split": 1},
        {"split": ("a", "b", "c")},
        {"seed": -1},
        {"rules_file": 3},
        {"black_out": "0,0,1,1"},
        {"label_sample": -1},
        {"processes": np.int64(2)},
    ],
)
def test_what_an_option_may_not_be(values):
    (name,) = values
    with pytest.raises(ArgumentError, match=f"^{name}: must be "):
        CurationOptions(**values)


def test_a_cohort_depends_on_no_option_of_the_run():
    run = CurationOptions(processes=3, overwrite=True, audit=False, trace="t", key_file="k")
    assert run.fingerprint() == CurationOptions().fingerprint()
    assert CurationOptions(normals=5).fingerprint() != CurationOptions().fingerprint()


def test_a_cohort_depends_on_what_is_in_files_and_not_on_where_they_are():
    paths = [
        field.name
        for field in dataclasses.fields(CurationOptions)
        if field.metadata["rule"].holds(Path("file")) and not field.metadata["of_the_run"]
    ]
    assert tuple(paths) == CurationOptions.names_by_content()


NAMES = (
    "out source rules size fit normalize normalise bits decoder black-out black-out-text split "
    "normals seed workers runner runner-option overwrite labels uncertain codes-file labels-file "
    "columns label-sample device-model key-file trace audit no-audit findings"
)


def test_the_names_on_the_command_line_stay():
    said = CliRunner().invoke(app, ["curate", "--help"], env={"COLUMNS": "200"}).output
    for name in NAMES.split():  # noqa: SIM905
        assert f"--{name} " in said or f"--{name}," in said, name

"""train.gan on a folder of DICOM files: the weights that a cohort of the same images gives."""

import numpy as np
import pytest

from pgcxr import command
from pgcxr.data import dicom_images, pipeline
from tests.data.conftest import chest, make_dicom  # noqa: F401
from tests.train.test_gan_records import SETS, _state
from train import gan


@pytest.fixture
def export(tmp_path, make_dicom, chest):  # noqa: F811
    for index in range(8):
        make_dicom(tmp_path / "export" / f"p{index}" / "IM1", chest(index))
    (tmp_path / "export" / "studies.csv").write_text("accession_number,diagnosis_codes\n")
    return tmp_path / "export"


def _run(*arguments) -> int:
    with pytest.raises(SystemExit) as stop:
        command.run(gan.app, [*map(str, arguments), "--config", "demo", *SETS])
    return stop.value.code


def test_trains_and_goes_on(export, tmp_path, capsys, monkeypatch):
    assert _run(export, "--out", tmp_path / "run", "--set", "total_kimg=0.032") == 0
    told = capsys.readouterr().out
    assert "8 images of DICOM files" in told and "1 files left out, 1 unreadable" in told
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 0)  # decoded as they are needed
    assert _run(export, "--out", tmp_path / "streamed", "--set", "total_kimg=0.032") == 0
    held, streamed = _state(tmp_path / "run"), _state(tmp_path / "streamed")
    assert held.keys() == streamed.keys() and len(held) > 10
    for name in held:
        # Two ways to round the exact half of a mean, at 4 px.
        np.testing.assert_allclose(held[name], streamed[name], atol=0.05, err_msg=name)


def test_labels_need_a_cohort(export, tmp_path, capsys):
    assert _run(export, "--out", tmp_path / "run", "--label", "normal") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "--label normal" in told and "pgcxr curate" in told
    assert not (tmp_path / "run").exists()


def test_one_image_is_too_few(tmp_path, make_dicom, chest, capsys):  # noqa: F811
    make_dicom(tmp_path / "export" / "IM1", chest(0))
    assert dicom_images.is_there(tmp_path / "export")
    assert _run(tmp_path / "export", "--out", tmp_path / "run") == 2
    assert "too few to train on" in capsys.readouterr().err

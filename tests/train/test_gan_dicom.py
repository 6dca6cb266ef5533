"""train.gan on a folder of DICOM files: the weights that a cohort of the same images gives."""

import numpy as np
import pytest

from pgcxr.cli import command
from pgcxr.cohort import dicom_images, pipeline
from pgcxr.io import artifacts
from tests.train.test_gan_records import SETS, SMALL
from train.common import load_config
from train.gan import images as gan_images
from train.gan.__main__ import app


@pytest.fixture
def export(tmp_path, make_dicom, chest):  # noqa: F811
    for index in range(8):
        make_dicom(tmp_path / "export" / f"p{index}" / "IM1", chest(index))
    (tmp_path / "export" / "studies.csv").write_text("accession_number,diagnosis_codes\n")
    return tmp_path / "export"


def _run(*arguments) -> int:
    with pytest.raises(SystemExit) as stop:
        command.run(app, [*map(str, arguments), "--config", "demo", *SETS])
    return stop.value.code


def test_trains_to_the_end(export, tmp_path, capsys):
    assert _run(export, "--out", tmp_path / "run") == 0
    told = capsys.readouterr().out
    assert "is an export, with studies.csv (a PACS export): run `pgcxr curate` on it first" in told
    assert "8 images of DICOM files" in told and "1 files left out, 1 unreadable" in told
    assert artifacts.read_json(tmp_path / "run" / "report.json")["kimg"] == 0.08
    assert _run(export, "--out", tmp_path / "run") == 0
    assert "is finished" in capsys.readouterr().out


@pytest.mark.parametrize("level", [2, 3])
def test_decoded_when_needed_they_are_the_same(export, monkeypatch, level):
    settings = load_config("gan", "demo").replace(**SMALL)
    batches = []
    for bytes_held in (pipeline.IN_MEMORY_BYTES, 0):
        monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", bytes_held)
        reals = pipeline.ImageDataset(gan_images.choose(export, settings).chosen, 8)
        reals.hold(level, print)
        batches.append(
            np.concatenate(list(reals.dataset(level, 0, 4, 4, 1).as_numpy_iterator())).astype(int)
        )
    held, streamed = batches
    assert held.shape == (16, 2**level, 2**level, 1) and np.ptp(held) > 100
    # Two ways to round the exact half of a mean.
    assert np.abs(held - streamed).max() <= (1 if level < 3 else 0)


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

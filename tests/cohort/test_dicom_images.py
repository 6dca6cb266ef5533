"""Training images straight from DICOM."""

from collections import Counter

import cv2
import numpy as np
import pytest
import tensorflow as tf

from pgcxr import dicom
from pgcxr.cohort import dicom_images, pipeline
from pgcxr.errors import InputError
from pgcxr.images import CROP, PAD, to_square


@pytest.fixture
def export(tmp_path, make_dicom, chest):
    """Seven images, a PNG, a cut file and one that is too small, not written in the order of their
    names."""
    folder = tmp_path / "SECRET^NAME"
    for index in (6, 2, 5, 0, 3, 1, 4):
        make_dicom(folder / f"p{index}" / "IM1", chest(index))
    cv2.imwrite(str(folder / "mask.png"), chest(7))
    cut = make_dicom(folder / "p1" / "IM2", chest(8))
    cut.write_bytes(cut.read_bytes()[:1500])
    make_dicom(folder / "p1" / "IM3", chest(9, 12))
    (folder / ".hidden").write_text("x")
    return folder


def expected(export, size: int, fit: str) -> np.ndarray:
    return np.stack(
        [to_square(dicom.decode(export / f"p{index}" / "IM1"), size, fit) for index in range(7)]
    )[..., None]


@pytest.mark.parametrize("fit", [PAD, CROP])
def test_images_in_order_and_what_is_none_counted(export, fit):
    rejected = Counter()
    images = pipeline.from_dicom(export, 32, fit=fit, rejected=rejected)
    assert images.element_spec == tf.TensorSpec((32, 32, 1), tf.uint8)
    np.testing.assert_array_equal(
        np.stack(list(images.as_numpy_iterator())), expected(export, 32, fit)
    )
    assert rejected == {"unreadable": 2, "too_small": 1}
    assert len(list(images.repeat(2).batch(4))) == 4 and rejected["too_small"] == 3


def test_without_a_counter_the_first_one_is_named_by_its_number(export):
    paths = [export / "p0" / "IM1", export / "p1" / "IM1", export / "p1" / "IM2"]
    images = pipeline.from_dicom(paths, 16).as_numpy_iterator()
    assert next(images).shape == next(images).shape == (16, 16, 1)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="file 3 of 3: unreadable: truncated"
    ) as error:
        next(images)
    assert "SECRET" not in str(error.value) and "IM2" not in str(error.value)


def test_options(export):
    paths = [export / "p0" / "IM1"]
    (plain,) = pipeline.from_dicom(paths, 32, normalize="none").as_numpy_iterator()
    assert (plain != next(pipeline.from_dicom(paths, 32).as_numpy_iterator())).any()
    for wrong in ({"fit": "stretch"}, {"normalize": "best"}, {"decoder": "gdcm"}):
        with pytest.raises(InputError):
            pipeline.from_dicom(paths, 32, **wrong)
    with pytest.raises(InputError, match="DICOM"):
        pipeline.from_dicom(export / "nowhere", 32)


def test_the_other_decoder(export):
    pytest.importorskip("tensorflow_io", reason="extra: needs pgcxr[tfio]")
    options = {"normalize": "none"}
    plain, by_tfio = (
        next(
            pipeline.from_dicom([export / "p0" / "IM1"], 32, **options, **more).as_numpy_iterator()
        )
        for more in ({}, {"decoder": "tfio"})
    )
    np.testing.assert_array_equal(plain, by_tfio)


@pytest.mark.parametrize("held", [True, False])
def test_reals_of_dicom_files(export, monkeypatch, held):
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 10**6 if held else 0)
    images = dicom_images.DicomImages(export, 32, hold_bytes=pipeline.IN_MEMORY_BYTES)
    assert len(images) == 7 and images.rejected == {"unreadable": 2, "too_small": 1}
    reals = pipeline.ImageDataset(images, 32)
    assert (reals.full is not None) == held
    of_arrays = pipeline.ImageDataset(expected(export, 32, PAD), 32)
    for level in (2, 5):
        ours, theirs = (
            list(r.dataset(level, 3, 4, 2, seed=0).as_numpy_iterator()) for r in (reals, of_arrays)
        )
        # Two ways to round the exact half of a mean.
        assert max(np.abs(a.astype(int) - b).max() for a, b in zip(ours, theirs, strict=True)) <= (
            level < 5
        )


def test_the_fingerprint_is_that_of_the_pixels(export, make_dicom, chest):
    def fingerprint() -> bytes:
        return dicom_images.DicomImages(export, 32, hold_bytes=0).fingerprint()

    before = fingerprint()
    make_dicom(export / "p4" / "IM1", chest(4), PatientID="ANOTHER")
    assert fingerprint() == before
    make_dicom(export / "p4" / "IM1", chest(5))
    assert fingerprint() != before


def test_a_file_that_went_away_is_named_by_its_number(export, monkeypatch):
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 0)
    reals = pipeline.ImageDataset(dicom_images.DicomImages(export, 32, hold_bytes=0), 32)
    (export / "p3" / "IM1").unlink()
    with pytest.raises(tf.errors.OpError):
        list(reals.dataset(5, 0, 7, 1, seed=0))
    with pytest.raises(InputError, match="of 10 can no longer be read") as error:
        reals.name_damaged(0, 7, seed=0)
    assert "IM1" not in str(error.value)


def test_what_holds_dicom(export, tmp_path):
    assert dicom_images.is_there(export)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("x")
    assert not dicom_images.is_there(tmp_path / "other")

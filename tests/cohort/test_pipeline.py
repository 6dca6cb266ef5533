"""Order and pixels of what the networks are shown."""

import cv2
import numpy as np
import pandas as pd
import pytest

from pgcxr.cohort import labels, pipeline
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own():
    chosen = pipeline.order(7, 0, 21, seed=3).reshape(3, 7)
    assert all(sorted(epoch) == list(range(7)) for epoch in chosen.tolist())
    assert len({tuple(epoch) for epoch in chosen.tolist()}) == 3


@pytest.mark.parametrize("start", [0, 1, 6, 7, 13, 20])
def test_the_order_can_be_entered_anywhere(start):
    whole = pipeline.order(7, 0, 40, seed=3)
    np.testing.assert_array_equal(pipeline.order(7, start, 11, seed=3), whole[start : start + 11])


def test_rare_findings_are_shown_more_often():
    findings = np.zeros((100, 2))
    findings[:4, 0] = 1  # 4 %: sqrt(0.16 / 0.04) = 2 times
    findings[2:52, 1] = 1  # 50 %: once
    findings[60, 1] = np.nan
    repeats = pipeline.repeat_factors(findings, 0.16)
    np.testing.assert_allclose(repeats, [2.0] * 4 + [1.0] * 96)
    repeats[4] = 1.5
    epochs, each = 40, 105  # 104.5 images an epoch
    shown = pipeline.order(100, 0, epochs * each, seed=3, repeats=repeats)
    counts = [np.bincount(epoch, minlength=100) for epoch in shown.reshape(epochs, each)]
    assert np.sum(counts, axis=0)[:4] == pytest.approx(2 * epochs, abs=3)
    assert min(map(min, counts)) == 1
    assert {count[4] for count in counts} == {1, 2}
    assert np.sum(counts, axis=0)[4] == pytest.approx(1.5 * epochs, abs=12)
    np.testing.assert_array_equal(
        pipeline.order(100, 95, 30, seed=3, repeats=repeats), shown[95:125]
    )
    assert not np.array_equal(shown[:each], np.sort(shown[:each])), "mixed within an epoch"


def test_labels_are_drawn_as_often_as_their_images_are_shown():
    rows = np.array([[1, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    repeats = np.array([1.0, 2.0, 1.0, 1.25])
    patterns, counts = labels.patterns(rows)
    shares = labels.shares(rows, repeats)
    assert dict(zip(map(tuple, patterns), shares, strict=True)) == {
        (1, 0): 2000,
        (0, 1): 2000,
        (1, 1): 1250,
    }
    np.testing.assert_array_equal(labels.shares(rows, np.ones(4)), 1000 * counts)


def test_reduction_is_the_rounded_mean():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)
    reduced = pipeline.reduce_by_area(images, 2)
    for n in range(2):
        for row in range(2):
            for column in range(2):
                box = images[n, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
                assert reduced[n, row, column, 0] == np.rint(box.mean())


@pytest.fixture
def cohort(tmp_path):
    (tmp_path / "images").mkdir()
    images = np.random.default_rng(1).integers(0, 256, (5, 32, 32), np.uint8)
    for index, image in enumerate(images):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), image)
    return Cohort(tmp_path, pd.DataFrame({"png": [f"images/{index}.png" for index in range(5)]}))


@pytest.mark.parametrize("level", [2, 4, 5])
def test_images_from_the_disk_equal_those_in_memory(cohort, level, monkeypatch):
    in_memory = pipeline.ImageDataset(cohort, 32)
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 0)
    on_disk = pipeline.ImageDataset(cohort, 32)
    assert in_memory.full is not None and on_disk.full is None
    ours, theirs = (
        list(reals.dataset(level, 3, 4, 2, seed=0).as_numpy_iterator())
        for reals in (in_memory, on_disk)
    )
    assert (
        len(ours) == 4 and ours[0].shape == (2, 2**level, 2**level, 1) and ours[0].dtype == np.uint8
    )
    # Two ways to round the exact half of a mean.
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(ours, theirs, strict=True)) <= 1


def test_small_levels_of_large_files_are_read_once(cohort, monkeypatch):
    monkeypatch.setattr(
        pipeline, "IN_MEMORY_BYTES", 5 * 8 * 8 * 4 // 3 + 1
    )  # 8 px fit, 16 px don't
    reals, said = pipeline.ImageDataset(cohort, 32), []
    read = [list(reals.dataset(level, 3, 4, 2, seed=0).as_numpy_iterator()) for level in (2, 3)]
    reals.hold(2, said.append)
    for path in cohort.paths():
        path.rename(path.with_suffix(".away"))
    reals.hold(3, said.append)
    held = [list(reals.dataset(level, 3, 4, 2, seed=0).as_numpy_iterator()) for level in (2, 3)]
    np.testing.assert_array_equal(np.concatenate(held[0]), np.concatenate(read[0]))
    np.testing.assert_array_equal(np.concatenate(held[1]), np.concatenate(read[1]))
    assert len(said) == 1 and "5 images" in said[0]
    reals.hold(4, said.append)
    assert not reals.levels and len(said) == 1


def test_a_damaged_file_is_named_where_levels_are_held(cohort, monkeypatch):
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 5 * 8 * 8 * 4 // 3 + 1)
    reals = pipeline.ImageDataset(cohort, 32)
    cohort.paths()[3].write_bytes(cohort.paths()[3].read_bytes()[:60])
    with pytest.raises(InputError, match="3.png"):
        reals.hold(3, lambda line: None)


def test_a_batch_holds_the_images_that_the_order_names(cohort):
    reals = pipeline.ImageDataset(cohort, 32)
    batches = np.concatenate(list(reals.dataset(5, 2, 3, 2, seed=9).as_numpy_iterator()))
    np.testing.assert_array_equal(batches, reals.full[pipeline.order(5, 2, 6, seed=9)])


@pytest.mark.parametrize("in_memory", [True, False])
def test_labels_go_with_their_images(cohort, monkeypatch, in_memory):
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 10**9 if in_memory else 0)
    labels = np.eye(5, dtype=np.float32)
    plain, labeled = pipeline.ImageDataset(cohort, 32), pipeline.ImageDataset(cohort, 32, labels)
    batches = list(labeled.dataset(4, 2, 3, 2, seed=9).as_numpy_iterator())
    np.testing.assert_array_equal(
        np.concatenate([rows for _, rows in batches]), labels[pipeline.order(5, 2, 6, seed=9)]
    )
    for (images, _), same in zip(
        batches, plain.dataset(4, 2, 3, 2, seed=9).as_numpy_iterator(), strict=True
    ):
        np.testing.assert_array_equal(images, same)
    assert labeled.dataset(4, 2, 3, 2, seed=9).element_spec[1].shape == (2, 5)


def test_an_image_smaller_than_the_network_is_refused(cohort):
    with pytest.raises(InputError, match="smaller than the 64 px"):
        pipeline.ImageDataset(cohort, 64)

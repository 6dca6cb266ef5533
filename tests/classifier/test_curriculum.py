"""Crops around lesions, by hand."""

import cv2
import numpy as np
import pytest

from pgcxr.classifier import curriculum
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import InputError
from tests.toy_cohort import spots, write_cohort


def test_squares_by_hand():
    mask = np.zeros((100, 100), bool)
    mask[40:60, 50:55] = True
    assert curriculum.around(mask) == pytest.approx(
        (0.35, 0.375, 0.3)
    )  # 20 px high: 30 wide around (50, 52.5)
    mask[41:, :] = False
    assert curriculum.around(mask) == pytest.approx((0.28, 0.4, 0.25))  # 5 px: the least
    corner = np.zeros((100, 100), bool)
    corner[98:, :30] = True
    assert curriculum.around(corner) == pytest.approx((0.55, 0.0, 0.45))  # moved inwards
    assert curriculum.around(np.ones((100, 100), bool)) == (0, 0, 1)
    assert curriculum.around(np.zeros((100, 100), bool)) is None


def test_cut_keeps_the_stored_resolution():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    np.testing.assert_array_equal(curriculum.cut(image, (0.25, 0.5, 0.5), 4), image[2:6, 4:8])
    np.testing.assert_allclose(
        curriculum.cut(image, (0, 0, 1), 4)[0, 0], image[:2, :2].mean(), atol=0.5
    )


@pytest.fixture
def cohort(tmp_path):
    """40 images of 16 px; every abnormal one but the last has a mask of 4 x 4 px, where it is
    white."""
    images, kind = spots(40, 16, seed=3)
    rng = np.random.default_rng(0)
    folder = write_cohort(tmp_path / "cohort", images // 2, kind)
    found = cohorts.load(folder)
    ill = np.flatnonzero(kind > 0)[:-1]
    for row in ill:
        y, x = rng.integers(2, 10, 2)
        mask = np.zeros((16, 16), np.uint8)
        mask[y : y + 4, x : x + 4] = 255
        found.manifest.loc[row, "mask"] = f"mask{row}.png"
        cv2.imwrite(str(folder / f"mask{row}.png"), mask)
        cv2.imwrite(str(found.paths()[row]), np.maximum(mask, images[row, ..., 0] // 2))
    return found, kind


def test_crops_hold_the_lesion_and_normal_ones_come_from_the_same_places(cohort):
    rows, kind = cohort
    labels = (kind > 0).astype(np.float32)[:, None]
    images, known = curriculum.crops(rows, labels, 12, seed=1)
    assert images.shape == (39, 12, 12, 1) and images.dtype == np.uint8
    assert (known == 1).sum() == (kind > 0).sum() - 1 and (known == 0).sum() == (kind == 0).sum()
    # 4 px of 6 are lesion, each way; in the whole images it is 1 in 16.
    white = (images > 200).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(white[known[:, 0] == 1], (4 / 6) ** 2, atol=0.12)
    assert (white[known[:, 0] == 0] == 0).all()
    again, _ = curriculum.crops(rows, labels, 12, seed=1)
    np.testing.assert_array_equal(again, images)
    other, _ = curriculum.crops(rows, labels, 12, seed=2)
    changed = (other != images).any(axis=(1, 2, 3))
    assert changed[known[:, 0] == 0].any() and not changed[known[:, 0] == 1].any()


def test_without_masks_there_is_no_first_lesson(cohort):
    rows, kind = cohort
    rows.manifest["mask"] = ""
    with pytest.raises(InputError, match="0 abnormal training images of .* have a lesion mask"):
        curriculum.crops(rows, kind[:, None], 12, seed=1)

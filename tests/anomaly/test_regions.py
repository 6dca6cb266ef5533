"""Lesions found, each as one, against slow twins and cases by hand."""

import numpy as np
import pytest
from scipy import ndimage

from pgcxr.anomaly.regions import FALSE_MARKS, aupro, froc

SIZE = 32


def _slow_aupro(maps, lesions, limit, steps=1000):
    """Threshold after threshold, lesion after lesion."""
    whole = []
    for number, lesion in enumerate(lesions):
        named, count = ndimage.label(lesion, np.ones((3, 3)))
        whole += [(number, named == each) for each in range(1, count + 1)]
    points = [(0.0, 0.0)]
    for threshold in np.quantile(maps, np.linspace(1, 0, steps)):
        above = maps >= threshold
        overlap = np.mean([above[number][each].mean() for number, each in whole])
        points.append(((above & ~lesions).sum() / (~lesions).sum(), overlap))
    x, y = np.array(points).T
    grid = np.linspace(0, limit, 2001)
    return np.interp(grid, x, y).mean()


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    lesions = np.zeros((6, SIZE, SIZE), bool)
    lesions[0, 3:9, 3:20], lesions[0, 25:27, 25:27] = True, True  # two in one image
    lesions[1, 10:12, 10:12], lesions[2, 5:15, 5:15] = True, True
    lesions[3, 8, 8] = lesions[3, 9, 9] = True  # corner to corner: one
    return rng.normal(size=lesions.shape) + 1.2 * lesions, lesions


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_aupro_is_that_of_a_slow_twin(noisy, limit):
    assert aupro(*noisy, limit) == pytest.approx(_slow_aupro(*noisy, limit), abs=4e-3)


def test_aupro_of_ties_and_of_chance(noisy):
    maps, lesions = noisy
    assert aupro(np.zeros(maps.shape), lesions) == pytest.approx(0.15)
    coarse = np.round(maps)
    assert aupro(coarse, lesions) == pytest.approx(_slow_aupro(coarse, lesions, 0.3), abs=4e-3)
    # A large lesion, found, counts as much as a small one that is not.
    found = np.zeros(maps.shape)
    found[0, 3:9, 3:20] = 1
    only = np.zeros(lesions.shape, bool)
    only[0, 3:9, 3:20] = only[1, 10:12, 10:12] = True
    assert aupro(found, only) == pytest.approx(0.5 + 0.5 * 0.15)


def test_froc_by_hand():
    # The last four are abnormal, too, without a mark: rates are of normal images alone.
    maps, lesions = np.zeros((9, SIZE, SIZE)), np.zeros((9, SIZE, SIZE), bool)
    normal = np.arange(9) % 5 > 0
    normal[5:] = False
    lesions[0, 4:8, 4:8] = lesions[0, 20:24, 20:24] = lesions[0, 28:30, 4:6] = True
    maps[0, 5, 5], maps[0, 21, 21] = 5.0, 2.0  # the third lesion has no peak of its own
    maps[0, 15, 15] = 9.0  # of an abnormal image: not counted as false
    maps[1, 9, 9], maps[1, 10, 10] = 3.0, 2.9  # too near: one mark
    maps[2, 9, 9] = 1.0
    found = froc(maps, lesions, normal)
    assert found["lesions"] == 3 and found["false_marks"] == list(FALSE_MARKS)
    # 1/8 and 1/4 x 4 normals: no false mark, then one at most (the next has 1.0).
    assert found["found"][:3] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert found["mean"] == pytest.approx(np.mean(found["found"]))


def test_marks_of_one_image_do_not_touch_another():
    """A plain over all images is one mark in each."""
    maps, lesions = np.ones((3, 8, 8)), np.zeros((3, 8, 8), bool)
    lesions[0, 2:4, 2:4] = True
    found = froc(maps, lesions, np.array([False, True, True]))
    # Two false marks in two normals, as high as the lesion: found only where both are allowed.
    assert found["found"] == [0, 0, 0, 1, 1, 1, 1]

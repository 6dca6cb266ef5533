"""Localization by hand: peaks in, near and far from lesions."""

import numpy as np
import pytest

from pgcxr.anomaly.lesions import localization
from pgcxr.errors import ArgumentError

SIZE = 32


@pytest.fixture
def images():
    """(maps, masks, classes): a nodule hit, a mass missed, a normal image, one of unknown mask."""
    maps, masks = np.ones((4, SIZE, SIZE)), np.zeros((4, SIZE, SIZE))
    masks[:2, 8:12, 8:12] = 1.0
    masks[3] = np.nan
    maps[0, 8:12, 8:12], maps[0, 9, 9] = 2.0, 18.0
    maps[1, 30, 30] = 5.0
    return maps, masks, np.array(["nodule", "mass", "normal", "mass"])


def test_hits_contrast_and_area_by_hand(images):
    table = localization(*images, ("nodule", "mass", "effusion"))
    assert table["n"] == 2 and table["hit_rate"] == 0.5
    assert list(table["classes"]) == ["nodule", "mass"]
    nodule, mass = table["classes"].values()
    assert nodule["n"] == mass["n"] == 1 and (nodule["hit_rate"], mass["hit_rate"]) == (1, 0)
    assert nodule["contrast"] == pytest.approx(3.0) and mass["contrast"] < 1
    assert nodule["area"] == pytest.approx(16 / SIZE**2)
    # The lesion and one pixel around it, without the corners.
    assert nodule["hit_rate_by_chance"] == pytest.approx(32 / SIZE**2)
    # Of the nodule's pixels all stand out; the mass's are among the ordinary ones, ties half.
    assert 0.7 < table["pixel_auroc"] < 0.8


def test_a_peak_beside_the_lesion_is_a_hit(images):
    maps, masks, classes = images
    maps[1, 30, 30], maps[1, 12, 10] = 1.0, 5.0
    assert localization(maps, masks, classes, ("nodule", "mass"))["hit_rate"] == 1
    maps[1, 12, 10], maps[1, 13, 10] = 1.0, 5.0
    assert localization(maps, masks, classes, ("nodule", "mass"))["hit_rate"] == 0.5


def test_without_masks_nothing_is_said(images):
    maps, masks, classes = images
    table = localization(maps, 0 * np.nan_to_num(masks), classes, ("nodule", "mass"))
    assert table["n"] == 0 and table["pixel_auroc"] is None and table["classes"] == {}
    with pytest.raises(ArgumentError, match="masks: must be"):
        localization(maps, masks[:2], classes, ("nodule",))

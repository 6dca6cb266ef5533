"""Whether heat lies where an image has changed."""

import numpy as np
import pytest

from pgcxr.metrics.saliency import in_words, on_change


def test_shares_by_hand():
    change = np.zeros((2, 10, 10))
    change[:, 0, :] = np.arange(1, 11)  # the ten pixels that change most, of a hundred
    change[:, 9, 9] = 0.5
    heat = np.zeros((2, 10, 10))
    heat[0, 0, :5], heat[0, 9, :5] = 3.0, 1.0  # three quarters of it on them
    heat[1, 0, 0], heat[1, 5, 5] = 1.0, 3.0  # one quarter
    found = on_change(heat, -change)
    assert found["share"] == pytest.approx(0.5) and found["by_chance"] == 0.1
    assert found["change_zone"] == "upper right"
    assert found["zone"] == "upper left" and found["zone_share"] == pytest.approx((0.6 + 0.25) / 2)
    assert "lies to 50% on the tenth" in in_words(found) and "upper left" in in_words(found)


def test_a_coarse_map_is_enlarged_and_an_empty_one_says_nothing():
    change = np.zeros((2, 8, 8))
    change[:, 4:, 4:] = 1.0
    heat = np.zeros((2, 2, 2), np.float32)
    heat[0, 1, 1] = 1.0
    found = on_change(heat, change)
    assert found["maps"] == 1 and found["share"] > 0.2 and found["zone"] == "lower right"
    nothing = on_change(heat[1:], change[1:])
    assert nothing["maps"] == 0 and nothing["share"] is None and "is empty" in in_words(nothing)

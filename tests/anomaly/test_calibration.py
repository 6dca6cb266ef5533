"""Scores and thresholds from healthy images only: what they promise must hold on new healthy
images."""

import numpy as np
import pytest
from scipy.stats import kstest

from pgcxr.anomaly import calibration, maps
from pgcxr.errors import ArgumentError

WIDTH = 16


def healthy(rng, count):
    """Differences whose size depends on the place: large at the right, none at the left edge."""
    size = np.linspace(0, 1, WIDTH) ** 2
    return (rng.normal(size=(count, WIDTH, WIDTH)) * size + 0.2 * size).astype(np.float32)


def test_the_score_is_the_mean_of_the_highest_parts_of_the_map():
    z = np.zeros((1, 2, 10, 10))
    z[0, :, 0, :3] = [[3, 6, 9], [3, 6, 9]]
    np.testing.assert_allclose(calibration.image_scores(z), [6.0])  # 3 of 100 pixels
    z[0, 1] = 0
    np.testing.assert_allclose(calibration.image_scores(z), [6.0 / np.sqrt(2)])


def test_p_values_by_hand():
    np.testing.assert_allclose(
        calibration.p_values(np.array([1.0, 2, 3]), np.array([0.5, 2, 3.5])), [1, 3 / 4, 1 / 4]
    )


def test_threshold_is_where_the_p_value_gets_small_enough():
    known = np.random.default_rng(2).normal(size=120)
    limit = calibration.threshold(known, 0.95)
    new = np.concatenate([np.random.default_rng(3).normal(size=500) * 2, known])
    np.testing.assert_array_equal(new > limit, calibration.p_values(known, new) <= 0.05 + 1e-12)


def test_nineteen_healthy_images_are_the_fewest_for_95_percent():
    assert calibration.threshold(np.arange(19.0), 0.95) == 18.0
    with pytest.raises(ArgumentError, match="18 healthy images"):
        calibration.threshold(np.arange(18.0), 0.95)


def test_p_values_of_new_healthy_images_are_uniform():
    rng = np.random.default_rng(4)
    p = np.concatenate(
        [calibration.p_values(rng.normal(size=99), rng.normal(size=1)) for _ in range(1500)]
    )
    assert kstest(p - rng.uniform(0, 0.01, len(p)), "uniform").pvalue > 0.01


def test_new_healthy_images_raise_false_alarms_at_the_stated_rate():
    alarms = []
    for seed in range(12):
        rng = np.random.default_rng([9, seed])
        known, new = (
            maps.windowed(healthy(rng, 100)),
            maps.windowed(healthy(rng, 100)),
        )
        limit = calibration.threshold(calibration.cross_scores(known, rng), 0.95)
        z = maps.standardized(new, maps.learn_healthy(known))
        alarms.append(np.mean(calibration.image_scores(z) > limit))
    # 1,200 images, and thresholds from 100 each: 5 % give or take 2.5.
    assert 0.02 < np.mean(alarms) < 0.08, alarms


def test_scored_by_their_own_statistics_healthy_images_would_look_too_healthy():
    rng = np.random.default_rng(5)
    known = maps.windowed(healthy(rng, 40))
    own = calibration.image_scores(maps.standardized(known, maps.learn_healthy(known)))
    assert calibration.cross_scores(known, rng).mean() > own.mean() + 0.05


def test_a_lesion_is_found_in_place_and_a_busy_place_is_forgiven():
    rng = np.random.default_rng(6)
    known = maps.windowed(healthy(rng, 200))
    ill = healthy(rng, 1)
    ill[0, 6:9, 4:7] += 0.6  # where healthy differences have a deviation of about 0.1
    z = maps.standardized(maps.windowed(ill), maps.learn_healthy(known))
    peak = np.unravel_index(np.argmax(maps.anomaly_map(z)[0]), (WIDTH, WIDTH))
    assert 5 <= peak[0] <= 9 and 3 <= peak[1] <= 7
    assert calibration.image_scores(z)[0] > calibration.threshold(
        calibration.cross_scores(known, rng), 0.95
    )
    # The same bump where healthy images differ as much is no alarm.
    busy = healthy(np.random.default_rng(6), 1)
    busy[0, 6:9, 13:16] += 0.6
    z_busy = maps.standardized(maps.windowed(busy), maps.learn_healthy(known))
    assert calibration.image_scores(z_busy)[0] < calibration.image_scores(z)[0] / 2

"""Counterfactual latent divergence, against counting by hand and loops."""

import math

import numpy as np
import pytest

from pgcxr.metrics.minimality import minimality


def test_the_least_change_that_reaches_the_class_is_best():
    """On a line: normals from 0 to 1, diseased from 5 on; the start is at 0."""
    start, own, target = np.zeros((1, 1)), np.linspace(0, 1, 5)[:, None], np.full((4, 1), 5.0)
    best = minimality(start, np.full((1, 1), 2.0), own, target)
    assert best["divergence"][0] == 0 == best["target_nearer"][0] == best["own_farther"][0]
    too_far = minimality(start, np.full((1, 1), -6.0), own, target)
    assert (too_far["target_nearer"][0], too_far["own_farther"][0]) == (1, 0)
    unchanged = minimality(start, start, own, target)
    assert (unchanged["target_nearer"][0], unchanged["own_farther"][0]) == (0, 1)
    assert unchanged["divergence"][0] == pytest.approx(math.log(0.8 + 0.2 * math.e))
    assert too_far["divergence"][0] == pytest.approx(math.log(0.8 * math.e + 0.2))


def test_equal_to_loops():
    rng = np.random.default_rng(3)
    before, after, own, target = (rng.normal(size=(n, 7)) for n in (5, 5, 40, 30))
    found = minimality(before, after, own, target)
    for row in range(5):
        moved = sum(abs(after[row] - before[row])) / 7
        nearer = sum(sum(abs(one - before[row])) / 7 <= moved for one in target) / 30
        farther = sum(sum(abs(one - before[row])) / 7 >= moved for one in own) / 40
        wanted = math.log(0.8 * math.exp(nearer) + 0.2 * math.exp(farther))
        assert found["divergence"][row] == pytest.approx(wanted)
    assert len(set(found["divergence"])) > 1

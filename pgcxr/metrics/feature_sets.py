"""Two sets of feature vectors: what is refused, and how their pairs are gone through in flat
memory."""

from collections.abc import Iterator

import numpy as np

# Pairs held at a time: 32 MB in float64. Fewer are multiplied more slowly.
PAIRS = 2**22


def checked(real: np.ndarray, fake: np.ndarray, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays [N, D] and [M, D]; ValueError unless they are finite, of one D, and N, M >=
    `least`."""
    sets = np.asarray(real), np.asarray(fake)
    for name, features in zip(("real", "fake"), sets, strict=True):
        if features.ndim != 2 or not features.shape[1] or features.dtype.kind not in "fiu":
            raise ValueError(
                f"{name} features must be numbers [N, D], not {features.dtype} {features.shape}"
            )
        if len(features) < least:
            raise ValueError(
                f"{name} features: {len(features)} images; at least {least} are needed"
            )
        if not np.isfinite(features).all():
            raise ValueError(f"{name} features hold values that are no finite numbers")
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(
            f"real features have {sets[0].shape[1]} dimensions, fake ones {sets[1].shape[1]}"
        )
    return sets


def products(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, a[rows] @ b.T float64 [rows, M]) for all rows, at most PAIRS values at a time.

    The block is the caller's to change, until the next comes: all are one piece of memory, as
    asking the system for new pages each time took longer than the products.
    """
    step = max(1, PAIRS // len(b))
    block = np.empty((min(step, len(a)), len(b)))
    for start in range(0, len(a), step):
        rows = slice(start, min(start + step, len(a)))
        yield rows, np.matmul(a[rows], b.T, out=block[: rows.stop - start])


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, float64 [rows, M]) for centered float64 features a [N, D] and b [M, D].

    By |a|^2 + |b|^2 - 2 a.b. What is less than the rounding error of these is 0, so that equal
    vectors are at 0. The block is the caller's to change, until the next comes.
    """
    norms_a, norms_b = np.einsum("nd,nd->n", a, a), np.einsum("nd,nd->n", b, b)
    for rows, found in products(-2 * a, b):
        found += norms_a[rows, None]
        found += norms_b
        rounding = 1e-12 * (norms_a[rows] + norms_b.max())
        if found.min() < rounding.max():
            found[found < rounding[:, None]] = 0
        yield rows, found

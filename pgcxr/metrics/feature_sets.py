"""Two sets of feature vectors: what is refused, how their pairs are gone through in flat memory,
and the nearest of one set to each of the other, exactly.

scikit-learn's pairwise distances and neighbors give the same, but hold all pairs, or cannot leave
out those of one patient.
"""

from collections.abc import Iterator

import numpy as np

# Pairs held at a time: 32 MB in float64. Fewer are multiplied more slowly.
PAIRS = 2**22
CHUNK = 4096  # vectors of each set held in float64


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
    for rows, apart in products(-2 * a, b):
        apart += norms_a[rows, None]
        apart += norms_b
        rounding = 1e-12 * (norms_a[rows] + norms_b.max())
        if apart.min() < rounding.max():
            apart[apart < rounding[:, None]] = 0
        yield rows, apart


def nearest(
    queries: np.ndarray, references: np.ndarray, groups: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(Euclidean distance float64 [N], index [N]) of the nearest of `references` [M, D] to each of
    `queries` [N, D].

    Of equally near ones it is any. Memory is flat: at most CHUNK of each set are compared at a
    time.

    Args:
        groups: of queries [N] and references [M]; those of the query's own group are left out.

    Raises:
        ValueError: not two sets of finite vectors of one length, or a query whose group is all
            there is.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.feature_sets import nearest
        >>> distance, index = nearest(np.array([[0.0, 1.0]]), np.array([[5.0, 1.0], [0.0, 3.0]]))
        >>> distance.tolist(), index.tolist()
        ([2.0], [1])
    """
    references, queries = checked(references, queries, least=1)
    if groups is not None and (len(groups[0]), len(groups[1])) != (len(queries), len(references)):
        raise ValueError("groups: one is needed for each query and each reference")
    # Around the mean few digits are lost in the distances.
    center = references.mean(axis=0, dtype=np.float64)
    least, index = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    for start in range(0, len(references), CHUNK):
        some = references[start : start + CHUNK] - center
        for first in range(0, len(queries), CHUNK):
            for rows, apart in squared_distances(queries[first : first + CHUNK] - center, some):
                place = slice(first + rows.start, first + rows.stop)
                if groups is not None:
                    apart[groups[0][place, None] == groups[1][None, start : start + CHUNK]] = np.inf
                best = apart.argmin(axis=1)
                value = apart[np.arange(len(apart)), best]
                nearer = value < least[place]
                least[place][nearer] = value[nearer]
                index[place][nearer] = best[nearer] + start
    if np.isinf(least).any():
        raise ValueError("no reference of another group: at least two groups are needed")
    return paired(queries, references, index), index


def paired(a: np.ndarray, b: np.ndarray, index: np.ndarray | None = None) -> np.ndarray:
    """float64 [N]: the distance of each of `a` [N, D] to `b`[index], without rounding as in
    products."""
    index = np.arange(len(b)) if index is None else index
    distances = np.empty(len(a))
    for start in range(0, len(a), CHUNK):
        rows = slice(start, start + CHUNK)
        distances[rows] = np.linalg.norm(a[rows].astype(np.float64) - b[index[rows]], axis=1)
    return distances

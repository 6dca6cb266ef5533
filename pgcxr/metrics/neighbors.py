"""The nearest of many vectors to each of many others, exactly and in flat memory."""

import numpy as np

from pgcxr.metrics.feature_sets import checked, squared_distances

CHUNK = 4096  # vectors of each set held in float64


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
                found = apart.argmin(axis=1)
                value = apart[np.arange(len(apart)), found]
                nearer = value < least[place]
                least[place][nearer] = value[nearer]
                index[place][nearer] = found[nearer] + start
    if np.isinf(least).any():
        raise ValueError("no reference of another group: at least two groups are needed")
    return paired(queries, references, index), index


def paired(a: np.ndarray, b: np.ndarray, index: np.ndarray | None = None) -> np.ndarray:
    """float64 [N]: the distance of each of `a` [N, D] to `b`[index], without rounding as in
    products."""
    index = np.arange(len(b)) if index is None else index
    found = np.empty(len(a))
    for start in range(0, len(a), CHUNK):
        rows = slice(start, start + CHUNK)
        found[rows] = np.linalg.norm(a[rows].astype(np.float64) - b[index[rows]], axis=1)
    return found

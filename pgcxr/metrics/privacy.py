"""Does a generator repeat its training images? Distances to the nearest of them, beside those of
held-out images.

C_T: Meehan, Chaudhuri & Dasgupta 2020, A non-parametric test to detect data-copying in generative
models (AISTATS, arXiv 2004.05675). Authenticity: Alaa et al. 2022, How faithful is your synthetic
data? (ICML, arXiv 2102.08921); here a training image's neighbors are those of other patients, as
two images of one patient may be near without any copying. Neither is in a library that takes groups
of images (patients), and both need only distances.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pgcxr.metrics.feature_sets import nearest, paired
from pgcxr.metrics.proportions import clopper_pearson
from pgcxr.metrics.roc import auroc, mann_whitney_u

# The cut-off: half of all pairs of images of one patient are nearer, but 1 % of the nearest images
# of other patients at most, as a cut-off that real strangers are often below would say nothing.
SAME_PATIENT, OTHER_PATIENTS = 0.5, 0.01
LEAST_PAIRS = 20
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
LEAST_IN_CELL = 10  # of each set, for the normal approximation
HELD_OUT_PER_CELL, MOST_CELLS = 50, 20


@dataclass(frozen=True)
class Distances:
    """From images to their nearest training images.

    Attributes:
        generated, held_out: [N], [M].
        of_generated, of_held_out: int [N], [M], which training image that is.
        training: [T], to the nearest of another patient.
        same_patient: [S], of pairs of real images of one patient from one to the other.
        twin: int [N], which twin of the training image is meant; 0: the image itself.
    """

    generated: np.ndarray
    of_generated: np.ndarray
    held_out: np.ndarray
    of_held_out: np.ndarray
    training: np.ndarray
    same_patient: np.ndarray
    twin: np.ndarray


def measure(
    generated: np.ndarray,
    held_out: np.ndarray,
    training: np.ndarray,
    patients: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    twins: Callable[[], Iterable[np.ndarray]] = tuple,
) -> Distances:
    """The distances between vectors [N, D], [M, D] and [T, D].

    Args:
        patients: [T], whose each training image is.
        pairs: two arrays [S, D], real images of one patient in each row.
        twins: gives arrays [T, D] of the training images in other forms, which are looked for, too:
            mirrored, say.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.privacy import measure
        >>> training, held_out = np.array([[0.0], [4.0], [9.0]]), np.array([[6.0]])
        >>> patients = np.array([1, 1, 2])
        >>> pairs = training[:1], training[1:2]
        >>> distances = measure(np.array([[0.5]]), held_out, training, patients, pairs)
        >>> distances.generated.tolist(), distances.held_out.tolist(), distances.training.tolist()
        ([0.5], [2.0], [9.0, 5.0, 5.0])
    """
    patients = np.unique(patients, return_inverse=True)[1]
    to_generated, of_generated = nearest(generated, training)
    to_held_out, of_held_out = nearest(held_out, training)
    to_others, _ = nearest(training, training, (patients, patients))
    twin = np.zeros(len(generated), np.int64)
    for number, others in enumerate(twins(), 1):
        nearer = _nearer(generated, others, to_generated, of_generated)
        twin[nearer] = number
        _nearer(held_out, others, to_held_out, of_held_out)
        _nearer(training, others, to_others, None, (patients, patients))
    return Distances(
        to_generated, of_generated, to_held_out, of_held_out, to_others, paired(*pairs), twin
    )


def _nearer(
    queries: np.ndarray,
    references: np.ndarray,
    least: np.ndarray,
    index: np.ndarray | None,
    groups: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Brings `least` and `index` up to date in place; returns where one of `references` is nearer,
    bool [N]."""
    apart, which = nearest(queries, references, groups)
    nearer = apart < least
    least[nearer] = apart[nearer]
    if index is not None:
        index[nearer] = which[nearer]
    return nearer


def rank_z(a: np.ndarray, b: np.ndarray) -> float:
    """Mann-Whitney's z, below 0 where values of `a` are smaller than those of `b`; ties count half.

    Without a continuity correction; 0 where all values are equal.
    """
    n, m = len(a), len(b)
    ranks = stats.rankdata(np.concatenate([a, b]))
    u = mann_whitney_u(ranks[:n].sum(), n)
    # The variance of ranks allows for ties.
    variance = n * m / (n + m) * ranks.var(ddof=1)
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def cells(
    train: np.ndarray, generated: np.ndarray, held_out: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The cell of a k-means partition of `train` that each generated and each held-out vector is
    in."""
    from sklearn.cluster import MiniBatchKMeans

    count = int(np.clip(len(held_out) // HELD_OUT_PER_CELL, 1, min(MOST_CELLS, len(train))))
    means = MiniBatchKMeans(count, n_init=3, random_state=seed & 0x7FFFFFFF).fit(
        train.astype(np.float32)
    )
    return means.predict(generated.astype(np.float32)), means.predict(held_out.astype(np.float32))


def c_t(
    generated: np.ndarray, held_out: np.ndarray, of_generated: np.ndarray, of_held_out: np.ndarray
) -> dict:
    """Are generated images [N] nearer to the training set than held-out ones [M], in cells of it?

    C_T is the mean of the cells' z, weighted by their held-out images (Meehan et al., equation 4),
    over its standard deviation when nothing is copied, so that it is a standard normal value
    itself. Far below 0: copies; far above: images unlike the training set. Cells with fewer than
    LEAST_IN_CELL images of a set are left out.

    Args:
        of_generated, of_held_out: the cell of each.

    Returns:
        {z, p (one-sided, of copying), mean_z: as in the paper, worst_cell: the least z, cells,
        held_out_covered}.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.privacy import c_t
        >>> rng, cell = np.random.default_rng(0), np.zeros(100, int)
        >>> held_out = rng.normal(5, 1, 100)
        >>> round(c_t(rng.normal(5, 1, 100), held_out, cell, cell)['z'], 1)
        -0.6
        >>> round(c_t(rng.normal(3, 1, 100), held_out, cell, cell)['z'], 1)
        -10.4
    """
    used = [
        (generated[of_generated == cell], held_out[of_held_out == cell])
        for cell in np.intersect1d(of_generated, of_held_out)
    ]
    used = [pair for pair in used if min(map(len, pair)) >= LEAST_IN_CELL]
    used = used or [(generated, held_out)]
    z = np.array([rank_z(*pair) for pair in used])
    counts = np.array([len(pair[1]) for pair in used])
    weights = counts / counts.sum()
    mean = float(weights @ z)
    total = mean / float(np.linalg.norm(weights))
    return {
        "z": total,
        "p": float(stats.norm.cdf(total)),
        "mean_z": mean,
        "worst_cell": float(z.min()),
        "cells": len(used),
        "held_out_covered": float(counts.sum() / len(held_out)),
    }


def cutoff(distances: Distances) -> dict:
    """{value, set_by: "same patient" or "other patients", same_patient_median, other_patients,
    same_patient_below}.

    A synthetic image that is as near to a training image as two images of one patient are to each
    other may show that patient. See SAME_PATIENT and OTHER_PATIENTS; the latter is a quantile of
    the training images' own distances, so that held-out images tell independently how often
    strangers are below.

    `auroc` says how well distances tell two images of one patient from the nearest of others
    (held-out to training): 1 always, 0.5 not at all. Below 0.5 strangers are the nearer ones, as in
    large cohorts of like images.
    """
    others = float(np.quantile(distances.training, OTHER_PATIENTS))
    same = distances.same_patient
    if len(same) < LEAST_PAIRS:
        return {
            "value": others,
            "set_by": "other patients",
            "other_patients": others,
            "pairs": len(same),
        }
    median = float(np.quantile(same, SAME_PATIENT))
    value = min(median, others)
    strangers = np.repeat([1, 0], [len(distances.held_out), len(same)])
    return {
        "value": value,
        "set_by": "same patient" if median <= others else "other patients",
        "same_patient_median": median,
        "other_patients": others,
        "pairs": len(same),
        "same_patient_below": float((same <= value).mean()),
        "auroc": auroc(strangers, np.concatenate([distances.held_out, same])),
    }


def share_test(generated: np.ndarray, held_out: np.ndarray, alpha: float) -> dict:
    """Is a property, bool [N] and [M], more frequent in generated images than in held-out ones?
    Fisher's exact test.

    Returns:
        {count, n, share, ci95 (Clopper-Pearson), held_out: {count, n, share}, p (one-sided),
        found_from: the least share of N that would be significant at `alpha` beside these held-out
        ones; None where none would}.
    """
    k, n, j, m = int(generated.sum()), len(generated), int(held_out.sum()), len(held_out)
    # P(K >= k) when k + j of n + m are drawn: K is hypergeometric.
    counts = np.arange(n + 1)
    p = stats.hypergeom.sf(counts - 1, n + m, counts + j, n)
    enough = np.flatnonzero(p < alpha)
    return {
        "count": k,
        "n": n,
        "share": k / n,
        "ci95": clopper_pearson(k, n),
        "held_out": {"count": j, "n": m, "share": j / m},
        "p": float(p[k]),
        "found_from": float(enough[0] / n) if len(enough) else None,
    }


def copying(distances: Distances, cell_of: tuple[np.ndarray, np.ndarray], alpha: float) -> dict:
    """What the distances say: near copies, C_T and authenticity.

    Args:
        cell_of: the cells of generated and of held-out images, see `cells`.
        alpha: a test whose p is below it fails.

    Returns:
        {cutoff, near_copies, nearer_than_all, c_t, not_authentic, failed: the names of the tests
        that did}. near_copies counts what is at or below the cut-off; nearer_than_all, what is
        below every held-out image, finds a few whole copies; authentic is an image that is farther
        from its nearest training image than that is from the nearest of another patient.
    """
    limit = cutoff(distances)
    no_held_out = np.zeros(len(distances.held_out), bool)
    tests = {
        "near_copies": share_test(
            distances.generated <= limit["value"], distances.held_out <= limit["value"], alpha
        ),
        # The k nearest of all images may be any k of them: the chance that all are synthetic is
        # that of Fisher's test.
        "nearer_than_all": share_test(
            distances.generated < distances.held_out.min(), no_held_out, alpha
        ),
        "c_t": c_t(distances.generated, distances.held_out, *cell_of),
        "not_authentic": share_test(
            distances.generated <= distances.training[distances.of_generated],
            distances.held_out <= distances.training[distances.of_held_out],
            alpha,
        ),
    }
    return {
        "cutoff": limit,
        **tests,
        "failed": [name for name, test in tests.items() if test["p"] < alpha],
    }


def nearer_training(
    generated: np.ndarray, training: np.ndarray, held_out: np.ndarray, seed: int
) -> dict:
    """How often is a training image nearer to a generated one than a held-out image is, of as many
    of each at random?

    {share, count, n, of_each}. About half where nothing is copied, also where images are blurred or
    all alike: those are near to any real image, so that the tests of `copying` may fail though no
    patient's image is repeated.
    """
    rng = np.random.default_rng(seed)
    count = min(len(training), len(held_out))
    sets = [each[np.sort(rng.permutation(len(each))[:count])] for each in (training, held_out)]
    to_training, to_held_out = (nearest(generated, each)[0] for each in sets)
    nearer = float((to_training < to_held_out).sum() + 0.5 * (to_training == to_held_out).sum())
    return {
        "share": nearer / len(generated),
        "count": nearer,
        "n": len(generated),
        "of_each": count,
    }


def quantiles(distances: Distances) -> dict:
    """{generated, held_out, training, same_patient: {"0.01": distance, ...}}, for reports; {} where
    there are none."""
    sets = ("generated", "held_out", "training", "same_patient")
    return {
        name: {str(share): float(np.quantile(values, share)) for share in QUANTILES}
        if len(values)
        else {}
        for name, values in ((name, getattr(distances, name)) for name in sets)
    }

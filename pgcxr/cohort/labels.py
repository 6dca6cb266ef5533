"""What is known of an image as a row of numbers: what classifiers answer, and what a conditioned
GAN is told beside the latents.

Each kind of labels is a few questions, answered by 0 or 1. "binary" asks one: is it abnormal? (the
other answer is normal). "findings" asks six: is it normal, and is each of the five findings there?
One radiograph often shows several, and an abnormal one may show none of the five. "device" asks
whether there is hardware on the image. A classifier answers each question by a probability of its
own. A GAN is told the answers; that to the one question of "binary" one-hot, as classes that
exclude each other. The combinations of findings as such classes would be up to 33, most of them too
rare to learn; as six answers every image teaches every finding, and a combination that no training
image shows can still be asked for.
"""

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError, InputError

BINARY, BY_FINDING, DEVICE = "binary", "findings", "device"
# Kind -> its questions: the outputs of a classifier.
OUTPUTS = {BINARY: (ABNORMAL,), BY_FINDING: (NORMAL, *FINDINGS), DEVICE: (DEVICE,)}
# Kind -> what the columns mean that a GAN is told; "" is a GAN without labels.
KINDS = {"": (), BINARY: (NORMAL, ABNORMAL), BY_FINDING: OUTPUTS[BY_FINDING]}


def answers(cohort: Cohort, kind: str) -> np.ndarray:
    """float32 [N, K] for OUTPUTS[kind] and every row of the manifest: 0 or 1, NaN where unknown."""
    if kind == DEVICE:
        return _devices(cohort)[:, None]
    return cohort.binary()[:, None] if kind == BINARY else cohort.findings()


def _devices(cohort: Cohort) -> np.ndarray:
    """float32 [N]: 1 where a code, a report or a table says that a device is on the image; NaN
    where nothing could."""
    import pandas as pd

    if DEVICE not in cohort.manifest.columns:
        raise InputError(
            f"{cohort.folder / 'manifest.csv'}: no column {DEVICE}; make it again with `pgcxr "
            "curate`"
        )
    return pd.to_numeric(cohort.manifest[DEVICE], errors="coerce").to_numpy(np.float32)


def one_hot(abnormal: np.ndarray) -> np.ndarray:
    """[N, 1] of 0 or 1 -> [N, 2]: normal, abnormal."""
    return np.concatenate([1 - abnormal, abnormal], axis=1)


def names(kind: str) -> tuple[str, ...]:
    """The columns that a GAN is told."""
    if kind not in KINDS:
        expected = f'must be {BINARY}, {BY_FINDING}, or "" for none'
        raise ArgumentError("labels", expected, received=kind)
    return KINDS[kind]


def exclusive(kind: str) -> bool:
    """Whether exactly one column of a row is 1."""
    return kind != BY_FINDING


def known(cohort: Cohort, kind: str) -> Cohort:
    """The rows whose labels are all known: what isn't cannot be given to the generator."""
    if kind != BY_FINDING:
        return cohort
    complete = ~np.isnan(cohort.findings()).any(axis=1)
    return Cohort(cohort.folder, cohort.manifest[complete].reset_index(drop=True))


def of_cohort(cohort: Cohort, kind: str) -> np.ndarray | None:
    """What a GAN is told, float32 [N, K] for every row of the manifest; None for one without
    labels."""
    if not names(kind):
        return None
    rows = answers(cohort, kind)
    return one_hot(rows) if kind == BINARY else rows


def row(columns: tuple[str, ...], wanted: str, only_one: bool) -> np.ndarray:
    """float32 [K] of a name, "pneumothorax", or of several, "nodule+pleural_effusion"; "abnormal"
    with findings: zeros.

    Args:
        columns: what each of the K numbers means.
        wanted: the names.
        only_one: whether the columns exclude each other.

    Raises:
        ArgumentError: a name that is no column, or several where they exclude each other.

    Example:

        >>> row(names("findings"), "nodule+pneumothorax", only_one=False)
        array([0., 1., 0., 0., 0., 1.], dtype=float32)
    """
    chosen = wanted.split("+")
    rest_is_zero = not only_one and ABNORMAL not in columns and chosen == [ABNORMAL]
    wrong = [] if rest_is_zero else [name for name in chosen if name not in columns]
    if wrong or (len(chosen) > 1 and (only_one or NORMAL in chosen)):
        how = "one of" if only_one else 'one or, joined by "+", several of'
        raise ArgumentError("label", f"must be {how} {', '.join(columns)}", received=wanted)
    return np.array([name in chosen for name in columns], np.float32)


def patterns(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows that occur float32 [P, K], how often each does int64 [P]), in an order of their own."""
    rows, counts = np.unique(labels, axis=0, return_counts=True)
    return rows[::-1].copy(), counts[::-1].copy()


def shares(labels: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    """How often each of the `patterns` is shown in 1,000 epochs: int64 [P]."""
    which = np.unique(labels, axis=0, return_inverse=True)[1]
    return np.rint(1000 * np.bincount(np.ravel(which), repeats)).astype(np.int64)[::-1].copy()


def draw(rows: np.ndarray, counts: np.ndarray, n: int, seed: int) -> np.ndarray:
    """float32 [n, K], drawn as often as they occur; the first rows are the same for any n."""
    # 9: a stream of its own beside the latents of the same seed.
    at = np.random.default_rng([seed, 9]).random(n) * np.sum(counts)
    return np.asarray(rows, np.float32)[np.searchsorted(np.cumsum(counts), at, side="right")]

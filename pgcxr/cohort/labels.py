"""What a conditioned GAN is told beside the latents: rows of labels, from a cohort's manifest or
from a name.

"binary" is one-hot: normal or abnormal. "findings" is multi-hot: normal, then the five findings;
one radiograph often shows several, and an abnormal one may show none of the five (a row of zeros).
As classes that exclude each other the combinations would be up to 33, most of them too rare to
learn; as six answers every image teaches every finding, and a combination that no training image
shows can still be asked for.
"""

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError

# Config key `labels` -> what the columns mean; "" is a GAN without labels.
KINDS = {"": (), "binary": (NORMAL, ABNORMAL), "findings": (NORMAL, *FINDINGS)}


def names(kind: str) -> tuple[str, ...]:
    """The columns of a kind of labels."""
    if kind not in KINDS:
        raise InputError(f'--set labels={kind}: expected binary, findings, or "" for none')
    return KINDS[kind]


def exclusive(kind: str) -> bool:
    """Whether exactly one column of a row is 1."""
    return kind != "findings"


def known(cohort: Cohort, kind: str) -> Cohort:
    """The rows whose labels are all known: what isn't cannot be given to the generator."""
    if kind != "findings":
        return cohort
    whole = ~np.isnan(cohort.findings()).any(axis=1)
    return Cohort(cohort.folder, cohort.manifest[whole].reset_index(drop=True))


def of_cohort(cohort: Cohort, kind: str) -> np.ndarray | None:
    """float32 [N, K] for every row of the manifest; None for a GAN without labels."""
    if not names(kind):
        return None
    if kind == "findings":
        return cohort.findings()
    return np.eye(2, dtype=np.float32)[cohort.binary().astype(int)]


def row(columns: tuple[str, ...], wanted: str, only_one: bool) -> np.ndarray:
    """float32 [K] of a name, "pneumothorax", or of several, "nodule+pleural_effusion"; "abnormal"
    with findings: zeros.

    Raises:
        InputError: a name that is no column, or several where they exclude each other.
    """
    chosen = wanted.split("+")
    rest_is_zero = not only_one and ABNORMAL not in columns and chosen == [ABNORMAL]
    wrong = [] if rest_is_zero else [name for name in chosen if name not in columns]
    if wrong or (len(chosen) > 1 and (only_one or NORMAL in chosen)):
        how = "one of" if only_one else 'one or, joined by "+", several of'
        raise InputError(f"--label {wanted}: expected {how} {', '.join(columns)}")
    return np.array([name in chosen for name in columns], np.float32)


def patterns(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows that occur float32 [P, K], how often each does int64 [P]), in an order of their own."""
    rows, counts = np.unique(labels, axis=0, return_counts=True)
    return rows[::-1].copy(), counts[::-1].copy()


def draw(rows: np.ndarray, counts: np.ndarray, n: int, seed: int) -> np.ndarray:
    """float32 [n, K], drawn as often as they occur; the first rows are the same for any n."""
    # 9: a stream of its own beside the latents of the same seed.
    at = np.random.default_rng([seed, 9]).random(n) * np.sum(counts)
    return np.asarray(rows, np.float32)[np.searchsorted(np.cumsum(counts), at, side="right")]

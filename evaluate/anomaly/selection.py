"""Which images are read: held-out normals that set the threshold, and a test set like that of
thesis Table 6."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError


@dataclass(frozen=True)
class Reading:
    """The images that are read.

    Attributes:
        familiar: normals of split train.
        healthy: normals of split val.
        test: of split test, normals first, then class after class.
        classes: [N] of `test`, "normal" or one of thesis Table 6.
    """

    familiar: Cohort
    healthy: Cohort
    test: Cohort
    classes: np.ndarray


def select(cohort: Cohort, most: Mapping[str, int], fewest: int, seed: int) -> Reading:
    """Draws the images.

    An abnormal image is read once, under one class: images of a single diagnosis are taken first,
    then those of several under their rarest class that still lacks some.

    Args:
        most: {"per_class": abnormal images of each class, "normals": of test, "healthy": of val,
            "familiar": of train}.
        fewest: normals of val that a threshold needs.
        seed: of the draws.

    Raises:
        InputError: a patient is in two splits, or a kind of image is missing.
    """
    where = cohort.folder / "manifest.csv"
    splits = cohort.manifest.groupby("patient_id")["split"].nunique()
    if (splits > 1).any():
        raise InputError(
            f"{where}: {int((splits > 1).sum())} patients are in several splits; curate the cohort "
            "again"
        )
    healthy = _some(cohort.select("val", NORMAL), most["healthy"], np.random.default_rng([seed, 0]))
    if len(healthy) < fewest:
        raise InputError(
            f"{where}: {len(healthy)} normal images in split val; the threshold needs at least "
            f"{fewest}; curate more patients, or ask for a lower specificity"
        )
    normal = _some(cohort.select("test", NORMAL), most["normals"], np.random.default_rng([seed, 1]))
    abnormal = cohort.select("test", ABNORMAL)
    rows, names = _by_class(abnormal, most["per_class"], np.random.default_rng([seed, 2]))
    parts = [normal.manifest, abnormal.manifest.iloc[rows]]
    patients = [part["patient_id"].nunique() for part in parts]
    if min(patients) < 2:  # of one, no variance is known
        raise InputError(
            f"{where}: split test has normal images of {patients[0]} patients, and of "
            f"{patients[1]} with a diagnosis of thesis Table 6; two of each are needed; curate "
            "more patients"
        )
    test = Cohort(cohort.folder, pd.concat(parts, ignore_index=True))
    classes = np.array([NORMAL] * len(normal) + names)
    familiar = _some(
        cohort.select("train", NORMAL), most["familiar"], np.random.default_rng([seed, 3])
    )
    return Reading(familiar, healthy, test, classes)


def _by_class(
    abnormal: Cohort, per_class: int, rng: np.random.Generator
) -> tuple[list[int], list[str]]:
    """(rows of `abnormal`, their classes), in the order of Table 6."""
    diagnoses = [set(text.split(";")) & set(TABLE_6) for text in abnormal.manifest["diagnoses"]]
    common = {name: sum(name in names for names in diagnoses) for name in TABLE_6}
    chosen: dict[str, list[int]] = {name: [] for name in TABLE_6}
    order = sorted(
        rng.permutation(len(diagnoses)), key=lambda row: len(diagnoses[row])
    )  # stable: still at random
    for row in order:
        for name in sorted(diagnoses[row], key=lambda name: (common[name], name)):
            if len(chosen[name]) < per_class:
                chosen[name].append(int(row))
                break
    rows = [(row, name) for name in TABLE_6 for row in sorted(chosen[name])]
    return [row for row, _ in rows], [name for _, name in rows]


def _some(cohort: Cohort, count: int, rng: np.random.Generator) -> Cohort:
    """At most `count` rows, drawn at random, in the manifest's order."""
    rows = np.sort(rng.permutation(len(cohort))[:count])
    return Cohort(cohort.folder, cohort.manifest.iloc[rows].reset_index(drop=True))

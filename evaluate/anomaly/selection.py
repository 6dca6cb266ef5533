"""Which images are read: held-out normals that set the threshold, and a test set like that of
thesis Table 6."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError


@dataclass(frozen=True)
class Reading:
    """`familiar`: normals of split train; `healthy`: of split val; `test`: of split test, normals
    first, then class after class; `classes` [N] names the class of each, "normal" or one of Table
    6."""

    familiar: Cohort
    healthy: Cohort
    test: Cohort
    classes: np.ndarray


def select(cohort: Cohort, config: dict, fewest: int, seed: int) -> Reading:
    """Draws the images.

    An abnormal image is read once, under one class: images of a single diagnosis are taken first,
    then those of several under their rarest class that still lacks some.

    Args:
        config: `per_class` abnormal images of each class, `normals` of test, `healthy` of val,
            `familiar` of train:
            at most.
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
    quiet = _some(cohort.select("val", NORMAL), config["healthy"], np.random.default_rng([seed, 0]))
    if len(quiet) < fewest:
        raise InputError(
            f"{where}: {len(quiet)} normal images in split val; the threshold needs at least "
            f"{fewest}; curate more patients, or ask for a lower --specificity"
        )
    calm = _some(cohort.select("test", NORMAL), config["normals"], np.random.default_rng([seed, 1]))
    ill = cohort.select("test", ABNORMAL)
    places, names = _by_class(ill, config["per_class"], np.random.default_rng([seed, 2]))
    people = [part["patient_id"].nunique() for part in (calm.manifest, ill.manifest.iloc[places])]
    if min(people) < 2:  # of one, no variance is known
        raise InputError(
            f"{where}: split test has normal images of {people[0]} patients, and of {people[1]} "
            "with a diagnosis of thesis Table 6; two of each are needed; curate more patients"
        )
    together = pd.concat([calm.manifest, ill.manifest.iloc[places]], ignore_index=True)
    classes = np.array([NORMAL] * len(calm) + names)
    learned = _some(
        cohort.select("train", NORMAL), config["familiar"], np.random.default_rng([seed, 3])
    )
    return Reading(learned, quiet, Cohort(cohort.folder, together), classes)


def _by_class(ill: Cohort, per_class: int, rng: np.random.Generator) -> tuple[list[int], list[str]]:
    """(rows of `ill`, their classes), in the order of Table 6."""
    diagnoses = [set(text.split(";")) & set(TABLE_6) for text in ill.manifest["diagnoses"]]
    common = {name: sum(name in found for found in diagnoses) for name in TABLE_6}
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

"""Which images a GAN is trained on: those of a cohort, or of TFRecords, that have the label asked for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.data import cohort as cohorts
from pgcxr.data import labels, record_files, records
from pgcxr.data.findings import ABNORMAL, NORMAL
from pgcxr.errors import InputError


@dataclass(frozen=True)
class Images:
    """What is trained on.

    Attributes:
        chosen: of the split and label.
        labels: float32 [N, K] for a GAN that is told them.
        cohort: the folder of the cohort that they come from, which evaluations need; None where it isn't known.
        records: their folder where they are TFRecords.
    """

    chosen: cohorts.Cohort | record_files.Records
    labels: np.ndarray | None
    cohort: Path | None
    records: Path | None = None


def check(settings: dict) -> None:
    """Raises InputError where `label` or `labels` are none, or exclude each other."""
    label, kind = settings["label"], settings["labels"]
    if label not in ("all", NORMAL, ABNORMAL):
        raise InputError(f"--label {label}: expected all, normal or abnormal")
    if labels.names(kind) and label != "all":
        raise InputError(f"--label {label}: labels={kind} needs images of all labels; leave one out")


def choose(folder: Path, settings: dict) -> Images:
    """The images in `folder` that a config's `split`, `label` and `labels` ask for, at its `resolution` or above.

    Raises:
        InputError: it is neither cohort nor TFRecords, or one of them is damaged, or too few images are left.
    """
    if not record_files.is_there(folder):
        return _of_cohort(cohorts.load(folder), settings)
    if (folder / "manifest.csv").exists():
        raise InputError(f"{folder}: holds both a cohort and TFRecords; give each its own folder")
    return _of_records(folder, settings)


def _of_cohort(cohort: cohorts.Cohort, settings: dict) -> Images:
    label, kind = settings["label"], settings["labels"]
    found = cohort.select(split=settings["split"], label=None if label == "all" else label)
    chosen = labels.known(found, kind)
    _check_count(cohort.folder / "manifest.csv", settings, len(found), len(chosen))
    cohorts.check_images(chosen.paths(), settings["resolution"])
    return Images(chosen, labels.of_cohort(chosen, kind), cohort.folder)


def _of_records(folder: Path, settings: dict) -> Images:
    label, kind = settings["label"], settings["labels"]
    found = record_files.load(folder, settings["split"])
    found.check_size(settings["resolution"])
    if label != "all":
        found = found.select(found.labels("binary")[:, (NORMAL, ABNORMAL).index(label)] == 1)
    rows = found.labels(kind) if kind else None
    chosen = found
    if rows is not None:
        known = ~np.isnan(rows).any(axis=1)
        chosen, rows = found.select(known), rows[known]
    _check_count(folder, settings, len(found), len(chosen))
    return Images(chosen, rows, records.cohort_of(folder), folder)


def _check_count(where: Path, settings: dict, found: int, chosen: int) -> None:
    if chosen < found:
        print(f"{found - chosen} of {found} images left out: some finding is unknown in {where.name}")
    if chosen < 2:
        raise InputError(
            f"{where}: {chosen} {settings['label']} images in split {settings['split']}, too few to train on; "
            "curate more or choose another --label"
        )

"""Which images a GAN is trained on: those of a cohort, or of TFRecords, that have the label asked
for; or a folder's DICOM files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.cohort import dicom_images, image_files, labels, pipeline, record_files, records
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import InputError


@dataclass(frozen=True)
class Images:
    """What is trained on.

    Attributes:
        chosen: of the split and label.
        labels: float32 [N, K] for a GAN that is told them.
        cohort: the folder of the cohort that they come from, which evaluations need; None where it
            isn't known.
        records: their folder where they are TFRecords.
    """

    chosen: cohorts.Cohort | record_files.Records | dicom_images.DicomImages
    labels: np.ndarray | None
    cohort: Path | None
    records: Path | None = None


def check(settings: dict) -> None:
    """Raises InputError where `label` or `labels` are none, or exclude each other."""
    label, kind = settings["label"], settings["labels"]
    if label not in ("all", NORMAL, ABNORMAL):
        raise InputError(f"--label {label}: expected all, normal or abnormal")
    if labels.names(kind) and label != "all":
        raise InputError(
            f"--label {label}: labels={kind} needs images of all labels; leave one out"
        )


def choose(folder: Path, settings: dict) -> Images:
    """The images in `folder` that a config's `split`, `label` and `labels` ask for, at its
    `resolution` or above.

    Raises:
        InputError: it is neither cohort, TFRecords nor DICOM, or one of them is damaged, or too few
            images are left.
    """
    has_records, has_manifest = record_files.is_there(folder), (folder / "manifest.csv").exists()
    if not has_records and not has_manifest and dicom_images.is_there(folder):
        return _of_dicom(folder, settings)
    if not has_records:
        return _of_cohort(cohorts.load(folder), settings)
    if has_manifest:
        raise InputError(f"{folder}: holds both a cohort and TFRecords; give each its own folder")
    return _of_records(folder, settings)


def _of_cohort(cohort: cohorts.Cohort, settings: dict) -> Images:
    label, kind = settings["label"], settings["labels"]
    found = cohort.select(split=settings["split"], label=None if label == "all" else label)
    chosen = labels.known(found, kind)
    _check_count(cohort.folder / "manifest.csv", settings, len(found), len(chosen))
    image_files.check_images(chosen.paths(), settings["resolution"])
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


def _of_dicom(folder: Path, settings: dict) -> Images:
    """All that can be decoded: a folder of DICOM files says nothing of labels, splits and rules."""
    label, kind = settings["label"], settings["labels"]
    if label != "all" or labels.names(kind):
        asked = f"--label {label}" if label != "all" else f"labels={kind}"
        raise InputError(
            f"{asked}: {folder} holds DICOM files, of which nothing is known; make a cohort of it "
            "with `pgcxr curate`"
        )
    found = dicom_images.DicomImages(
        folder, settings["resolution"], hold_bytes=pipeline.IN_MEMORY_BYTES
    )
    left_out = "".join(f", {count} {rule}" for rule, count in sorted(found.rejected.items()))
    print(
        f"{folder}: trains on {len(found)} images of DICOM files, whatever they show "
        f"({sum(found.rejected.values())} files left out{left_out}); for rules, labels and a test "
        "set, make a cohort with `pgcxr curate`"
    )
    _check_count(folder, settings, len(found), len(found))
    return Images(found, None, None)


def _check_count(where: Path, settings: dict, found: int, chosen: int) -> None:
    if chosen < found:
        print(
            f"{found - chosen} of {found} images left out: some finding is unknown in {where.name}"
        )
    if chosen < 2:
        raise InputError(
            f"{where}: {chosen} {settings['label']} images in split {settings['split']}, too few "
            "to train on; curate more or choose another --label"
        )

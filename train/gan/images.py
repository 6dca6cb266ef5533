"""Which images a GAN is trained on: those of a cohort, or of TFRecords, that have the label asked
for; or a folder's DICOM files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr import sources
from pgcxr.cohort import dicom_images, image_files, labels, pipeline, record_files, records
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan.config import GanConfig


@dataclass(frozen=True)
class Images:
    """What is trained on.

    Attributes:
        chosen: of the split and label.
        labels: float32 [N, K] for a GAN that is told them.
        cohort: the folder of the cohort that they come from, which evaluations need; None where it
            isn't known.
        records: their folder where they are TFRecords.
        repeats: [N], how often each is shown in an epoch; None: once.
    """

    chosen: cohorts.Cohort | record_files.Records | dicom_images.DicomImages
    labels: np.ndarray | None
    cohort: Path | None
    records: Path | None = None
    repeats: np.ndarray | None = None


def choose(folder: Path, config: GanConfig) -> Images:
    """The images in `folder` that a config's `split`, `label` and `labels` ask for, at its
    `resolution` or above.

    Raises:
        InputError: it is neither cohort, TFRecords nor DICOM, or one of them is damaged, or too few
            images are left.
    """
    has_records, has_manifest = record_files.is_there(folder), (folder / "manifest.csv").exists()
    if not has_records and not has_manifest and dicom_images.is_there(folder):
        return _of_dicom(folder, config)
    if not has_manifest and config.oversample_threshold:
        raise ArgumentError(
            "oversample_threshold",
            f"{folder} says nothing of findings; train on the cohort, or leave it out",
            config.oversample_threshold,
        )
    if not has_records:
        return _of_cohort(cohorts.load(folder), config)
    if has_manifest:
        raise InputError(f"{folder}: holds both a cohort and TFRecords; give each its own folder")
    return _of_records(folder, config)


def validation(images: Images, config: GanConfig) -> tuple | None:
    """(images, resolution, labels) of patients that are held out, for `ImageDataset`; None where
    the cohort isn't known or has none.

    They are the split `val` of the same label: no step of the training learns from them.
    """
    if images.cohort is None or config.split != "train":
        return None
    from pgcxr.gan import overfitting

    label = None if config.label == "all" else config.label
    rows = labels.known(cohorts.load(images.cohort).select(split="val", label=label), config.labels)
    if not len(rows):
        return None
    n = min(len(rows), overfitting.IMAGES)
    few = cohorts.Cohort(rows.folder, rows.manifest.sample(n, random_state=config.seed))
    try:
        image_files.check_images(few.paths(), config.resolution)
    except InputError as error:  # TFRecords serve without the cohort that they were made of
        print(f"note: how far D overfits is not measured: {error}")
        return None
    return few, config.resolution, labels.of_cohort(few, config.labels)


def _of_cohort(cohort: cohorts.Cohort, config: GanConfig) -> Images:
    label, kind = config.label, config.labels
    found = cohort.select(split=config.split, label=None if label == "all" else label)
    chosen = labels.known(found, kind)
    _check_count(cohort.folder / "manifest.csv", config, len(found), len(chosen))
    image_files.check_images(chosen.paths(), config.resolution)
    repeats = None
    if config.oversample_threshold:
        repeats = pipeline.repeat_factors(
            chosen.findings()[:, 1:],
            config.oversample_threshold,  # "normal" is none
        )
    return Images(chosen, labels.of_cohort(chosen, kind), cohort.folder, repeats=repeats)


def _of_records(folder: Path, config: GanConfig) -> Images:
    label, kind = config.label, config.labels
    found = record_files.load(folder, config.split)
    found.check_size(config.resolution)
    if label != "all":
        found = found.select(found.labels("binary")[:, (NORMAL, ABNORMAL).index(label)] == 1)
    rows = found.labels(kind) if kind else None
    chosen = found
    if rows is not None:
        known = ~np.isnan(rows).any(axis=1)
        chosen, rows = found.select(known), rows[known]
    _check_count(folder, config, len(found), len(chosen))
    return Images(chosen, rows, records.cohort_of(folder), folder)


def _of_dicom(folder: Path, config: GanConfig) -> Images:
    """All that can be decoded: a folder of DICOM files says nothing of labels, splits and rules."""
    label, kind = config.label, config.labels
    if label != "all" or labels.names(kind):
        raise ArgumentError(
            "label" if label != "all" else "labels",
            f"{folder} holds DICOM files, of which nothing is known; make a cohort of it with "
            "`pgcxr curate`",
            label if label != "all" else kind,
        )
    found = dicom_images.DicomImages(folder, config.resolution, hold_bytes=pipeline.IN_MEMORY_BYTES)
    left_out = "".join(f", {count} {rule}" for rule, count in sorted(found.rejected.items()))
    export = sources.recognized(folder)
    if export:
        print(
            f"warning: {folder} is an export, with {sources.LAYOUTS[export]}: run `pgcxr curate` "
            "on it first and train on the cohort; without, its table is not read"
        )
    print(
        f"{folder}: trains on {len(found)} images of DICOM files, whatever they show "
        f"({sum(found.rejected.values())} files left out{left_out}); for rules, labels and a test "
        "set, make a cohort with `pgcxr curate`"
    )
    _check_count(folder, config, len(found), len(found))
    return Images(found, None, None)


def _check_count(where: Path, config: GanConfig, found: int, chosen: int) -> None:
    if chosen < found:
        print(
            f"{found - chosen} of {found} images left out: some finding is unknown in {where.name}"
        )
    if chosen < 2:
        raise InputError(
            f"{where}: {chosen} {config.label} images in split {config.split}, too few "
            "to train on; curate more or choose another --label"
        )

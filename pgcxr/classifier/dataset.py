"""Which images of a cohort a classifier learns from, and with which labels (thesis 1.2, 2.2 and
3.2)."""

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.labels import DEVICE, OUTPUTS, answers
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError, InputError

LEAST_TRAIN, LEAST_CLASS = 8, 2


def study_images(cohort: Cohort) -> Cohort:
    """Normal images, and abnormal ones with at least one of the five findings (thesis 1.2); no
    others."""
    five = (cohort.manifest[list(FINDINGS)] == "1").any(axis=1)
    rows = cohort.manifest[(cohort.manifest["label"] == NORMAL) | five]
    return Cohort(cohort.folder, rows.reset_index(drop=True))


def check_labels(labels: str) -> None:
    """Raises ArgumentError where `labels` is no key of OUTPUTS."""
    if labels not in OUTPUTS:
        raise ArgumentError("labels", f"choose one of {', '.join(OUTPUTS)}", labels)


def part(cohort: Cohort, split: str, labels: str) -> tuple[Cohort, np.ndarray]:
    """The images of one split that the classifier uses, and their labels.

    Args:
        cohort: all images.
        split: "train", "val" or "test".
        labels: a key of OUTPUTS.

    Returns:
        (N images, float32 [N, K], NaN where unknown).

    Raises:
        ArgumentError: no such kind of labels.
        InputError: normal or abnormal images are missing or too few; or, for training, a finding
            never occurs.
    """
    check_labels(labels)
    where = f"{cohort.folder / 'manifest.csv'}: split {split}"
    if labels == DEVICE:
        return _device_part(cohort.select(split=split), where)
    images = study_images(cohort.select(split=split))
    abnormal = int(images.binary().sum())
    for name, count in ((NORMAL, len(images) - abnormal), (ABNORMAL, abnormal)):
        if count < LEAST_CLASS:
            raise InputError(
                f"{where} has {count} {name} images (normal ones, and abnormal ones with one of "
                "the five findings, count); a classifier needs both classes, so curate an export "
                "with more"
            )
    known = answers(images, labels)
    if split == "train":
        if len(images) < LEAST_TRAIN:
            raise InputError(
                f"{where} has {len(images)} images; at least {LEAST_TRAIN} are needed: curate more"
            )
        for name, column in zip(OUTPUTS[labels], known.T, strict=True):
            if not (column == 1).any() or not (column == 0).any():
                raise InputError(
                    f"{where} has no image with, or none without, {name}; curate more, or train on "
                    "binary labels"
                )
    return images, known


def _device_part(images: Cohort, where: str) -> tuple[Cohort, np.ndarray]:
    """All images of which it is known, whatever their diagnosis."""
    known = answers(images, DEVICE)[:, 0]
    images = Cohort(images.folder, images.manifest[~np.isnan(known)].reset_index(drop=True))
    known = known[~np.isnan(known)]
    for name, count in (("with", int((known == 1).sum())), ("without", int((known == 0).sum()))):
        if count < LEAST_CLASS:
            raise InputError(
                f"{where} has {count} images {name} a device; a classifier needs both, so curate "
                "with [device] enabled = false in the rules, from a source that says who has one"
            )
    return images, known[:, None]

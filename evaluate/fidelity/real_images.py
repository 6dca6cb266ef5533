"""Classifier (real), its cohort, and how many images of each class the synthetic set must have."""

from pathlib import Path

from evaluate import common
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.cohort.manifest import SPLITS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import folders

BINARY = "binary"
LEAST_PER_CLASS = {"train": 4, "val": 2, "test": 2}


def load_settings(classifier_run: Path) -> dict:
    """How classifier (real) was trained, checked: the others are trained in the same way.

    Raises:
        InputError: it is none of binary labels, its config.json is damaged, or its training can't
            be repeated on synthetic images.
    """
    folders.existing_run(classifier_run, (folders.CLASSIFIER,))
    if common.load_run(classifier_run).get("labels") != BINARY:
        raise InputError(f"{classifier_run}: is no classifier of binary labels; train one")
    trained = common.load_run(classifier_run, architecture=str)
    config = ClassifierConfig.of_run(trained, f"{classifier_run / 'config.json'}")
    trained |= config.to_dict()
    if trained["curriculum"]:
        raise InputError(
            f"{classifier_run}: was first trained on crops around lesions, which synthetic images "
            "have no masks for; both classifiers must be trained alike, so train one without "
            "a curriculum"
        )
    return trained


class RealImages:
    """`cohort`, its `parts` {split: (rows, images uint8 [N, H, W, 1], labels [N, 1])}, `model` and
    how it was `trained`."""

    def __init__(self, classifier_run: Path, trained: dict):
        from pgcxr.classifier import dataset

        self.trained = trained
        self.model = common.load_classifier(classifier_run, outputs=1, resolution=trained["size"])
        self.cohort = cohort = common.cohort_of(classifier_run)
        self.parts = {}
        for split in SPLITS:
            rows, labels = dataset.part(cohort, split, BINARY)
            self.parts[split] = rows, rows.images(trained["size"]), labels

    def images(self) -> dict:
        """{split: images}."""
        return {split: images for split, (_, images, _) in self.parts.items()}

    def labels(self) -> dict:
        """{split: labels}."""
        return {split: labels for split, (_, _, labels) in self.parts.items()}

    def counts(self, per_class: int) -> dict[str, tuple[int, int]]:
        """{split: (normal, abnormal)}; with `per_class`, so many in all of each, shared out as the
        real ones are."""
        by_split = {}
        for split, (_, _, labels) in self.parts.items():
            by_split[split] = int((labels == 0).sum()), int((labels == 1).sum())
        if per_class:
            shared = [
                _shared_out(per_class, [counts[label] for counts in by_split.values()])
                for label in (0, 1)
            ]
            by_split = dict(zip(by_split, zip(*shared, strict=True), strict=True))
        return by_split


def _shared_out(total: int, like: list[int]) -> list[int]:
    """`total` in parts that are to each other as `like`; the largest remainders are rounded up."""
    exact = [total * part / sum(like) for part in like]
    parts = [int(part) for part in exact]
    for place in sorted(range(len(like)), key=lambda place: parts[place] - exact[place])[
        : total - sum(parts)
    ]:
        parts[place] += 1
    return parts


def refuse_too_few(wanted: dict, per_class: int) -> None:
    """Raises ArgumentError where a split would be too small to train or test on."""
    for split, least in LEAST_PER_CLASS.items():
        if min(wanted[split]) < least:
            normal, abnormal = wanted[split]
            raise ArgumentError(
                "per_class",
                f"leaves {normal} normal and {abnormal} abnormal images for split {split}, which "
                f"needs {least} of each; ask for more, or 0 for as many as there are real ones",
                received=per_class,
            )

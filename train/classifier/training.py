"""From a cohort to a finished RUN of a classifier."""

import os
import sys
import time
from pathlib import Path

import numpy as np

from pgcxr.classifier import curriculum, dataset
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.manifest import SPLITS
from pgcxr.errors import ArgumentError
from pgcxr.io import artifacts, places
from train.common import CONFIG, REPORT, finished

MODEL, LOGS = "classifier.keras", "logs"


def train(cohort: Path, labels: str, out: Path, config: ClassifierConfig, seed: int) -> None:
    """Trains and writes RUN as a whole; does nothing where it is finished already."""
    if config.weights_file and not Path(config.weights_file).is_file():
        raise ArgumentError("weights_file", "no such file", config.weights_file)
    if config.curriculum and labels == dataset.DEVICE:
        raise ArgumentError(
            "curriculum",
            f"is for diseases, whose lesions have masks; must be 0 for labels {labels}",
            config.curriculum,
        )
    dataset.check_labels(labels)
    images = cohorts.load(cohort)
    parts = {split: dataset.part(images, split, labels) for split in SPLITS}
    if not (out / CONFIG).exists():
        places.refuse_existing(out)
    from pgcxr.classifier import network  # after what can be told without TensorFlow
    from pgcxr.gan import cards

    for line in cards.check(1):
        print(f"warning: {line}", file=sys.stderr)

    settings = config.to_dict() | {
        "labels": labels,
        "outputs": dataset.OUTPUTS[labels],
        "architecture": network.architecture(config.blocks, config.width, config.stem),
        "cohort": os.path.relpath(images.folder.resolve(), out.resolve()),
        "manifest_sha256": artifacts.sha256(images.folder / "manifest.csv"),
        "seed": seed,
    }
    defaults = ClassifierConfig().to_dict()
    added = {key: defaults[key] for key in ClassifierConfig.ADDED}
    if finished(out, settings, (MODEL, REPORT), added):
        print(f"{out}: this training is finished; see {out / REPORT}")
        return
    with artifacts.new_folder(out) as folder:
        report = _fit(parts, config, settings, folder)
        artifacts.write_json(folder / CONFIG, settings)
        artifacts.write_report(
            folder, report, command="train.classifier", seed=seed, config=settings
        )
    areas = ", ".join(
        f"{name} {found['auroc']:.3f}" for name, found in report["test"].items() if found["auroc"]
    )
    print(f"{out}: AUROC on test: {areas}")


def _fit(parts: dict, config: ClassifierConfig, settings: dict, folder: Path) -> dict:
    from pgcxr.classifier.fit_progress import FitProgress
    from pgcxr.classifier.training import Examples, fit_classifier, predict

    pictures = {split: images.images(config.size) for split, (images, _) in parts.items()}
    known = {split: labels for split, (_, labels) in parts.items()}
    lesson = (
        Examples(*curriculum.crops(*parts["train"], config.size, settings["seed"]))
        if config.curriculum
        else None
    )
    begin = time.perf_counter()
    model, history = fit_classifier(
        *(Examples(pictures[split], known[split]) for split in ("train", "val")),
        config,
        settings["seed"],
        log_dir=folder / LOGS,
        callbacks=[FitProgress(f"classifier ({settings['labels']})", config.epochs)],
        lesson=lesson,
    )
    seconds = time.perf_counter() - begin
    model.save(folder / MODEL)
    return {
        "architecture": settings["architecture"],
        "parameters": model.count_params(),
        "outputs": settings["outputs"],
        "images": {split: _counts(images) for split, (images, _) in parts.items()},
        "val": areas(known["val"], predict(model, pictures["val"]), settings["outputs"]),
        "test": areas(known["test"], predict(model, pictures["test"]), settings["outputs"]),
        "lesson_images": 0 if lesson is None else len(lesson[0]),
        "history": history,
        "seconds": seconds,
    }


def areas(labels: np.ndarray, scores: np.ndarray, outputs: tuple[str, ...]) -> dict:
    """{output: {auroc, auroc_ci95, positive, negative}}; null where there are fewer than two images
    of a class."""
    from pgcxr.metrics.auroc import delong_ci

    found = {}
    for name, label, score in zip(outputs, labels.T, scores.T, strict=True):
        known = ~np.isnan(label)
        positive = int((label[known] == 1).sum())
        negative = int(known.sum()) - positive
        area, low, high = (
            delong_ci(label[known], score[known])
            if min(positive, negative) > 1
            else (None, None, None)
        )
        found[name] = {
            "auroc": area,
            "auroc_ci95": [low, high],
            "positive": positive,
            "negative": negative,
        }
    return found


def _counts(images: cohorts.Cohort) -> dict:
    abnormal = int(images.binary().sum())
    return {"normal": len(images) - abnormal, "abnormal": abnormal}

"""Whether an export can become a cohort, and whether a cohort is large enough for every step of a
study, looked at before the first hour.

Each check is the step's own, on the rows that it will read and with the options that it will have.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluate.anomaly import selection
from evaluate.distribution import sources
from evaluate.fidelity import real_images, statistics
from evaluate.privacy import spaces
from evaluate.study.options import StudyOptions
from pgcxr.anomaly import calibration
from pgcxr.classifier import dataset
from pgcxr.cohort import image_files, labels, manifest
from pgcxr.cohort.findings import NORMAL
from pgcxr.curation import rules
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import folders
from pgcxr.sources import LAYOUTS, named

LEAST_OF_GAN, LEAST_OF_NETWORK = 2, {"train": 8, "val": 2}


def check_export(options: StudyOptions) -> None:
    """Looks at what is to become a cohort on behalf of step cohort.

    Raises:
        InputError: it is no export, not the one that was named, or the rules cannot be read.
    """
    if options.rules is not None:
        rules.load(options.rules)
    if options.data is None:
        return
    kind = folders.describe(options.data)
    if kind is not None and "EXPORT" not in kind:
        raise InputError(
            f"{options.data}: is {kind}; give an export, a public set, or a cohort with its images"
        )
    name, module = named(options.source, options.data)
    # Where the column map of any table is may be said by an option of the step.
    if name != "table" and not module.matches(options.data):
        expected = f"needs {LAYOUTS[name]}, which is not in {options.data}"
        raise ArgumentError("source", expected, received=name)


def check(folder: Path, settings: dict[str, dict[str, Any]]) -> None:
    """Looks at a cohort on behalf of every step.

    Args:
        folder: the cohort's.
        settings: {step: what its command will be called with}, as `Plan.settings` gives it.

    Raises:
        InputError: the first step that would refuse the cohort, and why.
    """
    cohort = manifest.load(folder)
    for name, look in CHECKS.items():
        if name not in settings:
            continue
        try:
            look(cohort, settings)
        except InputError as error:
            raise InputError(f"{error} (found out for step {name}, before any training)") from None


def _gan(name: str) -> Callable[[manifest.Cohort, dict], None]:
    def look(cohort: manifest.Cohort, settings: dict) -> None:
        config = settings[name]
        label = None if config["label"] == "all" else config["label"]
        rows = labels.known(cohort.select(config["split"], label), config["labels"])
        if len(rows) < LEAST_OF_GAN:
            raise InputError(
                f"{cohort.folder / 'manifest.csv'}: {len(rows)} {config['label']} images in split "
                f"{config['split']}, too few to train on; curate more"
            )
        image_files.check_images(rows.paths(), config["resolution"])

    return look


def _classifier(name: str) -> Callable[[manifest.Cohort, dict], None]:
    def look(cohort: manifest.Cohort, settings: dict) -> None:
        config = settings[name]
        for split in manifest.SPLITS:
            rows, _ = dataset.part(cohort, split, config["labels"])
            image_files.check_images(rows.paths(), config["size"])

    return look


def _anomaly_network(cohort: manifest.Cohort, settings: dict) -> None:
    size = settings["anomaly_network"]["size"]
    for split, least in LEAST_OF_NETWORK.items():
        rows = cohort.select(split, NORMAL)
        if len(rows) < least:
            raise InputError(
                f"{cohort.folder / 'manifest.csv'}: split {split} has {len(rows)} normal images, "
                f"at least {least} are needed; curate more"
            )
        image_files.check_images(rows.paths(), size)


def _fidelity(cohort: manifest.Cohort, settings: dict) -> None:
    counts = {}
    for split in manifest.SPLITS:
        rows, known = dataset.part(cohort, split, real_images.BINARY)
        counts[split] = int((known == 0).sum()), int((known == 1).sum())
    real_images.refuse_too_few(counts, 0)
    statistics.refuse_few_patients(rows, known)  # of split test, the last


def _distribution(cohort: manifest.Cohort, settings: dict) -> None:
    gan, step = settings["gan"], settings["distribution"]
    sets, _ = sources.sets_of(cohort, gan["split"], gan["label"], step["seed"])
    sources.chosen_number(cohort.folder, sets, step["options"].n)


def _privacy(cohort: manifest.Cohort, settings: dict) -> None:
    gan = settings["gan"]
    spaces.sets_of(cohort, gan["split"], gan["label"], cohort.folder)


def _anomaly(cohort: manifest.Cohort, settings: dict) -> None:
    options = settings["anomaly"]["options"]
    fewest = max(calibration.fewest_healthy(options.specificity), calibration.FOLDS)
    selection.select(cohort, options.to_dict(), fewest, settings["anomaly"]["seed"])


# In the order of the steps. The axes need nothing that the classifier of findings does not.
CHECKS: dict[str, Callable[[manifest.Cohort, dict], None]] = {
    "gan": _gan("gan"),
    "gan_normal": _gan("gan_normal"),
    "classifier_binary": _classifier("classifier_binary"),
    "classifier_findings": _classifier("classifier_findings"),
    "anomaly_network": _anomaly_network,
    "fidelity": _fidelity,
    "anomaly": _anomaly,
    "distribution": _distribution,
    "privacy": _privacy,
}

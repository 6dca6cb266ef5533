"""What the evaluations share: runs, their cohorts and networks."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pgcxr.classifier.runs import CLASSIFIER, load_classifier
from pgcxr.cohort import confounders
from pgcxr.cohort import manifest as cohort
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import from_uint8, to_uint8
from pgcxr.io import artifacts, folders, places
from pgcxr.sampling import runs
from pgcxr.sampling.generation import (
    generate,
    generate_batches,
    latents,
    load_generator,
    synthesizer,
)
from pgcxr.sampling.runs import GENERATOR, existing_network

if TYPE_CHECKING:
    from pgcxr.plots.page import Page

__all__ = [
    "CLASSIFIER",
    "check_disjoint",
    "cohort_of",
    "confounders_of",
    "from_uint8",
    "generate",
    "generate_batches",
    "is_imported",
    "latents",
    "load_classifier",
    "load_generator",
    "load_run",
    "refuse_places",
    "synthesizer",
    "tell_confounders",
    "to_uint8",
]


def refuse_places(out: Path, gan_run: Path, classifier_run: Path | None = None) -> None:
    """Raises InputError where `out` can't be made, or a RUN isn't there: what can be told in a
    moment, before TensorFlow is loaded."""
    places.refuse_existing(out)
    existing_network(gan_run, GENERATOR, folders.GAN)
    if classifier_run is not None:
        existing_network(classifier_run, CLASSIFIER, folders.CLASSIFIER)


def load_run(run: str | Path, **needed: type) -> dict:
    """RUN/config.json of a training; InputError unless it has the `needed` keys, e.g. size=int, of
    their types."""
    run = Path(run)
    if not (run / "config.json").is_file():
        if runs.is_pretrained(run):
            raise InputError(
                f"{run.name}: comes with pgcxr, and no cohort with it, which is needed here; name "
                "a RUN of `python -m train.gan`"
            )
        run = folders.existing_run(run, (folders.GAN, folders.CLASSIFIER))
    config = artifacts.read_json(run / "config.json")
    for key, kind in needed.items():
        if type(config.get(key)) is not kind:
            found = ArgumentError.shown(config[key]) if key in config else "missing"
            raise InputError(
                f"{run / 'config.json'}: {key} is {found}, no {kind.__name__}; train the run again"
            )
    return config


def cohort_of(run: str | Path) -> cohort.Cohort:
    """The cohort that a run was trained on."""
    config = load_run(run)
    name = config.get("cohort")
    if name == "" and config.get("records"):
        raise InputError(
            f"{Path(run) / 'config.json'}: was trained on records whose cohort isn't known, and "
            "that is needed here; train on the cohort, or on what `pgcxr records` wrote of it "
            "while it is in its place"
        )
    if not name or not isinstance(name, str):
        raise InputError(f"{Path(run) / 'config.json'}: names no cohort; train the run again")
    # As text: `..` must lead out of RUN also where RUN is reached by a link.
    folder = Path(os.path.realpath(run)) / name
    if "\0" in name or not folder.is_dir():
        raise InputError(
            f"{Path(run) / 'config.json'}: its cohort {ArgumentError.shown(name)} is gone; "
            "move it back or train the run again"
        )
    return cohort.load(folder)


def trained_on(gan_run: str | Path) -> cohort.Cohort:
    """`cohort_of` a GAN; InputError where its manifest has changed since, so that what it has seen
    is not known."""
    found = cohort_of(gan_run)
    manifest = found.folder / "manifest.csv"
    if load_run(gan_run).get("manifest_sha256") not in (None, artifacts.sha256(manifest)):
        raise InputError(
            f"{manifest}: has changed since {gan_run} was trained on it, so that its training "
            "images aren't known; put the earlier one back, or train again"
        )
    return found


def is_imported(run: str | Path) -> bool:
    """Whether RUN says that its networks were not trained here (`pgcxr import-nvidia`)."""
    config = load_run(run)
    return bool(config.get("imported")) or config.get("source") == "nvidia pickle"


def check_disjoint(gan_run: str | Path, test: cohort.Cohort) -> dict:
    """{checked, gan_patients, test_patients, shared: 0}; InputError where the GAN was trained on a
    test patient.

    Patients are told by their hash, and images by the hash of their pixels, as two cohorts may be
    salted differently. `checked` is false only for a network that says it was imported and names no
    cohort.
    """
    gan_run = Path(gan_run)
    if is_imported(gan_run) and "cohort" not in load_run(gan_run):
        return {
            "checked": False,
            "gan_patients": None,
            "test_patients": _unique(test, "patient_id"),
            "shared": None,
        }
    config = load_run(gan_run, cohort=str)
    split, label = config.get("split", "train"), config.get("label", "all")
    if split not in cohort.SPLITS or label not in ("all", NORMAL, ABNORMAL):
        raise InputError(
            f"{gan_run / 'config.json'}: split or label is none that a GAN is trained on; train it "
            "again"
        )
    seen = trained_on(gan_run).select(split=split, label=None if label == "all" else label)
    refuse_shared(gan_run, seen, test)
    unknown = _unknown_lineage(gan_run, test)
    for name in unknown:
        print(
            f"warning: {gan_run}: began with {name}, whose training images are not known here: "
            "whether patients of the test set are among them was not checked",
            file=sys.stderr,
        )
    return {
        "checked": True,
        "gan_patients": _unique(seen, "patient_id"),
        "test_patients": _unique(test, "patient_id"),
        "shared": 0,
        "unknown_lineage": unknown,
    }


def refuse_shared(gan_run: Path, seen: cohort.Cohort, test: cohort.Cohort, whose: str = "") -> None:
    """Raises InputError where a GAN has `seen` a patient or an image of `test`."""
    for column, what in (("patient_id", "patients"), ("sha256", "images")):
        if column in seen.manifest.columns and column in test.manifest.columns:
            shared = (set(seen.manifest[column]) & set(test.manifest[column])) - {""}
            if shared:
                raise InputError(
                    f"{gan_run}: {whose or 'was'} trained on {len(shared)} {what} of the real test "
                    "set; train the GAN and the classifier on one cohort, or on disjoint ones"
                )


def _unknown_lineage(gan_run: Path, test: cohort.Cohort) -> list[str]:
    """Names of the networks that the GAN began with (train.gan --init) and of whose images nobody
    knows here whether those of `test` are among them.

    Raises:
        InputError: one of them was trained on a patient or an image of `test`.
    """
    unknown = []
    for entry in lineage(gan_run):
        if entry.get("pretrained"):
            continue  # on phantom images
        name = entry.get("cohort")
        folder = Path(os.path.realpath(gan_run)) / name if name else None
        if (
            folder is None
            or not (folder / "manifest.csv").is_file()
            or artifacts.sha256(folder / "manifest.csv") != entry.get("manifest_sha256")
        ):
            unknown.append(str(entry.get("name", "a network")))
            continue
        label = entry.get("label", "all")
        seen = cohort.load(folder).select(
            split=entry.get("split", "train"), label=None if label == "all" else label
        )
        refuse_shared(gan_run, seen, test, f"began with {entry['name']}, which was")
    return unknown


def lineage(gan_run: str | Path) -> list[dict]:
    """The networks that a RUN of train.gan began with, the nearest first: config.json's "init"."""
    entries = load_run(gan_run).get("init", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{Path(gan_run) / 'config.json'}: init is no list; train the run again")
    return entries


def confounders_of(rows: cohort.Cohort) -> dict:
    """`pgcxr.cohort.confounders.of_cohort`, with its lines on the terminal, too."""
    found = confounders.of_cohort(rows)
    for line in found["lines"]:
        print(f"warning: {rows.folder}: {line}", file=sys.stderr)
    return found


def tell_confounders(page: "Page", report: dict) -> None:
    """What devices and views may do to the results, where the report says it (not in earlier
    versions)."""
    if "confounders" not in report:
        return
    for line in report["confounders"]["lines"]:
        page.verdict(None, f"{line}.")
    if not report["confounders"]["devices"]["known"]:
        page.verdict(
            None,
            "whether images of this cohort show devices is not known, so what a classifier reads "
            "of them cannot be told.",
        )


def _unique(rows: cohort.Cohort, column: str) -> int:
    return int(rows.manifest[column].nunique())

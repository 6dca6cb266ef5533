"""What the evaluations share: runs, their cohorts and networks."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pgcxr.classifier.runs import CLASSIFIER, load_classifier
from pgcxr.cohort import confounders
from pgcxr.cohort import manifest as cohort
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
    "cohort_of",
    "confounders_of",
    "from_uint8",
    "generate",
    "generate_batches",
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
                "a RUN of your own"
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


def trained_with(run: str | Path) -> dict:
    """How a RUN was trained: its config.json; of one that comes with pgcxr what its report says."""
    return (
        runs.pretrained_report(run)["made_by"]["config"]
        if runs.is_pretrained(run)
        else load_run(run)
    )


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

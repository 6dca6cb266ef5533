"""What the evaluations share: runs, their cohorts and networks."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from pgcxr import artefacts
from pgcxr.data import cohort
from pgcxr.errors import InputError
from pgcxr.generation import (
    from_uint8,
    generate,
    generate_batches,
    latents,
    load_generator,
    load_network,
    synthesizer,
    to_uint8,
)

__all__ = [
    "cohort_of",
    "from_uint8",
    "generate",
    "generate_batches",
    "latents",
    "load_classifier",
    "load_generator",
    "load_run",
    "merge",
    "progress_bars",
    "synthesizer",
    "to_uint8",
]

CLASSIFIER = "classifier.keras"


def merge(defaults: dict, changes: dict | None) -> dict:
    """`defaults` with `changes`; InputError where these name a setting that there is not."""
    changes = changes or {}
    if unknown := sorted(set(changes) - set(defaults)):
        raise InputError(f"config: no setting {', '.join(unknown)}; there are {', '.join(defaults)}")
    return {**defaults, **changes}


@contextlib.contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function of (what, done, total) that shows one bar for each `what`."""
    from rich.progress import Progress

    with Progress() as shown:
        tasks = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done)

        yield advance


def load_run(run: str | Path) -> dict:
    """RUN/config.json of a training."""
    run = artefacts.existing_folder(run, "a RUN written by `python -m train.gan` or `python -m train.classifier`")
    return artefacts.read_json(run / "config.json")


def cohort_of(run: str | Path) -> cohort.Cohort:
    """The cohort that a run was trained on."""
    name = load_run(run).get("cohort")
    if not name:
        raise InputError(f"{Path(run) / 'config.json'}: names no cohort; train the run again")
    # Resolved as text: `..` must lead out of RUN also where RUN is reached by a link.
    folder = Path(run).resolve() / name
    if not folder.is_dir():
        raise InputError(f"{Path(run) / 'config.json'}: its cohort {name} is gone; move it back or train the run again")
    return cohort.load(folder)


def load_classifier(run: str | Path, outputs: int | None = None, resolution: int | None = None):
    """RUN's classifier (keras.Model, [N, R, R, 1] in [-1, 1] -> [N, K]); InputError unless K and R are as asked."""
    path, model = load_network(run, CLASSIFIER, "train.classifier")
    if outputs is not None and model.output_shape[-1] != outputs:
        raise InputError(
            f"{path}: has {model.output_shape[-1]} outputs where {outputs} are needed; "
            f"train one with --labels {'binary' if outputs == 1 else 'findings'}"
        )
    if resolution is not None and model.input_shape[1] != resolution:
        raise InputError(
            f"{path}: reads images of {model.input_shape[1]} px where {resolution} px are needed; "
            "name a RUN of that resolution, or train one"
        )
    return model

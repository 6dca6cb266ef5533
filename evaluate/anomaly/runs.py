"""The RUNs that anomalies are found with: a GAN of normals, networks of train.anomaly, a
classifier; free of heavy imports until a network is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate import common
from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.io import folders, places
from pgcxr.sampling.runs import GENERATOR, existing_network, load_network

NETWORK = "anomaly.keras"


@dataclass(frozen=True)
class Loaded:
    """What is asked.

    Attributes:
        generator: None where there is no GAN.
        networks: {RUN: network of train.anomaly}.
        classifier: of findings.
        cohort: of the first of `runs`.
        runs: of the GAN and of the networks.
    """

    generator: Any
    networks: dict[Path, Any]
    classifier: Any
    cohort: Cohort
    runs: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Side of the images that are read, px."""
        if self.generator is not None:
            return self.generator.resolution
        return next(iter(self.networks.values())).input_shape[1]


def sorted_runs(first: str | Path, networks: Sequence[Path] = ()) -> tuple[Path | None, list[Path]]:
    """(RUN of the GAN or None, RUNs of train.anomaly), by what lies in the first."""
    first = Path(first)
    if (first / NETWORK).is_file() and not (first / GENERATOR).is_file():
        return None, [first, *map(Path, networks)]
    return first, list(map(Path, networks))


def refuse_missing(
    out: Path, gan: Path | None, classifier_run: Path, networks: Sequence[Path]
) -> None:
    """Raises InputError where `out` can't be made, or a RUN isn't there: what can be told in a
    moment, before TensorFlow is loaded."""
    places.refuse_existing(out)
    if gan is not None:
        existing_network(gan, GENERATOR, folders.GAN)
    for run in networks:
        existing_network(run, NETWORK, folders.ANOMALY)
    existing_network(classifier_run, common.CLASSIFIER, folders.CLASSIFIER)


def load(gan: Path | None, classifier_run: str | Path, networks: Sequence[Path]) -> Loaded:
    """The networks; InputError where they don't belong together, or saw other than normals."""
    runs = ((gan,) if gan is not None else ()) + tuple(networks)
    for run in runs:
        label = common.load_run(run).get("label")
        if label != NORMAL:
            raise InputError(
                f"{Path(run) / 'config.json'}: trained on {label} images; what it can make is what "
                "passes as normal: train one on normal images only"
            )
    generator = None
    if gan is not None:
        generator = common.load_generator(gan)
        if generator.channels != 1:
            raise InputError(
                f"{gan}: makes images of {generator.channels} channels; radiographs have one"
            )
    loaded = {run: _network(run) for run in networks}
    size = next(
        (each.resolution for each in [generator] if each is not None),
        next((model.input_shape[1] for model in loaded.values()), 0),
    )
    classifier = common.load_classifier(classifier_run, 1 + len(FINDINGS), size)
    return Loaded(generator, loaded, classifier, common.cohort_of(runs[0]), runs)


def _network(run: Path) -> Any:
    path, model = load_network(run, NETWORK, folders.ANOMALY)
    shape = getattr(model, "input_shape", ())
    outputs = getattr(model, "output", None)
    named = isinstance(outputs, dict) and set(outputs) == {"map", "image"}
    if not named or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 1:
        raise InputError(
            f"{path}: holds no anomaly segmentation network; name a RUN of train.anomaly"
        )
    return model

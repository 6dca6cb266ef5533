"""The RUNs that anomalies are found with: a GAN of normals, its encoder, networks of train.anomaly,
a classifier; free of heavy imports until a network is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate import common, patients
from evaluate.patients import RealImages
from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, folders, places
from pgcxr.sampling.runs import GENERATOR, existing_network, load_network, named

NETWORK, ENCODER = "anomaly.keras", "encoder.keras"


@dataclass(frozen=True)
class Encoder:
    """What guesses latents.

    Attributes:
        network: of train.encoder.
        passes: how often its guess is corrected.
    """

    network: Any
    passes: int


@dataclass(frozen=True)
class Others:
    """What is named beside the first RUN and the classifier.

    Attributes:
        networks: RUNs of train.anomaly that are asked, too; one of --supervised bounds them.
        encoder: RUN of train.encoder whose guesses the inversion starts from.
        cohort: whose real images are read, in place of the first RUN's.
    """

    networks: Sequence[str | Path] = ()
    encoder: str | Path | None = None
    cohort: str | Path | None = None


@dataclass(frozen=True)
class Loaded:
    """What is asked.

    Attributes:
        generator: None where there is no GAN.
        networks: {RUN: network of train.anomaly}.
        classifier: of findings.
        real: images of the cohort of the first of `runs`, or of one that was named.
        runs: of the GAN, of the networks, of the encoder and of the bound.
        encoder: of that GAN's latents, where there is one.
        bound: network of train.anomaly --supervised, where there is one.
    """

    generator: Any
    networks: dict[Path, Any]
    classifier: Any
    real: RealImages
    runs: tuple[Path, ...]
    encoder: Encoder | None = None
    bound: Any = None

    @property
    def cohort(self) -> Cohort:
        """Of the real images."""
        return self.real.cohort

    @property
    def size(self) -> int:
        """Side of the images that are read, px."""
        if self.generator is not None:
            return self.generator.resolution
        return next(iter(self.networks.values())).input_shape[1]


def sorted_runs(first: str | Path, networks: Sequence[Path] = ()) -> tuple[Path | None, list[Path]]:
    """(RUN of the GAN or None, RUNs of train.anomaly), by what lies in the first."""
    first = Path(first)
    folder = named(first)
    if (folder / NETWORK).is_file() and not (folder / GENERATOR).is_file():
        return None, [first, *map(Path, networks)]
    return first, list(map(Path, networks))


def refuse_missing(
    out: Path,
    gan: Path | None,
    classifier_run: Path,
    networks: Sequence[Path],
    encoder: Path | None = None,
    cohort: Path | None = None,
) -> None:
    """Raises InputError where `out` can't be made, or a RUN or a cohort isn't there: what can be
    told in a moment, before TensorFlow is loaded."""
    places.refuse_existing(out)
    if gan is not None:
        existing_network(gan, GENERATOR, folders.GAN)
    for run in networks:
        existing_network(run, NETWORK, folders.ANOMALY)
    existing_network(classifier_run, common.CLASSIFIER, folders.CLASSIFIER)
    if encoder is not None:
        _refuse_alone(encoder, gan)
        existing_network(encoder, ENCODER, folders.ENCODER)
    patients.refuse_missing(cohort, gan or networks[0])


def _refuse_alone(encoder: Path | None, gan: Path | None) -> None:
    if encoder is not None and gan is None:
        raise ArgumentError("encoder", "needs a GAN, whose latents it guesses", encoder)


def load(
    gan: Path | None,
    classifier_run: str | Path,
    networks: Sequence[Path],
    others: Others = Others(),
) -> Loaded:
    """The networks and the cohort; InputError where they don't belong together, or the networks saw
    other than normals.

    Args:
        gan: RUN of the GAN, where there is one.
        classifier_run: RUN of findings.
        networks: all RUNs of train.anomaly, see `sorted_runs`.
        others: encoder and cohort.
    """
    encoder = None if others.encoder is None else Path(others.encoder)
    _refuse_alone(encoder, gan)
    taught = [run for run in networks if common.trained_with(run).get("supervised")]
    if len(taught) > 1:
        raise ArgumentError("network", "only one may be of --supervised", taught[1])
    networks = [run for run in networks if run not in taught]
    runs = tuple(run for run in (gan, *networks, encoder) if run is not None)
    if not runs or runs == (encoder,):
        raise InputError(
            f"{taught[0]}: learned from abnormal images, too (--supervised): it bounds what one of "
            "normal images alone can find; name one of these first"
        )
    for run in runs:
        label = common.trained_with(run).get("label")
        if label != NORMAL:
            raise InputError(
                f"{run}: was trained on {label} images; what it can make is what "
                "passes as normal: train one on normal images only"
            )
    real = _real_images((*runs, *taught), classifier_run, others.cohort)
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
    guess = None if encoder is None else _encoder(encoder, gan)
    bound = _network(taught[0]) if taught else None
    found = Loaded(generator, loaded, classifier, real, (*runs, *taught), guess, bound)
    real.refuse_small(found.size)
    return found


def _real_images(
    runs: Sequence[Path], classifier_run: str | Path, cohort: str | Path | None
) -> RealImages:
    """Of the cohort that is named, of whose val and test patients no RUN knows any; or the first
    RUN's, whose patients `evaluate.anomaly` looks at once it has drawn the images."""
    if cohort is not None:
        return patients.named(cohort, [*runs, classifier_run])
    return RealImages(common.cohort_of(runs[0]))


def _encoder(run: Path, gan: Path) -> Encoder:
    config = common.load_run(run, passes=int, generator_sha256=str)
    if config["generator_sha256"] != artifacts.sha256(named(gan) / GENERATOR):
        raise InputError(
            f"{run}: guesses the latents of another GAN than {gan}; train an encoder of this one"
        )
    _, network = load_network(run, ENCODER, folders.ENCODER)
    return Encoder(network, config["passes"])


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

"""One folder with all that screening needs: networks, components, scores of held-out normals, how
images are prepared, and a card.

screening.json says what it is and holds the sha256 of the other files, screening.npz the arrays;
screening.md is the card. No file can hold code that runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pgcxr.anomaly import calibration, fusion, maps
from pgcxr.anomaly.baselines import Subspace
from pgcxr.anomaly.fusion import Fusion, Residual
from pgcxr.anomaly.gradients import Gradients
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import from_uint8
from pgcxr.io import artifacts, folders, places
from pgcxr.sampling import runs
from pgcxr.screening.domain import Domain
from pgcxr.screening.preparation import Preparation

if TYPE_CHECKING:
    import keras

# That of models which are written; those without gradients are read, too.
FORMAT, READ = 2, (1, 2)
SETTINGS, ARRAYS, CARD = "screening.json", "screening.npz", "screening.md"
# In a folder of evaluate.anomaly.
INSIDE = "screening"
GENERATOR = runs.GENERATOR
# Of the differences of held-out normals: what is shown in full color.
SHOWN = 0.999


class Said(NamedTuple):
    """What a model says of N images.

    Attributes:
        scores: [N].
        p: conformal p-values, [N].
        distances: from the held-out normals, [N]; see `Domain`.
        maps: [N, s, s] in [0, 1].
        nearest: the normal images beside them, [N, S, S] in [-1, 1].
        differences: [N, S, S] from these.
    """

    scores: np.ndarray
    p: np.ndarray
    distances: np.ndarray
    maps: np.ndarray
    nearest: np.ndarray
    differences: np.ndarray


@dataclass(frozen=True)
class ScreeningModel:
    """What new images are asked with.

    Attributes:
        fusion: the score.
        domain: whether it says anything.
        preparation: how a file becomes an image.
        side: px at which the components read.
        specificity: on normals, that the threshold aims at.
        shown: the difference that is shown in full color.
        networks: of train.anomaly.
        folder: where it was read from.
        about: screening.json.
    """

    fusion: Fusion
    domain: Domain
    preparation: Preparation
    side: int
    specificity: float
    shown: float
    networks: tuple[Any, ...]
    folder: Path
    about: dict

    @cached_property
    def healthy(self) -> np.ndarray:
        """Scores of held-out normals, [M]."""
        return self.fusion.healthy()

    @cached_property
    def _looks(self) -> list[tuple[int, Any]]:
        """(px, what the network says of uint8 [N, px, px, 1]) of each."""
        from pgcxr.anomaly.training import looking

        return [(network.input_shape[1], looking(network)) for network in self.networks]

    def threshold(self, specificity: float | None = None) -> float:
        """The score above which an image is called anomalous.

        Raises:
            ArgumentError: too few held-out normals for that specificity.
        """
        wanted = self.specificity if specificity is None else specificity
        fewest = calibration.fewest_healthy(wanted)
        if len(self.healthy) < fewest:
            expected = (
                f"needs {fewest} held-out normals, and this model has {len(self.healthy)}; ask for "
                "a lower one"
            )
            raise ArgumentError("specificity", expected, received=wanted)
        return calibration.threshold(self.healthy, wanted)

    def ask(self, images: dict[int, np.ndarray]) -> Said:
        """What it says of images, at each of the `preparation.sides`: {side: uint8 [N, side,
        side]}."""
        seen = [look(images[side][..., None]) for side, look in self._looks]
        pictures = from_uint8(images[self.side])
        subspace = self.fusion.subspace
        scores = self.fusion.ask(seen, pictures)
        nearest = subspace.nearest(pictures)
        return Said(
            scores=scores,
            p=calibration.p_values(self.healthy, scores),
            distances=self.domain.distances(pictures, subspace),
            maps=fusion.network_maps(seen),
            nearest=nearest,
            differences=maps.differences(pictures[..., None], nearest[..., None]),
        )

    @property
    def generator(self) -> Path | None:
        """The GAN's file, where there is one."""
        path = self.folder / GENERATOR
        return path if GENERATOR in self.about["sha256"] else None


def write(
    folder: Path,
    learned: "Learned",
    preparation: Preparation,
    networks: Sequence["keras.Model"],
    about: dict,
    card: str,
    generator: Path | None = None,
) -> None:
    """Writes a model into `folder`, which must exist.

    Args:
        about: what else screening.json says: "specificity", "made_by" and what the card is made of.
        card: in Markdown.
        generator: of a GAN of normals, copied.
    """
    files = []
    for number, network in enumerate(networks, 1):
        files.append("anomaly.keras" if number == 1 else f"anomaly-{number}.keras")
        network.save(folder / files[-1])
    if generator is not None:
        with artifacts.atomic_path(folder / GENERATOR) as beside:
            beside.write_bytes(Path(generator).read_bytes())
    artifacts.write_arrays(folder / ARRAYS, learned.arrays())
    artifacts.write_text(folder / CARD, card)
    settings(folder, files, preparation, learned, about)


def settings(
    folder: Path, files: Sequence[str], preparation: Preparation, learned: "Learned", about: dict
) -> None:
    """Writes screening.json about the files that lie in `folder`."""
    beside = [ARRAYS, *([GENERATOR] if (folder / GENERATOR).is_file() else [])]
    body = {
        "format": FORMAT if learned.fusion.gradients else 1,
        "networks": list(files),
        "side": learned.side,
        "shown": learned.shown,
        "weights": learned.fusion.weights,
        "preparation": preparation.to_dict(),
        "sha256": {name: artifacts.sha256(folder / name) for name in (*files, *beside)},
        **about,
    }
    artifacts.write_json(folder / SETTINGS, body)


@dataclass(frozen=True)
class Learned:
    """What is learned from normals: the arrays of a model."""

    fusion: Fusion
    domain: Domain
    side: int
    shown: float

    @classmethod
    def of(cls, found: Fusion, normals: np.ndarray, healthy: np.ndarray) -> "Learned":
        """From a fusion, the normals [N, S, S] in [-1, 1] that its components learned from, and
        held-out ones."""
        subspace = found.subspace
        domain = Domain.learned(normals, healthy, subspace)
        shown = float(np.quantile(np.abs(fusion.differences(subspace.nearest, healthy)), SHOWN))
        return cls(found, domain, normals.shape[1], shown)

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of screening.npz."""
        residual, subspace = self.fusion.residual, self.fusion.subspace
        gradients = self.fusion.gradients
        found = {
            "mean": subspace.mean,
            "directions": np.asarray(subspace.directions, np.float32),
            "variances": subspace.variances,
            "usual_mean": np.asarray(residual.usual.mean, np.float32),
            "usual_deviation": np.asarray(residual.usual.deviation, np.float32),
            "residual": residual.healthy,
            "distances": self.fusion.distances,
            "network": self.fusion.network,
            "layout_mean": self.domain.mean,
            "layout_whitening": self.domain.whitening,
            "units": self.domain.units,
            "unit": np.float64(self.domain.unit),
        }
        if gradients is None:
            return found
        return found | {
            "gradients_template": gradients.template,
            "gradients_deviation": gradients.deviation,
            "gradients_mean": gradients.subspace.mean,
            "gradients_directions": gradients.subspace.directions,
            "gradients_variances": gradients.subspace.variances,
            "gradients": self.fusion.of_gradients,
        }


def folder_of(model: str | Path) -> Path:
    """Where a model lies: a folder, one of evaluate.anomaly that holds it, or a name of pgcxr's.

    Raises:
        InputError: there is none.
    """
    path = Path(model)
    for folder in (path, path / INSIDE):
        if (folder / SETTINGS).is_file():
            return folder
    own = [
        name for name in runs.pretrained_names() if (runs.PRETRAINED / name / SETTINGS).is_file()
    ]
    if not path.exists() and str(model) in own:
        return runs.PRETRAINED / str(model)
    if not path.exists():
        raise InputError(
            f"{path}: no such folder; name a screening model, which `python -m evaluate.anomaly` "
            f"writes{', or ' + ', '.join(own) if own else ''}"
        )
    places.existing_folder(path, "a screening model")
    kind = folders.describe(path)
    said = f"is {kind}, and holds no {INSIDE}/{SETTINGS}" if kind else f"holds no {SETTINGS}"
    raise InputError(
        f"{path}: {said}; name a screening model, as `python -m evaluate.anomaly` writes it with a "
        "network of train.anomaly"
    )


def load(model: str | Path) -> ScreeningModel:
    """The model in a folder, see `folder_of`.

    Raises:
        InputError: it is missing, damaged or of another version.
    """
    folder = folder_of(model)
    where = folder / SETTINGS
    about = artifacts.read_json(where)
    if about.get("format") not in READ:
        raise InputError(
            f"{where}: is of format {ArgumentError.shown(about.get('format'))}, and this version "
            f"of pgcxr reads {' and '.join(map(str, READ))}; make the model again"
        )
    files, names = about.get("sha256"), about.get("networks")
    if not isinstance(files, dict) or not isinstance(names, list) or not names:
        raise InputError(f"{where}: names no networks; make the model again")
    for name, digest in files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise InputError(f"{folder}: {name[:80]} is missing; make the model again")
        if artifacts.sha256(folder / name) != digest:
            raise InputError(
                f"{folder / name}: is damaged, or of another model; make the model again"
            )
    preparation = Preparation.read(about.get("preparation") or {}, str(where))
    try:
        found, domain = _read(folder / ARRAYS, about)
        side, specificity, shown = (about[key] for key in ("side", "specificity", "shown"))
        if side not in preparation.sides or not 0.5 <= specificity < 1 or not shown > 0:
            raise ValueError
    except (KeyError, ValueError, TypeError, OSError):
        raise InputError(f"{folder / ARRAYS}: is damaged; make the model again") from None
    networks = tuple(runs.load_network(folder, name, folders.ANOMALY)[1] for name in names)
    for name, network in zip(names, networks, strict=True):
        shape = getattr(network, "input_shape", ())
        if len(shape) != 4 or shape[1] not in preparation.sides:
            raise InputError(f"{folder / name}: is no network of this model; make the model again")
    return ScreeningModel(
        found, domain, preparation, side, specificity, shown, networks, folder, about
    )


def _read(path: Path, about: dict) -> tuple[Fusion, Domain]:
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float64) for name in stored.files}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError
    subspace = Subspace(*(arrays[name] for name in ("mean", "directions", "variances")))
    usual = maps.Healthy(arrays["usual_mean"], arrays["usual_deviation"])
    residual = Residual(subspace.nearest, usual, arrays["residual"])
    weights = {
        name: float(about["weights"][name]) for name in fusion.FUSED if name in about["weights"]
    }
    known: tuple = (None, None)
    if about["format"] > 1:
        learned = (arrays[f"gradients_{name}"] for name in ("mean", "directions", "variances"))
        template, deviation = arrays["gradients_template"], arrays["gradients_deviation"]
        known = Gradients(template, deviation, Subspace(*learned)), arrays["gradients"]
    found = Fusion(subspace, residual, arrays["distances"], arrays["network"], weights, *known)
    domain = Domain(
        arrays["layout_mean"], arrays["layout_whitening"], arrays["units"], float(arrays["unit"])
    )
    return found, domain

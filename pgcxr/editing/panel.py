"""The classifiers that speak of edited images: the guides that the axes were made with, and the
judges that took no part, each calibrated on real images as the folder of axes says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from pgcxr.classifier import runs
from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import folders
from pgcxr.sampling.generation import weights_sha256
from pgcxr.sampling.runs import existing_network

GUIDES, JUDGES = "guides", "judges"
OUTPUTS = 1 + len(FINDINGS)
# Who gives real images of one disease a higher mean likelihood of another can't say of an image of
# the one whether it shows the other, too (as in evaluate.axes).
APART = 0.1


@dataclass(frozen=True)
class Speaker:
    """What one classifier's logits mean.

    Attributes:
        name: in reports, as "guide 1" or "classifier 1".
        slopes, offsets: [5], of the calibrated logit slope * logit + offset.
        gaps: [5], of real diseased from real normal images, in calibrated logits, or NaN.
        sees: bool [5], which diseases it tells from normal on real images.
        apart: bool [5, 5]: of a real image of the one (row), whether it can say that it does not
            show the other (column).
    """

    name: str
    slopes: np.ndarray
    offsets: np.ndarray
    gaps: np.ndarray
    sees: np.ndarray
    apart: np.ndarray

    @classmethod
    def of_report(cls, name: str, row: dict) -> "Speaker":
        """From the report of evaluate.axes."""

        def numbers(values: dict) -> np.ndarray:
            return np.array([np.nan if values[f] is None else values[f] for f in FINDINGS], float)

        slopes = np.nan_to_num(numbers(row["slope"]), nan=1.0)
        crosstalk = np.stack([numbers(row["crosstalk"][finding]) for finding in FINDINGS])
        return cls(
            name,
            slopes,
            np.nan_to_num(numbers(row["offset"])),
            numbers(row["gap"]) * slopes,
            np.array([finding in row["judges"] for finding in FINDINGS]),
            np.nan_to_num(crosstalk, nan=1.0) <= APART,
        )


@dataclass(frozen=True)
class Panel:
    """Guides and judges with their networks.

    Attributes:
        guides, judges: who speaks.
        networks: Keras models, of the guides first.
        identities: of the networks, in their order.
        notes: what the user should know.
    """

    guides: list[Speaker]
    judges: list[Speaker]
    networks: list
    identities: list[str]
    notes: list[str]

    def read(self, images: np.ndarray) -> np.ndarray:
        """float64 [N, J, 5]: calibrated logits of uint8 images [N, R, R, 1] by all speakers."""
        from pgcxr.classifier.network import with_logits
        from pgcxr.classifier.training import predict

        told = []
        for speaker, network in zip(self.speakers, self._readers(with_logits), strict=True):
            logits = predict(network, images)[:, 1:].astype(np.float64)
            told.append(logits * speaker.slopes + speaker.offsets)
        return np.stack(told, axis=1)

    def _readers(self, with_logits) -> list:
        # Made once: the graph of each hangs on the model.
        for network in self.networks:
            if not hasattr(network, "_pgcxr_reader"):
                network._pgcxr_reader = with_logits(network)
        return [network._pgcxr_reader for network in self.networks]

    @property
    def speakers(self) -> list[Speaker]:
        """Guides, then judges."""
        return [*self.guides, *self.judges]

    def guided(self, logits: np.ndarray) -> np.ndarray:
        """[N, 5]: the guides' mean of what `read` gives."""
        return logits[:, : len(self.guides)].mean(axis=1)

    def judged(self, logits: np.ndarray) -> np.ndarray:
        """[N, J, 5]: the judges' part of what `read` gives."""
        return logits[:, len(self.guides) :]

    def table(self, logits: np.ndarray) -> dict[str, np.ndarray]:
        """{column: likelihoods [N]} of what `read` gives: of each finding by the guides, and by
        each judge that can see it."""
        guided = special.expit(self.guided(logits))
        columns = {f"{GUIDES}_{name}": guided[:, k] for k, name in enumerate(FINDINGS)}
        for place, judge in enumerate(self.judges):
            likelihoods = special.expit(self.judged(logits)[:, place])
            for k, name in enumerate(FINDINGS):
                if judge.sees[k]:
                    columns[f"{judge.name.replace(' ', '_')}_{name}"] = likelihoods[:, k]
        return columns

    def gap(self, index: int) -> float:
        """The guides' mean distance of real diseased from real normal images, in logits."""
        return float(np.mean([guide.gaps[index] for guide in self.guides]))


def load(
    found: AxesFolder,
    resolution: int,
    guides: Sequence[str | Path] = (),
    judges: Sequence[str | Path] = (),
) -> Panel:
    """The panel of a folder of axes.

    Args:
        found: the folder.
        resolution: px of the generator's images.
        guides, judges: RUNs in place of those that the report names, where these were moved, or
            where it names none.

    Raises:
        InputError: a network is missing, or is not the one that guided or judged.
    """
    speakers, networks, identities, notes = {}, [], [], []
    for role, paths in places_of(found, guides, judges).items():
        speakers[role] = [Speaker.of_report(name, row) for name, row in _rows(found, role).items()]
        models, notes_of = _networks(found, role, paths, resolution)
        networks += models
        notes += notes_of
    identities = [weights_sha256(network) for network in networks]
    for place, identity in enumerate(identities):
        if identity in identities[:place]:
            raise InputError(
                f"{found.folder}: two of its guides and judges are one network as given; who "
                "guides can't judge, so name each by its own RUN"
            )
    if not speakers[JUDGES]:
        notes.append("no classifier judges here: what is said is said by the guides alone")
    return Panel(speakers[GUIDES], speakers[JUDGES], networks, identities, notes)


def _rows(found: AxesFolder, role: str) -> dict[str, dict]:
    """{name: what the report says} of the classifiers among the "guides" or "judges"."""
    return {name: row for name, row in found.report[role].items() if row["kind"] == "classifier"}


def places_of(
    found: AxesFolder,
    guides: Sequence[str | Path] = (),
    judges: Sequence[str | Path] = (),
) -> dict[str, list]:
    """{"guides": RUNs, "judges": RUNs}, where `load` looks for them; nothing is loaded.

    Raises:
        InputError: one is missing, or there are more or fewer than the folder has.
    """
    places: dict[str, list] = {}
    for role, given in ((GUIDES, list(guides)), (JUDGES, list(judges))):
        one, count = role.removesuffix("s"), len(_rows(found, role))
        paths = given or [path for path, _ in found.runs(role)]
        if len(paths) != count:
            said = f"has {count} {role}, not {len(paths)}" if paths else f"names none of its {role}"
            raise ArgumentError(
                one,
                f"{found.folder} {said}; name the RUN of each here, in the order of `python -m "
                "evaluate.axes`",
            )
        for path in paths:
            if not given and not path.is_dir():
                expected = f"{path.name} of {found.folder} is gone; name here where it is now"
                raise ArgumentError(one, expected)
            existing_network(path, runs.CLASSIFIER, folders.CLASSIFIER)
        places[role] = paths
    return places


def _networks(found: AxesFolder, role: str, paths: list, resolution: int) -> tuple[list, list[str]]:
    """(models in the order of the report, notes)."""
    one = role.removesuffix("s")
    models = [runs.load_classifier(path, OUTPUTS, resolution) for path in paths]
    identities = [identity for _, identity in found.runs(role)]
    if not identities:
        note = (
            f"the folder of axes does not say which networks its {role} were: taken as given, in "
            "their order"
        )
        return models, [note] if models else []
    by_identity = {weights_sha256(model): model for model in models}
    missing = [identity for identity in identities if identity not in by_identity]
    if missing:
        raise ArgumentError(
            one,
            f"is not the network that was a {one} in {found.folder}; name that one, or find the "
            "axes again with `python -m evaluate.axes`",
        )
    return [by_identity[identity] for identity in identities], []

"""What `python -m evaluate.axes` found, as those read it who move images along the axes."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, folders, places
from pgcxr.latent import axes as latent_axes
from pgcxr.sampling.runs import named

COMMAND = "evaluate.axes"
# A likelihood of 0 or 1 in float32 has no logit.
SURE = 1e-7


@dataclass(frozen=True)
class AxesFolder:
    """A folder of evaluate.axes.

    Attributes:
        folder: where it is.
        axes: of the five findings.
        report: its report.json.
    """

    folder: Path
    axes: latent_axes.Axes
    report: dict

    @classmethod
    def load(cls, folder: str | Path) -> "AxesFolder":
        """Reads a folder.

        Raises:
            InputError: it is something else, damaged, or of a version that kept less.
        """
        folder = places.existing_folder(folder, f"a folder written by `python -m {COMMAND}`")
        kind = folders.describe(folder)
        if kind is not None and COMMAND not in kind:
            raise InputError(f"{folder}: is {kind}; name a folder of `python -m {COMMAND}`")
        axes, report = latent_axes.load(folder), artifacts.read_json(folder / "report.json")
        known = set(axes.names) == set(FINDINGS) == set(report.get("axes", ()))
        if not known or "judges" not in report or not (folder / "walks.npz").is_file():
            raise InputError(
                f"{folder}: was written by an earlier version, which kept no walks and no judges; "
                f"make it again with `python -m {COMMAND}`"
            )
        return cls(folder, axes, report)

    def vector(self, name: str) -> np.ndarray:
        """[L], of length 1."""
        return self.axes.vectors[self.axes.names.index(name)]

    def why_not(self, name: str) -> list[str]:
        """What the axis lacks to count as found; nothing where it is."""
        row = self.report["axes"][name]
        return [] if row["found"] else row.get("why_not") or ["the evidence is not enough"]

    def refuse_unproven(self, names: list[str]) -> None:
        """Raises ArgumentError for the first axis that was not found."""
        for name in names:
            if reasons := self.why_not(name):
                raise ArgumentError(
                    "axis",
                    f"was not found ({'; '.join(reasons)}), so what it shows is no evidence; "
                    "choose another, or give `unproven`, too, to see it all the same",
                    received=name,
                )

    def walked(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The walks along an axis from images that had no part in choosing where it ends.

        Returns:
            (angles [S] in radians from 0, the guides' mean logits [S, N, 5] there).
        """
        path, way = self.folder / "walks.npz", self.report["axes"][name]["way"]
        try:
            with np.load(path, allow_pickle=False) as arrays:
                told = arrays[f"{way}/{name}/guides"].astype(np.float64)
            longest = float(self.report["made_by"]["config"]["max_angle"])
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: is damaged or lacks the walk along {name}; make it again with `python -m "
                f"{COMMAND}`"
            ) from None
        likelihoods = np.clip(told[:, 1::2, 1:], SURE, 1 - SURE)
        logits = np.log(likelihoods / (1 - likelihoods))
        return np.linspace(0, longest, len(logits)), logits

    def runs(self, role: str) -> list[tuple[Path, str]]:
        """(folder, identity) of the "guides" or "judges" that the report names; empty in a folder
        of a version that named none."""
        networks = self.report.get("networks") or {}
        home = Path(os.path.realpath(self.folder))
        found = []
        for one in networks.get(role, ()):
            run = named(one["run"]) if one.get("pretrained") else home / one["run"]
            found.append((run, one["weights_sha256"]))
        return found

    def check_generator(self, run: Path, generator, identity: str) -> None:
        """Raises InputError where the axes are of another generator."""
        known = (self.report.get("networks") or {}).get("generator", {}).get("weights_sha256")
        if self.axes.latent_size != generator.latent_size or known not in (None, identity):
            raise InputError(
                f"{self.folder}: its axes are of another generator than {run}'s; find those of this"
                f" one with `python -m {COMMAND}`"
            )


def checked(folder: str | Path, names: list[str], unproven: bool) -> AxesFolder:
    """A folder of axes; InputError where it is none, or an axis did not count as found and
    `unproven` ones are not asked for."""
    found = AxesFolder.load(folder)
    if not unproven:
        found.refuse_unproven(names)
    return found

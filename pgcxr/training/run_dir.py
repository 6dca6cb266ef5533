"""RUN: the folder of one training. Its state is written beside and renamed, the last good one kept until then."""

import zipfile
from pathlib import Path

import numpy as np

from pgcxr import artefacts
from pgcxr.errors import InputError
from pgcxr.training.progressive_gan import ProgressiveGAN

KEPT = 2
# What may differ between a run and its continuation.
FREE = ("cohort", "tensorboard")


class RunDir:
    """Paths of RUN: config.json, samples/, logs/, state/, generator-ema.keras, discriminator.keras, report.json."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.config_file = self.folder / "config.json"
        self.samples = self.folder / "samples"
        self.logs = self.folder / "logs"
        self.state = self.folder / "state"
        self.generator = self.folder / "generator-ema.keras"
        self.discriminator = self.folder / "discriminator.keras"
        self.report = self.folder / "report.json"

    def claim(self, config: dict) -> None:
        """Begins a run, or goes on with one of the same config.

        Raises:
            InputError: the folder holds a run of another config, or something that is no run.
        """
        if self.config_file.exists():
            old = artefacts.read_json(self.config_file)
            new = artefacts.plain(config)
            for key in sorted(set(old) | set(new)):
                if key not in FREE and old.get(key) != new.get(key):
                    raise InputError(
                        f"{self.folder}: holds a run with {key} = {old.get(key)}, not {new.get(key)}; "
                        "name another --out, or go on with the config that it was begun with"
                    )
            return
        artefacts.refuse_existing(self.folder)
        # First of all, so that what is left of a killed process can be told to be a run, and of which config.
        artefacts.write_json(self.config_file, config)

    def save(self, gan: ProgressiveGAN, nimg: int) -> None:
        """Writes the whole state after `nimg` images; older states but one are then removed."""
        arrays = {name: np.asarray(variable) for name, variable in state_variables(gan).items()}
        with artefacts.atomic_path(self.state / f"nimg{nimg:010d}.npz") as path:
            _write_npz(path, arrays)
        for old in self._states()[:-KEPT]:
            old.unlink()

    def restore(self, gan: ProgressiveGAN, say) -> int:
        """Loads the newest whole state into `gan`; returns its image count, 0 where there is none.

        `say` is called with one line for each damaged state that was passed over.
        """
        for left in self.state.glob(f".*{artefacts.PARTIAL}*"):
            left.unlink()
        states = self._states()
        for path in reversed(states):
            try:
                with np.load(path, allow_pickle=False) as file:
                    arrays = dict(file)
            except (OSError, ValueError, EOFError, zipfile.BadZipFile):
                say(f"{path}: is damaged; falling back to the state before it")
                continue
            variables = state_variables(gan)
            if set(arrays) != set(variables) or any(arrays[k].shape != tuple(v.shape) for k, v in variables.items()):
                raise InputError(f"{path}: is the state of another network; name another --out")
            for name, variable in variables.items():
                variable.assign(arrays[name])
            return int(np.asarray(gan.seen))
        if states:
            raise InputError(f"{self.state}: every saved state is damaged; remove {self.folder} and train again")
        return 0

    def export(self, gan: ProgressiveGAN) -> None:
        """Writes the networks that the next commands read."""
        for network, final in ((gan.generator_ema, self.generator), (gan.discriminator, self.discriminator)):
            with artefacts.atomic_path(final) as path:
                network.save(path)

    def _states(self) -> list[Path]:
        return sorted(path for path in self.state.glob("nimg*.npz") if not path.name.startswith("."))


def state_variables(gan: ProgressiveGAN) -> dict:
    """Every variable that exact resume needs, by a name that does not depend on Keras's own counters."""
    groups = {
        "generator": gan.generator.weights,
        "discriminator": gan.discriminator.weights,
        "generator_ema": gan.generator_ema.weights,
        "adam_g": gan.g_optimizer.variables,
        "adam_d": gan.d_optimizer.variables,
        "seen": [gan.seen],
    }
    return {f"{group}/{index:03d}": v for group, variables in groups.items() for index, v in enumerate(variables)}


def _write_npz(path: Path, arrays: dict) -> None:
    """np.savez, but closed in an orderly way where the disk is full: numpy leaves that to the garbage collector."""
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)

"""RUN: the folder of one training. Its state is written beside and renamed, the last good one kept
until then."""

import contextlib
import dataclasses
import math
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgcxr.errors import InputError
from pgcxr.gan import state_file
from pgcxr.gan.alarm import Sign
from pgcxr.gan.config import GanConfig
from pgcxr.io import artifacts, locks, places

if TYPE_CHECKING:
    from pgcxr.gan.progressive_gan import ProgressiveGAN

KEPT = 2
LOCK = ".lock"
PREFLIGHT = "preflight.json"
# What may differ between a run and its continuation; how many devices may, `resume` decides.
FREE = ("cohort", "records", "tensorboard", *GanConfig.names_of_the_run())
LONGER = "total_kimg"
# What may also differ between a state and the config where a divergence alarm lies in between.
AFTER_ALARM = ("lrate_base", "lrate_dict", "drift", "gradient_penalty")


class RunDir:
    """Paths of RUN: config.json, samples/, logs/, log.txt, state/, snapshots/,
    generator-ema.keras, discriminator.keras, report.json.

    Attributes:
        identity: what a saved state belongs to: {"config", "images", "replicas"}; kept in it and
            compared on restore.
        clock: called for the seconds trained so far in all lives of the run; kept in the state.
        restored: the identity, "nimg" and "seconds" of the state that `restore` loaded, {} where
            there was none.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.config_file = self.folder / "config.json"
        self.samples = self.folder / "samples"
        self.logs = self.folder / "logs"
        self.log = self.folder / "log.txt"
        self.state = self.folder / "state"
        self.snapshots = self.folder / "snapshots"
        self.generator = self.folder / "generator-ema.keras"
        self.discriminator = self.folder / "discriminator.keras"
        self.report = self.folder / "report.json"
        self.preflight = self.folder / PREFLIGHT
        self.identity: dict = {}
        self.clock: Callable[[], float] = lambda: 0.0
        self.restored: dict = {}
        # Of a conditioned GAN: what report.json says of its labels.
        self.labels: dict | None = None

    def refuse(self, config: GanConfig) -> None:
        """Raises InputError where `claim` would refuse this config, as far as it can be told
        without the lock and the images."""
        self._refuse_what_is_no_run()
        if self.config_file.exists():
            new = artifacts.plain(config.to_dict())
            old = artifacts.read_json(self.config_file)
            self._refuse_another({key: old[key] for key in new if key in old}, new)

    @contextlib.contextmanager
    def locked(self, say: Callable = print) -> Iterator[None]:
        """Keeps every other process from training in RUN; the system lifts the lock however this
        one ends.

        Raises:
            InputError: another process has it, or the folder holds something that is no run.
        """
        self._refuse_what_is_no_run()
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / LOCK, "a+", encoding="utf-8") as file:
            try:
                if not locks.lock(file):
                    raise InputError(
                        f"{self.folder}: is being trained by "
                        f"{_content(file) or 'another process'}; wait until it has ended, stop it, "
                        "or choose another folder"
                    )
            except OSError as error:
                if error.errno not in locks.NO_LOCKS:
                    raise
                say(f"{self.folder}: this file system has no locks; start no second training here")
            else:
                if left := _content(file):
                    say(f"{self.folder}: {left} was ended before it could say so")
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def claim(self, config: GanConfig, source: dict | None = None, say: Callable = print) -> None:
        """Begins a run, or goes on with one of the same config, or with the same for longer.

        Args:
            config: what is trained.
            source: of which images: what config.json holds beside.
            say: called with a line for the user.

        Raises:
            InputError: the folder holds a run of another config, or something that is no run.
        """
        new = self.identity["config"] = artifacts.plain(config.to_dict() | (source or {}))
        if not self.config_file.exists():
            self._refuse_what_is_no_run()
            # First of all, so that what is left of a killed process can be told to be a run, and of
            # which config.
            artifacts.write_json(self.config_file, new)
            return
        old = artifacts.read_json(self.config_file)
        self._refuse_another(old, new)
        if old != new:
            if old.get(LONGER) != new.get(LONGER):
                say(f"{self.folder}: {LONGER} was {old.get(LONGER)}; goes on to {new.get(LONGER)}")
                # Before the config: killed between the two, the run goes on to its old end and
                # reports again.
                self.report.unlink(missing_ok=True)
            artifacts.write_json(self.config_file, new)

    def _refuse_another(self, old: dict, new: dict) -> None:
        """Raises InputError where a run of config `old` can't go on with `new`."""
        old, new = (_but(config, self._changeable()) for config in (old, new))
        if key := _difference(old, new):
            hint = "; it can only grow" if key == LONGER else ""
            raise InputError(
                f"{self.folder}: holds a run with {key} = {old.get(key)}, not "
                f"{new.get(key)}{hint}; choose another folder, or go on with the config that it "
                "was begun with"
            )

    def save(self, gan: "ProgressiveGAN", cur_nimg: int) -> None:
        """Writes the whole state after `cur_nimg` images; older states but one are then removed."""
        arrays = {name: np.asarray(variable) for name, variable in state_variables(gan).items()}
        meta = {**self.identity, "nimg": cur_nimg, "seconds": self.clock()}
        state_file.write(self.state / f"nimg{cur_nimg:010d}.npz", arrays, meta)
        for old in self._states()[:-KEPT]:
            old.unlink()

    def restore(self, gan: "ProgressiveGAN", say: Callable) -> int:
        """Loads the newest whole state into `gan`; returns its image count, 0 where there is none.

        `say` is called with one line for each damaged or unfinished state that was passed over.

        Raises:
            InputError: no state is whole, or the newest is that of another run.
        """
        for left in self.state.glob(f".*{places.PARTIAL}*"):
            say(
                f"{left}: was being saved when the training was ended; going on from the state "
                "before it"
            )
            left.unlink()
        damaged = {}
        for path in reversed(self._states()):
            try:
                meta, arrays = state_file.read(path)
            except state_file.Damaged as error:
                damaged[path] = error
                continue
            with arrays:
                self._load(path, meta, arrays, gan)
            for bad, error in damaged.items():
                # Aside, so that it takes no place among the states that are kept.
                aside = bad.replace(bad.with_suffix(".damaged"))
                say(
                    f"{bad}: is damaged; falling back to {path.name} ({error}; kept as "
                    f"{aside.name})"
                )
            self.restored = meta
            return int(np.asarray(gan.cur_nimg))
        if damaged:
            raise InputError(
                f"{self.state}: every saved state is damaged; remove {self.folder} and train again"
            )
        return 0

    def _load(self, path: Path, meta: dict, arrays, gan: "ProgressiveGAN") -> None:
        variables = state_variables(gan)
        free = (LONGER, *self._changeable())
        theirs = _but(meta.get("config", {}), free)
        ours = _but(self.identity.get("config", theirs), free)
        if key := _difference(theirs, ours):
            raise InputError(
                f"{path}: is the state of a run with {key} = {theirs.get(key)}, not "
                f"{ours.get(key)}; it does not belong here: remove it, or choose another folder"
            )
        if meta.get("images") != self.identity.get("images", meta.get("images")):
            raise InputError(
                f"{path}: was trained on other images than this cohort's; go on with the cohort of "
                "config.json as it was then, or choose another folder"
            )
        if set(arrays.files) - {state_file.META} != set(variables) or any(
            arrays[name].shape != tuple(variable.shape) for name, variable in variables.items()
        ):
            raise InputError(f"{path}: is the state of another network; choose another folder")
        for name, variable in variables.items():
            variable.assign(arrays[name])

    def write_alarm(self, cur_nimg: int, sign: Sign) -> None:
        """Writes alarm-kimg*.json: what was seen, and from which state the run can go on."""
        states = self._states()
        body = {
            "kimg": cur_nimg / 1000,
            **dataclasses.asdict(sign),
            "last_state": states[-1].name if states else None,
        }
        body["value"] = body["value"] if math.isfinite(body["value"]) else str(body["value"])
        artifacts.write_json(self.folder / f"alarm-kimg{cur_nimg / 1000:09.3f}.json", body)

    def has_state(self) -> bool:
        """Whether there is any to go on from."""
        return bool(self._states())

    def _changeable(self) -> tuple[str, ...]:
        """Keys of the config that may differ once an alarm has gone off."""
        return AFTER_ALARM if any(self.folder.glob("alarm*.json")) else ()

    def export(self, gan: "ProgressiveGAN") -> None:
        """Writes the networks that the next commands read."""
        for network, final in (
            (gan.generator_ema, self.generator),
            (gan.discriminator, self.discriminator),
        ):
            with artifacts.atomic_path(final) as path:
                network.save(path)

    def keep(self, gan: "ProgressiveGAN", cur_nimg: int) -> None:
        """Writes the networks after `cur_nimg` images to snapshots/kimg*/, a RUN of its own, which
        every command reads; nothing where a life before this one has."""
        final = self.snapshots / f"kimg{cur_nimg / 1000:09.3f}"
        if final.exists():
            return
        with artifacts.new_folder(final) as folder:
            snapshot = RunDir(folder)
            snapshot.export(gan)
            config = self.identity.get("config", {})
            artifacts.write_json(snapshot.config_file, _two_folders_down(config))
            body = {"kimg": cur_nimg / 1000, "resolution": gan.generator.resolution}
            body["labels"] = self.labels
            artifacts.write_report(
                folder, body, command="train.gan", seed=config.get("seed"), config=config
            )

    def _refuse_what_is_no_run(self) -> None:
        """Raises InputError where the folder holds anything and no config.json; what preflight
        wrote may be there."""
        ours = (LOCK, PREFLIGHT)
        if self.folder.is_dir() and (
            self.config_file.exists()
            or all(
                path.name in ours or places.PARTIAL in path.name for path in self.folder.iterdir()
            )
        ):
            return
        places.refuse_existing(self.folder)

    def _states(self) -> list[Path]:
        return sorted(
            path for path in self.state.glob("nimg*.npz") if not path.name.startswith(".")
        )


def _two_folders_down(config: dict) -> dict:
    """A RUN's config with its paths as a folder within a folder of it sees them."""

    def moved(entry: dict) -> dict:
        paths = {key: entry.get(key) for key in ("cohort", "records")}
        return entry | {key: os.path.join("..", "..", path) for key, path in paths.items() if path}

    ancestors = [moved(ancestor) for ancestor in config.get("init", [])]
    return moved(config) | ({"init": ancestors} if ancestors else {})


def state_variables(gan: "ProgressiveGAN") -> dict:
    """Every variable that exact resume needs, by a name that does not depend on Keras's own
    counters."""
    groups = {
        "generator": gan.generator.weights,
        "discriminator": gan.discriminator.weights,
        "generator_ema": gan.generator_ema.weights,
        "adam_g": gan.g_optimizer.variables,
        "adam_d": gan.d_optimizer.variables,
        "seen": [gan.cur_nimg],
        "augment": [] if gan.augment_p is None else [gan.augment_p],
    }
    return {
        f"{group}/{index:03d}": v
        for group, variables in groups.items()
        for index, v in enumerate(variables)
    }


def _but(config: dict, keys: tuple[str, ...]) -> dict:
    """A config.json without some keys; those that it doesn't hold yet have their defaults."""
    config = artifacts.plain(GanConfig().to_dict()) | config
    return {key: value for key, value in config.items() if key not in keys}


def _difference(old: dict, new: dict) -> str | None:
    """The first key by which a run of config `old` cannot go on with config `new`."""
    for key in sorted(set(old) | set(new)):
        if key not in FREE and old.get(key) != new.get(key):
            if key == LONGER and key in old and key in new and new[key] > old[key]:
                continue
            return key
    return None


def _content(file) -> str:
    file.seek(0)
    return file.read(200).strip()

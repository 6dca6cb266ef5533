"""Runs the steps of a study in order, two or more at a time, and only those whose result would
change.

A step is one command in a process of its own that writes one folder. Its key is the hash of its
arguments, of the code and versions that it runs on, and of the keys of the steps that it reads. A
folder with the right key is kept; one that was begun with the right key goes on (training resumes);
any other is removed and made again.
"""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from evaluate.study import code_files
from pgcxr.errors import InputError
from pgcxr.io import artifacts

POLL_SECONDS = 0.2
Check = Callable[[Path], None]


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: of its folder under the study's.
        module: run with `python -m`.
        arguments: what follows; "{other}" stands for the folder of a step that it needs, "{out}"
            for its own.
        needs: names of the steps whose folders it reads.
        inputs: what else its result depends on, e.g. the state of the user's export.
        code: modules whose code decides the result, where they are more than `module`.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    inputs: str = ""
    code: tuple[str, ...] = field(default=())

    def key(self, keys: dict) -> str:
        """What must be equal for an earlier result to stand."""
        parts = [
            self.module,
            self.arguments,
            self.inputs,
            code_files.digest((self.module, *self.code)),
        ]
        parts += [artifacts.versions(), [keys[name] for name in self.needs]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def literally(text: str | Path) -> str:
    """As an argument in which no step's folder is put."""
    return str(text).replace("{", "{{").replace("}", "}}")


class Runner:
    """Runs steps under one folder.

    Args:
        out: the study's folder; a step's folder is out / name, its output out / "logs" / name.log.
        environment: of every command, e.g. the number of threads.
        jobs: commands at a time.
        say: called with a line for the user.
    """

    def __init__(self, out: Path, environment: dict, jobs: int, say: Callable[[str], None]):
        self.out, self.jobs, self.say = out, jobs, say
        self.environment = os.environ | environment
        self.marks, self.logs = out / "steps", out / "logs"
        self.marks.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self.running: dict[str, tuple] = {}

    def run(self, steps: list[Step], checks: Mapping[str, Check] = MappingProxyType({})) -> dict:
        """Brings every step up to date; returns {name: seconds that it took when it was made}.

        Args:
            checks: {step: called with its folder when it is there, before what needs it begins}.

        Raises:
            InputError: a step failed, and the message is its own last line; or a check refused.
        """
        keys = {}
        for step in steps:
            keys[step.name] = step.key(keys)
        waiting, done = list(steps), {}
        try:
            while waiting or self.running:
                for step in list(waiting):
                    if len(self.running) >= self.jobs:
                        break
                    if any(name not in done for name in step.needs):
                        continue
                    waiting.remove(step)
                    mark = self._mark(step.name)
                    if mark.get("key") == keys[step.name] and self._ended(step.name):
                        checks.get(step.name, _unchecked)(self.out / step.name)
                        done[step.name] = self._settle(step.name, mark)
                    else:
                        self._start(step, keys[step.name], mark)
                time.sleep(POLL_SECONDS if self.running else 0)
                for name in list(self.running):
                    seconds = self._poll(name)
                    if seconds is not None:
                        checks.get(name, _unchecked)(self.out / name)
                        done[name] = seconds
                        self.say(f"{name}: done in {seconds:.0f} s ({len(done)} of {len(steps)})")
        finally:
            self._stop()
        return done

    def elapsed(self, steps: list[Step]) -> float:
        """Seconds of wall time in which the steps' present results were made: two at a time count
        once.

        It is the length of the union of the times at which they ran, so that what lies between a
        study's end, or its interruption, and the next one's start doesn't count, nor what a step
        took that was made again since.
        """
        spans, apart = [], 0.0
        for step in steps:
            mark = self._mark(step.name)
            known = mark.get("spans")
            if known:
                spans += known
            else:  # made by a version that noted the seconds alone
                apart += mark.get("seconds") or 0.0
        total, last = 0.0, float("-inf")
        for begin, end in sorted(spans):
            total += max(end - max(begin, last), 0.0)
            last = max(last, end)
        return total + apart

    def _start(self, step: Step, key: str, mark: dict) -> None:
        folder = self.out / step.name
        if mark.get("key") != key:
            shutil.rmtree(folder, ignore_errors=True)
            mark = {"key": key, "spent": 0.0, "spans": []}
        # Named before the first byte is written: what a killed process leaves is recognized by its
        # key.
        artifacts.write_json(self._mark_path(step.name), mark | {"seconds": None})
        places = {other: str(self.out / other) for other in step.needs} | {"out": str(folder)}
        arguments = [argument.format(**places) for argument in step.arguments]
        self.say(f"{step.name}: {'going on' if folder.exists() else 'begun'}")
        with open(self.logs / f"{step.name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", step.module, *arguments],
                cwd=code_files.ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self.running[step.name] = (process, time.monotonic(), mark)

    def _poll(self, name: str) -> float | None:
        process, begun, mark = self.running[name]
        if process.poll() is None:
            return None
        del self.running[name]
        ran = time.monotonic() - begun
        seconds = mark["spent"] + ran
        # A gate that said no has answered: its folder is whole.
        if process.returncode and not (process.returncode == 1 and self._ended(name)):
            lines = (
                (self.logs / f"{name}.log")
                .read_text(encoding="utf-8", errors="replace")
                .strip()
                .splitlines()
            )
            last = lines[-1].removeprefix("error: ") if lines else f"exit code {process.returncode}"
            raise InputError(f"step {name}: {last} (whole output: {self.logs / name}.log)")
        artifacts.write_json(
            self._mark_path(name), mark | {"seconds": seconds, "spans": _spans(mark, ran)}
        )
        return seconds

    def _stop(self) -> None:
        for process, _, _ in self.running.values():
            process.terminate()
        for name, (process, begun, mark) in self.running.items():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            ran = time.monotonic() - begun
            left = {"spent": mark["spent"] + ran, "seconds": None, "spans": _spans(mark, ran)}
            artifacts.write_json(self._mark_path(name), mark | left)
        self.running.clear()

    def _mark_path(self, name: str) -> Path:
        return self.marks / f"{name}.json"

    def _mark(self, name: str) -> dict:
        """What is known of the step's folder; nothing where the mark is gone or damaged."""
        path = self._mark_path(name)
        if not path.exists():
            return {}
        try:
            return artifacts.read_json(path)
        except InputError:
            return {}

    def _ended(self, name: str) -> bool:
        """Whether the step's folder is whole: every command writes its report last, or the folder
        in one piece."""
        return (self.out / name / "report.json").is_file()

    def _settle(self, name: str, mark: dict) -> float:
        """Seconds that a whole step took; noted where the study was killed after the step's end and
        before its mark."""
        if mark["seconds"] is None:
            artifacts.write_json(self._mark_path(name), mark | {"seconds": mark["spent"]})
        return mark["spent"] if mark["seconds"] is None else mark["seconds"]


def _unchecked(folder: Path) -> None:
    """The check of a step that has none."""


def _spans(mark: dict, ran: float) -> list:
    """The times [begin, end] at which a step ran, in seconds since 1970, with the `ran` seconds
    that end now."""
    now = time.time()
    return [*mark.get("spans", []), [now - ran, now]]


def _die_with_parent() -> None:
    """In the child: be killed when the study is, so that no orphan writes beside the next study."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)

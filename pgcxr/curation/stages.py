"""One function over many files: what is known is recalled, what may not be read is refused, the
rest is done."""

import importlib
import logging
import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pgcxr.curation.options import LOCAL
from pgcxr.curation.work import Work
from pgcxr.errors import ArgumentError
from pgcxr.io import progress, workers
from pgcxr.io.worker_process import Limits

# Seconds that one file may take before a line says so.
SLOW = 10.0
NOWHERE = "a link that leads nowhere"


@dataclass(frozen=True)
class Machines:
    """Who does the work.

    Attributes:
        processes: worker processes; 0 for none but this one.
        runner: LOCAL, or a runner of Apache Beam; `options` are then its options ("name=value").
    """

    processes: int = 0
    runner: str = LOCAL
    options: tuple[str, ...] = ()


@dataclass
class Stages:
    """How the steps of one curation are run.

    Attributes:
        export: nothing outside of this folder is read.
        key_file: of the key of `work`, for processes on other machines.
        show: whether there are bars.
        say: takes lines for the user.
    """

    work: Work
    export: Path
    key_file: Path
    machines: Machines
    limits: Limits
    show: bool
    say: Callable[[str], None]

    def map(
        self,
        function: Callable,
        items: Sequence,
        failed: Callable,
        *,
        title: str,
        names: Sequence[str] | None = None,
        intact: Callable | None = None,
    ) -> list:
        """[function(item) for item in items].

        Args:
            function: importable by name; what it returns depends on what `Work.name` sees of an
                item alone.
            items: paths, or dataclasses with a field `path`.
            failed: function(rule, detail) -> the result of an item that may not be read or brings
                its process down.
            names: `work.name(title, item)` of each, where they are known already.
            intact: intact(item, result) -> whether what an earlier run wrote for the item is still
                there.
        """
        names = names or [
            self.work.name(f"{title} {function.__qualname__}", item) for item in items
        ]
        refusal = Guard(self.export)
        results: list = [None] * len(items)
        todo = []
        for index, (name, item) in enumerate(zip(names, items, strict=True)):
            reason = refusal.of(getattr(item, "path", item))
            results[index] = failed(*reason) if reason else self.work.recall(name)
            if results[index] is None:
                todo.append(index)
        if intact is not None:
            todo += self._spoilt(items, results, intact)
        recalled = len(items) - len(todo)
        if self.work.resumed and recalled:
            self.say(f"{title}: {recalled} of {len(items)} are known from an earlier run")
        with progress.of_files(title, len(items), self.show) as advance:
            advance(recalled)
            left = Lazily(items.__getitem__, todo)
            for at, result in self._do(function, left, [names[i] for i in todo], failed, advance):
                results[todo[at]] = result
        return results

    def _spoilt(self, items: Sequence, results: list, intact: Callable) -> list[int]:
        known = [index for index, result in enumerate(results) if result is not None]
        with ThreadPoolExecutor(max(self.machines.processes, 1)) as threads:
            good = threads.map(lambda index: intact(items[index], results[index]), known)
            return [index for index, fine in zip(known, good, strict=True) if not fine]

    def _do(
        self,
        function: Callable,
        items: Sequence,
        names: list[str],
        failed: Callable,
        advance: Callable,
    ):
        if self.machines.runner != LOCAL and items:
            yield from _beam().stream(self, function, items, names, failed, advance)
            return
        stream = workers.stream(
            function,
            items,
            failed,
            workers=self.machines.processes,
            limits=self.limits,
            waiting=self._told(advance),
        )
        for at, result in stream:
            self.work.keep(names[at], result)
            advance(1)
            yield at, result

    def _told(self, advance: progress.Advance) -> Callable[[float], None]:
        """Passes on to the bar for how long a file has been in hand; in a log, without a bar, it is
        one line."""
        told = False

        def tell(seconds: float) -> None:
            nonlocal told
            advance.waiting(seconds)
            if not told and not advance.shown and seconds >= SLOW:
                told = True
                self.say(
                    f"waiting for a slow file; each may take {self.limits.cpu} to "
                    f"{self.limits.most_cpu} s of processor time"
                )

        return tell


class Lazily(Sequence):
    """[function(item) for item in items], each made when it is asked for."""

    def __init__(self, function: Callable, items: Sequence):
        self._function, self._items = function, items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int):
        return self._function(self._items[index])


def check_runner(runner: str, options: Sequence[str], processes: int) -> None:
    """Raises ArgumentError for an option that does not exist, or Beam where it is not installed."""
    if runner == LOCAL:
        if options:
            expected = "is for a runner of Apache Beam; name one as the runner"
            raise ArgumentError("runner_options", expected, received=options[0])
        return
    try:
        beam = _beam()
    except ImportError:
        expected = f"Apache Beam is not installed; run `pip install 'pgcxr[beam]'`, or use {LOCAL}"
        raise ArgumentError("runner", expected, received=runner) from None
    beam.pipeline_options(runner, options, processes)


def _beam() -> ModuleType:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # Beam warns of packages that are of no use here
    try:
        return importlib.import_module("pgcxr.curation.beam")
    finally:
        logging.disable(before)


class Guard:
    """Says which paths are not to be opened: links that lead out of the export, pipes, devices,
    folders."""

    def __init__(self, export: Path):
        self._root = os.path.realpath(export)
        self._folders: dict[str, bool] = {}

    def of(self, path: Path) -> tuple[str, str] | None:
        """(rule, detail), or None for a file that may be opened."""
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self._inside(os.path.realpath(folder))
        try:
            linked = stat.S_ISLNK(os.lstat(path).st_mode)
            inside = self._inside(os.path.realpath(path)) if linked else self._folders[folder]
            if not inside:
                return "unreadable", "a link that leads out of the export"
            regular = stat.S_ISREG(os.stat(path).st_mode)
        except OSError as error:
            nowhere = isinstance(error, FileNotFoundError) and os.path.islink(path)
            return "unreadable", NOWHERE if nowhere else "cannot be read from the disk"
        return None if regular else ("unreadable", "not a regular file")

    def _inside(self, real: str) -> bool:
        return real == self._root or real.startswith(self._root.rstrip(os.sep) + os.sep)

"""The same functions over the same files on Apache Beam, for more machines than one.

What a runner is given are places in a list of jobs that lies encrypted in the work folder, never a
file's name or what is in a file; what it gives back are counts. Results go where those of a local
run go, the journal: a killed run goes on, with any runner. EXPORT, the folder of the cohort and the
key file have to be at the same paths on every machine.
"""

import contextlib
import errno
import io
import itertools
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pgcxr.curation.journal import Journal
from pgcxr.errors import ArgumentError, InstallationError
from pgcxr.io import artifacts, workers
from pgcxr.io.worker_process import Limits
from pgcxr.privacy import hashing

# Jobs that travel together: few enough that the last ones end together on many machines.
BUNDLE = 16
LOG = "runner.log"


@dataclass(frozen=True)
class Place:
    """Jobs of one stage: `count` lines from byte `offset` on of the list `jobs`."""

    jobs: str
    offset: int
    count: int


def stream(
    stages,
    function: Callable,
    items: Sequence,
    names: Sequence[str],
    failed: Callable,
    advance: Callable,
) -> Iterator[tuple]:
    """(index, result) of every item, written down in the journal already; `advance` is called
    meanwhile."""
    journal = stages.work.journal
    jobs = stages.work.folder / "todo.jobs"
    before = {path.name for path in journal.folder.iterdir()}
    try:
        places = _write_jobs(jobs, journal, zip(names, items, strict=True))
        do = Do(str(journal.folder), str(stages.key_file), function, failed, stages.limits)
        machines = stages.machines
        options = pipeline_options(machines.runner, machines.options, machines.processes)
        with _counting(journal.folder, before, len(items), advance):
            _run(machines.runner, options, places, do, stages.work.folder / LOG)
        (stages.work.folder / LOG).unlink()
    finally:
        jobs.unlink(missing_ok=True)
    left = {name: index for index, name in enumerate(names)}
    for path in sorted(path for path in journal.folder.iterdir() if path.name not in before):
        for name, value in journal.read_file(path):
            # A runner that lost a machine does its bundle again.
            if name in left:
                yield left.pop(name), value
    if left:
        expected = (
            f"{len(left)} of {len(items)} results are missing; do all of its machines see "
            f"{stages.work.folder.parent}, the export and the key file under the same paths?"
        )
        raise ArgumentError("runner", expected, received=machines.runner)


def pipeline_options(runner: str, assignments: Sequence[str], processes: int) -> PipelineOptions:
    """Beam's options from "name=value"; the DirectRunner has `processes` workers where they do not
    say otherwise.

    Raises:
        ArgumentError: not name=value, or no option of any runner.
    """
    texts = []
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.replace("_", "").isalnum():
            expected = "must be name=value, for example parallelism=64"
            raise ArgumentError("runner_options", expected, received=text)
        texts.append(f"--{name}={value}")
    if runner == "DirectRunner" and not any(text.startswith("--direct_") for text in texts):
        texts += [
            "--direct_running_mode=multi_processing",
            f"--direct_num_workers={max(processes, 1)}",
        ]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            options = PipelineOptions(texts)
            known = options.get_all_options(drop_default=True)
    except SystemExit:
        expected = "is refused by Beam; see its pipeline options"
        raise ArgumentError("runner_options", expected, received=" ".join(assignments)) from None
    for text in assignments:
        if text.partition("=")[0] not in known:
            expected = "Beam has no such option, or has it so by default"
            raise ArgumentError("runner_options", expected, received=text)
    return options


def _write_jobs(path: Path, journal: Journal, pairs: Iterable[tuple]) -> list[Place]:
    places, pairs = [], iter(pairs)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        while bundle := list(itertools.islice(pairs, BUNDLE)):
            places.append(Place(str(path), file.tell(), len(bundle)))
            file.writelines(journal.line(*pair) for pair in bundle)
    return places


def _run(runner: str, options: PipelineOptions, places: list[Place], do: "Do", log: Path) -> None:
    # By its name, DirectRunner would first try to fetch another program from the internet.
    chosen = FnApiRunner() if runner == "DirectRunner" else runner
    with _stderr_to(log):
        try:
            with apache_beam.Pipeline(runner=chosen, options=options) as pipeline:
                created = (
                    pipeline
                    | "Jobs" >> apache_beam.Create(places)
                    | "Spread" >> apache_beam.Reshuffle()
                )
                _ = created | "Do" >> apache_beam.ParDo(do)
        except Exception as error:
            print(traceback.format_exc(), file=sys.stderr, flush=True)
            if artifacts.FULL in str(error):
                raise OSError(errno.ENOSPC, artifacts.FULL, str(log)) from None
            if found := InstallationError.found_in(str(error)):
                raise InstallationError(found) from None
            expected = f"the pipeline failed; {log} says why (it may name files: keep it private)"
            raise ArgumentError("runner", expected, received=runner) from None


@contextlib.contextmanager
def _stderr_to(log: Path) -> Iterator[None]:
    """Beam's own processes inherit stderr and are talkative there."""
    sys.stderr.flush()
    before = os.dup(2)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


@contextlib.contextmanager
def _counting(folder: Path, before: set[str], most: int, advance: Callable) -> Iterator[None]:
    """Calls `advance` as lines are added to the journal by whatever machine."""
    over = threading.Event()

    def count() -> None:
        seen: dict[Path, int] = {}
        done = 0
        while not over.wait(1.0):
            for path in [path for path in folder.iterdir() if path.name not in before]:
                with open(path, "rb") as file:
                    file.seek(seen.get(path, 0))
                    content = file.read()
                seen[path] = seen.get(path, 0) + len(content)
                lines = min(content.count(b"\n"), most - done)
                done += lines
                advance(lines)

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Do(apache_beam.DoFn):
    """Does the jobs at a Place, in a process with limits, and writes their results into the
    journal."""

    def __init__(
        self, journal: str, key_file: str, function: Callable, failed: Callable, limits: Limits
    ):
        self.journal, self.key_file = journal, key_file
        self.function, self.failed, self.limits = function, failed, limits

    def setup(self) -> None:
        """Once for each of Beam's workers."""
        self._journal = Journal(Path(self.journal), hashing.read_or_make_key(self.key_file))
        self._pool = workers.Pool(self.function, 1, self.limits).__enter__()

    def process(self, place: Place):
        """Yields how many jobs were done."""
        pairs = list(self._journal.read_file(Path(place.jobs), place.offset, place.count))
        for index, result in self._pool.stream([item for _, item in pairs], self.failed):
            self._journal.write(pairs[index][0], result)
        yield len(pairs)

    def teardown(self) -> None:
        """The end of that worker."""
        self._pool.__exit__()
        self._journal.close()

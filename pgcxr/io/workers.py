"""Processes over many files, with limits for each: a file that crashes, hangs or swells costs one
result."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait

from pgcxr.errors import ArgumentError
from pgcxr.io import progress, worker_process
from pgcxr.io.worker_process import ERROR, FAILED, READY, Limits

MOST = 256
# Items that a worker holds: enough that it never waits for this process, few enough that the last
# ones end together.
HELD = 4
# Seconds between two looks at the clock, and until a process has to be there.
SLICE, START = 0.5, 300.0
# Seconds that a killed process is waited for: one that hangs in a dead network drive never ends.
ENDING = 5.0
CRASHED = ("unreadable", "crashed the decoder")
TIMEOUT = ("timeout", "took longer than one file may")


def run(
    function: Callable,
    items: Sequence,
    crashed: Callable,
    *,
    workers: int,
    title: str,
    show: bool,
    limits: Limits | None = None,
) -> list:
    """[function(item) for item in items] from `stream`, in their order, with a progress bar.

    Args:
        crashed: crashed(item) -> the result of an item that fails, whatever the reason.
    """
    results: list = [None] * len(items)
    with progress.of_files(title, len(items), show) as advance:
        for index, result in stream(function, items, Failed, workers=workers, limits=limits):
            results[index] = crashed(items[index]) if isinstance(result, Failed) else result
            advance(1)
    return results


@dataclass(frozen=True)
class Failed:
    """Why an item has no result."""

    rule: str
    detail: str


def stream(
    function: Callable,
    items: Sequence,
    failed: Callable,
    *,
    workers: int,
    limits: Limits | None = None,
    waiting: Callable[[float], None] = lambda seconds: None,
) -> Iterator[tuple[int, object]]:
    """(index, function(items[index])) as they come, each once, from several processes.

    Args:
        function: importable by name, from a module that is cheap to import.
        failed: function(rule, detail) -> the result of an item that crashed, took too long or too
            much memory.
        workers: processes; 0 does everything in this one (for tests and small exports), without
            limits.
        limits: what one item may take, by default `Limits()`.
        waiting: is told for how many seconds the slowest item has been in hand, about twice a
            second.

    Raises:
        OSError: the machine is at fault (a full disk), not a file.
        InstallationError: what is installed is at fault.
    """
    if workers == 0:
        for index, item in enumerate(items):
            yield index, _value(worker_process.attempt(function, item), failed)
        return
    with Pool(function, min(workers, len(items)), limits or Limits()) as pool:
        yield from pool.stream(items, failed, waiting)


class Pool:
    """Worker processes that stay for several `stream`s, and end with the `with` block."""

    def __init__(self, function: Callable, workers: int, limits: Limits):
        self._lanes: list[Lane] = []
        self._new = lambda: Lane(function, limits)
        self._workers = workers

    def __enter__(self) -> "Pool":
        try:
            while len(self._lanes) < self._workers:
                self._lanes.append(self._new())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for lane in self._lanes:
            lane.end()

    def stream(
        self,
        items: Sequence,
        failed: Callable,
        told: Callable[[float], None] = lambda seconds: None,
    ) -> Iterator[tuple[int, object]]:
        """As the function `stream`; to be read to its end before the next one."""
        waiting = deque(range(len(items)))
        suspects: set[int] = set()
        while waiting or any(lane.given for lane in self._lanes):
            for lane in self._lanes:
                while waiting and len(lane.given) < HELD:
                    index = waiting.popleft()
                    lane.give(index, items[index])
            for lane in self._with_news():
                for index, said in lane.news(suspects):
                    yield index, _value(said, failed)
                waiting.extendleft(reversed(lane.take_back()))
            told(max((lane.quiet for lane in self._lanes if lane.ready), default=0.0))

    def _with_news(self) -> list["Lane"]:
        """The lanes that have something to say, a crash or a time-out included, after at most SLICE
        seconds."""
        begun = time.monotonic()
        ready = wait([lane.connection for lane in self._lanes if lane.given], SLICE)
        # A machine or a process that was stopped for an hour has not waited for an hour.
        passed = min(time.monotonic() - begun, 2 * SLICE)
        for lane in self._lanes:
            lane.quiet += passed if lane.given else 0
        return [
            lane for lane in self._lanes if lane.connection in ready or (lane.given and lane.late())
        ]


class Lane:
    """One worker process and the items that it was given, the one it is at first; replaced when it
    ends."""

    def __init__(self, function: Callable, limits: Limits):
        self.function, self.limits = function, limits
        self.given: deque[int] = deque()
        self._lost: list[int] = []
        self._failures = 0
        self._begin()

    def _begin(self) -> None:
        # Where a spawned process begins.
        if not os.access(os.curdir, os.X_OK):
            said = (
                "must be 0 here: a process may not enter the folder that this was started in; "
                "change to another folder (cd)"
            )
            raise ArgumentError("processes", said)
        # Spawned, not forked: the caller may hold TensorFlow's threads.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, self.function, os.getpid(), self.limits)
        self.process = context.Process(target=worker_process.serve, args=arguments, daemon=True)
        with worker_process.deaf():
            self.process.start()
        theirs.close()
        self.ready, self.quiet = False, 0.0

    def give(self, index: int, item) -> None:
        """Hands `item` over; it is worked on after those given before."""
        with contextlib.suppress(BrokenPipeError):  # it has crashed: `news` says so
            self.connection.send(item)
        if not self.given:
            self.quiet = 0.0
        self.given.append(index)

    def late(self) -> bool:
        """Whether the item in hand, or the process itself, has taken longer than it may."""
        return self.quiet > (self.limits.wall if self.ready else START)

    def news(self, suspects: set[int]) -> list[tuple[int, tuple]]:
        """(index, what `worker_process.attempt` said) of items that are done with.

        Args:
            suspects: items in whose time a process was lost; the second loss is the item's fault.
                (The first may be that of the system, short of memory.)
        """
        try:
            if self.late() and not self.connection.poll():
                return self._replace(TIMEOUT, suspects, certain=True)
            said = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            late = self.process.exitcode == -signal.SIGXCPU
            return self._replace(TIMEOUT if late else CRASHED, suspects, certain=late)
        self.quiet = 0.0
        if said[0] == READY:
            self.ready, self._failures = True, 0
            return []
        return [(self.given.popleft(), said)]

    def _replace(
        self, reason: tuple[str, str], suspects: set[int], *, certain: bool
    ) -> list[tuple[int, tuple]]:
        was_ready = self.ready
        self.end()
        self._failures += not was_ready
        if self._failures > 2:
            said = "must be 0 here: worker processes end as they start, for the reason above"
            raise ArgumentError("processes", said)
        first = self.given[0]
        blamed = was_ready and (certain or first in suspects)
        if blamed:
            self.given.popleft()
        elif was_ready:
            suspects.add(first)
        self._lost = list(self.given)
        self.given.clear()
        self._begin()
        return [(first, (FAILED, reason))] if blamed else []

    def take_back(self) -> list[int]:
        """Items that were given to a process which was lost before it came to them."""
        lost, self._lost = self._lost, []
        return lost

    def end(self) -> None:
        """Ends the process at once, whatever it is at."""
        self.process.kill()
        self.process.join(ENDING)
        self.connection.close()


def _value(said: tuple, failed: Callable):
    kind, value = said
    if kind == ERROR:
        raise value
    return failed(*value) if kind == FAILED else value

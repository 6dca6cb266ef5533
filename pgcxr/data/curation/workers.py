"""Processes over many files, in order, with a progress bar; a file that crashes its process costs one result."""

import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pgcxr.data import worker_process

MOST = 256
# Files handed over at once: few enough for an even progress bar, many enough that handing over costs nothing.
CHUNK = 32


def each(function: Callable, items: Sequence) -> list:
    """`function` of every item of a chunk."""
    return [function(item) for item in items]


def run(function: Callable, items: Sequence, crashed: Callable, *, workers: int, title: str, show: bool) -> list:
    """[function(item) for item in items], on several processes.

    Args:
        function: importable by name, from a module that is cheap to import.
        crashed: function(item) -> the result to note where an item brings its process down.
        workers: processes; 0 does everything in this one (for tests and small exports), unprotected from crashes.
        show: whether to draw a progress bar on stderr.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # A bar that vanishes leaves a blank line in a log.
    hidden = not show or not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, transient=True) as bar:
        task = bar.add_task(title, total=len(items))
        chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
        results: list[list] = [[] for _ in chunks]
        waiting = queue.SimpleQueue()
        for index in range(len(chunks)):
            waiting.put(index)
        stop = threading.Event()

        def lane() -> None:
            """Takes chunks until there are none; each lane has a process of its own, so that a crash is its own."""
            with _Process(stop) as process:
                while not stop.is_set():
                    try:
                        index = waiting.get_nowait()
                    except queue.Empty:
                        return
                    results[index] = process.each(function, chunks[index], crashed)
                    bar.advance(task, len(chunks[index]))

        if workers == 0:
            for index, chunk in enumerate(chunks):
                results[index] = each(function, chunk)
                bar.advance(task, len(chunk))
        elif chunks:
            with ThreadPoolExecutor(min(workers, len(chunks))) as threads:
                lanes = [threads.submit(lane) for _ in range(min(workers, len(chunks)))]
                try:
                    wait(lanes, return_when="FIRST_EXCEPTION")
                    stop.set()
                except BaseException:
                    # An interrupt is answered now, not after the chunks that are under way.
                    stop.set()
                    while wait(lanes, timeout=0.1).not_done:
                        worker_process.end_all()
                    raise
                for ended in lanes:
                    ended.result()
    return [result for chunk in results for result in chunk]


class _Process:
    """One worker process, started when first needed and again after a crash, but not after `stop`."""

    def __init__(self, stop: threading.Event):
        self._stop = stop

    def __enter__(self) -> "_Process":
        self._pool = None
        return self

    def __exit__(self, *_) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def each(self, function: Callable, chunk: Sequence, crashed: Callable) -> list:
        try:
            return self._submit(function, chunk)
        except BrokenProcessPool:
            if self._stop.is_set():
                raise
            return [self._one(function, item, crashed) for item in chunk]

    def _one(self, function: Callable, item, crashed: Callable):
        try:
            return self._submit(function, [item])[0]
        except BrokenProcessPool:
            if self._stop.is_set():
                raise
            return crashed(item)

    def _submit(self, function: Callable, chunk: Sequence) -> list:
        if self._pool is None:
            # Spawned, not forked: the caller may hold TensorFlow's threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, worker_process.start, (os.getpid(),))
        try:
            with worker_process.deaf():
                waiting = self._pool.submit(each, function, chunk)
            return waiting.result()
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = None
            raise

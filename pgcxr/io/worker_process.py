"""What a worker process does: its limits, and one item after another; and how they are all ended at
once."""

import contextlib
import errno
import multiprocessing
import os
import queue
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker

from pgcxr.errors import fault_of_installation

# What a worker says: that it is there, a result, why an item has none, an error that concerns the
# whole run.
READY, RESULT, FAILED, ERROR = "ready", "result", "failed", "error"
# Errors of the machine, not of a file: they end the run.
OF_MACHINE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.EIO,
)


@dataclass(frozen=True)
class Limits:
    """What one file may take.

    `memory` bytes on top of what an idle worker has: a chest radiograph of the largest size that is
    read (64 million pixels) takes about half of it. `cpu` seconds of processor time, whatever else
    the machine does, and `cpu_per_mib` more for each MiB of the file, up to `most_cpu`: 64 million
    pixels take 3 s in a JPEG 2000 stream of 9 MiB, and 9 s in one of 51. `wall` seconds on the
    clock, for a file that never answers.
    """

    memory: int = 4 << 30
    cpu: int = 15
    cpu_per_mib: float = 0.5
    most_cpu: int = 60
    wall: float = 600.0

    def seconds(self, item) -> int:
        """Of processor time, for `item`: a path, something with a field `path`, or anything else,
        which has no size."""
        path = getattr(item, "path", item)
        size = 0
        if isinstance(path, os.PathLike):
            with contextlib.suppress(OSError):
                size = os.stat(path).st_size
        return max(
            self.cpu, min(round(self.cpu + self.cpu_per_mib * size / (1 << 20)), self.most_cpu)
        )


def start(parent: int) -> None:
    """One thread each, as the processes use the cores.

    Args:
        parent: its process number. A killed parent cannot tell its workers: they notice that they
            were handed on.
    """
    import cv2

    cv2.setNumThreads(1)

    def leave_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=leave_with_parent, daemon=True).start()


def serve(connection, function: Callable, parent: int, limits: Limits) -> None:
    """A worker's life: receives items, sends (kind, value) for each in their order, until it is
    ended."""
    start(parent)
    _hide_output()
    _limit_memory(limits.memory)
    inbox = queue.SimpleQueue()

    def receive() -> None:
        # In a thread, so that the parent never waits for a busy worker to take what it sends.
        try:
            while True:
                inbox.put(connection.recv())
        except BaseException:
            os._exit(1)

    threading.Thread(target=receive, daemon=True).start()
    connection.send((READY, None))
    while True:
        item = inbox.get()
        _limit_cpu(limits.seconds(item))
        connection.send(attempt(function, item))


def attempt(function: Callable, item) -> tuple:
    """(RESULT, value), (FAILED, (rule, detail)), or (ERROR, the error) where the machine, or what
    is installed, is at fault."""
    try:
        return RESULT, function(item)
    except MemoryError:
        return FAILED, ("too_large", "takes more memory than one file may")
    except OSError as error:
        return (
            (ERROR, error)
            if error.errno in OF_MACHINE
            else (FAILED, ("unreadable", "cannot be read from the disk"))
        )
    except Exception as error:
        if fault := fault_of_installation(error):
            return ERROR, fault
        # The name of the class is pgcxr's or a library's; the message may quote the file.
        return FAILED, ("unreadable", f"cannot be processed ({type(error).__name__})")


def _hide_output() -> None:
    """Decoders written in C quote files on stderr."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _limit_memory(most: int) -> None:
    # A core dump would hold a patient's image.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # no /proc, or a lower limit is set already
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(
            resource.RLIMIT_AS, (used + most, resource.getrlimit(resource.RLIMIT_AS)[1])
        )


def _limit_cpu(seconds: int) -> None:
    """The kernel ends this process (SIGXCPU) when it has used `seconds` more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    with contextlib.suppress(OSError, ValueError):  # a lower limit is set already
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Processes that are started within never hear Ctrl-C, not even while they import: it is the
    parent's to answer."""
    # Where the first process starts it, it lets Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_all() -> None:
    """Ends this process's workers without waiting for what they are at."""
    for child in multiprocessing.active_children():
        child.terminate()

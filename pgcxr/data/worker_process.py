"""What every worker process does at its start, and how they are all ended at once."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator


def start(parent: int) -> None:
    """One thread each, as the processes use the cores.

    Args:
        parent: its process number. A killed parent cannot tell its workers: they notice that they were handed on.
    """
    import cv2

    cv2.setNumThreads(1)

    def leave_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=leave_with_parent, daemon=True).start()


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Processes that are started within never hear Ctrl-C, not even while they import: it is the parent's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_all() -> None:
    """Ends this process's workers without waiting for what they are at."""
    for child in multiprocessing.active_children():
        child.terminate()

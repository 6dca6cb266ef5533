"""One process at a time, by the kernel's own locks (flock).

They end with the process that holds them, however it ends, so that what a killed process left can
be told from what a living one is writing, whatever their numbers and machines. flock is in Python's
standard library; a package for locks would be a dependency more.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pgcxr.errors import InputError

# What a file system without locks answers.
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
# Tries, each of which only another process can spoil; some file systems (/proc) answer as if one
# did.
CLAIMS = 1000


def lock(file: IO | int, *, wait: bool = False) -> bool:
    """Locks an open file until it is closed; False where another process holds it.

    Args:
        file: the file, or its descriptor (a folder's, too).
        wait: until the other process lets go of it.

    Raises:
        OSError: the file system has no locks (NO_LOCKS), or is out of order.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def claimed(beside: Path, final: Path, make: Callable[[], int]) -> Iterator[int]:
    """Holds `beside`, which becomes `final`, for this process alone; yields its descriptor.

    Args:
        make: makes `beside` where it is not there yet, and opens it.

    Raises:
        InputError: another process holds it.
    """
    for _ in range(CLAIMS):
        try:
            handle = make()
        except FileNotFoundError:  # its owner took it away between two steps of `make`
            continue
        try:
            # Without locks: as if nobody else were there.
            with contextlib.suppress(OSError):
                if not lock(handle):
                    raise InputError(
                        f"{final}: is being written by another process; wait for it, or name "
                        "another place"
                    )
            if _is_at(handle, beside):
                yield handle
                return
        finally:
            os.close(handle)
    raise InputError(f"{final}: cannot be made there; name another place")


def _is_at(handle: int, path: Path) -> bool:
    """Whether `path` is still what was opened: its owner may have renamed it before it let go."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False

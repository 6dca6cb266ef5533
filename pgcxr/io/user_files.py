"""Files that a user names, opened without trusting them: a pipe never answers, a device never ends,
and a size may lie.

What is wrong is one line (InputError): what, where, and what to do.
"""

import io
import os
import stat
import tomllib
from pathlib import Path
from typing import BinaryIO

from pgcxr.errors import InputError

# The most bytes that are read: of rules, lexicons and other settings; of reports and
# configurations; of tables.
SETTINGS, JSON, TABLE = 16 << 20, 256 << 20, 2 << 30


def opened(path: str | os.PathLike, most: int, *, absent: str = "check the path") -> BinaryIO:
    """The regular file at `path`, for reading bytes, if it has no more than `most`.

    Args:
        absent: what to do where there is no such file.
    """
    try:
        # Without waiting for whoever would write into a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file; {absent}") from None
    except PermissionError:
        raise InputError(f"{path}: may not be read; change its permissions") from None
    except (
        OSError,
        ValueError,
    ) as error:  # a socket, a loop of links, a name that no file can have
        said = (
            os.strerror(error.errno)
            if isinstance(error, OSError) and error.errno
            else "no file can have this name"
        )
        raise InputError(f"{str(path)[:200]!s}: {said}; {absent}") from None
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path}: is a folder; name a file")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is a pipe or a device; name a regular file")
        if status.st_size > most:
            raise InputError(f"{path}: is larger than {_shown(most)}; is it the right file?")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: str | os.PathLike, most: int, *, absent: str = "check the path") -> bytes:
    """All of such a file, also where it grows meanwhile."""
    with opened(path, most, absent=absent) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InputError(f"{path}: is larger than {_shown(most)}; is it the right file?")
    return content


def read_text(
    path: str | os.PathLike, most: int = SETTINGS, *, absent: str = "check the path"
) -> str:
    """All of such a file, of UTF-8 with or without a byte order mark; line ends as "\\n"."""
    content = read_bytes(path, most, absent=absent)
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8; save it as text in UTF-8") from None


def read_toml(path: str | os.PathLike, *, absent: str = "check the path") -> dict:
    """The content of a TOML file."""
    text = read_text(path, absent=absent)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(
            f"{path}: is not TOML that can be read: lists or tables are nested too deep"
        ) from None
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise InputError(f"{path}: is not TOML: {' '.join(str(error).split())[:200]}") from None


def is_regular(path: Path) -> bool:
    """Whether there is a regular file, also at the end of a link; False where that cannot be
    said."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _shown(size: int) -> str:
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"

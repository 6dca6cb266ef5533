"""How results reach the disk: beside first, then renamed, with what made them.

A reader never sees half of a file or folder under its final name. What a killed process leaves
behind carries the suffix ``.partial`` and is removed by the next process that makes the same
artifact.
"""

import contextlib
import ctypes
import errno
import hashlib
import json
import math
import os
import platform
import shutil
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

import pgcxr
from pgcxr.errors import InputError
from pgcxr.io import user_files
from pgcxr.io.locks import claimed
from pgcxr.io.places import PARTIAL, refuse_existing, refuse_place

# How the system, HDF5 and TensorFlow say it.
FULL = "No space left on device"


@contextlib.contextmanager
def atomic_path(final: str | os.PathLike, *, private: bool = False) -> Iterator[Path]:
    """Yields a path beside `final` to write to; renames it to `final` on success, removes it on any
    error.

    `private` makes a file that its owner alone can read.

    Raises:
        InputError: another process is writing `final`.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f".{final.name}{PARTIAL}{final.suffix}")

    def make() -> int:
        return os.open(beside, os.O_RDWR | os.O_CREAT, 0o600 if private else 0o666)

    with claimed(beside, final, make) as handle:
        try:
            if private:  # also where it was left by a killed process
                os.fchmod(handle, 0o600)
            os.truncate(handle, 0)
            yield beside
            with open(beside, "rb") as written:
                os.fsync(written.fileno())
            os.replace(beside, final)
        except BaseException as error:
            beside.unlink(missing_ok=True)
            _name_final(error, beside, final)
            raise


@contextlib.contextmanager
def new_folder(final: str | os.PathLike, *, replace: bool = False) -> Iterator[Path]:
    """Yields an empty folder beside `final`; it becomes `final` on success and is removed on any
    error.

    Args:
        replace: whether what is at `final` may go, in the moment in which the new folder takes its
            place; the caller has made sure that it is nothing of the user's.

    Raises:
        InputError: `final` exists and is not an empty folder (nothing of the user's is
            overwritten), or another process is making it.
    """
    final = Path(final)
    (refuse_place if replace else refuse_existing)(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f".{final.name}{PARTIAL}")

    def make() -> int:
        beside.mkdir(exist_ok=True)
        return os.open(beside, os.O_RDONLY | os.O_DIRECTORY)

    with claimed(beside, final, make):
        try:
            _empty(beside)
            yield beside
            if not replace:
                refuse_existing(final)
            if replace and final.exists():
                _exchange(beside, final)
                shutil.rmtree(beside)
            else:
                shutil.rmtree(final, ignore_errors=True)
                os.replace(beside, final)
        except BaseException as error:
            shutil.rmtree(beside, ignore_errors=True)
            _name_final(error, beside, final)
            raise


def _exchange(one: Path, other: Path) -> None:
    """Swaps two folders in one step where the system can (Linux, renameat2); else there is none for
    a moment."""
    at_cwd, exchange = -100, 2
    with contextlib.suppress(AttributeError):  # another system's C library
        rename = ctypes.CDLL(None, use_errno=True).renameat2
        if (
            rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), ctypes.c_uint(exchange))
            == 0
        ):
            return
    away = one.with_name(f"{one.name}.replaced")
    os.replace(other, away)
    os.replace(one, other)
    os.replace(away, one)


@contextlib.contextmanager
def private_folder(folder: str | os.PathLike, final: str | os.PathLike) -> Iterator[Path]:
    """As `held_folder`, readable by its owner alone."""
    with held_folder(folder, final, mode=0o700) as held:
        held.chmod(0o700)
        yield held


@contextlib.contextmanager
def held_folder(
    folder: str | os.PathLike, final: str | os.PathLike, mode: int = 0o777
) -> Iterator[Path]:
    """Yields `folder`, made if need be, held for this process alone.

    Raises:
        InputError: another process holds it; `final` is the artifact that the line then names.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)

    def make() -> int:
        folder.mkdir(exist_ok=True, mode=mode)
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    with claimed(folder, Path(final), make):
        yield folder


def remove(path: Path) -> None:
    """Removes a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        remove(path)


def _name_final(error: BaseException, beside: Path, final: Path) -> None:
    """Makes a failed write name what the user asked for: not what lies beside, nor nothing."""
    if isinstance(error, OSError):
        # A write that fails, as on a full disk, does not know its file's name.
        unnamed = error.filename is None and (error.errno is not None or FULL in str(error))
        if unnamed or Path(os.fsdecode(error.filename or "")).is_relative_to(beside):
            error.filename = str(final)
    elif isinstance(error, Exception) and FULL in str(error):  # TensorFlow's own kind
        raise OSError(errno.ENOSPC, FULL, str(final)) from error


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_arrays(path: str | os.PathLike, arrays: dict) -> None:
    """Writes an .npz atomically; the same arrays give the same bytes.

    np.savez leaves a full disk's error to the garbage collector; here the file is closed in an
    orderly way.
    """
    with atomic_path(path) as beside, zipfile.ZipFile(beside, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            # A member opened by name is dated 1980, not now.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def write_json(path: str | os.PathLike, body: dict) -> None:
    """Writes strict JSON atomically: NaN and infinities become null, numpy scalars and arrays plain
    numbers."""
    write_text(path, json.dumps(plain(body), indent=2, allow_nan=False) + "\n")


def sha256(path: str | os.PathLike) -> str:
    """Of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: str | os.PathLike) -> dict:
    """Reads a JSON object, or raises InputError in one line."""
    content = user_files.read_bytes(
        path, user_files.JSON, absent="was the step that writes it run to its end?"
    )
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):  # of JSON, of UTF-8, of a number's length
        raise InputError(
            f"{path}: is not JSON; make it again with the step that writes it"
        ) from None
    if not isinstance(body, dict):
        raise InputError(
            f"{path}: is not a JSON object; make it again with the step that writes it"
        )
    return body


def write_report(
    folder: str | os.PathLike, body: dict, *, command: str, seed: int | None = None, config=None
) -> None:
    """Writes `folder`/report.json: `body`, and under "made_by" the command, seed, config and
    versions that made it."""
    made_by = {"command": command, "seed": seed, "config": config or {}, "versions": versions()}
    write_json(Path(folder) / "report.json", {**body, "made_by": made_by})


def versions() -> dict:
    """The versions that decide a result."""
    numbers = {"pgcxr": pgcxr.__version__, "python": platform.python_version()}
    for name in (
        "tensorflow",
        "keras",
        "numpy",
        "scipy",
        "scikit-learn",
        "pydicom",
        "opencv-python-headless",
    ):
        with contextlib.suppress(metadata.PackageNotFoundError):
            numbers[name] = metadata.version(name)
    return numbers


def plain(value):
    """`value` with only the types of strict JSON in it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value

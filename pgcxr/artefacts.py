"""How results reach the disk: beside first, then renamed, with what made them.

A reader never sees half of a file or folder under its final name. What a killed process leaves behind carries the
suffix ``.partial`` and is removed by the next process that makes the same artefact.
"""

import contextlib
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

PARTIAL = ".partial"


@contextlib.contextmanager
def atomic_path(final: str | os.PathLike) -> Iterator[Path]:
    """Yields a path beside `final` to write to; renames it to `final` on success, removes it on any error."""
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f".{final.name}{PARTIAL}{final.suffix}")
    try:
        yield beside
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, final)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        _say_where(error, final, beside)
        raise


@contextlib.contextmanager
def new_folder(final: str | os.PathLike) -> Iterator[Path]:
    """Yields an empty folder beside `final`; it becomes `final` on success and is removed on any error.

    Raises:
        InputError: `final` exists and is not an empty folder: nothing of the user's is overwritten.
    """
    final = Path(final)
    refuse_existing(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f".{final.name}{PARTIAL}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        refuse_existing(final)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(beside, final)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        _say_where(error, final, beside)
        raise


def _say_where(error: BaseException, final: Path, beside: Path) -> None:
    """Names `final` in a system error that names no file, as a full disk's, or one below `beside`."""
    if isinstance(error, OSError) and error.errno is not None:
        named = error.filename
        if named is None or (isinstance(named, (str, os.PathLike)) and Path(named).is_relative_to(beside)):
            error.filename = str(final)


def refuse_existing(folder: Path) -> None:
    """Raises InputError where `folder` is a file, or a folder with more in it than a killed process left."""
    if folder.is_dir() and any(PARTIAL not in path.name for path in folder.iterdir()):
        raise InputError(f"{folder}: exists and is not empty; remove it or name another --out")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder; name another --out")


def existing_folder(folder: str | os.PathLike, what: str) -> Path:
    """`folder` as a Path, or an InputError that says `what` was expected there."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected {what}")
    return folder


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_arrays(path: str | os.PathLike, arrays: dict) -> None:
    """Writes an .npz atomically; the same arrays give the same bytes.

    np.savez leaves a full disk's error to the garbage collector; here the file is closed in an orderly way.
    """
    with atomic_path(path) as beside, zipfile.ZipFile(beside, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            # A member opened by name is dated 1980, not now.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def write_json(path: str | os.PathLike, body: dict) -> None:
    """Writes strict JSON atomically: NaN and infinities become null, numpy scalars and arrays plain numbers."""
    write_text(path, json.dumps(plain(body), indent=2, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike) -> dict:
    """Reads a JSON file, or raises InputError in one line."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; was the step that writes it run to its end?") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: is not JSON; make it again with the step that writes it") from None


def write_report(folder: str | os.PathLike, body: dict, *, command: str, seed: int | None = None, config=None) -> None:
    """Writes `folder`/report.json: `body`, and under "made_by" the command, seed, config and versions that made it."""
    made_by = {"command": command, "seed": seed, "config": config or {}, "versions": versions()}
    write_json(Path(folder) / "report.json", {**body, "made_by": made_by})


def versions() -> dict:
    """The versions that decide a result."""
    found = {"pgcxr": pgcxr.__version__, "python": platform.python_version()}
    for name in ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pydicom", "opencv-python-headless"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


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

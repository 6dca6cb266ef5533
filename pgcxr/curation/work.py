"""The private folder beside a cohort that lets curation go on where it stopped, and add to a cohort
what is new.

`.COHORT.work/` (0700) holds a journal of the headers and results that are known, and the images by
a keyed hash of all that they depend on: the file's place in the export, its size and time of
change, the options, and the code. Nothing in it has the name of a patient or of a file. It may be
removed at any time: the next run then begins anew.
"""

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

import pgcxr
from pgcxr.curation.journal import Journal
from pgcxr.errors import InputError
from pgcxr.io import artifacts, user_files
from pgcxr.privacy import hashing

MARK = "made-by-pgcxr-curate"
# Where an item says that its results are to be written: no part of what it is.
PLACES = ("png", "mask_png")
DECODERS = (
    "numpy",
    "opencv-python-headless",
    "pydicom",
    "pylibjpeg",
    "pylibjpeg-libjpeg",
    "pylibjpeg-openjpeg",
)
# What of pgcxr a cohort depends on.
ROOMS = ("io", "dicom", "cohort", "sources", "privacy", "curation")
# In a cohort, what `pgcxr records` writes by default: it stays where the cohort grows.
RECORDS = "records"
COHORTS, TRACES = "cohorts", "traces"
# Results of a run that ended with an error; fewer are made again in seconds and left nowhere.
WORTH_KEEPING = 1000


class Work:
    """The work folder of the cohort `out`; `known` is what earlier runs wrote down, by name, until
    it is recalled."""

    def __init__(self, folder: Path, out: Path, export: Path, key: bytes):
        self.folder, self.out = folder, out
        self._export, self._key = str(export), key
        self.journal = Journal(folder / "journal", key)
        self.known = dict(self.journal.read())
        self._cohorts, self._traces = self.known.pop(COHORTS, ()), self.known.pop(TRACES, ())
        self.resumed = bool(self.known)
        self._used: set[str] = set()

    def name(self, kind: str, item) -> str:
        """The keyed hash of what the result of `item` depends on.

        Args:
            item: a path, or a dataclass: its paths (other than PLACES) stand for the files there,
                all else for itself.
        """
        if dataclasses.is_dataclass(item):
            parts = [
                [field.name, self._plain(getattr(item, field.name))]
                for field in dataclasses.fields(item)
                if field.name not in PLACES
            ]
        else:
            parts = self._plain(item)
        return self.hash(kind, code_version(), parts)

    def hash(self, *parts) -> str:
        """32 hexadecimal digits of HMAC-SHA256."""
        text = json.dumps(parts).encode()
        return hmac.new(self._key, b"work\0" + text, hashlib.sha256).hexdigest()[:32]

    def _plain(self, value):
        if isinstance(value, Path):
            try:
                status = os.stat(value)
                seen = [status.st_size, status.st_mtime_ns]
            except OSError:
                seen = None
            return [os.path.relpath(value, self._export), seen]
        if isinstance(value, tuple):
            return [self._plain(each) for each in value]
        if isinstance(value, np.ndarray):
            return [repr(value.dtype), value.shape, value.tobytes().hex()]
        return repr(value)

    def place(self, kind: str, name: str) -> Path:
        """Where the PNG called `name` goes; its folder is made."""
        folder = self.folder / kind / name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.png"

    def recall(self, name: str):
        """What an earlier run wrote down under `name`, once; or None. Notes that it is still of
        use."""
        self._used.add(name)
        return self.known.pop(name, None)

    def keep(self, name: str, value) -> None:
        """Writes a result down."""
        self.journal.write(name, value)

    def remove_unused(self) -> None:
        """Removes results and images that this run had no use for: of files that are gone, of other
        options."""
        for kind in ("images", "masks"):
            for path in (self.folder / kind).glob("*/*"):
                if path.stem not in self._used:
                    artifacts.remove(path)
        if not self.known and not self.journal.damaged:
            return
        self.journal.close()
        before = sorted(self.journal.folder.iterdir())
        for path in before:
            for name, value in self.journal.read_file(path):
                if name in self._used:
                    self.journal.write(name, value)
        self.journal.write(COHORTS, self._cohorts)
        if self._traces:
            self.journal.write(TRACES, self._traces)
        self.journal.close()
        for path in before:
            artifacts.remove(path)

    def owns(self, asked: str) -> bool:
        """Whether the cohort that is there is as this folder's last runs wrote it, with the same
        options."""
        return (asked, fingerprint(self.out)) in self._cohorts

    def will_own(self, asked: str, folder: Path) -> None:
        """To be called before `folder` becomes the cohort: a kill in between must leave both
        recognizable."""
        now = fingerprint(self.out)
        self._cohorts = [
            *(each for each in self._cohorts if each[1] == now),
            (asked, fingerprint(folder)),
        ]
        self.keep(COHORTS, self._cohorts)

    def wrote_trace(self, path: Path) -> bool:
        """Whether the file at `path` is as this folder's last runs wrote their trace."""
        return _sha256(path) in self._traces

    def traced(self) -> bool:
        """Whether a trace was written."""
        return bool(self._traces)

    def will_write_trace(self, written: Path) -> None:
        """To be called before what is `written` becomes the trace, for the same reason."""
        self._traces = [*self._traces[-1:], _sha256(written)]
        self.keep(TRACES, self._traces)


@contextlib.contextmanager
def opened(out: Path, export: Path, key: bytes, say: Callable[[str], None]) -> Iterator[Work]:
    """The work folder of `out`, for this process alone.

    Raises:
        InputError: another process is writing the same cohort, or a folder of that name is somebody
            else's.
    """
    folder = folder_of(out)
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and _is_ours(folder))):
        raise InputError(
            f"{folder}: is not a work folder of `pgcxr curate`; remove it, or give the cohort "
            "another name"
        )
    new = not folder.exists()
    with artifacts.private_folder(folder, out):
        mark, whose = folder / MARK, hashing.key_mark(key)
        if key_of(out) not in (None, whose):
            say(f"{folder}: was made with another patient key; begins anew")
            for path in folder.iterdir():
                artifacts.remove(path)
        artifacts.write_text(mark, whose)
        (folder / "journal").mkdir(exist_ok=True)
        work = Work(folder, out, export, key)
        if work.journal.damaged:
            say(
                f"{folder}: {work.journal.damaged} damaged lines in its journal; those files are "
                "done again"
            )
        try:
            yield work
        except Exception as error:
            # A trace that was written is known as this folder's.
            if new and work.journal.written < WORTH_KEEPING and not work.traced():
                shutil.rmtree(folder)
            if isinstance(error, OSError) and (
                not error.filename or _within(error.filename, folder)
            ):
                raise OSError(error.errno, error.strerror, str(out)) from error
            raise
        finally:
            work.journal.close()


def _sha256(path: Path) -> str:
    return hashlib.sha256(user_files.read_bytes(path, user_files.TABLE)).hexdigest()


def key_of(out: Path) -> str | None:
    """The mark of the key that the work folder of `out` was made with; None where that isn't
    known."""
    mark = folder_of(out) / MARK
    return mark.read_text(encoding="ascii", errors="replace") if mark.is_file() else None


def folder_of(out: Path) -> Path:
    """`.COHORT.work` beside the cohort."""
    return out.with_name(f".{out.name}.work")


def _within(path: str | bytes, folder: Path) -> bool:
    return os.path.abspath(os.fsdecode(path)).startswith(os.path.abspath(folder) + os.sep)


def _is_ours(folder: Path) -> bool:
    return (folder / MARK).is_file() or all(path.name.startswith(".") for path in folder.iterdir())


def fingerprint(cohort: Path) -> str:
    """What tells a cohort that has been changed or added to: its tables' content and the names in
    it, but for RECORDS; "" for none."""
    if not cohort.is_dir():
        return ""
    digest = hashlib.sha256()
    names = (path for path in cohort.iterdir() if path.name != RECORDS)
    for path in sorted(path for path in names if not path.name.startswith(".")):
        digest.update(repr((path.name, _sha256(path) if path.is_file() else "")).encode())
    return digest.hexdigest()


@cache
def code_version() -> str:
    """Of pgcxr's code for data and of the libraries that decode: other code may give other
    results."""
    digest = hashlib.sha256()
    folder = Path(pgcxr.__file__).parent
    files = [folder / "images.py", *(path for room in ROOMS for path in (folder / room).rglob("*"))]
    for path in sorted(path for path in files if path.suffix in (".py", ".toml", ".csv")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    for name in DECODERS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(f"{name} {metadata.version(name)}".encode())
    return digest.hexdigest()

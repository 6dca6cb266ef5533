"""The files of a folder, or one file, by what is in them; those that are being written wait."""

import contextlib
import csv
import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pgcxr.curation.stages import Guard
from pgcxr.io import artifacts, trees
from pgcxr.screening.results import ID_LENGTH

# Bytes that are hashed at once.
CHUNK = 1 << 20


@dataclass(frozen=True)
class Found:
    """A file that is there: how it looked, and the ID of its content."""

    state: tuple[int, int]
    image: str


class Files:
    """What is there, as `find` saw it last.

    Args:
        source: a file or a folder.
        watched: whether it may grow: then a file is read once it looks the same twice.

    Attributes:
        there: {path: Found}.
        refused: {image: (rule, detail)} of what may not be opened.
    """

    def __init__(self, source: Path, watched: bool):
        self.source, self.watched = source, watched
        self.root = source if source.is_dir() else source.parent
        self.there: dict[Path, Found] = {}
        self.refused: dict[str, tuple[str, str]] = {}
        self._waiting: dict[Path, tuple[int, int]] = {}
        self._guard = Guard(self.root)

    def _paths(self) -> list[Path]:
        if not self.source.is_dir():
            return [self.source]
        return [self.source / name for name in trees.files(self.source)]

    def find(self) -> int:
        """Brings `there` up to date; the number of files that are not yet as they were at the last
        look."""
        paths = self._paths()
        there, waiting = set(paths), {}
        for path in [path for path in self.there if path not in there]:
            del self.there[path]
        for path in paths:
            state = _state(path)
            known = self.there.get(path)
            if known is not None and known.state == state:
                continue
            self.there.pop(path, None)
            # A file that is being written: it is read once it looks the same twice.
            if self.watched and self._waiting.get(path) != state:
                waiting[path] = state
                continue
            refused = self._guard.of(path)
            image = _named(path, refused) if refused else _content(path)
            if _state(path) != state:
                waiting[path] = state
                continue
            self.there[path] = Found(state, image)
            if refused:
                self.refused[image] = refused
        self._waiting = waiting
        return len(waiting)

    def firsts(self) -> dict[str, Path]:
        """{image: the first file with this content}."""
        found: dict[str, Path] = {}
        for path, file in self.there.items():
            found.setdefault(file.image, path)
        return found

    def counts(self) -> Counter[str]:
        """How many files have each content."""
        return Counter(found.image for found in self.there.values())

    def write_trace(self, path: Path) -> None:
        """Writes which file is which image, for the owner's eyes alone."""
        with (
            artifacts.atomic_path(path, private=True) as beside,
            open(beside, "w", newline="", encoding="utf-8", errors="surrogateescape") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("image", "file"))
            rows = ((f.image, os.path.relpath(p, self.root)) for p, f in self.there.items())
            writer.writerows(sorted(rows))


def _state(path: Path) -> tuple[int, int]:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    return -1, -1


def _content(path: Path) -> str:
    """The ID of a file's content."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return _named(path, ("unreadable", "cannot be read from the disk"))
    return digest.hexdigest()[:ID_LENGTH]


def _named(path: Path, refused: tuple[str, str]) -> str:
    """An ID for what may not be opened, by its number in the file system: its name may be that of a
    patient."""
    number = None
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        number = status.st_dev, status.st_ino
    text = f"not opened {refused} {number}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]

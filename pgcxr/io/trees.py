"""The files of a folder, whatever somebody put into it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tree:
    """What lies in a folder, as paths relative to it with "/" between.

    Attributes:
        files: of each folder first its files, then those of its folders, all by name; links to
            files, broken links, pipes and devices too.
        links: to folders; they are not followed, so that a loop of them has an end.
        closed: {folder: why it cannot be listed}; "" is the folder itself.
    """

    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    closed: dict[str, OSError] = field(default_factory=dict)


def walk(folder: str | os.PathLike, wanted: Callable[[str], bool] = lambda path: True) -> Tree:
    """Everything under `folder`.

    Args:
        folder: where to look.
        wanted: whether the entry with this relative path, a folder's with "/" at its end, is to be
            looked at.
    """
    tree, waiting = Tree(), [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, inside[:-1]) if inside else folder) as entries:
                listed = sorted((entry.name, *_kind(entry)) for entry in entries)
        except OSError as error:
            tree.closed[inside.rstrip("/")] = error
            continue
        folders = []
        for name, is_folder, is_link in listed:
            path = inside + name + "/" * is_folder
            if wanted(path):
                (folders if is_folder else tree.links if is_link else tree.files).append(path)
        waiting += reversed(folders)
    return tree


def files(folder: Path, wanted: Callable[[str], bool] = lambda path: True) -> list[str]:
    """Paths of all entries under `folder` that are no folders, sorted; not hidden ones.

    A link to a folder is an entry. So is a folder that cannot be listed (no permission, too deep
    for the system): what is in it must not be lost without a word.

    Args:
        folder: where to look.
        wanted: as in `walk`.

    Raises:
        OSError: `folder` itself cannot be listed.
    """
    tree = walk(folder, lambda path: not is_hidden(path) and wanted(path))
    if "" in tree.closed:
        raise tree.closed[""]
    return sorted([*tree.files, *tree.links, *tree.closed])


def is_hidden(path: str) -> bool:
    """Whether the last name of a path begins with a dot."""
    return path.rstrip("/").rpartition("/")[2].startswith(".")


def _kind(entry: os.DirEntry) -> tuple[bool, bool]:
    """Whether it is a folder; whether it is a link to one."""
    if not entry.is_symlink():
        return entry.is_dir(follow_symlinks=False), False
    try:
        return False, entry.is_dir()
    except OSError:  # a link to itself
        return False, False

"""The files of a folder, whatever somebody put into it."""

import os
from collections.abc import Callable
from pathlib import Path


def files(folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> list[str]:
    """Paths of all entries under `folder` that are no folders, relative ("/" between), sorted; not
    hidden ones.

    Links are not followed, so a loop of them has an end, and a link to a folder is an entry. So is
    a folder that cannot be listed (no permission, too deep for the system): what is in it must not
    be lost without a word.

    Args:
        wanted: whether the entry with this relative path, a folder's with "/" at its end, is to be
            looked at.
    """
    found, waiting = [], [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError:
            if not inside:
                raise
            found.append(inside.rstrip("/"))
            continue
        for name, is_folder in listed:
            path = inside + name + "/" * is_folder
            if not name.startswith(".") and wanted(path):
                (waiting if is_folder else found).append(path)
    return sorted(found)

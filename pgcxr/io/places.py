"""Where a command may read and write: what cannot be is refused in one line, before any work is
done for it."""

import os
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import archives

# What a process writes beside the final name carries it; a killed one leaves it behind.
PARTIAL = ".partial"
# Of the 255 bytes that file systems allow, so that the name beside fits too.
LONGEST_NAME = 240


def refuse_existing_file(path: str | os.PathLike, what: str = "file") -> None:
    """Raises InputError unless a new file can be made at `path`; `what` the line calls it."""
    if os.path.isdir(path):
        raise InputError(f"{path}: exists; it is a folder: name a file in it, or another {what}")
    if os.path.lexists(path):
        raise InputError(f"{path}: exists; remove it or name another {what}")
    refuse_existing(path, what)


def refuse_existing(folder: str | os.PathLike, what: str = "folder") -> None:
    """Raises InputError unless a new folder can be made here; one with only what a killed process
    left counts as new.

    To be called before any work is done for it.
    """
    folder = Path(folder)
    refuse_place(folder, what)
    try:
        full = folder.is_dir() and any(not is_left_over(path.name) for path in folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: {os.strerror(error.errno)}; name another {what}") from None
    if full:
        raise InputError(f"{folder}: exists and is not empty; remove it or name another {what}")


def refuse_place(folder: str | os.PathLike, what: str = "folder") -> None:
    """Raises InputError unless a folder is, or could be made, at `folder` itself, whatever is in
    it."""
    folder = Path(folder)
    if folder.name in ("", ".."):
        raise InputError(f"{folder}: a new folder is made; give its name")
    if "\0" in str(folder):
        raise InputError(f"{str(folder)[:40]!r}: no folder can have this name; name another {what}")
    if len(os.fsencode(folder.name)) > LONGEST_NAME:
        raise InputError(f"{folder.name[:40]}...: is too long a name; name another {what}")
    try:
        if folder.is_symlink():
            raise InputError(
                f"{folder}: is a link; name another {what}, or the folder that it leads to"
            )
        if folder.is_dir():
            return
        if folder.exists():
            raise InputError(f"{folder}: is a file, not a folder; name another {what}")
        above = next(parent for parent in folder.absolute().parents if os.path.lexists(parent))
    except OSError as error:  # a loop of links, a path too long
        raise InputError(
            f"{str(folder)[:200]}: {os.strerror(error.errno)}; name another {what}"
        ) from None
    if not above.is_dir():
        raise InputError(f"{folder}: {above} is not a folder; name another {what}")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: nothing may be written into {above}; name another {what}, or change its "
            "permissions"
        )


def refuse_overlap(
    folder: str | os.PathLike,
    source: str | os.PathLike,
    what: str = "the export",
) -> None:
    """Raises InputError where `folder`, which is to be written, is `source`, holds it, or lies in
    it; links count.

    So that nothing that is read can be replaced by what is made of it, nor be read as part of it
    next time.
    """
    written, read = (Path(os.path.realpath(path)) for path in (folder, source))
    if _is_in(written, read):
        same = _is_in(read, written)
        raise InputError(
            f"{folder}: {'is' if same else 'lies in'} {what}; name another folder, outside of it"
        )
    if _is_in(read, written):
        raise InputError(f"{folder}: holds {what}; name another folder, beside it")


def _is_in(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or below it, also where a folder has two names (as by mounting it
    twice)."""
    return any(above == folder or _is_same(above, folder) for above in (path, *path.parents))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def is_left_over(name: str) -> bool:
    """Whether a killed process left a file or folder of this name."""
    return name.startswith(".") and PARTIAL in name


def existing_folder(folder: str | os.PathLike, what: str) -> Path:
    """`folder` as a Path, or an InputError that says `what` was expected there."""
    folder = Path(folder)
    if folder.is_dir():
        return folder
    wrong = "is a file, not a folder" if folder.exists() else "no such folder"
    archive = archives.kind_of(folder) if folder.is_file() else None
    if archive:
        raise InputError(
            f"{folder}: is an archive ({archive}); unpack it first (unzip, or the tool for that "
            f"kind) and name the folder; expected {what}"
        )
    raise InputError(f"{folder}: {wrong}; expected {what}")


def existing_file(file: str | os.PathLike, what: str) -> Path:
    """`file` as a Path, or an InputError that says `what` was expected there."""
    file = Path(file)
    if file.is_file():
        return file
    wrong = "is a folder, not a file" if file.is_dir() else "no such file"
    raise InputError(f"{file}: {wrong}; expected {what}")

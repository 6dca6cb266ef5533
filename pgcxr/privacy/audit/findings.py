"""The private table of what the audit found: the only place in which it names anybody."""

import csv
import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pgcxr.errors import ArgumentError
from pgcxr.io import artifacts, places
from pgcxr.privacy import hashing

HEADER = ("output", "where", "kind", "identifier")


@dataclass(frozen=True)
class Finding:
    """An identifier in an output. `text` identifies a patient: for the private file alone."""

    output: str = field(repr=False)  # its name may be what identifies
    where: str
    kind: str
    text: str = field(repr=False)


def default_file() -> Path:
    """Beside the key, which lies in a folder of its owner's alone."""
    return hashing.default_key_file().parent / "privacy_findings.csv"


def check_file(
    path: str | os.PathLike, outside: Iterable[str | os.PathLike] = (), others: dict | None = None
) -> None:
    """Refuses a place for the table that holds something else, before any work is done.

    Args:
        path: the argument `findings`.
        outside: folders and files that are audited: it must not lie in them.
        others: {argument: file} that it must not be.

    Raises:
        ArgumentError: says what is there.
    """
    path, real = Path(path), _real(path)
    for root in outside:
        if real.is_relative_to(_real(root)):
            raise _refused(path, "lies in what is audited; name a file elsewhere")
    for argument, other in (others or {}).items():
        if other is not None and real == _real(other):
            raise _refused(path, f"is the {argument.replace('_', ' ')}; name another")
    try:
        mode = os.stat(path).st_mode
    except OSError:
        if os.path.islink(path):
            raise _refused(path, "is a link to nowhere; name another file") from None
        places.refuse_existing_file(path, "file of findings")
        return
    if not stat.S_ISREG(mode):
        raise _refused(path, "is no file that can be written anew; name another")
    with open(path, "rb") as file:
        start = file.read(64)
    if start and start.split(b"\n")[0].rstrip(b"\r") != ",".join(HEADER).encode():
        raise _refused(path, "exists and is no table of findings; name another file")
    if not os.access(real.parent, os.W_OK | os.X_OK):
        raise _refused(path, "nothing may be written into its folder; name another file")


def _refused(path: Path, why: str) -> ArgumentError:
    return ArgumentError("findings", why, received=path)


def _real(path: str | os.PathLike) -> Path:
    return Path(os.path.realpath(path))


def write(path: Path, rows: Iterable[Finding]) -> None:
    """Writes the table, readable by its owner alone."""
    with (
        artifacts.atomic_path(path, private=True) as beside,
        open(beside, "w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(
            (finding.output, finding.where, finding.kind, finding.text) for finding in rows
        )


def by_kind(identified: Iterable[Finding]) -> str:
    """How many of which kind, in words that identify nobody."""
    return ", ".join(
        f"{count} of kind {kind}"
        for kind, count in Counter(one.kind for one in identified).most_common()
    )

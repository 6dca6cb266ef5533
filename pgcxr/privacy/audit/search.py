"""Looking through outputs: every file, whatever leads to it, and never less than all of it."""

import datetime
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import places, trees
from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import reader
from pgcxr.privacy.audit.contents.piece import Piece, TooMuch
from pgcxr.privacy.audit.findings import Finding
from pgcxr.privacy.audit.fingerprints import joined
from pgcxr.privacy.audit.matcher import Matcher

# Among binary numbers, a shorter word may stand by chance.
SHORTEST_IN_BINARY = 8
# Files whose names are hashed at once: fewer characters than a piece of text has.
NAMES = 200


@dataclass(frozen=True)
class Output:
    """A file to look through: `path` on the disk, `called` what the user calls it, `name` what is
    new of that.

    `again`: another name of a file that is listed already, of which only the name is to be looked
    through.
    """

    path: Path = field(repr=False)
    called: str = field(repr=False)
    name: str = field(repr=False)
    again: bool


def listed(roots: Sequence[str | os.PathLike]) -> list[Output]:
    """All files of the folders (or files) `roots`, those too that links lead to.

    Raises:
        InputError: there is none, or something cannot be looked through. The line does not name it:
            its name may identify.
    """
    outputs: list[Output] = []
    places_listed: set[tuple[int, int]] = set()
    for root in map(Path, roots):
        single = root.is_file()
        # What is audited before it gets its name is called by the name that it would get.
        final = root.parent / root.name.removeprefix(".").removesuffix(places.PARTIAL)
        closed = 0
        for path in [root] if single else _inside(root, roots):
            place = _regular(path)
            if place is None:
                closed += 1
                continue
            name = path.name if single else path.relative_to(root).as_posix()
            outputs.append(
                Output(path, str(root if single else final / name), name, place in places_listed)
            )
            places_listed.add(place)
        if closed:
            raise InputError(
                f"{root}: {closed} of its entries cannot be looked through: pipes, devices, "
                "folders that may not be read, links to nowhere or to folders elsewhere; remove "
                "them, or name the folders themselves"
            )
    if not outputs:
        raise InputError(
            f"{', '.join(map(str, roots))}: no file to look through; name a cohort or a run"
        )
    return outputs


def _inside(root: Path, roots: Sequence) -> list[Path]:
    """What is no folder, links to folders that are not looked through, and folders that cannot be
    listed."""
    real = [Path(os.path.realpath(place)) for place in roots]
    tree = trees.walk(root)

    def is_looked_through(link: str) -> bool:
        target = Path(os.path.realpath(root / link))
        return any(target.is_relative_to(place) for place in real)

    links = [link for link in tree.links if not is_looked_through(link)]
    return sorted(root / path for path in (*tree.files, *tree.closed, *links))


def _regular(path: Path) -> tuple[int, int] | None:
    """Which file `path` is or leads to, None where that is no regular file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


@dataclass
class Search:
    """Looks for identifiers; `unread` counts the files that could not be looked through."""

    look_for: Matcher
    unread: int = 0

    def findings(
        self, outputs: Sequence[Output], progress: Callable[[], None] = lambda: None
    ) -> Iterator[Finding]:
        """What is found in the names and contents of files, each identifier once for each place in
        a file."""
        for at in range(0, len(outputs), NAMES):
            batch = outputs[at : at + NAMES]
            yield from self._in_names(batch)
            for output in batch:
                if not output.again:
                    yield from self._in_file(output)
                progress()

    def _in_names(self, outputs: Sequence[Output]) -> Iterator[Finding]:
        for odd in (False, True):
            named = [output for output in outputs if encodings.is_odd(output.name) == odd]
            # One with several readings is looked through by itself.
            for batch in [named] if not odd else [[output] for output in named]:
                lines = [encodings.of_name(output.name.replace("\n", " ")) for output in batch]
                findings = dict.fromkeys(
                    Finding(
                        batch[folded.count("\n", 0, start) if not odd else 0].called,
                        "the file's name",
                        kind,
                        text,
                    )
                    for kind, text, folded, start in self._in_piece(
                        Piece("", "\n".join(lines)), None, False
                    )
                )
                yield from findings

    def _in_file(self, output: Output) -> Iterator[Finding]:
        findings: dict[Finding, None] = {}
        json = output.path.suffix == ".json"
        try:
            written = datetime.date.fromtimestamp(output.path.stat().st_mtime)
            for piece in reader.pieces(output.path):
                for kind, text, _, _ in self._in_piece(
                    piece, written, json or piece.where.endswith(".json")
                ):
                    where = piece.where.strip() or "the text"
                    findings[Finding(output.called, where, kind, text)] = None
        except (OSError, TooMuch):
            self.unread += 1
        yield from findings

    def _in_piece(self, piece: Piece, written, json: bool) -> Iterator[tuple[str, str, str, int]]:
        for kind, text, folded, start, end in self.look_for.hits(piece.text):
            too_short = not piece.sure and len(joined(text)) < SHORTEST_IN_BINARY
            if too_short or (piece.dicom and kind == "other"):
                continue
            if not self.look_for.innocent(folded, start, end, written, json):
                yield kind, text, folded, start

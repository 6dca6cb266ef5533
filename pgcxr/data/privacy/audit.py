"""Looks for every identifier of an export in outputs made of it; passes, or fails in one line that names no identifier.

False alarms are kept rare by what counts as an identifier (`identifiers`), by whole words, and by `_is_innocent`:
a number with one decimal point is a measurement; six digits up to the number of files are pgcxr's own numbering of
images; a bare JSON number of fewer than 8 digits is a count; the day on which a file was written may stand in it.
"""

import copy
import csv
import datetime
import functools
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources, util
from pathlib import Path

import numpy as np

from pgcxr import artefacts
from pgcxr.data import deidentify
from pgcxr.data.privacy import contents, gather
from pgcxr.data.privacy.fingerprints import OVERLAP, PIECE, WORD, Hasher, digest, fold, joined
from pgcxr.data.privacy.identifiers import KINDS
from pgcxr.errors import InputError

# Among binary numbers, a shorter word may stand by chance.
SHORTEST_IN_BINARY = 8
MOST_FINDINGS = 10_000
CHUNK = 1 << 14
# Their texts are data (made-up names, tables), not words that pgcxr writes.
NOT_OWN = ("phantom", "privacy")
FLOAT = re.compile(r"(?<![\w.])[-+]?\d+\.\d+(e[-+]?\d+)?(?![\w.])", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """An identifier in an output. `text` identifies a patient: for the private file alone."""

    output: str = field(repr=False)  # its name may be what identifies
    where: str
    kind: str
    text: str = field(repr=False)


# Hashes what pgcxr itself writes: no secret.
OWN = Hasher(0)


class Matcher:
    """Finds identifiers {(kind, joined words)} in texts; takes 17 bytes for each and at most 32 more for the sieve."""

    def __init__(self, identifiers: Iterable[tuple[str, str]] = (), own_numbers: int = 0):
        self._hasher = Hasher(secrets.randbits(64))
        self._own_numbers = own_numbers
        self._build([self._arrays(list(identifiers))])

    @classmethod
    def of_batches(cls, batches: Iterable[set[tuple[str, str]]], own_words: Sequence[str], own_numbers: int):
        """(matcher, number of values that pgcxr's own texts, or elements that may stay in DICOM, hold too)."""
        matcher, kept = cls(own_numbers=own_numbers), [np.zeros(0, np.uint64)]
        parts = [(*matcher._arrays([]), np.zeros(0, bool))]
        own = np.union1d(_own_runs(), _runs(own_words))
        for batch in batches:
            kept.append(_hashes(matcher._hasher, [value for kind, value in batch if kind == "kept"]))
            pairs = [pair for pair in batch if pair[0] != "kept"]
            is_own = np.isin(_hashes(OWN, [value for _, value in pairs]), own)
            exempt = np.array([kind in ("uid", "date") or value.isdigit() for kind, value in pairs], bool)
            parts.append((*matcher._arrays(pairs), is_own & ~exempt))
        hashes, digests, kinds, dropped = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        weak = np.isin(kinds, [KINDS.index("text"), KINDS.index("path")])
        dropped |= weak & np.isin(hashes, np.concatenate(kept))
        matcher._build([(hashes[~dropped], digests[~dropped], kinds[~dropped])])
        return matcher, len(np.unique(hashes[dropped]))

    def _arrays(self, pairs: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        hashes = _hashes(self._hasher, [value for _, value in pairs])
        digests = np.array([digest(value) for _, value in pairs], np.uint64)
        return hashes, digests, np.array([KINDS.index(kind) for kind, _ in pairs], np.uint8)

    def _build(self, parts: list) -> None:
        hashes, digests, kinds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.lexsort((kinds, hashes))
        hashes, digests, kinds = hashes[order], digests[order], kinds[order]
        # Batches may share values.
        new = np.ones(len(hashes), bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (kinds[1:] != kinds[:-1]) | (digests[1:] != digests[:-1])
        self._hashes, self._digests, self._kinds = hashes[new], digests[new], kinds[new]
        bits = min(max((16 * len(self._hashes)).bit_length(), 16), 30)
        self._shift = np.uint64(64 - bits)
        self._sieve = np.zeros(1 << bits, bool)
        self._sieve[self._hashes >> self._shift] = True

    def without(self, kind: str) -> "Matcher":
        """The same without identifiers of one kind."""
        other = copy.copy(self)
        kept = self._kinds != KINDS.index(kind)
        other._hashes, other._digests, other._kinds = self._hashes[kept], self._digests[kept], self._kinds[kept]
        return other

    def __len__(self) -> int:
        return len(self._hashes)

    def hits(self, text: str) -> Iterator[tuple[str, str, str, int, int]]:
        """(kind, identifier as it stands in the text, folded text, start, end), each once per piece of the text."""
        for at in range(0, max(len(text), 1), PIECE):
            folded = fold(text[at : at + PIECE + OVERLAP])
            for hashes, starts, ends in self._hasher.runs(folded):
                for place in np.flatnonzero(self._sieve[hashes >> self._shift]):
                    start, end = int(starts[place]), int(ends[place])
                    for kind in self._kinds_of(hashes[place], folded[start:end]):
                        yield kind, folded[start:end], folded, start, end

    def _kinds_of(self, found: np.uint64, text: str) -> list[str]:
        low, high = np.searchsorted(self._hashes, found), np.searchsorted(self._hashes, found, side="right")
        if low == high:
            return []
        same = self._digests[low:high] == np.uint64(digest(joined(text)))
        return sorted({KINDS[kind] for kind in self._kinds[low:high][same]})

    def innocent(self, folded: str, start: int, end: int, written: datetime.date | None, json: bool) -> bool:
        """Whether what was found is a number of another meaning."""
        text = folded[start:end]
        word = joined(text)
        if not word.isdigit():
            return False
        if len(word) == 6 and int(word) <= self._own_numbers:
            return True
        around = folded[max(start - 32, 0) : end + 32]
        if any(match.start() <= min(start, 32) < match.end() for match in FLOAT.finditer(around)):
            return True
        before, after = folded[max(start - 8, 0) : start].rstrip(), folded[end : end + 8].lstrip()
        if (
            json
            and len(word) < 8
            and text.isdigit()
            and before[-1:] in (":", "[", ",")
            and after[:1] in (",", "]", "}")
        ):
            return True
        days = [written + datetime.timedelta(days=shift) for shift in (-1, 0, 1)] if written else []
        return any(word == day.strftime(form) for day in days for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y"))


def matcher(export: Path, run: Callable, own_words: Sequence[str] = ()) -> tuple[Matcher, dict]:
    """The identifiers of an export, less those that pgcxr's own texts and `own_words` hold; counts for the report."""
    files = gather.names(export)
    found = gather.of_export(export, files, run)
    look_for, indistinct = Matcher.of_batches(found, own_words, own_numbers=len(files))
    return look_for, {"files": len(files), "identifiers": len(look_for), "indistinct": indistinct}


def unreadable(_item) -> tuple[list[str], bytes]:
    """A file that crashes its reader has no identifiers that could have been copied."""
    return [], b""


def in_processes(
    processes: int, show_progress: bool, title: str = "identifiers", crashed: Callable = unreadable
) -> Callable:
    """run(function, items) -> results in order, on several processes; 0 for none but this one."""
    from pgcxr.data.curation import workers

    return functools.partial(workers.run, crashed=crashed, workers=processes, title=title, show=show_progress)


def _hashes(hasher: Hasher, values: list[str]) -> np.ndarray:
    """uint64 [N] of joined() values."""
    parts = [hasher.of_joined(values[at : at + CHUNK]) for at in range(0, len(values), CHUNK)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _runs(texts: Iterable[str]) -> np.ndarray:
    """uint64: the hashes of all runs of words in texts, sorted, each once."""
    pieces = (fold(text[at : at + PIECE + OVERLAP]) for text in texts for at in range(0, len(text), PIECE))
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *(run[0] for piece in pieces for run in OWN.runs(piece))]))


@functools.cache
def _own_runs() -> np.ndarray:
    return _runs(_own_texts())


def _own_texts() -> Iterator[str]:
    """What pgcxr and its scripts write can only come from their own files."""
    roots = [Path(str(resources.files("pgcxr")))]
    for package in ("train", "evaluate"):
        spec = util.find_spec(package)
        roots += [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    for root in roots:
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).parts
            if path.suffix in (".py", ".toml", ".html", ".json") and not set(NOT_OWN) & set(inside):
                yield path.read_text(encoding="utf-8", errors="replace")


@functools.cache
def own_vocabulary() -> frozenset[str]:
    """The single words of pgcxr's own texts: "chest" or "thorax" in a description identifies nobody."""
    return frozenset(word for text in _own_texts() for word in WORD.findall(fold(text)) if word.isalpha())


def search(outputs: Sequence[Path], look_for: Matcher, progress: Callable[[], None] = lambda: None) -> list[Finding]:
    """The findings in all files of the folders (or files) `outputs`, in their names too."""
    found: dict[Finding, None] = {}
    for root in outputs:
        for path in _files(root):
            name = path.name if root.is_file() else path.relative_to(root).as_posix()
            # What is audited before it gets its name is called by the name that it would get.
            final = root.parent / root.name.removeprefix(".").removesuffix(artefacts.PARTIAL)
            output = str(root if root.is_file() else final / name)
            written = datetime.date.fromtimestamp(path.lstat().st_mtime)
            json = path.suffix == ".json"
            for kind, text in _in_piece(contents.Piece("", name), look_for, None, False):
                found[Finding(output, "the file's name", kind, text)] = None
            for piece in contents.pieces(path) if path.is_file() and not path.is_symlink() else ():
                for kind, text in _in_piece(piece, look_for, written, json or piece.where.endswith(".json")):
                    found[Finding(output, piece.where.strip() or "the text", kind, text)] = None
            progress()
            if len(found) > MOST_FINDINGS:
                return list(found)
    return list(found)


def _files(root: Path) -> list[Path]:
    return [root] if root.is_file() else sorted(path for path in root.rglob("*") if not path.is_dir())


def _in_piece(piece: contents.Piece, look_for: Matcher, written, json: bool) -> Iterator[tuple[str, str]]:
    for kind, text, folded, start, end in look_for.hits(piece.text):
        if piece.dicom and kind == "other" or not piece.sure and len(joined(text)) < SHORTEST_IN_BINARY:
            continue
        if not look_for.innocent(folded, start, end, written, json):
            yield kind, text


def default_findings_file() -> Path:
    """Beside the key, which lies in a folder of its owner's alone."""
    return deidentify.default_key_file().parent / "privacy_findings.csv"


def check(
    outputs: Sequence[Path],
    look_for: Matcher,
    counts: dict,
    findings_file: str | os.PathLike | None = None,
    progress: Callable[[], None] = lambda: None,
) -> dict:
    """The audit's report, {"files", "identifiers", "indistinct", "outputs", "found": 0}.

    Raises:
        InputError: an identifier is in an output; `findings_file`, readable by its owner alone, says where and which.
    """
    findings_file = Path(findings_file or default_findings_file())
    for root in outputs:
        if Path(os.path.realpath(findings_file)).is_relative_to(os.path.realpath(root)):
            raise InputError(f"--findings {findings_file}: lies in what is audited; name a file elsewhere")
    found = search(outputs, look_for, progress)
    if not found:
        return {**counts, "outputs": sum(len(_files(root)) for root in outputs), "found": 0}
    with (
        artefacts.atomic_path(findings_file, private=True) as beside,
        open(beside, "w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("output", "where", "kind", "identifier"))
        writer.writerows((finding.output, finding.where, finding.kind, finding.text) for finding in found)
    kinds = ", ".join(f"{count} of kind {kind}" for kind, count in Counter(one.kind for one in found).most_common())
    files = len({finding.output for finding in found})
    raise InputError(
        f"privacy audit: {len(found)} identifiers of patients ({kinds}) in {files} output files; do not pass them on; "
        f"{findings_file} (private) says which and where"
    )

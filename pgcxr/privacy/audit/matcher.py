"""`Matcher`: finds identifiers in texts.

False alarms are kept rare by what counts as an identifier (`identifiers`), by whole words, and by
`innocent`: a number with one decimal point is a measurement; six digits up to the number of files
are pgcxr's own numbering of images; a bare JSON number of fewer than 8 digits is a count; the day
on which a file was written may stand in it.
"""

import copy
import datetime
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pgcxr.privacy.audit import own_words
from pgcxr.privacy.audit.fingerprints import OVERLAP, PIECE, Hasher, digest, fold, joined
from pgcxr.privacy.audit.identifiers import KINDS

FLOAT = re.compile(r"(?<![\w.])[-+]?\d+\.\d+(e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
WEAK = [KINDS.index("text"), KINDS.index("path")]
OTHER = KINDS.index("other")


class Matcher:
    """Finds identifiers {(kind, joined words)} in texts; takes 17 bytes for each and at most 32
    more for the sieve."""

    def __init__(self, identifiers: Iterable[tuple[str, str]] = (), own_numbers: int = 0):
        self._hasher = Hasher(secrets.randbits(64))
        self._own_numbers = own_numbers
        self._build([self._arrays(list(identifiers))])

    @classmethod
    def of_batches(
        cls, batches: Iterable[set[tuple[str, str]]], own_texts: Sequence[str], own_numbers: int
    ):
        """(matcher, number of values that pgcxr's own texts or `own_texts` hold too, which it does
        not look for).

        A text or path that elements hold which may stay in DICOM (kind "kept") is not looked for in
        DICOM.
        """
        matcher, kept = cls(own_numbers=own_numbers), [np.zeros(0, np.uint64)]
        parts = [(*matcher._arrays([]), np.zeros(0, bool))]
        own = np.union1d(own_words.runs(), own_words.runs_of(own_texts))
        for batch in batches:
            kept.append(matcher._hasher.of_many([value for kind, value in batch if kind == "kept"]))
            pairs = [pair for pair in batch if pair[0] != "kept"]
            parts.append((*matcher._arrays(pairs), own_words.are_own(pairs, own)))
        hashes, digests, kinds, dropped = (
            np.concatenate(columns) for columns in zip(*parts, strict=True)
        )
        kinds[np.isin(kinds, WEAK) & np.isin(hashes, np.concatenate(kept))] = OTHER
        matcher._build([(hashes[~dropped], digests[~dropped], kinds[~dropped])])
        return matcher, len(np.unique(hashes[dropped]))

    def _arrays(self, pairs: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        hashes = self._hasher.of_many([value for _, value in pairs])
        digests = np.array([digest(value) for _, value in pairs], np.uint64)
        return hashes, digests, np.array([KINDS.index(kind) for kind, _ in pairs], np.uint8)

    def _build(self, parts: list) -> None:
        hashes, digests, kinds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.lexsort((digests, kinds, hashes))
        hashes, digests, kinds = hashes[order], digests[order], kinds[order]
        # Batches may share values.
        new = np.ones(len(hashes), bool)
        new[1:] = (
            (hashes[1:] != hashes[:-1]) | (kinds[1:] != kinds[:-1]) | (digests[1:] != digests[:-1])
        )
        self._hashes, self._digests, self._kinds = hashes[new], digests[new], kinds[new]
        bits = min(max((16 * len(self._hashes)).bit_length(), 16), 30)
        self._shift = np.uint64(64 - bits)
        self._sieve = np.zeros(1 << bits, bool)
        self._sieve[self._hashes >> self._shift] = True

    def without(self, kind: str) -> "Matcher":
        """The same without identifiers of one kind."""
        other = copy.copy(self)
        others = self._kinds != KINDS.index(kind)
        other._hashes, other._digests, other._kinds = (
            self._hashes[others],
            self._digests[others],
            self._kinds[others],
        )
        return other

    def __len__(self) -> int:
        return len(self._hashes)

    def hits(self, text: str) -> Iterator[tuple[str, str, str, int, int]]:
        """(kind, identifier as it stands in the text, folded text, start, end), each once per piece
        of the text."""
        for at in range(0, max(len(text), 1), PIECE):
            folded = fold(text[at : at + PIECE + OVERLAP])
            for hashes, starts, ends in self._hasher.runs(folded):
                places = np.flatnonzero(self._sieve[hashes >> self._shift])
                low = np.searchsorted(self._hashes, hashes[places])
                high = np.searchsorted(self._hashes, hashes[places], side="right")
                for which in np.flatnonzero(low < high):
                    start, end = int(starts[places[which]]), int(ends[places[which]])
                    for kind in self._kinds_of(low[which], high[which], folded[start:end]):
                        yield kind, folded[start:end], folded, start, end

    def _kinds_of(self, low: int, high: int, text: str) -> list[str]:
        same = self._digests[low:high] == np.uint64(digest(joined(text)))
        return sorted({KINDS[kind] for kind in self._kinds[low:high][same]})

    def innocent(
        self, folded: str, start: int, end: int, written: datetime.date | None, json: bool
    ) -> bool:
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
        return any(
            word == day.strftime(form) for day in days for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y")
        )

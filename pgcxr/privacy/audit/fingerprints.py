"""One hash for every word of a text and for every run of up to eight words, without work per
character in Python.

Texts are folded (case, accents, width) and cut into words: the longest runs of letters and digits;
a character of Chinese, Japanese or Korean is a word by itself, as those are written without blanks.
The characters of one or of several words in a row, without what is between them, make one
polynomial hash modulo 2^64, so that "12-345-678" and "12345678", "Doe^Jane" and "doe, jane" are the
same. Prefix sums give the hash of any run in constant time; an array of one bit per hash says of
nearly every run that it is none that is looked for.
"""

import functools
import hashlib
import re
import unicodedata
from dataclasses import dataclass

import numpy as np

MOST_WORDS = 8
# Texts are hashed in pieces of this many characters; what is longer than OVERLAP is not looked for.
PIECE = 1 << 20
OVERLAP = 512
# Texts whose characters are hashed at once.
CHUNK = 1 << 14
# The base of the polynomial: odd, so that it can be divided by modulo 2^64.
BASE = 0x9E3779B97F4A7C15
# Between two words of digits stands at most one of these, or they are two numbers ("2011-03-05" is
# one, "20 11" isn't).
JOINERS = "-./_:^="
# Between words of which one has a letter at the seam, up to this many characters that are no line's
# end ("Doe", "J").
WIDEST_GAP = 4

# Characters that are a word of their own.
ALONE = ((0x2E80, 0xA000), (0xAC00, 0xD7B0), (0xF900, 0xFB00))
_RANGES = "".join(f"{chr(low)}-{chr(high - 1)}" for low, high in ALONE)
WORD = re.compile(rf"[^\W_{_RANGES}]+|[{_RANGES}](?<!\W)")


def fold(text: str) -> str:
    """Lower case, without accents, in one width: "Müller" and "MULLER" are the same."""
    if text.isascii():
        return text.lower()
    bare = (
        mark
        for mark in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(mark)
    )
    return unicodedata.normalize("NFC", "".join(bare))


def joined(text: str) -> str:
    """The letters and digits of `text`, folded: what a run of words is compared by."""
    return "".join(WORD.findall(fold(text)))


def words(text: str) -> list[str]:
    """The words of a short text, folded."""
    return WORD.findall(fold(text))


@dataclass(frozen=True)
class Hasher:
    """Hashes characters by random numbers: `values` uint64 [65536] by code point, of one run of the
    audit alone."""

    seed: int

    @functools.cached_property
    def values(self) -> np.ndarray:
        return np.random.default_rng(self.seed).integers(0, 2**64, 1 << 16, np.uint64)

    def of_joined(self, texts: list[str]) -> np.ndarray:
        """uint64 [N]: the hash of each of `texts`, which are joined() already."""
        chars = _characters("".join(texts))
        ends = np.cumsum([len(text) for text in texts])
        return _of_runs(*self._sums(chars), ends - [len(text) for text in texts], ends)

    def of_many(self, texts: list[str]) -> np.ndarray:
        """`of_joined` for any number of texts."""
        parts = [self.of_joined(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)]
        return np.concatenate([np.zeros(0, np.uint64), *parts])

    def runs(self, folded: str):
        """Yields (hash uint64, start, end) arrays for all runs of 1, then 2, ... MOST_WORDS words
        of a folded piece."""
        chars = _characters(folded)
        index, starts = _word_starts(chars)
        if not len(starts):
            return
        ends = np.append(starts[1:], len(index))
        sums, inverses = self._sums(chars[index])
        first, last = index[starts], index[ends - 1] + 1
        bridged = _bridged(folded, chars, first, last)
        runs = np.arange(len(starts))
        for length in range(MOST_WORDS):
            if length:
                runs = runs[runs + length < len(starts)]
                runs = runs[bridged[runs + length - 1]]
            if not len(runs):
                return
            until = runs + length
            yield _of_runs(sums, inverses, starts[runs], ends[until]), first[runs], last[until]

    def _sums(self, chars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Prefix sums uint64 [N + 1] of the characters times the powers of BASE, and the inverses
        of the powers."""
        powers, inverses = _powers(len(chars))
        sums = np.zeros(len(chars) + 1, np.uint64)
        np.cumsum(self.values[chars & 0xFFFF] * powers[: len(chars)], out=sums[1:])
        return sums, inverses


def _of_runs(
    sums: np.ndarray, inverses: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    hashes = (sums[ends] - sums[starts]) * inverses[starts]
    # The top bits choose a place in the array of bits; a multiplication makes them depend on all
    # others.
    hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(BASE)
    return hashes ^ (hashes >> np.uint64(32))


def digest(text: str) -> int:
    """A second, slow hash of joined() text: what both hashes agree on is the same text."""
    return int.from_bytes(
        hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little"
    )


def _characters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32)


@functools.cache
def _powers(least: int) -> tuple[np.ndarray, np.ndarray]:
    size = 1 << max(least - 1, 1).bit_length()
    if size != least:
        return _powers(size)
    powers = []
    for base in (BASE, pow(BASE, -1, 2**64)):
        factors = np.full(size + 1, base, np.uint64)
        factors[0] = 1
        powers.append(np.cumprod(factors))  # modulo 2^64, as all sums and products here
    return powers[0], powers[1]


@functools.cache
def _classes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """bool [65536] each: letters and digits; characters that are a word of their own; digits."""
    marks = [chr(code) for code in range(1 << 16)]
    in_words = np.array([WORD.fullmatch(mark) is not None for mark in marks])
    alone = np.zeros(1 << 16, bool)
    for low, high in ALONE:
        alone[low:high] = in_words[low:high]
    digits = np.array([mark.isdigit() for mark in marks])
    return in_words, alone, digits


def _word_starts(chars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the letters and digits are, and which of those (by their place among them) begin a
    word."""
    known, alone, _ = _classes()
    low = np.minimum(chars, 0xFFFF)
    index = np.flatnonzero(known[low] | (chars > 0xFFFF))
    single = alone[low[index]]
    begins = np.ones(len(index), bool)
    begins[1:] = (np.diff(index) > 1) | single[1:] | single[:-1]
    return index, np.flatnonzero(begins)


def _bridged(folded: str, chars: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """bool [words - 1]: whether a word and the next may be read as one."""
    digits = _classes()[2]
    before, after = last[:-1], first[1:]
    gap = after - before
    low = np.minimum(chars, 0xFFFF)
    letter = ~digits[low[before - 1]] | ~digits[low[after]]
    lines = np.concatenate([[0], np.cumsum(chars == 10)])
    same_line = lines[after] == lines[before]
    joiner = np.isin(chars[np.minimum(before, len(chars) - 1)], [ord(mark) for mark in JOINERS])
    return (gap == 0) | ((gap == 1) & joiner) | (letter & same_line & (gap <= WIDEST_GAP))

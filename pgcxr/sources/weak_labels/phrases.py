"""Finds phrases in the words of a sentence: the longest one at each place, from left to right,
without overlap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pgcxr.sources.weak_labels.sections import ALONE, SIGNS, normal_form

# A first word with any ending is looked up by its first letters.
STEM = 3
ANY_ENDING = "*"


@dataclass(frozen=True)
class Hit:
    """words[start:end] match `phrase`, which means each of `meanings`."""

    start: int
    end: int
    phrase: str
    meanings: tuple[tuple[str, str], ...]


class Phrases:
    """`entries` are (phrase, meaning). "nodul*" stands for every word that begins so, "*" for any
    one word."""

    def __init__(self, entries: Iterable[tuple[str, tuple[str, str]]]):
        meanings: dict[str, list] = {}
        for phrase, meaning in entries:
            meanings.setdefault(phrase, []).append(meaning)
        self._by_first: dict[str, list[tuple[int, tuple[str, ...], bool, str, tuple]]] = {}
        for phrase, said in meanings.items():
            words = spelled(phrase)
            open_ended = any(word.endswith(ANY_ENDING) for word in words)
            key = words[0][:STEM] + ANY_ENDING if words[0].endswith(ANY_ENDING) else words[0]
            self._by_first.setdefault(key, []).append(
                (len(words), words, open_ended, phrase, tuple(said))
            )
        for candidates in self._by_first.values():
            # Exact words before open ones of the same number.
            candidates.sort(key=lambda item: (-item[0], item[2], -len(item[3])))

    def find(self, words: Sequence[str]) -> list[Hit]:
        """The phrases in `words`, in order."""
        hits, at, words = [], 0, tuple(words)
        while at < len(words):
            best = self._longest(words, at)
            if best is None:
                at += 1
            else:
                hits.append(best)
                at = best.end
        return hits

    def _longest(self, words: tuple[str, ...], at: int) -> Hit | None:
        best = None
        for key in (words[at], words[at][:STEM] + ANY_ENDING):
            for length, pattern, open_ended, phrase, meanings in self._by_first.get(key, ()):
                if best is not None and length <= best.end - best.start:
                    break
                there = words[at : at + length]
                if _matches(pattern, there) if open_ended else pattern == there:
                    best = Hit(at, at + length, phrase, meanings)
                    break
        return best


def spelled(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as they stand in a statement's normal form; "*" is kept."""
    if phrase in SIGNS:
        return (SIGNS[phrase],)
    words: list[str] = []
    for word in phrase.replace("-", " ").split():
        parts = normal_form(word.removesuffix(ANY_ENDING)).split()
        if word.endswith(ANY_ENDING) and not (parts and ALONE.match(parts[-1])):
            # What follows a Korean word is a word by itself anyway.
            parts = [*parts[:-1], (parts[-1] if parts else "") + ANY_ENDING]
        words += parts or [""]
    return tuple(words)


def _matches(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if len(words) < len(pattern):
        return False
    for wanted, word in zip(pattern, words, strict=True):
        if not (word.startswith(wanted[:-1]) if wanted[-1] == ANY_ENDING else word == wanted):
            return False
    return True

"""The words of the lexicons by which reports are read: they identify nobody.

`label_sample.csv` shows them ("no | pleural effusion*"), and a report, a comment or the name of a
folder may say no more than that. So a text all of whose words are of the lexicons, in any order, is
no identifier. A name among them is: "Small" is a word, "Small^Johanna" is somebody.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

from pgcxr.privacy.audit.fingerprints import words
from pgcxr.sources.weak_labels import language
from pgcxr.sources.weak_labels.phrases import ANY_ENDING, STEM, Phrases
from pgcxr.sources.weak_labels.sections import ALONE

# Longer endings of "nodul*" make another word of it, perhaps a name.
LONGEST_ENDING = 5
# What Korean words end in: particles and verbal endings.
ENDINGS = frozenset("음함임됨다는은이가을를도의에니고나며으로와과한된하여서")


def covered(parts: Sequence[str]) -> list[bool]:
    """Whether each word of a text, folded, is one of the lexicons'; in Korean, part of a phrase."""
    known = [_is_word(word) for word in parts]
    if not any(map(ALONE.match, parts)):
        return known
    for hit in _phrases().find(parts):
        known[hit.start : hit.end] = [True] * (hit.end - hit.start)
    for at in range(1, len(parts)):
        known[at] = known[at] or (known[at - 1] and parts[at] in ENDINGS)
    return known


def combined(paths: Iterable[Path]) -> Iterator[str]:
    """What curation writes of phrases of lexicons that are not pgcxr's own: each, and pairs of
    them."""
    for path in paths:
        findings, context = language.texts(path)
        yield "\n".join((*findings, *context))
        for one, other in ((findings, context), (context, findings)):
            yield "\n".join(f"{first} | {second}" for first, second in product(one, other))


def of_pgcxr() -> str:
    """The phrases of pgcxr's own lexicons, each on a line: words of two are no run."""
    return "\n".join(text for texts in language.texts() for text in texts)


@functools.lru_cache(1 << 16)
def _is_word(word: str) -> bool:
    if ALONE.match(word):
        return False
    whole, stems = _vocabulary()
    return word in whole or any(
        word.startswith(stem) and len(word) <= len(stem) + LONGEST_ENDING
        for stem in stems.get(word[:STEM], ())
    )


@functools.cache
def _vocabulary() -> tuple[frozenset[str], dict[str, list[str]]]:
    """Whole words, and beginnings of words by their first letters."""
    whole: set[str] = set()
    stems: dict[str, list[str]] = {}
    for text in (text for texts in language.texts() for text in texts):
        for written in text.replace("-", " ").split():
            for word in words(written):
                if written.endswith(ANY_ENDING) and len(word) >= STEM:
                    stems.setdefault(word[:STEM], []).append(word)
                whole.add(word)
    return frozenset(whole), stems


@functools.cache
def _phrases() -> Phrases:
    texts = (text for texts in language.texts() for text in texts)
    return Phrases((text, ("phrase", "")) for text in texts if len(words(text)) > 1)

"""Whether a report says that a device is on the image: words, with simple negation."""

import re
from collections.abc import Sequence

# A negation reaches this many words forward ("no evidence of a pacemaker"), a removal as many back
# ("the central line has been removed").
REACH = 6
CLAUSE = re.compile(r"[.;:!?\n]+|\bbut\b|\bhowever\b", re.IGNORECASE)


class Mentions:
    """Finds the first word of `words` that a report affirms. English; other languages bring their
    own lists."""

    def __init__(self, words: Sequence[str], negations: Sequence[str], removals: Sequence[str]):
        self._words = _any_of(words)
        self._negations = _any_of(negations)
        self._removals = _any_of(removals)

    def first(self, report: str) -> str:
        """The word, from the list itself and lower case; "" where no device is affirmed."""
        for clause in CLAUSE.split(report):
            for found in self._words.finditer(clause):
                before = " ".join(clause[: found.start()].split()[-REACH:])
                after = " ".join(clause[found.end() :].split()[:REACH])
                if not self._negations.search(before) and not self._removals.search(
                    f"{before} | {after}"
                ):
                    return " ".join(found[0].lower().split())
        return ""


def _any_of(phrases: Sequence[str]) -> re.Pattern:
    if not phrases:
        return re.compile(r"(?!)")
    longest_first = sorted(phrases, key=len, reverse=True)
    spaced = (re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)
    return re.compile(rf"\b(?:{'|'.join(spaced)})\b", re.IGNORECASE)

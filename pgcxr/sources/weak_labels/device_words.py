"""Whether a report says that a device is on the image: words, with the negation of `scope`."""

import re
from collections.abc import Sequence

from pgcxr.sources.weak_labels.language import TERMS, Language
from pgcxr.sources.weak_labels.phrases import Phrases
from pgcxr.sources.weak_labels.scope import COMMA, Sentence
from pgcxr.sources.weak_labels.sections import normal_form

# A negation reaches this many words forward ("no evidence of a pacemaker"), a removal as many back
# ("the central line has been removed").
REACH = 6
CLAUSE = re.compile(r"[.;:!?\n]+|\bbut\b|\bhowever\b", re.IGNORECASE)


class Mentions:
    """Finds the first word of `words` that a report affirms. English; other languages bring their
    own lists."""

    def __init__(self, words: Sequence[str], negations: Sequence[str], removals: Sequence[str]):
        kinds = [(phrase, "negations_before") for phrase in (*negations, *removals)]
        kinds += [(phrase, "negations_after") for phrase in removals]
        self._language = Language(
            "devices",
            findings=Phrases((word, ("device", TERMS)) for word in words),
            context=Phrases((phrase, (kind, "")) for phrase, kind in kinds),
            lists=frozenset((COMMA,)),
        )

    def first(self, report: str) -> str:
        """The word, from the list itself and lower case; "" where no device is affirmed."""
        for clause in CLAUSE.split(report):
            sentence = Sentence(normal_form(clause), self._language, REACH)
            for device in sentence.findings:
                if not sentence.reaching(device, "negations_before") and not sentence.reaching(
                    device, "negations_after"
                ):
                    return device.phrase.lower()
        return ""

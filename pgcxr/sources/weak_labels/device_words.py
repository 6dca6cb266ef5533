"""Whether a report says that a device is on the image: words, with the negation of `scope`."""

import re
from collections.abc import Sequence

from pgcxr.sources.weak_labels import markup
from pgcxr.sources.weak_labels.language import TERMS, Language
from pgcxr.sources.weak_labels.phrases import Phrases
from pgcxr.sources.weak_labels.scope import COMMA, Sentence
from pgcxr.sources.weak_labels.sections import ALONE, normal_form

# A negation reaches this many words forward ("no evidence of a pacemaker"), a removal as many back
# ("the central line has been removed").
REACH = 6
# That it is there: what follows is said of something else.
AFFIRMED = (
    *("있", "삽입", "위치", "유치", "거치", "보임", "보이고", "보이며", "관찰됨", "관찰되고"),
    *("관찰되며", "확인됨", "in situ", "in place", "present", "noted", "is seen", "are seen"),
)
CLAUSE = re.compile(r"[.;:!?\n]+|\bbut\b|\bhowever\b", re.IGNORECASE)


class Mentions:
    """Finds the first word of `words` that a report affirms. English and Korean, whose negations
    stand behind; other languages bring their own lists."""

    def __init__(self, words: Sequence[str], negations: Sequence[str], removals: Sequence[str]):
        before = [phrase for phrase in (*negations, *removals) if not ALONE.match(phrase)]
        kinds = [(phrase, "negations_before") for phrase in before]
        kinds += [(phrase, "negations_after") for phrase in removals]
        kinds += [(phrase, "ends") for phrase in AFFIRMED]
        self._language = Language(
            "devices",
            findings=Phrases((word, ("device", TERMS)) for word in words),
            context=Phrases((phrase, (kind, "")) for phrase, kind in kinds),
            lists=frozenset((COMMA,)),
        )

    def first(self, report: str) -> str:
        """The word, from the list itself and lower case; "" where no device is affirmed."""
        for clause in CLAUSE.split(markup.plain(report)):
            sentence = Sentence(normal_form(clause), self._language, REACH)
            for device in sentence.findings:
                if not sentence.reaching(device, "negations_before") and not sentence.reaching(
                    device, "negations_after"
                ):
                    return device.phrase.lower()
        return ""

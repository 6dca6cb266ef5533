"""Which language a report is in, where it is in none whose phrases are known.

"Kein Pneumothorax" holds an English finding and no English negation. Such a report decides nothing:
it is told by the function words of its language, or by its letters.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

WORD = re.compile(r"[^\W\d_]+")
# Of the letters, by which a report is in another script.
SHARE = 0.3
# Bytes that were read in a wrong encoding: two letters with accents in a row, as in "øÀ" for
# Korean, or what stands for bytes that are no text.
WRONG = re.compile(
    "[\u00c0-\u00ff][\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u20ac\u2122]|\ufffd"
)
SCRIPTS = {
    "CYRILLIC": "Cyrillic",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
    "DEVANAGARI": "Devanagari",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese or Japanese",
}
UNREADABLE = "letters that are read wrongly"


@dataclass(frozen=True)
class Others:
    """Function words: `ours` of the languages that are known, `words` {word: language} of
    others."""

    ours: frozenset[str] = frozenset()
    words: dict[str, str] = field(default_factory=dict)

    def language(self, report: str) -> str:
        """The language, or the letters, that a report is in; "" where it is none of others.

        Example:

            >>> others = Others(frozenset(("the", "is")), {"kein": "German", "de": "French"})
            >>> others.language("Kein Pneumothorax."), others.language("The nodule is de novo.")
            ('German', '')
        """
        if not self.words:
            return ""
        found, ours = Counter(), 0
        for word in WORD.findall(report.lower()):
            ours += word in self.ours
            if word in self.words:
                found[self.words[word]] += 1
        if found and sum(found.values()) > ours:
            return found.most_common(1)[0][0]
        return "" if report.isascii() else _script(report)


def _script(report: str) -> str:
    if WRONG.search(report):
        return UNREADABLE
    letters = [mark for mark in report if mark.isalpha()]
    other = Counter(
        SCRIPTS[name]
        for name in (unicodedata.name(mark, "").split(" ")[0] for mark in letters)
        if name in SCRIPTS
    )
    return other.most_common(1)[0][0] if sum(other.values()) > SHARE * len(letters) else ""

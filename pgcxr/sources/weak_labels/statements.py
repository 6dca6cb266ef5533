"""A section of a report as its statements: sentences, items of lists, lines.

Radiologists write whole sentences, which a system wraps at some width, and one finding on a line
without full stops; "effusion (-)", "effusion: none" and "effusion?". So what says yes, no or
perhaps of the finding before it becomes a sign, and of each line's end it is told whether the
sentence goes on in the next line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pgcxr.sources.weak_labels.language import HEDGED, OTHER, Language
from pgcxr.sources.weak_labels.phrases import Hit
from pgcxr.sources.weak_labels.sections import (
    ALONE,
    MINUS,
    MINUS_BEFORE,
    PERHAPS,
    PLUS,
    normal_form,
    unified,
)

# Statements whose reading is kept.
REMEMBERED = 1 << 16
COMMA, BEFORE = ",", "negations_before"
# Of a finding that a statement before has denied, in English; before what is excepted.
REMAINS = {
    "remains",
    "remain",
    "persists",
    "persist",
    "is",
    "are",
    "unchanged",
    "stable",
    "present",
}
EXCEPT = "except"
# What a statement of its own may say of the one before, and in how many words.
DOUBTS, MOST_DOUBTING = ("uncertainties_before", "uncertainties_after"), 9
# "seen. No", "seen.No" and "seen.1.No", but not "1.5 cm" or "e.g."; items of a list in one line.
ENDS = re.compile(
    r"(?<=\w)[.!]+(?=\s|$)|(?<=[)\]\"])[.!]+(?=\s|$)|(?<=[^\W\d_]{3})[.!]+(?=[^\W\d_])"
    r"|(?<=\w{2})[.!]+(?=[A-Z][a-z])|(?<=[^\W\d_])[.!]+\d{1,2}[.)](?=[^\W\d_])|[;|\u2022\n]"
    rf"|(?<=[{PLUS}{MINUS}{PERHAPS}])\s*[.!]+"
    r"|(?:^|(?<=\s))(?:\(?\d{1,2}\)\s|\d{1,2}\.\s+(?=[^\W\d_])|[*>]+\s)"
)
BULLET = re.compile(r"\(?\d{1,2}[.)]\s|[-*>\u2022]+\s")
# What a line or an item ends with, behind an answer ("no", "+").
STOP = r"(?=[ \t]*(?:$|[\n,;|)\]\t]|\.(?:\s|$)|\s[^\W\d_][^:=\n.,;]{2,40}[:=]))"
PLUSES = re.compile(r"(?<=[\w\)])[ \t]*\+{1,4}(?![\w/])")
LAST_MINUS = re.compile(r"(?<=[\w\)])[ \t]+-(?=[ \t]*(?:\Z|[,;]|\n(?!\s*[a-z])))")
VE = (re.compile(r"(?<![\w-])-\s?ve\b", re.IGNORECASE), re.compile(r"\+\s?ve\b", re.IGNORECASE))
PERHAPS_AFTER = re.compile(r"(?<=[\w)])\?+|[ \t]+\?+(?=[ \t]*(?:$|[\n,;.]))", re.MULTILINE)
# "Opacity? pneumonia": of either.
PERHAPS_BOTH = re.compile(r"(?<=[\w)])\?+(?=[ \t]+[a-z])")
# Without one of these there is no answer.
MARKED = re.compile(r"[(\[{☐□☑☒■✓✔√:=|?\t+&]|\.\.|(?<=[\s>])-|-(?=[\sv>])")
BOXES = (re.compile(r"\[\s*\]|[☐□]"), re.compile(r"\[\s*[xX✓√]\s*\]|[☑☒■✓✔√]"))
SIGN = re.compile(f"[{PLUS}{MINUS}{PERHAPS}]")
FIRST_SIGN = re.compile(rf"^\s*[{PLUS}{MINUS}]\s*(?=[^\W\d_])")
# " - " between two statements; (several words in brackets), which are one.
ASIDE = re.compile(r"(?<=\S)\s+-+\s+(?=\S)|\((?=[^()]*\w\s+\w)|(?<=\w)\)(?=\s*[^\s.;,)])")
HEADING = re.compile(r"^\s*([^:\n]{2,60}?)\s*:\s*(?=(.*))", re.DOTALL)
HEADING_WORDS = 6
# Of a text that is wrapped, no line is narrower; of one that is not, most are.
NARROWEST = 40
FULL_STOP = re.compile(r"[^\W\d_]{2}\.(?:\s|$)")
# A sentence is not longer: a text without full stops is read in pieces.
MOST_WORDS = 100
# Words on both sides of a line's end among which a phrase may lie.
AROUND = 6


@dataclass(frozen=True)
class Page:
    """How a text is written: its width, whether capital letters say anything in it, and whether it
    has sentences with a full stop."""

    width: int
    cased: bool
    sentences: bool


class Reader:
    """Tells the statements of texts in one language from each other."""

    def __init__(self, language: Language):
        self.language = language
        self._answers = [
            (sign, *_answers(words))
            for sign, words in (
                (MINUS, ("-", *language.denials)),
                (PLUS, ("+", "++", "+++", *language.confirmations)),
                (PERHAPS, ("?", "??", "+/-", "-/+", *language.doubts)),
            )
        ]

        self._signs = {word: MINUS for word in language.denials if word.isalpha()}
        self._signs |= {word: PLUS for word in language.confirmations if word.isalpha()}
        # Departments repeat their sentences.
        self._words = lru_cache(REMEMBERED)(self._words_of)

    def statements(self, text: str) -> Iterator[str]:
        """The words of each statement in lower case, in normal form."""
        parts = ENDS.split(self._unwrapped(self._signed(unified(text))))
        for words in self._with_doubts(map(self._words, parts)):
            for at in range(0, len(words), MOST_WORDS):
                yield " ".join(words[at : at + MOST_WORDS])

    def _words_of(self, part: str) -> list[str]:
        return self._answered(normal_form(self._without_heading(part)).split())

    def _with_doubts(self, read: Iterable[list[str]]) -> list[list[str]]:
        """Words of statements, without those that do nothing but doubt the one before
        ("Pneumonia. Possible."), which has a sign for them."""
        found: list[list[str]] = []
        for words in filter(None, read):
            if found and len(words) <= MOST_DOUBTING and self._is_doubt(words):
                found[-1] = [*found[-1], PERHAPS]
            elif found and self._is_rest(words):
                found[-1] = [*found[-1], EXCEPT, *words]
            else:
                found.append(words)
        return found

    def _is_rest(self, words: list[str]) -> bool:
        """Whether a statement says of a finding before it that some is left ("No large
        pneumothorax; a small one remains")."""
        left = any(
            word in self.language.pronouns and after in REMAINS for word, after in pairwise(words)
        )
        return (
            left
            and not self.language.findings.find(words)
            and not _kinds(self.language.context.find(words)) & {BEFORE, "negations_after"}
            and "exceptions" in _kinds(self.language.context.find([EXCEPT]))
        )

    def _is_doubt(self, words: list[str]) -> bool:
        hits = self.language.context.find(words)
        doubts = [hit for hit in hits if any(kind in DOUBTS for kind, _ in hit.meanings)]
        if not doubts or len(doubts) < len(hits) or self.language.findings.find(words):
            return False
        left = [word for at, word in enumerate(words) if not any(_holds(h, at) for h in doubts)]
        # Korean words are read by the syllable, and end in particles and verbal endings.
        return all(word in self.language.affirmations or ALONE.match(word) for word in left)

    def _signed(self, text: str) -> str:
        """Answers as signs."""
        if not MARKED.search(text):
            return text
        text = VE[1].sub("positive", VE[0].sub("negative", text)).replace("&", "/")
        text = BOXES[1].sub(f" {PLUS} ", BOXES[0].sub(f" {MINUS} ", text))
        for sign, bracketed, after in self._answers:
            text = after.sub(f" {sign} ", bracketed.sub(f" {sign} ", text))
        text = LAST_MINUS.sub(f" {MINUS}", PLUSES.sub(f" {PLUS} ", text))
        text = PERHAPS_BOTH.sub(f" {PERHAPS} ?", text)
        text = PERHAPS_AFTER.sub(f" {PERHAPS}", text)
        if not SIGN.search(text):
            return text
        lines = text.split("\n")
        for at, line in enumerate(lines):
            # "(-) PTX (+) effusion": where the first sign is before its finding, all are.
            if FIRST_SIGN.match(line):
                lines[at] = line.replace(MINUS, f"; {MINUS_BEFORE}").replace(PLUS, ";")
        return "\n".join(lines)

    def _answered(self, words: list[str]) -> list[str]:
        """Words with a sign for a last word that answers a finding ("Pneumothorax no")."""
        signs = self._signs
        if len(words) > 1 and words[-1] in signs:
            found = self.language.findings.find(words)
            said = self.language.context.find(words[:-1])
            if found and found[-1].end == len(words) - 1 and not said:
                return [*words[:-1], signs[words[-1]]]
        return words

    def _without_heading(self, line: str) -> str:
        """A line without a heading that its text takes up again ("Pneumothorax: no pneumothorax");
        with a sign for a text that only denies it ("no evidence"), or is not there."""
        if ":" not in line:
            return ASIDE.sub(" , ", line)
        found = HEADING.match(line)
        named = found and normal_form(found[1]).split()
        if named and len(named) <= HEADING_WORDS:
            findings = _findings(self.language.findings.find(named))
            if findings and not found[2].strip():
                return f"{found[1]} {PERHAPS}"
            words = normal_form(found[2]).split()
            again = _findings(self.language.findings.find(words))
            if findings and not again and _begins(self.language.context.find(words), BEFORE):
                return f"{found[1]} {MINUS}"
            if findings and findings <= again:
                line = line[found.end() :]
        return ASIDE.sub(" , ", line)

    def _unwrapped(self, text: str) -> str:
        """The text with a line's end wherever a statement ends with its line, and nowhere else."""
        if "\n" not in text.strip():
            return text
        lines = [line.strip() for line in text.split("\n")]
        page = Page(
            max(NARROWEST, *map(len, lines)),
            text.upper() != text and any(line[:1].isupper() for line in lines),
            FULL_STOP.search(text) is not None,
        )
        whole = [lines[0]]
        for before, line in pairwise(lines):
            on = before and line and not BULLET.match(line) and self._goes_on(before, line, page)
            whole.append(" " if on else "\n")
            whole.append(line)
        return "".join(whole)

    def _goes_on(self, before: str, line: str, page: Page) -> bool:
        """Whether a statement goes on in the next line."""
        language = self.language
        last, first = ENDS.split(before)[-1], ENDS.split(line)[0]
        ended, begun = normal_form(last).split(), normal_form(first).split()
        if not ended or not begun:
            return False
        begins = language.context.find(begun[:AROUND])
        fresh = begun[0] in language.affirmations or _begins(begins, BEFORE)
        if before.endswith(":"):
            return ":" not in line and fresh
        if SIGN.match(begun[0]) or begun[0] in language.connectives | language.lists:
            return True
        if self._is_answer(begins, begun) or self._is_across(ended, begun):
            return True
        word = line.split()[0]
        capital = page.cased and word[0].isupper()
        abbreviated = len(word) > 1 and word.isupper()
        if ended[-1] == COMMA:
            return not capital or abbreviated
        if SIGN.match(ended[-1]):
            return False
        if self._is_open(ended):
            return True
        complete, room = self._is_complete(ended), len(before) + 1 + len(word) <= page.width
        if capital:
            return abbreviated and not (complete or room)
        if page.cased and word[0].islower():
            named = room and self._begins_finding(begun)
            return not ((fresh and (complete or room)) or (named and complete))
        return page.sentences and not (room or (fresh and complete))

    def _begins_finding(self, begun: list[str]) -> bool:
        """Whether a line begins with a finding, other than the "density" of a nodular one."""
        found = self.language.findings.find(begun[:AROUND])
        return bool(found) and found[0].start == 0 and set(found[0].meanings) != {(OTHER, HEDGED)}

    def _is_answer(self, begins: list[Hit], begun: list[str]) -> bool:
        """Whether a line begins with what is said of the one before ("not seen")."""
        if not any(_begins(begins, kind) for kind in ("negations_after", "uncertainties_after")):
            return False
        return not _begins(begins, BEFORE) or not self.language.findings.find(begun)

    def _is_across(self, ended: list[str], begun: list[str]) -> bool:
        """Whether a phrase begins in one line and ends in the next."""
        words, at = [*ended[-AROUND:], *begun[:AROUND]], len(ended[-AROUND:])
        return any(
            hit.start < at < hit.end
            for phrases in (self.language.findings, self.language.context)
            for hit in phrases.find(words)
        )

    def _is_open(self, ended: list[str]) -> bool:
        """Whether a line ends in a word after which something has to come."""
        language, last = self.language, ended[-1]
        if last in language.connectives | language.lists | language.affirmations | language.verbs:
            return True
        hits = language.context.find(ended)
        if not hits or hits[-1].end != len(ended):
            return False
        kinds = {kind for kind, _ in hits[-1].meanings}
        if any(kind.endswith("_after") for kind in kinds):
            return False
        # "Pneumothorax no" is complete, "there is no" is not.
        found = language.findings.find(ended)
        answers = {*language.denials, *language.confirmations}
        return not (last in answers and found and found[-1].end == hits[-1].start)

    def _is_complete(self, ended: list[str]) -> bool:
        """Whether a line says something of a finding, and begins nothing after it."""
        found = self.language.findings.find(ended)
        if not found or self.language.lists.intersection(ended[found[-1].end :]):
            return False
        return not any(
            hit.start >= found[-1].end and kind.endswith("_before")
            for hit in self.language.context.find(ended)
            for kind, _ in hit.meanings
        )


def _answers(words: tuple[str, ...]) -> tuple[re.Pattern, re.Pattern]:
    """What finds one of `words` in brackets, and behind a colon or the like."""
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return (
        re.compile(rf"[(\[{{]\s*(?:{either})\s*[)\]}}]", re.IGNORECASE),
        re.compile(
            rf"[ \t]*(?::\s*|(?:[=|?\t]|\.{{2,}}|[-=]>|(?<=[ \t])-+(?=[ \t]))[ \t]*)"
            rf"(?:{either})(?![^\W_]){STOP}",
            re.IGNORECASE | re.MULTILINE,
        ),
    )


def _findings(hits: list[Hit]) -> set[str]:
    return {finding for hit in hits for finding, _ in hit.meanings}


def _kinds(hits: list[Hit]) -> set[str]:
    return {kind for hit in hits for kind, _ in hit.meanings}


def _holds(hit: Hit, at: int) -> bool:
    return hit.start <= at < hit.end


def _begins(hits: list[Hit], kind: str) -> bool:
    return bool(hits) and hits[0].start == 0 and any(name == kind for name, _ in hits[0].meanings)

"""A rule labeler for radiology reports: per finding positive, negative, uncertain or not mentioned.

Sections that do not describe the image are left out; in each sentence, findings are looked up in
the language's phrases, and what negates or doubts them by the rules of scope.py. Over a report,
positive outranks uncertain and uncertain outranks negative; but what the conclusion says for
certain settles what the findings section left in doubt.
"""

from functools import lru_cache

from pgcxr.cohort.findings import TABLE_6
from pgcxr.sources.weak_labels import markup, sections
from pgcxr.sources.weak_labels.language import (
    DENIED,
    FALSE_FRIEND,
    HEDGED,
    NORMAL_STATEMENT,
    OTHER,
    SIGN,
    Language,
)
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN, Opinion, label_of
from pgcxr.sources.weak_labels.phrases import Hit
from pgcxr.sources.weak_labels.scope import Sentence
from pgcxr.sources.weak_labels.statements import REMEMBERED, Reader

# Of a report without any.
NO_PHRASE = "no phrase that is known"
TAKEN_BACK = "it is taken back"
STRONGEST = (POSITIVE, UNCERTAIN, NEGATIVE)


class Labeler:
    """Reads reports in one language.

    Example:

        >>> from pgcxr.sources.weak_labels import language
        >>> opinion = Labeler(language.load()).opinion(
        ...     "There is a nodule in the right upper lobe. No pleural effusion or pneumothorax."
        ... )
        >>> opinion.label, opinion.statuses["nodule"], opinion.statuses["pneumothorax"]
        ('abnormal', 'positive', 'negative')
    """

    def __init__(self, language: Language):
        self.language = language
        self._reader = Reader(language)
        self._mentions = lru_cache(REMEMBERED)(self._read)

    def opinion(self, report: str) -> Opinion:
        """What the report says; an empty label where it says nothing of normal or abnormal."""
        report = markup.plain(report)
        language = self.language.others.language(report)
        if language:
            return Opinion("report", "", unread=language)
        # Not sentence by sentence: a form may have a line break in the phrase.
        if self.language.withdrawn.find(sections.normal_form(report).split()):
            return Opinion("report", "", unread=TAKEN_BACK)
        said: dict[str, list[tuple[str, str, bool]]] = {}
        for name, text in sections.sections(report, self.language.header):
            if name in self.language.skipped:
                text = sections.until_blank_line(text)[1]
            for statement in self._reader.statements(text):
                for finding, status, words in self._mentions(statement):
                    said.setdefault(finding, []).append(
                        (status, words, name in self.language.conclusion)
                    )
        statements = said.pop(NORMAL_STATEMENT, [])
        decided = {finding: _strongest(found) for finding, found in said.items()}
        statuses = {finding: status for finding, (status, _) in decided.items()}
        label = label_of(statuses, bool(statements) or NEGATIVE in statuses.values())
        if not label and not decided and report.strip():
            return Opinion("report", "", unread=NO_PHRASE)
        words = {finding: words for finding, (_, words) in decided.items() if finding in TABLE_6}
        words["label"] = _label_words(decided, statements)
        return Opinion(
            "report", label, {name: statuses[name] for name in TABLE_6 if name in statuses}, words
        )

    def _read(self, text: str) -> tuple[tuple[str, str, str], ...]:
        """(finding, status, deciding phrases) of each mention in a statement."""
        sentence = Sentence(text, self.language)
        mentions = []
        for hit in sentence.findings:
            if any(finding == FALSE_FRIEND for finding, _ in hit.meanings):
                continue
            kinds = dict(hit.meanings)
            if set(kinds.values()) == {DENIED}:
                status, words = NEGATIVE, hit.phrase
                if _is_taken_back(sentence, hit):
                    mentions.append((OTHER, UNCERTAIN, words))
            else:
                status, words = _status(sentence, hit)
            for finding, kind in kinds.items():
                if status == POSITIVE and kind == HEDGED:
                    mentions.append((finding, UNCERTAIN, words))
                elif status is not None:
                    mentions.append((finding, NEGATIVE if kind == DENIED else status, words))
        return tuple(mentions)


def _status(sentence: Sentence, hit: Hit) -> tuple[str | None, str]:
    signed = sentence.reaching(hit, SIGN)
    if signed:
        return dict(signed.meanings)[SIGN], f"{hit.phrase} | {signed.phrase}"
    for before, after, status in (
        ("elsewhere_before", "elsewhere_after", None),
        ("negations_before", "negations_after", NEGATIVE),
        ("uncertainties_before", "uncertainties_after", UNCERTAIN),
    ):
        trigger = sentence.reaching(hit, before)
        words = f"{trigger.phrase} | {hit.phrase}" if trigger else ""
        if not trigger:
            trigger = sentence.reaching(hit, after)
            words = f"{hit.phrase} | {trigger.phrase}" if trigger else ""
        if trigger and status == NEGATIVE and sentence.perhaps_affirmed(hit, trigger):
            return UNCERTAIN, f"{trigger.phrase} | {hit.phrase}"
        if trigger:
            return _but(sentence, hit) if status == NEGATIVE else status, words
    if sentence.alternative(hit):
        return UNCERTAIN, f"{hit.phrase} | alternatives"
    return POSITIVE, hit.phrase


def _but(sentence: Sentence, hit: Hit) -> str:
    """What is left of a denial after an exception: "no pneumothorax apart from a tiny apical one"
    is a pneumothorax."""
    left = sentence.excepted(hit)
    if not left:
        return NEGATIVE
    language = sentence.language
    if language.pronouns.intersection(left):
        return POSITIVE
    # "Except on the left" may be one; "apart from the rotation" is something else.
    told = left[0] in language.connectives or any(
        word in language.affirmations - language.connectives for word in left
    )
    return UNCERTAIN if told else NEGATIVE


def _is_taken_back(sentence: Sentence, hit: Hit) -> bool:
    """Whether "the lungs are clear" goes on "except at the left base", or begins with "not"."""
    if any(
        negation.end == hit.start and "negations_before" in dict(negation.meanings)
        for negation in sentence.context
    ):
        return True
    left = sentence.excepted(hit)
    return bool(left) and (
        left[0] in sentence.language.connectives
        or bool(sentence.language.pronouns.intersection(left))
    )


def _strongest(mentions: list[tuple[str, str, bool]]) -> tuple[str, str]:
    """(status, words) of a report from those of its mentions."""
    present = {status for status, _, _ in mentions}
    status = next(status for status in STRONGEST if status in present)
    concluded = {status for status, _, conclusion in mentions if conclusion}
    if status == UNCERTAIN and concluded == {NEGATIVE}:
        status = NEGATIVE
    return status, next(words for said, words, _ in mentions if said == status)


def _label_words(
    decided: dict[str, tuple[str, str]], statements: list[tuple[str, str, bool]]
) -> str:
    for status in STRONGEST[:2]:
        for finding in (*TABLE_6, OTHER):
            if finding in decided and decided[finding][0] == status:
                return decided[finding][1]
    if statements:
        return statements[0][1]
    return next((words for _, words in decided.values()), "")

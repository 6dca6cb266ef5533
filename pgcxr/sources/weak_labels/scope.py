"""Which negations and doubts of a statement reach which finding: rules after NegEx and ConText.

Chapman et al., "A simple algorithm for identifying negated findings and diseases in discharge
summaries", J Biomed Inform 34 (2001); Harkema et al., "ConText", J Biomed Inform 42 (2009). A
trigger reaches forward or back to the end of the statement, or to a phrase that starts a new
one; lists ("no nodule, effusion or pneumothorax") are crossed.
"""

from collections.abc import Sequence
from itertools import pairwise

from pgcxr.sources.weak_labels.language import HEDGED, OTHER, SIGN, Language
from pgcxr.sources.weak_labels.phrases import Hit

COMMA, SLASH, AND = ",", "/", "and"
# Of what a list that is denied does not say.
PRESENT = ("present", "noted")
# Words that may stand between the two findings of "consolidation or left lower lobe atelectasis".
BETWEEN_ALTERNATIVES = 4
ENDS = ("ends", "exceptions", SIGN)


class Sentence:
    """The words of a statement with the findings and the context phrases in it.

    Args:
        text: in normal form.
        language: its phrases.
        reach: how many words a context phrase reaches, commas not counted; by default all.
    """

    def __init__(self, text: str, language: Language, reach: int | None = None):
        self.words = text.split()
        self.reach = reach
        self.language = language
        self.findings = language.findings.find(self.words)
        self.context = language.context.find(self.words) if self.findings else []
        self._ends = [hit for hit in self.context if any(kind in ENDS for kind, _ in hit.meanings)]

    def reaching(self, finding: Hit, kind: str) -> Hit | None:
        """The nearest context phrase of `kind` (..._before, ..._after or SIGN) whose scope holds
        `finding`."""
        forward = kind.endswith("_before")
        candidates = [hit for hit in self.context if any(name == kind for name, _ in hit.meanings)]
        if forward:
            near = [hit for hit in candidates if self._near(hit.start, finding.start)]
            before = [hit for hit in near if hit.end <= finding.start]
            return next(
                (hit for hit in reversed(before) if self._open_forward(hit.end, finding.start)),
                None,
            )
        near = [hit for hit in candidates if self._near(finding.end, hit.end)]
        after = [hit for hit in near if hit.start >= finding.end]
        return next((hit for hit in after if self._open_back(finding, hit.start)), None)

    def alternative(self, finding: Hit) -> bool:
        """Whether the sentence offers another finding in this one's place ("atelectasis or
        pneumonia")."""
        at = self.findings.index(finding)
        pairs = [
            pair
            for pair in ((at - 1, at), (at, at + 1))
            if pair[0] >= 0 and pair[1] < len(self.findings)
        ]
        for left, right in pairs:
            gap = self.words[self.findings[left].end : self.findings[right].start]
            if len(gap) <= BETWEEN_ALTERNATIVES and any(
                tuple(gap[: len(words)]) == words for words in self.language.alternatives
            ):
                return True
        return False

    def excepted(self, finding: Hit) -> Sequence[str] | None:
        """What stands behind an exception to what is said of `finding` ("apart from a tiny apical
        one"); None where it is none, or names a finding of its own."""
        exceptions = [
            hit for hit in self.context if any(kind == "exceptions" for kind, _ in hit.meanings)
        ]
        found = next((hit for hit in exceptions if hit.start >= finding.end), None)
        if found is None or any(finding.end <= hit.start for hit in self.findings):
            return None
        stop = min(
            (hit.start for hit in self._ends if hit.start >= found.end), default=len(self.words)
        )
        return self.words[found.end : stop]

    def perhaps_affirmed(self, finding: Hit, negation: Hit) -> bool:
        """Whether a list without "or" ends in "present": in "no pneumothorax, effusion present" the
        last one may be there."""
        gap = self.words[negation.end : finding.start]
        return (
            gap[-1:] == [COMMA]
            and not self.language.lists.intersection(gap)
            and self.words[finding.end :] in ([word] for word in PRESENT)
        )

    def _near(self, start: int, stop: int) -> bool:
        words = [word for word in self.words[start:stop] if word != COMMA]
        return self.reach is None or len(words) <= self.reach

    def _ended(self, start: int, stop: int) -> bool:
        return any(hit.start >= start and hit.end <= stop for hit in self._ends)

    def _open_forward(self, start: int, stop: int) -> bool:
        """Whether nothing in words[start:stop] ends what began before it."""
        if self._ended(start, stop):
            return False
        verb = False
        for at in range(start, stop):
            word = self.words[at]
            verb = verb or word in self.language.verbs
            if word in (COMMA, SLASH, AND) and (verb or self._new_statement(at + 1)):
                return False
        return True

    def _new_statement(self, at: int) -> bool:
        """Whether a statement of its own begins here, rather than the next item of a list."""
        if self.words[at : at + 1] == [AND]:
            at += 1
        if at >= len(self.words) or self.words[at] not in self.language.affirmations:
            return False
        stop = min((hit.start for hit in self._ends if hit.start >= at), default=len(self.words))
        closing = self.language.lists - {AND}
        return not any(word in closing for word in self.words[at:stop])

    def _open_back(self, finding: Hit, stop: int) -> bool:
        """Whether nothing between `finding` and words[stop] parts the two."""
        start = finding.end
        if self._ended(start, stop):
            return False
        gap: Sequence[str] = self.words[start:stop]
        between = [hit for hit in self.findings if start <= hit.start < stop]
        closing = self.language.lists | {SLASH}
        # Two findings without anything to join them are two statements, but for "nodular density".
        if not all(
            any(word == COMMA or word in closing for word in self.words[one.end : other.start])
            or (one.end == other.start and set(other.meanings) == {(OTHER, HEDGED)})
            for one, other in pairwise((finding, *between))
        ):
            return False
        verb = False
        listed = any(word in closing for word in gap) or self._is_list((finding, *between))
        for at, word in enumerate(gap, start):
            verb = verb or word in self.language.verbs
            if word in (COMMA, AND) and verb:
                return False
            if word == COMMA and not listed and any(at < hit.start for hit in between):
                return False
        return True

    def _is_list(self, findings: Sequence[Hit]) -> bool:
        """Whether findings stand between commas without a word that says where or how large, as in
        "effusion, pneumothorax: none"; "pneumonia, effusion: none" names a diagnosis first."""
        return not any(
            self.words[hit.end] != COMMA
            or self.words[max(hit.start - 1, 0) : hit.start] not in ([], [COMMA])
            or all(finding == OTHER for finding, _ in hit.meanings)
            or self.language.diagnoses.find(self.words[hit.start : hit.end])
            for hit in findings[:-1]
        )

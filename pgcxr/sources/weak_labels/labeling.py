"""How the studies of one run are labeled: the policy, the code lists, and the language of the
reports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from pgcxr.cohort.findings import ABNORMAL, FINDINGS
from pgcxr.sources.weak_labels import codes as diagnosis_codes
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels import language as languages
from pgcxr.sources.weak_labels.codes import CodeLists
from pgcxr.sources.weak_labels.decision import Decision
from pgcxr.sources.weak_labels.language import Language
from pgcxr.sources.weak_labels.opinion import Opinion
from pgcxr.sources.weak_labels.reports import Labeler


@dataclass(frozen=True)
class Labeling:
    """`policy` is one of decision.POLICIES, `uncertain` one of decision.UNCERTAIN_POLICIES.

    `neutral` are roots of codes that decide nothing; `columns` is the column map of the source
    `table`.
    """

    policy: str = decision.CODES
    uncertain: str = decision.UNKNOWN
    neutral: tuple[str, ...] = ()
    lists: CodeLists | None = None
    language: Language | None = None
    columns: Path | None = None

    @cached_property
    def _lists(self) -> CodeLists:
        return self.lists or diagnosis_codes.load()

    @cached_property
    def _labeler(self) -> Labeler:
        return Labeler(self.language or _english())

    def codes_of(self, cell: str) -> tuple[str, ...]:
        """The codes in a cell of a table, beside those of the lists' examinations."""
        return diagnosis_codes.parse(cell, self._lists.normal)

    def of_study(self, codes: Sequence[str], report: str) -> tuple[Decision, tuple[Opinion, ...]]:
        """The label of a study from its codes and its report, and what each of the two says."""
        from_codes = self._lists.opinion(codes, self.neutral)
        from_report = self._labeler.opinion(report) if report.strip() else Opinion("report", "")
        if self.policy == decision.REPORT:
            decided = decision.decide(from_report, from_codes, self.uncertain)
        elif self.policy == decision.AGREE:
            decided = decision.agree(from_codes, from_report, self.uncertain)
        else:
            decided = decision.decide(from_codes, from_report, self.uncertain)
        unread = diagnosis_codes.UNREAD in codes
        unclear = any(map(self._lists.is_unclear, codes))
        if not from_codes.label and self.policy != decision.REPORT:
            detail = "a diagnosis code that cannot be read" if unread else "no valid diagnosis code"
            if unclear and not unread:
                detail = "an examination that found something, and no code of what"
            decided = Decision(rejected=("diagnosis", detail))
        elif not report.strip() and self.policy != decision.CODES:
            decided = Decision(rejected=("diagnosis", "no report"))
        elif (unread or unclear) and self.policy != decision.REPORT and decided.label == ABNORMAL:
            # It may stand for any finding that no other code names.
            unknown = tuple(name for name in FINDINGS if name not in decided.findings)
            decided = replace(decided, unknown=unknown)
        return decided, (from_codes, from_report)

    def described(self) -> dict:
        """What report.json says of it: no paths."""
        return {
            "policy": self.policy,
            "uncertain": self.uncertain,
            "own_codes": self.lists is not None,
        } | {"own_language": self.language is not None}


@cache
def _english() -> Language:
    """That of the file that is shipped, which is read once."""
    return languages.load()


def load(
    labels: str = decision.CODES,
    uncertain: str = decision.UNKNOWN,
    *,
    neutral: Sequence[str] = (),
    codes_file: str | Path | None = None,
    labels_file: str | Path | None = None,
    columns: str | Path | None = None,
) -> Labeling:
    """Reads the files; InputError where an option or a file is wrong."""
    decision.check(labels, uncertain)
    return Labeling(
        labels,
        uncertain,
        tuple(neutral),
        None if codes_file is None else diagnosis_codes.load(codes_file),
        None if labels_file is None else languages.load(labels_file),
        None if columns is None else Path(columns),
    )

"""What one witness (codes, a report, a labeler, readers) says of one study."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6

POSITIVE, NEGATIVE, UNCERTAIN, NOT_MENTIONED = "positive", "negative", "uncertain", "not mentioned"
STATUSES = (POSITIVE, UNCERTAIN, NEGATIVE, NOT_MENTIONED)


@dataclass(frozen=True)
class Opinion:
    """`label` is normal, abnormal, uncertain or "" (says nothing); `statuses` has the findings that
    are mentioned.

    `words` are, for each of these findings, the phrases of the lexicon that decided: never text of
    a report, which may name a patient. "label" among them stands for the label. `unread` says why
    nothing could be read out of a text.
    """

    witness: str
    label: str
    statuses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    unread: str = ""

    def status(self, finding: str) -> str:
        """One of STATUSES."""
        return self.statuses.get(finding, NOT_MENTIONED)

    def having(self, status: str) -> tuple[str, ...]:
        """The findings with that status, in the order of thesis Table 6."""
        return tuple(name for name in TABLE_6 if self.status(name) == status)


def label_of(statuses: Mapping[str, str], said_normal: bool) -> str:
    """Abnormal where anything is positive, else uncertain where anything is, else normal where that
    was said."""
    found = set(statuses.values())
    if POSITIVE in found:
        return ABNORMAL
    if UNCERTAIN in found:
        return UNCERTAIN
    return NORMAL if said_normal else ""

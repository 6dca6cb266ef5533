"""From what the witnesses of a study say to its label: whom to follow, and what to do where they
doubt or disagree.

Policies (`labels`):

- codes: the diagnosis codes decide alone, as in thesis 1.1;
- report: the report decides alone;
- agree: both must say the same of normal or abnormal, or the study is excluded; findings on which
  they differ are unknown.

What an uncertain finding becomes (`uncertain`; Irvin et al., AAAI 2019: U-Ignore, U-Ones and
U-Zeros of CheXpert):

- unknown: neither present nor absent (an empty cell); a study with nothing but uncertain findings
  is excluded;
- positive, negative: as if it had been said for certain;
- exclude: the study is excluded.

`confidence` orders the labels, it is no probability: 1.0 where another witness says the same, 0.75
where there is no other, or it says nothing, 0.5 where the other is uncertain, 0.25 where the other
says the opposite.
"""

from dataclasses import dataclass

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.errors import ArgumentError
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN, Opinion

CODES, REPORT, AGREE = "codes", "report", "agree"
POLICIES = (CODES, REPORT, AGREE)
UNKNOWN, EXCLUDE = "unknown", "exclude"
UNCERTAIN_POLICIES = (UNKNOWN, POSITIVE, NEGATIVE, EXCLUDE)
# Of a text in a language whose phrases are not known.
NOT_UNDERSTOOD = "not understood"
AGREED, ALONE, DOUBTED, OPPOSED = 1.0, 0.75, 0.5, 0.25


@dataclass(frozen=True)
class Decision:
    """A label with its findings, the findings that are unknown, how sure it is, and which witnesses
    say the same.

    `rejected` is (rule, detail) of why the study is excluded; it has a label where that rule can be
    switched off.
    """

    label: str = ""
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    confidence: float | None = None
    witnesses: tuple[str, ...] = ()
    rejected: tuple[str, str] | None = None


def check(labels: str, uncertain: str) -> None:
    """Raises ArgumentError unless both are among the policies."""
    for argument, policy, policies in (
        ("labels", labels, POLICIES),
        ("uncertain", uncertain, UNCERTAIN_POLICIES),
    ):
        if policy not in policies:
            raise ArgumentError(argument, f"must be one of {', '.join(policies)}", received=policy)


def decide(first: Opinion, second: Opinion | None, uncertain: str = UNKNOWN) -> Decision:
    """The label that `first` gives, and how far `second`, if there is one, confirms it.

    Args:
        first: what the witness says that is followed.
        second: what the other one says, or None.
        uncertain: what an uncertain finding becomes.

    Example:

        >>> codes = Opinion("codes", ABNORMAL, {"nodule": POSITIVE})
        >>> report = Opinion("report", ABNORMAL, {"nodule": POSITIVE, "atelectasis": UNCERTAIN})
        >>> made = decide(codes, report)
        >>> made.label, made.findings, made.confidence, made.witnesses
        ('abnormal', ('nodule',), 1.0, ('codes', 'report'))
        >>> decide(report, None).unknown
        ('atelectasis',)
    """
    doubts = first.having(UNCERTAIN)
    if uncertain == EXCLUDE and (doubts or first.label == UNCERTAIN):
        return Decision(rejected=("diagnosis", f"{first.witness}: an uncertain finding"))
    label, present = settled(first, uncertain)
    if not label:
        detail = (
            "nothing but uncertain findings"
            if first.label == UNCERTAIN
            else _silence(first) or "neither normal nor abnormal"
        )
        return Decision(rejected=("diagnosis", f"{first.witness}: {detail}"))
    unknown = doubts if uncertain == UNKNOWN and label == ABNORMAL else ()
    confidence, witnesses = _confidence(label, first, second)
    return Decision(label, present, unknown, confidence, witnesses)


def agree(first: Opinion, second: Opinion, uncertain: str = UNKNOWN) -> Decision:
    """The label that both give; findings on which they differ are unknown."""
    for opinion in (first, second):
        if uncertain == EXCLUDE and (opinion.having(UNCERTAIN) or opinion.label == UNCERTAIN):
            return Decision(rejected=("diagnosis", f"{opinion.witness}: an uncertain finding"))
    (label, present), (other, others) = settled(first, uncertain), settled(second, uncertain)
    if not label or not other:
        silent = second if label else first
        why = _silence(silent) or "neither normal nor abnormal for certain"
        return Decision(rejected=("diagnosis", f"{silent.witness}: {why}"))
    both = tuple(name for name in TABLE_6 if name in present and name in others)
    doubts = (
        {*first.having(UNCERTAIN), *second.having(UNCERTAIN)} if uncertain == UNKNOWN else set()
    )
    differing = tuple(
        name for name in TABLE_6 if (name in present) != (name in others) or name in doubts
    )
    unknown = differing if label == ABNORMAL else ()
    if label != other:
        why = ("label_conflict", f"{first.witness} and {second.witness} disagree")
        return Decision(label, both, unknown, OPPOSED, (first.witness,), why)
    return Decision(label, both, unknown, AGREED, (first.witness, second.witness))


def settled(opinion: Opinion, uncertain: str) -> tuple[str, tuple[str, ...]]:
    """(normal, abnormal or "", findings that are present) once uncertain findings are what the
    policy makes of them."""
    if opinion.label != UNCERTAIN and uncertain in (UNKNOWN, EXCLUDE):
        return opinion.label, opinion.having(POSITIVE)
    if uncertain in (UNKNOWN, EXCLUDE):
        return "", ()
    statuses = {
        name: uncertain if said == UNCERTAIN else said for name, said in opinion.statuses.items()
    }
    present = tuple(name for name in TABLE_6 if statuses.get(name) == POSITIVE)
    if opinion.label == UNCERTAIN:
        return (ABNORMAL if uncertain == POSITIVE else NORMAL), present
    return (ABNORMAL if present else opinion.label), present


def _silence(opinion: Opinion) -> str:
    """Why a witness whose text could not be read says nothing."""
    return opinion.unread and f"{NOT_UNDERSTOOD} ({opinion.unread})"


def _confidence(
    label: str, first: Opinion, second: Opinion | None
) -> tuple[float, tuple[str, ...]]:
    if second is None or not second.label:
        return ALONE, (first.witness,)
    if second.label == label:
        return AGREED, (first.witness, second.witness)
    return (DOUBTED if second.label == UNCERTAIN else OPPOSED), (first.witness,)

"""From a public set's own labels to normal, abnormal and the findings of thesis Table 6
(labels.toml)."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL, TABLE_6
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN, Opinion, label_of

DEVICE = "device"
MEANINGS = (NORMAL, ABNORMAL, DEVICE, *TABLE_6)
STRENGTH = (NEGATIVE, UNCERTAIN, POSITIVE)
# The status of a cell in which stands something that no word stands for.
UNREAD = "unread"
CONTRADICTION = ("label_conflict", "normal beside a finding")
NOT_READ = ("diagnosis", "a label that cannot be read")


@cache
def load(name: str) -> dict[str, str]:
    """Label -> meaning, of one set."""
    return tomllib.loads(
        resources.files(__package__).joinpath("labels.toml").read_text(encoding="utf-8")
    )[name]


def word(cell: str) -> str:
    """A cell without what makes no other word of it: case, blanks around it, and zeros behind a
    whole number.

    Example:

        >>> word(" Yes "), word("1.00"), word("-1.0")
        ('yes', '1', '-1')
    """
    text = " ".join(cell.split()).casefold()
    return re.sub(r"(?<=\d)[.,]0+$", "", text) if re.fullmatch(r"[+-]?\d+[.,]0+", text) else text


def status(cell: str, words: Mapping[str, str]) -> str:
    """What a cell says: `words` gives the status of each `word`; "" where the cell is blank, UNREAD
    where it is none of them."""
    said = word(cell)
    return words.get(said, UNREAD if said else "")


def refusal(statuses: Mapping[str, str], meanings: Mapping[str, str]) -> tuple[str, str] | None:
    """(rule, detail) of why a row of labels decides nothing: it contradicts itself, or something in
    it cannot be read and may be what makes it abnormal. None where it decides."""
    if contradicts(statuses, meanings):
        return CONTRADICTION
    said = {
        meanings.get(label, ABNORMAL) for label, status in statuses.items() if status == POSITIVE
    }
    abnormal = bool(said - {NORMAL, DEVICE})
    return NOT_READ if UNREAD in statuses.values() and not abnormal else None


def unread(statuses: Mapping[str, str], meanings: Mapping[str, str]) -> tuple[str, ...]:
    """The findings of which a row says nothing that can be read."""
    found = {meanings.get(label) for label, status in statuses.items() if status == UNREAD}
    positive = {meanings.get(label) for label, status in statuses.items() if status == POSITIVE}
    return tuple(name for name in FINDINGS if name in found - positive)


def not_covered(meanings: Mapping[str, str]) -> tuple[str, ...]:
    """The findings of the study that none of the labels stands for."""
    return tuple(name for name in FINDINGS if name not in meanings.values())


def opinion(witness: str, statuses: Mapping[str, str], meanings: Mapping[str, str]) -> Opinion:
    """What a row of labels says of an image: the strongest status of the labels that stand for the
    same.

    Args:
        statuses: label -> positive, negative or uncertain; labels that are not mentioned are left
            out.

    Returns:
        An opinion that is abnormal where normal and a finding are said together (see
        `contradicts`).
    """
    strongest: dict[str, str] = {}
    for label, status in statuses.items():
        if status == UNREAD:
            continue
        meaning = meanings.get(label, ABNORMAL)
        strongest[meaning] = max(strongest.get(meaning, NEGATIVE), status, key=STRENGTH.index)
    said_normal = strongest.pop(NORMAL, NEGATIVE) == POSITIVE
    strongest.pop(DEVICE, None)
    return Opinion(
        witness,
        label_of(strongest, said_normal),
        {name: strongest[name] for name in TABLE_6 if name in strongest},
    )


def contradicts(statuses: Mapping[str, str], meanings: Mapping[str, str]) -> bool:
    """Whether a row says normal and, beside it, that something is there."""
    said = {
        meanings.get(label, ABNORMAL) for label, status in statuses.items() if status == POSITIVE
    }
    return NORMAL in said and bool(said - {NORMAL, DEVICE})


def has_device(statuses: Mapping[str, str], meanings: Mapping[str, str]) -> bool:
    """Whether a label that stands for hardware is positive."""
    return any(
        status == POSITIVE and meanings.get(label) == DEVICE for label, status in statuses.items()
    )

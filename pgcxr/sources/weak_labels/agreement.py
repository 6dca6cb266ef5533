"""How well two witnesses agree over many studies: confusion and Cohen's kappa, per finding and for
the label.

Kappa is taken over studies in which both are certain: positive against not positive for a finding
(a finding that is not mentioned is not there), abnormal against normal for the label; doubts and
silence are counted beside it. Its standard error is Fleiss, Cohen and Everitt's (Psychol Bull 72,
1969).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.sources.weak_labels.opinion import (
    NEGATIVE,
    NOT_MENTIONED,
    POSITIVE,
    STATUSES,
    UNCERTAIN,
    Opinion,
)

LABELS = (ABNORMAL, UNCERTAIN, NORMAL, "")
Z95 = 1.959963984540054
# In the rows of the label, positive stands for abnormal and negative for normal.
COLUMNS = (
    *(
        "target",
        "first",
        "second",
        "first_says",
        "second_positive",
        "second_uncertain",
        "second_negative",
    ),
    *(
        "second_not_mentioned",
        "studies",
        "certain",
        "agreement",
        "kappa",
        "kappa_low",
        "kappa_high",
    ),
)


def compare(pairs: Iterable[tuple[Opinion, Opinion]]) -> dict[str, Counter]:
    """("label" or finding) -> how often the two witnesses say (this, that), of one pair for each
    study."""
    counts: dict[str, Counter] = {name: Counter() for name in ("label", *TABLE_6)}
    for first, second in pairs:
        counts["label"][first.label, second.label] += 1
        for name in TABLE_6:
            counts[name][first.status(name), second.status(name)] += 1
    return counts


def cohen(table: Sequence[Sequence[int]]) -> dict:
    """Kappa of a square table of counts with its 95 % interval; None where it is not defined."""
    total = sum(map(sum, table))
    if not total:
        return {"n": 0, "agreement": None, "kappa": None, "kappa_ci95": [None, None]}
    shares = [[count / total for count in row] for row in table]
    rows, columns = (
        [sum(row) for row in shares],
        [sum(column) for column in zip(*shares, strict=True)],
    )
    observed = sum(shares[i][i] for i in range(len(table)))
    chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    found = {"n": total, "agreement": observed}
    if chance > 1 - 1e-12:
        return {**found, "kappa": None, "kappa_ci95": [None, None]}
    kappa = (observed - chance) / (1 - chance)
    size = range(len(table))
    # Fleiss, Cohen and Everitt (1969), equation 13.
    diagonal = sum(shares[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in size)
    beside = (1 - kappa) ** 2 * sum(
        shares[i][j] * (columns[i] + rows[j]) ** 2 for i in size for j in size if i != j
    )
    variance = (diagonal + beside - (kappa - chance * (1 - kappa)) ** 2) / (
        total * (1 - chance) ** 2
    )
    reach = Z95 * math.sqrt(max(variance, 0.0))
    return {
        **found,
        "kappa": kappa,
        "kappa_ci95": [max(kappa - reach, -1.0), min(kappa + reach, 1.0)],
    }


def summary(counts: dict[str, Counter]) -> dict[str, dict]:
    """Per target: n of certain studies, agreement, kappa with its interval, and all counts by what
    the two say."""
    found = {}
    for name, pairs in counts.items():
        yes, no = (
            (ABNORMAL, (NORMAL,)) if name == "label" else (POSITIVE, (NEGATIVE, NOT_MENTIONED))
        )
        table = [
            [_count(pairs, (yes,), (yes,)), _count(pairs, (yes,), no)],
            [_count(pairs, no, (yes,)), _count(pairs, no, no)],
        ]
        said = {
            f"{first or 'nothing'} / {second or 'nothing'}": n
            for (first, second), n in sorted(pairs.items())
        }
        found[name] = {**cohen(table), "studies": sum(pairs.values()), "counts": said}
    return found


def rows(counts: dict[str, Counter], witnesses: tuple[str, str]) -> list[dict]:
    """Lines of label_agreement.csv: one for each thing that the first witness says of each
    target."""
    lines = []
    figures = summary(counts)
    for name, pairs in counts.items():
        says = LABELS if name == "label" else STATUSES
        for first in says:
            if not any(pairs[first, second] for second in says):
                continue
            numbers = [pairs[first, second] for second in says]
            interval = figures[name]["kappa_ci95"]
            values = (
                name,
                *witnesses,
                first or NOT_MENTIONED,
                *numbers,
                figures[name]["studies"],
                figures[name]["n"],
            )
            values += tuple(
                map(_rounded, (figures[name]["agreement"], figures[name]["kappa"], *interval))
            )
            lines.append(dict(zip(COLUMNS, values, strict=True)))
    return lines


def _count(pairs: Counter, first: Sequence[str], second: Sequence[str]) -> int:
    return sum(pairs[one, other] for one in first for other in second)


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"

"""Patient-disjoint splits that depend on the patients and the seed alone."""

import hashlib
from collections.abc import Mapping, Sequence

from pgcxr.cohort.vocabulary import SPLITS
from pgcxr.errors import ArgumentError
from pgcxr.options import Rule

# Thesis 2.2.
FRACTIONS = (0.6, 0.2, 0.2)


def _are_shares(fractions) -> bool:
    try:
        # Said so that what is no number fails, too.
        least, off = min(fractions), abs(sum(fractions) - 1)
        return len(fractions) == len(SPLITS) and least >= 0 and off <= 1e-6
    except (TypeError, ValueError):
        return False


SHARES = Rule(
    "three shares of train, val and test that sum to 1, for example 0.6,0.2,0.2", _are_shares
)


def assign(
    strata: Mapping[str, str], fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> dict[str, str]:
    """Gives every patient one split.

    Inside each stratum (say, the patient's label) patients are ordered by a hash of seed and
    identity and cut at the cumulated fractions; what rounding leaves over is carried to the next
    stratum, so that the totals come out right too. Neither the order of the files nor the key of
    the patient hashes plays a part.

    Args:
        strata: patient -> name of the patient's stratum.
        fractions: shares of SPLITS, summing to 1.

    Returns:
        patient -> one of SPLITS.

    Raises:
        ArgumentError: other shares than those.

    Example:

        >>> patients = {f"p{number}": "normal" for number in range(10)}
        >>> sorted(assign(patients, (0.6, 0.2, 0.2), seed=1).values())
        ['test', 'test', 'train', 'train', 'train', 'train', 'train', 'train', 'val', 'val']
    """
    if not SHARES.holds(fractions):
        raise ArgumentError("fractions", f"must be {SHARES.text}", received=fractions)
    members: dict[str, list[str]] = {}
    for patient, stratum in strata.items():
        members.setdefault(stratum, []).append(patient)
    assigned, number, sizes = {}, 0, [0] * len(SPLITS)
    for stratum in sorted(members):
        patients = sorted(members[stratum], key=lambda patient: _rank(patient, seed))
        number += len(patients)
        position = 0
        for index, name in enumerate(SPLITS):
            due = round(number * sum(fractions[: index + 1])) - sum(sizes[: index + 1])
            last = index == len(SPLITS) - 1
            take = len(patients) - position if last else min(max(due, 0), len(patients) - position)
            assigned.update(dict.fromkeys(patients[position : position + take], name))
            position += take
            sizes[index] += take
    return assigned


def first(patients: Sequence[str], count: int, seed: int) -> set[int]:
    """Positions of `count` images chosen at random; `patients` names each image's patient and
    breaks no tie."""
    ranked = sorted(
        range(len(patients)), key=lambda index: (_rank(f"{patients[index]}\0{index}", seed), index)
    )
    return set(ranked[:count])


def _rank(patient: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{patient}".encode()).hexdigest()

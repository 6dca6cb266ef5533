"""Splits by patient."""

from collections import Counter

import pytest

from pgcxr.cohort import splits
from pgcxr.errors import InputError


def patients(normal: int, nodule: int, rare: int) -> dict[str, str]:
    named = {"normal": normal, "nodule": nodule, "rare": rare}
    return {f"{name}{i}": name for name, count in named.items() for i in range(count)}


def test_shares_hold_in_total_and_in_each_stratum():
    strata = patients(501, 203, 7)
    found = splits.assign(strata, seed=3)
    assert found.keys() == strata.keys()
    total = Counter(found.values())
    for name, share in zip(splits.SPLITS, splits.FRACTIONS, strict=True):
        assert abs(total[name] - share * 711) <= 1
        for stratum, count in Counter(strata.values()).items():
            inside = sum(found[p] == name for p in strata if strata[p] == stratum)
            assert abs(inside - share * count) <= 2


def test_depends_on_patients_and_seed_alone():
    strata = patients(60, 30, 5)
    backwards = dict(reversed(strata.items()))
    assert splits.assign(strata, seed=1) == splits.assign(backwards, seed=1)
    assert splits.assign(strata, seed=1) != splits.assign(strata, seed=2)


def test_a_patient_alone_and_empty_shares():
    assert splits.assign({"a": "normal"}) == {"a": "train"}
    assert set(splits.assign(patients(10, 5, 2), (1, 0, 0)).values()) == {"train"}
    assert set(splits.assign(patients(10, 5, 2), (0, 0, 1)).values()) == {"test"}


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.6, 0.3, 0.3), (1.2, -0.1, -0.1)])
def test_bad_shares(fractions):
    with pytest.raises(InputError, match="fractions: must be three shares"):
        splits.assign({"a": "normal"}, fractions)

"""Devices and views that differ between the classes are counted and said."""

from pathlib import Path

import pandas as pd
import pytest

from pgcxr.cohort import confounders
from pgcxr.cohort.manifest import Cohort


def cohort(*rows):
    """Of (label, device, view, how many)."""
    each = [row[:3] for row in rows for _ in range(row[3])]
    return Cohort(Path("cohort"), pd.DataFrame(each, columns=["label", "device", "view"]))


def test_devices_in_one_class_only_are_said_with_their_number():
    found = confounders.of_cohort(
        cohort(("normal", "0", "PA", 40), ("abnormal", "1", "PA", 3), ("abnormal", "0", "PA", 27))
    )
    assert found["devices"]["abnormal"] == {"images": 30, "with_device": 3}
    assert found["devices"]["one_class"] == "abnormal" and found["devices"]["known"]
    assert len(found["lines"]) == 1 and "3 of 30 abnormal images" in found["lines"][0]
    assert "support_devices exclude" in found["lines"][0]
    # As the other way round.
    other = confounders.of_cohort(
        cohort(("normal", "1", "PA", 1), ("normal", "0", "PA", 9), ("abnormal", "0", "PA", 10))
    )
    assert other["devices"]["one_class"] == "normal" and "1 of 10 normal" in other["lines"][0]


def test_devices_in_both_or_in_none_are_no_fault():
    none = cohort(("normal", "0", "PA", 40), ("abnormal", "0", "PA", 40))
    alike = cohort(
        *(("normal", "1", "PA", 4), ("normal", "0", "PA", 36)),
        *(("abnormal", "1", "PA", 6), ("abnormal", "0", "PA", 34)),
    )
    for found in map(confounders.of_cohort, (none, alike)):
        assert found["devices"]["one_class"] is None and found["lines"] == []
    # Fisher's exact test by hand: 1 and 1 of 2 each are as far apart as 4 of 6 tables of them.
    few = cohort(("normal", "1", "PA", 2), ("abnormal", "0", "PA", 2))
    assert confounders.of_cohort(few)["devices"]["p"] == pytest.approx(2 / 6)
    more = cohort(
        *(("normal", "1", "PA", 50), ("normal", "0", "PA", 950)),
        *(("abnormal", "1", "PA", 100), ("abnormal", "0", "PA", 900)),
    )
    line = confounders.of_cohort(more)["lines"]
    assert len(line) == 1 and "5.0% of normal and 10.0% of abnormal" in line[0]


def test_what_is_not_known_is_not_said_to_be_in_one_class():
    for devices in ("", "1"):
        found = confounders.of_cohort(
            cohort(("normal", "", "PA", 40), ("abnormal", devices, "PA", 40))
        )
        assert found["devices"]["known"] is False and found["devices"]["one_class"] is None
        assert found["devices"]["normal"]["with_device"] is None and found["devices"]["p"] is None
    old = Cohort(Path("cohort"), pd.DataFrame({"label": ["normal", "abnormal"]}))
    found = confounders.of_cohort(old)
    assert found["devices"]["known"] is False and found["lines"] == []
    one = confounders.of_cohort(cohort(("abnormal", "1", "AP", 5)))
    assert one["devices"]["one_class"] is None and one["lines"] == []


def test_views_that_differ_are_said():
    found = confounders.of_cohort(
        cohort(
            *(("normal", "0", "PA", 82), ("normal", "0", "AP", 18)),
            *(("abnormal", "0", "PA", 60), ("abnormal", "0", "AP", 38), ("abnormal", "0", "", 2)),
        )
    )
    assert found["views"]["abnormal"] == {"unknown": 2, "AP": 38, "PA": 60}
    assert len(found["lines"]) == 1 and "AP 18%" in found["lines"][0]
    assert confounders.of_cohort(
        cohort(("normal", "0", "PA", 9), ("abnormal", "0", "PA", 9))
    )["views"]["p"] is None  # fmt: skip

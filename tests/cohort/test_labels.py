"""Rows of labels from a manifest, from a name, and by chance."""

import numpy as np
import pandas as pd
import pytest

from pgcxr.cohort import labels
from pgcxr.cohort.findings import FINDINGS
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError

COLUMNS = labels.names("findings")


def _cohort(rows):
    """rows: (label, the findings present, "?" for all unknown)."""
    table = pd.DataFrame(
        {"label": [label for label, _ in rows], "png": [f"{i}.png" for i in range(len(rows))]}
    )
    for name in FINDINGS:
        table[name] = ["" if "?" in found else str(int(name in found)) for _, found in rows]
    return Cohort(None, table)


COHORT = _cohort(
    [
        ("normal", ()),
        ("abnormal", ("nodule", "pneumothorax")),
        ("abnormal", ()),
        ("abnormal", "?"),
        ("normal", ()),
    ]
)


def test_binary_labels_are_one_hot():
    np.testing.assert_array_equal(
        labels.of_cohort(COHORT, "binary"), [[1, 0], [0, 1], [0, 1], [0, 1], [1, 0]]
    )
    assert len(labels.known(COHORT, "binary")) == 5 and labels.exclusive("binary")


def test_findings_are_multi_hot_and_unknown_ones_left_out():
    known = labels.known(COHORT, "findings")
    assert known.manifest["png"].tolist() == ["0.png", "1.png", "2.png", "4.png"]
    rows = labels.of_cohort(known, "findings")
    expected = [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1], [0] * 6, [1, 0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == np.float32 and not labels.exclusive("findings")


def test_no_labels_and_unknown_kinds():
    assert labels.of_cohort(COHORT, "") is None and labels.names("") == ()
    with pytest.raises(InputError, match="labels: must be binary, findings, .*labels=sex"):
        labels.names("sex")


def test_rows_by_name():
    np.testing.assert_array_equal(labels.row(("normal", "abnormal"), "abnormal", True), [0, 1])
    both = labels.row(COLUMNS, "nodule+pleural_effusion", False)
    assert [name for name, value in zip(COLUMNS, both, strict=True) if value] == [
        "nodule",
        "pleural_effusion",
    ]
    assert not labels.row(COLUMNS, "abnormal", False).any(), "abnormal, but none of the five"


@pytest.mark.parametrize(
    ("columns", "wanted", "only_one"),
    [
        (("normal", "abnormal"), "sick", True),
        (("normal", "abnormal"), "normal+abnormal", True),
        (COLUMNS, "normal+nodule", False),
        (COLUMNS, "nodule+", False),
        (COLUMNS, "", False),
    ],
)
def test_names_that_make_no_row(columns, wanted, only_one):
    with pytest.raises(InputError, match="label: must be one"):
        labels.row(columns, wanted, only_one)


def test_drawn_as_often_as_they_occur():
    rows, counts = labels.patterns(np.array([[0, 1]] * 30 + [[1, 0]] * 90, np.float32))
    np.testing.assert_array_equal(rows, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(counts, [90, 30])
    drawn = labels.draw(rows, counts, 4000, seed=1)
    assert drawn[:, 0].mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_array_equal(labels.draw(rows, counts, 10, seed=1), drawn[:10])
    assert not np.array_equal(labels.draw(rows, counts, 10, seed=2), drawn[:10])

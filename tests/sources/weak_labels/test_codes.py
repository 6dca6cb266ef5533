"""Diagnosis codes as people write them."""

import pytest

from pgcxr.sources.weak_labels import codes, labeling
from pgcxr.sources.weak_labels.codes import UNREAD, parse


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("J91*", "J91"),
        ("A16.5+;J91*", "A16.5 J91"),
        ("A15.0† J91.0*", "A15.0 J91.0"),
        ("J81-", "J81"),
        ("J90.-", "J90"),
        ("J90.", "J90"),
        ("J90 Pleural effusion", "J90"),
        ("Pleural effusion (J90)", "J90"),
        ("J18.9 (suspected)", "J18.9"),
        ("J18.9?", "J18.9"),
        ("J18.9 R91", "J18.9 R91"),
        ("J18.9/R91", "J18.9 R91"),
        ("J18.9 + R91 & I10", "J18.9 R91 I10"),
        ("J18.9|R91,I10", "J18.9 R91 I10"),
        ("J18.9\r\nR91\tI10", "J18.9 R91 I10"),
        ("J18.9、R91；I10", "J18.9 R91 I10"),
        ("['J18.9', 'R91']", "J18.9 R91"),
        ("{J18.9,R91}", "J18.9 R91"),
        ("1) J18.9; 2) R91", "J18.9 R91"),
        ("j189", "J189"),
        ("J18,9;R91,8", "J18.9 R91.8"),
        ("J 18.9;J18. 9", "J18.9"),
        ("Ｊ１８．９", "J18.9"),
        ("J\u200b18.9\u00a0", "J18.9"),
        ("ICD-10: J18.9", "J18.9"),
        ("J18.9^Pneumonia^I10", "J18.9"),
        ("J18.9 Pneumonia, unspecified organism", "J18.9"),
        ("'J18.9", "J18.9"),
        ("S22.31XA;C7A.0;T81.4XXA", "S22.31XA C7A.0 T81.4XXA"),
        ("", ""),
        (" - ", ""),
        ("NULL", ""),
    ],
)
def test_codes_that_can_be_read(cell, found):
    assert parse(cell) == tuple(found.split())
    assert parse(f"Z00.0;{cell}") == ("Z00.0", *found.split())
    assert parse(f"{cell};Z00.0") == (*found.split(), "Z00.0")


@pytest.mark.parametrize(
    "cell",
    [
        *("J9", "J9O", "90", "J-", "786.2", "?", "pleural effusion", "흉막삼출", "J90J18Z00.0"),
        *("see report", "#NAME?", "########", "Z0O.0", "JI8.9"),
    ],
)
@pytest.mark.parametrize("together", ["{};Z00.0", "Z00.0;{}", "Z00.0, {}", "Z00.0\n{}", "Z00.0/{}"])
def test_what_cannot_be_read_is_never_normal(cell, together):
    found = parse(together.format(cell))
    assert found[-1] == UNREAD
    for policy in ("codes", "agree"):
        made, _ = labeling.load(policy).of_study(found, "No active disease.")
        assert not made.label
        assert made.rejected == ("diagnosis", "a diagnosis code that cannot be read")


@pytest.mark.parametrize(
    "cell", ["Z00.0Z01.8J90", "Z00.0J90", "Z000J90", "Z00.0\u200bJ90", "J90 9"]
)
def test_codes_without_anything_between_are_not_read_as_one(cell):
    assert parse(cell)[-1] == UNREAD


@pytest.mark.parametrize(
    "cell",
    [
        "Z01.9 Special examination, unspecified",
        "Z00.00 Encounter for general adult medical examination, without abnormal findings",
        "Z01.6 Radiological examination, not elsewhere classified",
        "Z11.1 Special screening examination for respiratory tuberculosis",
        "Z00.0 일반적 의학검사",
    ],
)
def test_titles_of_examinations_stay_normal(cell):
    assert codes.load().opinion(parse(cell)).label == "normal"


def test_beside_a_code_that_cannot_be_read_other_findings_are_unknown():
    made, _ = labeling.load().of_study(parse("R91;J9"), "")
    assert made.label == "abnormal" and made.findings == ("nodule",)
    assert set(made.unknown) == {
        "consolidation",
        "interstitial_opacity",
        "pleural_effusion",
        "pneumothorax",
    }

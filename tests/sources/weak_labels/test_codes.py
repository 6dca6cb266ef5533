"""Diagnosis codes as people write them."""

import time

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
        ("E11.9 Type 2 diabetes", "E11.9"),
        ("U07.1 COVID-19; J90 grade 3", "U07.1 J90"),
        ("I25.2 Old myocardial infarction", "I25.2"),
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


@pytest.mark.parametrize("cell", ["Z00.01", "z00.121; Z01.6", "Z01.411"])
def test_an_examination_that_found_something_is_not_normal(cell):
    made, _ = labeling.load().of_study(parse(cell), "")
    assert made.rejected and "found something" in made.rejected[1]
    made, _ = labeling.load().of_study(parse(f"{cell}; J90"), "")
    assert (made.label, made.findings) == ("abnormal", ("pleural_effusion",))
    assert "nodule" in made.unknown


def test_digits_beside_a_code_are_of_its_title_or_not_read():
    for cell in ("A15 90", "J18.9 Pneumonia J9", "J90 J9O", "Z00.0 examination 2"):
        assert parse(cell)[-1] == "?", cell
    assert parse("J18.9 (old)") == ("?",)


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
        "Z01.6 달리 분류되지 않은 방사선학적 검사",
        "Z12.2 호흡기관의 신생물에 대한 특수 선별검사",
        "Z00.00 Encounter for general adult medical examination without abnormal findings",
        "Z12.2 Encounter for screening for malignant neoplasm of respiratory organs",
        "Z12.2 Lung cancer screening",
        "Z10.8 Routine general health check-up of other defined subpopulations",
        "Z00.0 General examination of persons without complaint and reported diagnosis",
        "General medical examination (Z00.0)",
        "Health check Z00.0",
        "Z01.6 Röntgenuntersuchung, anderenorts nicht klassifiziert",
        "Z00.0 Examen médical général",
        "Z00.0^General medical examination^I10",
        "Z00.0 no active disease",
        *(
            "Z00.0 G",
            "Z00.0 (main)",
            "Z00.0<br>Z01.6",
            "Z00.0&nbsp;",
            r"Z00.0\nZ01.6",
            "Z00.0_x000D_",
        ),
    ],
)
def test_titles_of_examinations_stay_normal(cell):
    assert codes.load().opinion(parse(cell)).label == "normal"


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "Z00.0 Lung cancer",
            "Z01.6 Pneumothorax",
            "Z00.0 (pneumonia)",
            "Z00.0: pleural effusion",
        ),
        *(
            "Z00.0 - pleural effusion",
            "Z00.0 Verdacht auf Pneumonie",
            "Z00.0 폐렴",
            "Z12.2 Lung cancer",
        ),
        *("pneumonia Z00.0", "Z00.0 General examination, unspecified pneumonia", "Z00.0 ????"),
        *(
            "Z11.1 tuberculosis",
            "Z00.0 with abnormal findings",
            "Z00.0 not normal",
            "Z00.0 健診 胸水",
        ),
        *(
            "Z12.2 선별검사 폐암",
            "Z00.0&nbsp;Pneumothorax",
            "Z00.0 J18.9 A",
            "Z00.0, no J90",
            "Z00.0 A",
        ),
    ],
)
def test_a_disease_beside_the_code_of_an_examination_is_never_normal(cell):
    made, _ = labeling.load().of_study(parse(cell), "")
    assert made.rejected == ("diagnosis", "a diagnosis code that cannot be read")


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "J18.9 A",
            "J18.9 V",
            "J18.9 Z",
            "J18.9 (A)",
            "J18.9-A",
            "J90A",
            "J18.9A",
            "J189V",
            "J90.A",
        ),
        *("R/O J18.9", "r / o J18.9", "J18.9 R/O", "J18.9/R/O", "rule out J18.9", "J90; ruled out"),
        *(
            "kein J90",
            "no J90",
            "without J90",
            "J90 - no",
            "J90: negative",
            "J90 없음",
            "J18.9 의증",
        ),
        *("J90 (resolved)", "V.a. J18.9", "Z.n. J18.9", "status post J90", "h/o J18.9", "DD J18.9"),
        *("J90, excluded", "J18.9 (suspected)", "J18.9?", "?J18.9", "No pleural effusion (J90)"),
        *("J18.9 Pneumonie, ausgeschlossen", "J18.9 Pneumonie V", "J90 Effusion (ruled out)"),
    ],
)
def test_a_code_that_is_doubted_or_denied_is_neither_disease_nor_normal(cell):
    assert parse(cell) == (UNREAD,)
    assert parse(f"{cell}; R91") == ("R91", UNREAD)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        *(("J18.9 G", "J18.9"), ("J18.9GR", "J18.9"), ("J90 L", "J90"), ("J90B; R91 G", "J90 R91")),
        ("J90 Pleural effusion not elsewhere classified", "J90"),
        ("J18.9 Pneumonie nicht näher bezeichnet", "J18.9"),
        ("A16.5 Tuberculous pleurisy, without mention of confirmation", "A16.5"),
        ("J15.6 Pneumonia due to other Gram-negative bacteria", "J15.6"),
        ("Fracture of rib without open wound (S22.3)", "S22.3"),
        ("Non-small cell lung cancer (C34.1)", "C34.1"),
        ("Z87.01 Personal history of pneumonia", "Z87.01"),
        ("J10.1 Influenza A", "J10.1"),
        ("J46 Status asthmaticus", "J46"),
    ],
)
def test_confirmed_codes_sides_and_titles_stay(cell, found):
    assert parse(cell) == tuple(found.split())


@pytest.mark.parametrize(
    "text", ["일반적의학적" * 5_000, "screening for lung " * 5_000, "no " * 9_000]
)
def test_long_cells_are_read_in_time(text):
    started = time.perf_counter()
    assert parse(f"Z00.0 {text} x폐렴")[-1] == UNREAD
    assert time.perf_counter() - started < 10


def test_own_lists_say_which_codes_are_examinations(tmp_path):
    path = tmp_path / "codes.toml"
    path.write_text('normal = ["R93"]\n[findings]\n', encoding="utf-8")
    own = labeling.load(codes_file=path)
    assert own.codes_of("R93 Lung cancer") == ("R93", UNREAD)
    assert own.codes_of("Z00.0 Lung cancer") == ("Z00.0",)


def test_beside_a_code_that_cannot_be_read_other_findings_are_unknown():
    made, _ = labeling.load().of_study(parse("R91;J9"), "")
    assert made.label == "abnormal" and made.findings == ("nodule",)
    assert set(made.unknown) == {
        "consolidation",
        "interstitial_opacity",
        "pleural_effusion",
        "pneumothorax",
    }

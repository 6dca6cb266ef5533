"""Rules from TOML, and what they exclude."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pgcxr.curation import rules
from pgcxr.curation.image_checks import Measures
from pgcxr.errors import InputError
from pgcxr.sources import Scan, nih, pacs
from pgcxr.sources.weak_labels.device_words import Mentions

GOOD = {
    "label": "normal",
    "codes": ("Z00.0",),
    "age": 45.0,
    "modality": "CR",
    "body_part": "CHEST",
    "view": "PA",
    "manufacturer": "GE Healthcare",
}


def broken(rule_set=None, knows=pacs.KNOWS, **changes):
    return (rule_set or rules.load()).broken(Scan(1, Path("x"), "x", **{**GOOD, **changes}), knows)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, None),
        ({"modality": "CT"}, "modality"),
        ({"modality": ""}, "modality"),
        ({"body_part": "HAND"}, "body_part"),
        ({"body_part": ""}, None),
        ({"body_part": "PORTABLE CHEST"}, None),
        ({"label": ""}, "diagnosis"),
        ({"age": 18.99}, "age"),
        ({"age": 19.0}, None),
        ({"age": None}, "age"),
        ({"manufacturer": "GENDEX"}, "manufacturer"),
        ({"manufacturer": ""}, "manufacturer"),
        ({"manufacturer": "GENERAL ELECTRIC"}, None),
        ({"view": "AP"}, "view"),
        ({"view": ""}, "view"),
        ({"sex": "X"}, None),  # off
        ({"study_date": None}, None),  # off
        ({"burned_in": "YES"}, "burned_in_annotation"),
        ({"burned_in": "NO"}, None),
        ({"burned_in": ""}, None),
        ({"burned_in": "YES", "view": "AP"}, "view"),
        ({"report": "Pacemaker in place."}, "device"),
        ({"report": "Pacemaker in place.", "label": "abnormal"}, None),
        ({"codes": ("Z00.0", "Z95.0")}, "device"),
        ({"codes": ("Z00.0", "Z4500")}, "device"),
        ({"rejected": ("blank", "x"), "age": 3.0}, "blank"),
        ({"rejected": ("label_conflict", "x"), "age": 3.0, "modality": "CR"}, "label_conflict"),
        ({"rejected": ("label_conflict", "x"), "modality": "CT"}, "modality"),
    ],
)
def test_each_rule(changes, rule):
    reason = broken(**changes)
    assert (reason and reason[0]) == rule


def test_details_repeat_no_free_text():
    for name in ("modality", "body_part", "view", "manufacturer"):
        assert "SECRET" not in broken(**{name: "SECRET NAME"})[1]


def test_what_a_source_does_not_know_is_not_asked():
    assert broken(knows=nih.KNOWS, manufacturer="", modality="", body_part="") is None
    assert broken(knows=nih.KNOWS, view="AP")[0] == "view"


def test_a_file_of_rules_goes_on_top(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(
        '[age]\nminimum = 50\n[view]\nallowed = ["PA", "AP"]\n'
        '[manufacturer]\nallowed = ["Acme Rays"]\n'
    )
    loaded = rules.load(path)
    assert broken(loaded, manufacturer="ACME rays, inc.") == ("age", "under 50")
    assert broken(loaded, manufacturer="ACME rays, inc.", age=50.0, view="AP") is None
    assert broken(loaded, age=50.0)[0] == "manufacturer"
    path.write_text("[manufacturer]\nenabled = false\n")
    assert broken(rules.load(path), manufacturer="other") is None


@pytest.mark.parametrize(
    ("text", "changes", "reason"),
    [
        ("[age]\nmaximum = 60\n", {"age": 60.9}, None),
        ("[age]\nmaximum = 60\n", {"age": 61.0}, ("age", "over 60")),
        ("[age]\nminimum = 0\n", {"age": 0.01}, None),
        ("[sex]\nenabled = true\nallowed = ['F']\n", {"sex": "M"}, ("sex", "M, not F")),
        ("[sex]\nenabled = true\nallowed = ['F']\n", {"sex": "F"}, None),
        ("[sex]\nenabled = true\nallowed = ['F']\n", {"sex": "SECRET"}, None),
        ("[sex]\nenabled = true\nunknown = 'exclude'\n", {"sex": ""}, ("sex", "unknown")),
        ("[sex]\nenabled = true\n", {"sex": "O"}, ("sex", "O, not F or M")),
        ("[study_date]\nenabled = true\n", {"study_date": date(2011, 1, 1)}, None),
        ("[study_date]\nenabled = true\n", {"study_date": date(2016, 6, 30)}, None),
        (
            "[study_date]\nenabled = true\n",
            {"study_date": date(2010, 12, 31)},
            ("study_date", "outside of the range"),
        ),
        (
            "[study_date]\nenabled = true\n",
            {"study_date": date(2016, 7, 1)},
            ("study_date", "outside of the range"),
        ),
        (
            "[study_date]\nenabled = true\nlatest = 2020-01-01\n",
            {"study_date": date(2019, 7, 1)},
            None,
        ),
        ("[study_date]\nenabled = true\n", {"study_date": None}, ("study_date", "unknown")),
        ("[study_date]\nenabled = true\nunknown = 'keep'\n", {"study_date": None}, None),
        ("[burned_in_annotation]\nenabled = false\n", {"burned_in": "YES"}, None),
        (
            "[burned_in_annotation]\nunknown = 'exclude'\n",
            {"burned_in": ""},
            ("burned_in_annotation", "unknown"),
        ),
        ("[view]\nunknown = 'keep'\n", {"view": ""}, None),
    ],
)
def test_rules_by_file(tmp_path, text, changes, reason):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    assert (
        broken(rules.load(path), **{"study_date": date(2015, 5, 5), "sex": "F", **changes})
        == reason
    )


def test_what_is_missing_is_said_whether_its_rule_is_on_or_off():
    scan = Scan(1, Path("x"), "x", **GOOD, sex="F", study_date=date(2015, 5, 5), burned_in="NO")
    loaded = rules.load()
    assert loaded.missing(scan, pacs.KNOWS) == ()
    bare = Scan(1, Path("x"), "x", sex="SECRET", burned_in="SECRET")
    everything = (
        "modality",
        "body_part",
        "study_date",
        "age",
        "sex",
        "manufacturer",
        "view",
        "burned_in_annotation",
    )
    assert loaded.missing(bare, pacs.KNOWS) == everything
    assert loaded.missing(bare, nih.KNOWS) == ("age", "sex", "view")


def test_the_published_rules_hold_no_date_and_can_be_written_as_json():
    text = json.dumps(rules.load().described())
    assert "2011" not in text and "2016" not in text
    json.dumps(rules.load().tables)


MEASURES = Measures(
    structure=60,
    likeness=0.9,
    lateral_by=-0.2,
    inverted=False,
    turned=180,
    wrong_by=-0.3,
    cut_by=-0.2,
    cut_not_white_by=-0.2,
    picture=1.0,
    white=0.1,
    hash=b"",
)
BLACK, CUT = {"inverted": True, "turned": 0}, {"cut_by": 0.09, "cut_not_white_by": 0.09}


@pytest.mark.parametrize(
    ("changes", "view", "flags"),
    [
        ({}, "PA", []),
        ({"structure": 9.9}, "PA", [("blank", "no structure")]),
        (BLACK | {"wrong_by": 0.06}, "PA", [("inverted", "bones black")]),
        (BLACK | {"wrong_by": 0}, "PA", []),
        (BLACK | {"wrong_by": 0.06, "likeness": 0.39}, "PA", []),
        ({"wrong_by": 0.2, "turned": 90}, "PA", [("rotated", "by 90 degrees, or mirrored so")]),
        ({"wrong_by": 0.2, "turned": 90, "likeness": 0.39}, "PA", []),
        ({"lateral_by": 0.06}, "PA", [("mislabelled_view", "called PA, looks lateral")]),
        ({"lateral_by": 0.06}, "LL", []),
        ({"lateral_by": 0.06}, "", []),
        (CUT, "AP", [("cropped", "the lungs are cut")]),
        (CUT, "", [("cropped", "the lungs are cut")]),
        (CUT, "LATERAL", []),
        (CUT | {"lateral_by": 0.01}, "PA", []),
        ({"picture": 0.6}, "PA", [("cropped", "a small picture in wide borders")]),
        ({"aspect": 1.8}, "PA", [("cropped", "more oblong than a chest")]),
        ({"aspect": 1.8}, "LATERAL", []),
        ({"white": 0.5, "likeness": 0.59}, "PA", [("cropped", "white borders")]),
        ({"likeness": 0.3, "wrong_by": 0}, "PA", [("cropped", "hardly like a chest")]),
        ({"structure": 5, "wrong_by": 1, **CUT}, "PA", [("blank", "no structure")]),
        (
            {"inverted": True, "wrong_by": 0.3, "white": 0.9, "likeness": 0.5},
            "PA",
            [
                ("inverted", "bones black"),
                ("rotated", "by 180 degrees, or mirrored so"),
                ("cropped", "white borders"),
            ],
        ),
    ],
)
def test_rules_on_pixels(changes, view, flags):
    loaded = rules.load()
    measures = replace(MEASURES, **changes)
    assert loaded.image_flags(measures, view) == flags
    assert loaded.broken_by_image(measures, view) == (flags[0] if flags else None)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        (BLACK | {"wrong_by": 0.04}, "inverted"),
        ({"wrong_by": 0.04}, "rotated"),
        (CUT | {"cut_not_white_by": 0.01}, "cropped"),
        ({"white": 0.5}, "cropped"),
        ({"likeness": 0.3, "wrong_by": -0.06}, "cropped"),
    ],
)
def test_what_one_measure_doubts_and_another_vouches_for_is_kept_with_a_flag(changes, rule):
    loaded, measures = rules.load(), replace(MEASURES, **changes)
    assert [flag for flag, _ in loaded.image_flags(measures, "AP")] == [rule]
    assert loaded.broken_by_image(measures, "AP") is None


def test_a_rule_on_pixels_that_is_off_flags_and_does_not_exclude(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("[inverted]\nenabled = false\n")
    loaded = rules.load(path)
    measures = replace(MEASURES, **BLACK, wrong_by=0.3, white=0.9, likeness=0.5)
    assert [rule for rule, _ in loaded.image_flags(measures, "PA")] == ["inverted", "cropped"]
    assert loaded.broken_by_image(measures, "PA")[0] == "cropped"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[age]\nminimum = -1\n", "[age] minimum must be from 0 to 120"),
        ("[age]\nminimum = nan\n", "[age] minimum must be from 0 to 120"),
        ("[age]\nmaximum = 18\n", "[age] maximum must not be less than minimum"),
        ("[sex]\nallowed = ['W']\n", "[sex] allowed must be a list of F, M, O"),
        ("[sex]\nallowed = []\n", "[sex] allowed must be a list of one text or more"),
        (
            "[view]\nallowed = ['pa']\n",
            "[view] allowed must be a list of PA, AP, LATERAL, OBLIQUE, other",
        ),
        ("[device]\nlabels = ['healthy']\n", "[device] labels must be a list of normal, abnormal"),
        ("[study_date]\nearliest = '2011'\n", "[study_date] earliest must be a day without quotes"),
        (
            "[study_date]\nearliest = 2011-01-01T00:00:00\n",
            "[study_date] earliest must be a day without quotes",
        ),
        (
            "[study_date]\nlatest = 2001-01-01\n",
            "[study_date] latest must not be less than earliest",
        ),
        ("[cropped]\npicture = 2\n", "[cropped] picture must be from 0 to 1"),
        (
            "[near_duplicate]\ndistance = 3.5\n",
            "[near_duplicate] distance must be a whole number from 0 to 31",
        ),
        ("[near_duplicate]\ndistance = 32\n", "[near_duplicate] distance must be from 0 to 31"),
        (
            "[near_duplicate]\nacross_patients = 1\n",
            "[near_duplicate] across_patients must be true or false",
        ),
        ("[agee]\nminimum = 3\n", "unknown rule [agee]; did you mean age?"),
        ("[age]\nminimun = 3\n", "[age] has no key minimun; did you mean minimum?"),
        ('[age]\nminimum = "three"\n', "[age] minimum must be a number"),
        ("[age]\nminimum = true\n", "[age] minimum must be a number"),
        ('[age]\nunknown = "maybe"\n', '[age] unknown must be "exclude" or "keep"'),
        ("[view]\nallowed = [1]\n", "[view] allowed must be a list of texts"),
        ("[view]\nenabled = 1\n", "[view] enabled must be true or false"),
        (
            "[diagnosis]\nneutral = ['(']\n",
            "[diagnosis] neutral must be a list of ICD-10 codes such as J90 or S27.0, which",
        ),
        (
            "[diagnosis]\nenabled = false\n",
            "[diagnosis] enabled must be true: an image in a cohort is normal or",
        ),
        (
            "[device]\ncodes = ['Z95', 'pacemaker']\n",
            "[device] codes must be a list of ICD-10 codes",
        ),
        (
            "[device]\nwords = ['stent', ' ']\n",
            "[device] words must be a list of texts, none empty",
        ),
        ("age = 3\n", "age must be a table"),
        ("[age\n", "is not TOML"),
    ],
)
def test_bad_files_of_rules(tmp_path, text, said):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        rules.load(path)
    assert (
        said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    )


def test_every_number_and_every_key_of_the_shipped_rules_can_be_set(tmp_path):
    path = tmp_path / "rules.toml"
    for name, table in rules.load().tables.items():
        for key, value in table.items():
            written = value if key in ("earliest", "latest") else json.dumps(value)
            path.write_text(f"[{name}]\n{key} = {written}\n")
            assert rules.load(path).tables == rules.load().tables


def test_no_file_of_rules(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        rules.load(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("report", "word"),
    [
        ("Dual-lead pacemaker in place.", "pacemaker"),
        ("Sternotomy wires are noted.", "wires"),
        ("Tip of the central  line in the SVC", "central line"),
        ("No evidence of a pacemaker or catheter.", ""),
        ("No pneumothorax. Right chest tube in place.", "chest tube"),
        ("No acute disease but a catheter is seen.", "catheter"),
        ("The catheter has been removed.", ""),
        ("Interval removal of the right chest tube.", ""),
        ("The lungs are clear. The heart is normal.", ""),
        ("The wirelike shadow", ""),
        ("", ""),
    ],
)
def test_device_words(report, word):
    device = rules.load().tables["device"]
    assert Mentions(device["words"], device["negations"], device["removals"]).first(report) == word

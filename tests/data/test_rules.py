"""Rules from TOML, and what they exclude."""

from pathlib import Path

import pytest

from pgcxr.data import rules
from pgcxr.data.device_words import Mentions
from pgcxr.data.sources import Scan, nih, pacs
from pgcxr.errors import InputError

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
    path.write_text('[age]\nminimum = 50\n[view]\nallowed = ["PA", "AP"]\n[manufacturer]\nallowed = ["Acme Rays"]\n')
    loaded = rules.load(path)
    assert broken(loaded, manufacturer="ACME rays, inc.") == ("age", "under 50")
    assert broken(loaded, manufacturer="ACME rays, inc.", age=50.0, view="AP") is None
    assert broken(loaded, age=50.0)[0] == "manufacturer"
    path.write_text("[manufacturer]\nenabled = false\n")
    assert broken(rules.load(path), manufacturer="other") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agee]\nminimum = 3\n", "unknown rule [agee]"),
        ("[age]\nminimun = 3\n", "[age] has no key minimun"),
        ('[age]\nminimum = "three"\n', "[age] minimum must be a number"),
        ("[age]\nminimum = true\n", "[age] minimum must be a number"),
        ('[age]\nunknown = "maybe"\n', '[age] unknown must be "exclude" or "keep"'),
        ("[view]\nallowed = [1]\n", "[view] allowed must be a list of texts"),
        ("[view]\nenabled = 1\n", "[view] enabled must be true or false"),
        ("age = 3\n", "age must be a table"),
        ("[age\n", "is not TOML"),
    ],
)
def test_bad_files_of_rules(tmp_path, text, said):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        rules.load(path)
    assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


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

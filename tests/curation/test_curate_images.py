"""Rules on pixels, duplicates and flags, from DICOM files to the cohort's tables."""

import csv
import json

import numpy as np
import pydicom
import pytest

from pgcxr.cohort import manifest
from tests.curation.curating import curate


@pytest.fixture
def run(tmp_path, make_export):
    """run(rows, rules_text="", ...): (report, the cohort's folder, file number of each row)."""

    def go(given, rules_text="", name="cohort", **options):
        export = make_export(given, name=f"{name}-export")
        path = tmp_path / f"{name}.toml"
        path.write_text(rules_text)
        options = {
            "key_file": tmp_path / "private" / "key",
            "processes": 0,
            "show_progress": False,
        } | options
        report = curate(export, tmp_path / name, rules_file=path, **options)
        names = sorted(p.relative_to(export).as_posix() for p in export.rglob("IM*"))
        numbers = [
            names.index(f"study{index // 3}/IM{index:04d}") + 1 for index in range(len(given))
        ]
        return report, tmp_path / name, numbers

    return go


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def excluded(out):
    return {
        int(row["source"].split()[1]): (row["rule"], row["detail"])
        for row in table(out / "excluded.csv")
    }


def spoilt(chest):
    """One row each for the rules on pixels, after four good ones."""
    good = [{"pixels": chest(index, 128)} for index in range(4)]
    good[0]["codes"] = good[1]["codes"] = "J90"
    noise = np.random.default_rng(0).normal(1000, 50, (128, 136)).astype(np.uint16)
    larger = chest(3, 128).repeat(2, axis=0).repeat(2, axis=1)
    bad = [
        {"pixels": 4095 - chest(10, 128)},
        {"pixels": np.ascontiguousarray(chest(11, 128)[::-1, ::-1])},
        {"pixels": np.ascontiguousarray(chest(12, 128)[:, :68])},
        {"pixels": noise},
        {"pixels": larger},
        {"pixels": chest(13, 128), "BurnedInAnnotation": "YES"},
        {"pixels": chest(2, 128)},
    ]
    return [*good, *bad]


def test_each_rule_on_pixels_takes_its_own(run, chest):
    report, out, number = run(spoilt(chest), size=64)
    found = excluded(out)
    expected = {
        4: "inverted",
        5: "rotated",
        6: "cropped",
        7: "blank",
        9: "burned_in_annotation",
        10: "duplicate",
    }
    expected |= {3: "near_duplicate"}  # of the copy that has four times the pixels
    assert {row: found[number[row]][0] for row in expected} == expected and len(found) == len(
        expected
    )
    assert report["images"] == 4
    chart = json.loads((out / "flowchart.json").read_text())
    assert {step["rule"]: step["excluded"] for step in chart["steps"] if step["excluded"]} == {
        rule: 1 for rule in expected.values()
    }
    assert (out / "tables.html").is_file() and len(table(out / "table2.csv")) == 10


def test_rules_that_are_off_leave_a_flag(run, chest):
    off = "".join(
        f"[{rule}]\nenabled = false\n" for rule in ("inverted", "rotated", "cropped", "blank")
    )
    off += "".join(
        f"[{rule}]\nenabled = false\n"
        for rule in ("near_duplicate", "duplicate", "burned_in_annotation")
    )
    report, out, _ = run(spoilt(chest), off, size=64)
    assert report["images"] == 11
    flags = sorted(row["image_flags"] for row in table(out / "manifest.csv") if row["image_flags"])
    assert [each.split(";")[0] for each in flags] == ["blank", "cropped", "inverted", "rotated"]
    assert len(manifest.load(out)) == 11


def test_missing_tags_are_kept_with_a_flag_or_excluded(run, chest):
    given = [
        {},
        {"codes": "J90"},
        {"PatientAge": None, "ViewPosition": None},
        {"BodyPartExamined": None},
    ]
    keep = '[age]\nunknown = "keep"\n[view]\nunknown = "keep"\n'
    _, out, _ = run(given, keep, name="kept")
    rows = table(out / "manifest.csv")
    assert sorted(row["missing_tags"] for row in rows) == [
        "body_part;study_date;burned_in_annotation",
        "study_date;age;view;burned_in_annotation",
        *["study_date;burned_in_annotation"] * 2,
    ]
    _, out, number = run(given, '[body_part]\nunknown = "exclude"\n', name="strict")
    assert excluded(out) == {number[2]: ("age", "unknown"), number[3]: ("body_part", "unknown")}


def code(value):
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SRT", "a view"
    return [item]


PA, AP = code("R-10214"), code("R-10206")


def test_what_a_header_says_in_two_ways_is_not_guessed(run):
    given = [
        {"ViewPosition": None, "ViewCodeSequence": PA},
        {"ViewPosition": "", "ViewCodeSequence": PA, "codes": "J90"},
        {"ViewPosition": "PA", "ViewCodeSequence": AP},
        {"ViewPosition": "PA", "SeriesDescription": "Chest a.p."},
        {"PatientAge": "000Y", "PatientBirthDate": "19600101", "StudyDate": "20150302"},
        {"PatientAge": "045Y", "PatientBirthDate": "20050101", "StudyDate": "20150302"},
        {"PatientAge": "000Y"},
        {"ViewPosition": "AP", "ViewCodeSequence": AP},
    ]
    _, out, number = run(given)
    assert excluded(out) == {
        number[2]: ("view", "the header contradicts itself"),
        number[5]: ("age", "the header contradicts itself"),
        number[6]: ("age", "unknown"),
        number[7]: ("view", "AP, not PA"),
    }
    rows = table(out / "manifest.csv")
    assert {row["view"] for row in rows} == {"PA"} and "55" in {row["age"] for row in rows}
    assert sorted(row["image_flags"] for row in rows) == ["", "", "", "view"]
    kept = '[age]\nunknown = "keep"\n[view]\nunknown = "keep"\n'
    _, out, number = run(given, kept, name="kept")
    assert excluded(out) == {number[7]: ("view", "AP, not PA")}
    missing = sorted(row["missing_tags"] for row in table(out / "manifest.csv"))
    assert sum("age" in tags.split(";") for tags in missing) == 2
    assert sum("view" in tags.split(";") for tags in missing) == 1


def test_raw_detector_values_are_excluded_or_flagged(run):
    raw = {"PresentationIntentType": "FOR PROCESSING"}
    given = [{}, {"codes": "J90"}, raw, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}]
    _, out, number = run(given)
    reason = ("for_processing", "raw values of the detector")
    assert excluded(out) == {number[2]: reason, number[3]: reason}
    _, out, _ = run(given, "[for_processing]\nenabled = false\n", name="kept")
    flags = sorted(row["image_flags"] for row in table(out / "manifest.csv"))
    assert flags == ["", "", "for_processing", "for_processing"]


def test_dates_are_compared_and_never_written(run):
    given = [
        {"StudyDate": "20150102"},
        {"StudyDate": "20150203", "codes": "J90"},
        {"StudyDate": "20200304"},
    ]
    rule = "[study_date]\nenabled = true\nearliest = 2015-01-02\nlatest = 2015-02-03\n"
    _, out, number = run(given, rule)
    assert excluded(out) == {number[2]: ("study_date", "outside of the range")}
    for path in out.rglob("*"):
        if path.is_file() and path.suffix != ".png":
            text = path.read_text()
            # report.json says when it was made, today.
            assert not any(
                day in text
                for day in ("20150102", "2015-01-02", "2015-02-03", "20200304", "2020-03-04")
            )

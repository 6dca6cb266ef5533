"""The flow chart's numbers add up whatever the rules and the files; thesis Tables 1 and 2 of a
cohort."""

import copy
import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcxr.cohort.findings import FINDINGS
from pgcxr.curation import rules, summary, tables
from pgcxr.curation.choosing import Selection, choose
from pgcxr.curation.image_checks import Measures
from pgcxr.curation.pixels import Done
from pgcxr.plots import flowchart
from pgcxr.sources import Scan, nih, pacs

HASHES = [bytes([number]) * 32 for number in (0, 0, 1, 85)]
MEASURES = st.none() | st.builds(
    Measures,
    structure=st.sampled_from([5.0, 60.0]),
    likeness=st.sampled_from([0.3, 0.9]),
    turned=st.sampled_from([0, 90]),
    inverted=st.booleans(),
    wrong_by=st.sampled_from([-0.5, 0.03, 0.3]),
    cut_by=st.sampled_from([-0.5, 0.3]),
    cut_not_white_by=st.sampled_from([-0.5, 0.3]),
    lateral_by=st.sampled_from([-0.5, 0.3]),
    picture=st.sampled_from([0.3, 1.0]),
    white=st.sampled_from([0.0, 0.9]),
    hash=st.sampled_from(HASHES),
)
DONE = st.builds(
    Done,
    rejected=st.sampled_from([None, None, None, ("unreadable", "x"), ("colour", "x")]),
    pixels=st.sampled_from("abcdefgh"),
    measures=MEASURES,
)
SCAN = st.fixed_dictionaries(
    {
        "patient": st.sampled_from("ABC"),
        "label": st.sampled_from(["normal", "abnormal"]),
        "findings": st.sampled_from([(), ("nodule",)]),
        "codes": st.sampled_from([(), ("Z95.0",)]),
        "age": st.sampled_from([None, 3.0, 50.0, 90.0]),
        "sex": st.sampled_from(["", "F", "M", "O"]),
        "modality": st.sampled_from(["", "CR", "CT"]),
        "body_part": st.sampled_from(["", "CHEST", "HAND"]),
        "view": st.sampled_from(["", "PA", "AP", "LL"]),
        "manufacturer": st.sampled_from(["", "GE", "AGFA"]),
        "study_date": st.sampled_from([None, date(2012, 1, 1), date(2020, 1, 1)]),
        "burned_in": st.sampled_from(["", "YES", "NO"]),
        "rejected": st.sampled_from(
            [None, None, ("multi_frame", "x"), ("label_conflict", "x"), ("quality", "x")]
        ),
    }
)


@st.composite
def rule_sets(draw) -> rules.Rules:
    """The shipped rules, any of them on or off, silent headers excluded or kept."""
    chosen = copy.deepcopy(rules.load().tables)
    for table in chosen.values():
        table["enabled"] = draw(st.booleans())
        if "unknown" in table:
            table["unknown"] = draw(st.sampled_from(["exclude", "keep"]))
    return rules.Rules(chosen)


@given(
    rule_sets(),
    st.lists(st.tuples(SCAN, DONE), max_size=25),
    st.sampled_from([pacs.KNOWS, nih.KNOWS]),
    st.none() | st.integers(1, 5),
)
@settings(max_examples=100, deadline=None)
def test_every_file_is_kept_or_excluded_by_one_rule_that_is_on(rule_set, files, knows, normals):
    scans = [Scan(number, Path("x"), "x", **fields) for number, (fields, _) in enumerate(files, 1)]
    excluded = {}
    for scan in scans:
        # No source rejects by a rule that it says it has no data for.
        if scan.rejected and scan.rejected[0] == "quality" and "quality" not in knows:
            scan.rejected = None
        reason = rule_set.broken(scan, knows)
        if reason:
            excluded[scan.number] = reason
    selection = Selection(Path("export"), scans, rule_set, knows, excluded)
    done = {scan.number: files[scan.number - 1][1] for scan in selection.remaining()}
    kept = choose(selection, done, normals, 0)

    assert sorted([*excluded, *(image.scan.number for image in kept)]) == [
        scan.number for scan in scans
    ]
    chart = tables.flow(selection, kept)
    assert chart["collected"] == len(scans)
    left = dict(Counter(scan.label for scan in scans))
    remain = len(scans)
    for step in chart["steps"]:
        taken = [number for number, (rule, _) in excluded.items() if rule == step["rule"]]
        assert step["excluded"] == len(taken)
        remain -= len(taken)
        assert step["remaining"] == remain
        if step["rule"] in rules.LABELED:
            assert step["normal"] == sum(scans[number - 1].label == "normal" for number in taken)
            assert step["normal"] + step["abnormal"] == step["excluded"]
        for number in taken:
            left[scans[number - 1].label] -= 1
        if taken and step["rule"] not in (*rules.REASONS, "subsample"):
            assert step["applies"]
    assert (chart["normal"], chart["abnormal"]) == (left.get("normal", 0), left.get("abnormal", 0))
    for image in kept:
        assert rule_set.broken(image.scan, knows) is None
        assert rule_set.broken_by_image(image.done.measures, image.scan.view) is None


def thesis_report() -> dict:
    """The composition that a cohort of the thesis's numbers would have."""
    split = {
        "images": 0,
        "patients": 0,
        "normal": 0,
        "abnormal": 0,
        "other_findings": 0,
        **dict.fromkeys(FINDINGS, 0),
    }
    total = split | {"images": 111_163, "normal": 20_000, "abnormal": 91_163, "nodule": 7}
    table1 = {
        "normal": 20_000,
        "abnormal": 91_163,
        "total": 111_163,
        "normal_before_sampling": 72_938,
    }
    table2 = {"train": total, "val": split, "test": split, "total": total}
    counts = {"images": 111_163, "patients": 9, "hospitals": {}}
    return {"table1": table1, "table2": table2, **counts, "size": 1024}


def test_table_1_is_the_thesis_s():
    assert summary.table_1(thesis_report()) == [
        ("Normal", 72_938, 20_000),
        ("Abnormal", None, 91_163),
        ("Total", 72_938, 111_163),
    ]


@pytest.fixture
def written(tmp_path):
    """The tables of thesis_report, written beside a flow chart."""
    steps = [
        {
            "rule": "age",
            "excluded": 5,
            "remaining": 9,
            "normal": 2,
            "abnormal": 3,
            "applies": True,
            "minimum": 19,
        }
    ]
    steps += [
        {"rule": "sex", "excluded": 0, "remaining": 9, "normal": 0, "abnormal": 0, "applies": False}
    ]
    chart = {"collected": 217_924, "steps": steps, "normal": 20_000, "abnormal": 91_163}
    flowchart.draw(chart, tmp_path / "flowchart.svg")
    summary.write(tmp_path, thesis_report(), chart)
    return tmp_path


def test_tables_as_csv(written):
    def read(name):
        with open(written / name, newline="") as file:
            return list(csv.reader(file))

    assert read("table1.csv") == [
        ["Diagnosis", "Normal CXR dataset", "Abnormal CXR dataset"],
        ["Normal", "72938", "20000"],
        ["Abnormal", "", "91163"],
        ["Total", "72938", "111163"],
    ]
    second = {row[0]: row[1:] for row in read("table2.csv")}
    assert second["Diagnosis"] == ["train", "val", "test", "total"]
    assert second["Nodule (ND)"] == ["7", "0", "0", "7"] and second["Images"] == [
        "111163",
        "0",
        "0",
        "111163",
    ]


def test_the_page_holds_all_it_shows(written):
    page = (written / "tables.html").read_text()
    assert (
        "data:image/svg+xml;base64," in page and 'src="http' not in page and "<script" not in page
    )
    for shown in ("72,938", "91,163", "under 19 or age unknown", "52,938 normals", "switched off"):
        assert shown in page


def test_counts_of_a_cohort_are_those_of_its_images():
    def image(split, label, findings, patient):
        scan = Scan(1, Path("x"), "x", patient=patient, label=label, findings=findings)
        return type("Image", (), {"scan": scan, "split": split, "done": Done()})()

    kept = [
        image("train", "normal", (), "A"),
        image("train", "abnormal", ("nodule", "pleural_effusion"), "B"),
        image("train", "abnormal", ("atelectasis",), "B"),
        image("test", "abnormal", (), "C"),
    ]
    report = tables.composition(kept, surplus=3)
    assert report["table1"] == {"normal": 1, "abnormal": 3, "total": 4, "normal_before_sampling": 4}
    train = report["table2"]["train"]
    assert (train["patients"], train["images"], train["normal"], train["abnormal"]) == (2, 3, 1, 2)
    assert (train["nodule"], train["pleural_effusion"], train["other_findings"]) == (1, 1, 1)
    assert report["table2"]["total"]["other_findings"] == 2 and report["patients"] == 3

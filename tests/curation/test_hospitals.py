"""Hospitals that the table of studies names: numbered, counted, and named nowhere."""

import csv
import json
from pathlib import Path

from pgcxr.curation.hospitals import MOST, Hospitals
from pgcxr.sources import Scan, named
from tests.curation.curating import curate

NAMES = ["Mercy Hill", "mercy-hill ", "Asanville", "Asanville", "MERCY HILL", "", "Mercy Hill"]


def written(export, names, column="Hospital"):
    """Adds a column to studies.csv."""
    with open(export / "studies.csv", newline="") as file:
        header, *rows = csv.reader(file)
    with open(export / "studies.csv", "w", newline="") as file:
        cells = [[*row, name] for row, name in zip(rows, names, strict=True)]
        csv.writer(file).writerows([[*header, column], *cells])


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_each_is_a_number_in_the_manifest_and_a_column_of_the_tables(make_export, tmp_path):
    given = [{}, {"codes": "J90"}, {}, {"codes": "R91.1"}, {"PatientAge": "018Y"}, {}, {}]
    export, out = make_export(given), tmp_path / "cohort"
    written(export, NAMES)
    options = {"key_file": tmp_path / "key", "processes": 0, "size": 32, "split": (0.5, 0.3, 0.2)}
    report = curate(export, out, show_progress=False, **options)

    told = [(row["label"], row["hospital"]) for row in table(out / "manifest.csv")]
    one, two, silent = "hospital 1", "hospital 2", "not told"
    expected = [("abnormal", one), ("abnormal", two), *[("normal", one)] * 2, ("normal", two)]
    assert sorted(told) == sorted([*expected, ("normal", "")])
    assert list(report["hospitals"]) == [one, two, silent], "the one with the most files first"
    counts = report["hospitals"][one]
    assert (counts["images"], counts["patients"], counts["pleural_effusion"]) == (3, 3, 1)
    assert report["hospitals"][two]["nodule"] == 1 and not counts["nodule"]
    chart = json.loads((out / "flowchart.json").read_text())
    assert chart["hospitals"] == {one: 4, two: 2, silent: 1}
    taken = {step["rule"]: step["hospitals"] for step in chart["steps"] if step["excluded"]}
    assert taken == {"age": {one: 1, two: 0, silent: 0}}
    rows = {row.pop("Diagnosis"): row for row in table(out / "table2_by_hospital.csv")}
    assert rows["Images"] == {one: "3", two: "2", silent: "1"}
    assert rows["Pleural effusion (PE)"][one] == "1"
    page = (out / "tables.html").read_text()
    assert page.count("Hospital 2") == 2 and "Table 2 by hospital" in page
    for path in out.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        assert not any(name in content for name in (b"mercy", b"asanville")), path


def test_numbers_that_the_table_gives_itself_do_no_harm(make_export, tmp_path):
    export = make_export([{}, {"codes": "J90"}, {}, {}])
    written(export, ["hospital 2", "hospital 1", "hospital 1", "hospital 1"])
    options = {"key_file": tmp_path / "key", "processes": 0, "size": 32, "split": (0.5, 0.3, 0.2)}
    report = curate(export, tmp_path / "cohort", show_progress=False, **options)
    assert {name: own["images"] for name, own in report["hospitals"].items()} == {
        "hospital 1": 3,
        "hospital 2": 1,
    }


def scans(*hospitals):
    return [
        Scan(at, Path("x"), "x", patient=str(at % 2), hospital=name)
        for at, name in enumerate(hospitals, 1)
    ]


def test_the_order_of_the_rows_plays_no_part():
    mixed = scans("b", "a", "c", "c")
    for order in (mixed, mixed[::-1]):
        found = Hospitals(order)
        assert [found.of(scan) for scan in mixed] == [f"hospital {n}" for n in (3, 2, 1, 1)]


def test_one_hospital_needs_no_columns_and_many_are_none():
    alone, few = Hospitals(scans("a", "a")), Hospitals(scans("a", "b", "a"))
    assert alone.names == () and few.names == ("hospital 1", "hospital 2")
    many = Hospitals(scans(*(f"ward {number}" for number in range(MOST + 1))))
    assert many.names == () and many.of(scans("ward 1")[0]) == ""
    assert f"has {MOST + 1} different texts" in many.warnings([])[0]
    assert not few.warnings([])


def test_a_patient_of_two_hospitals_is_told():
    listed = scans("a", "", "b", "b")  # patients 1, 0, 1, 0
    images = [type("Image", (), {"scan": scan})() for scan in listed]
    assert Hospitals(listed).warnings(images)[0].startswith("1 patients have images of several")


def test_rows_of_one_study_that_name_two_leave_it_untold(make_export):
    export = make_export([{}, {}])
    lines = (export / "studies.csv").read_text().splitlines()
    lines = [f"{line},{end}" for line, end in zip(lines, ("hospital", "A", "B"), strict=True)]
    lines += [lines[1][:-1] + "C", lines[2][:-1] + " b."]
    (export / "studies.csv").write_text("\n".join(lines))
    listed, _ = named(None, export)[1].scans(export, lambda call, of: [call(one) for one in of])
    assert [scan.hospital.strip(" .").upper() for scan in listed] == ["", "B"]
    assert not any(scan.rejected for scan in listed)


def test_a_column_map_may_name_the_column(tmp_path, make_export):
    export = make_export([{}, {}], "set")
    (export / "columns.toml").write_text(
        'table = "labels.csv"\n[columns]\nfile = "f"\npatient = "p"\nlabel = "l"\nhospital = "site"'
        '\n[label]\nnormal = ["0"]\nabnormal = ["1"]\n'
    )
    lines = ["f,p,l,site", "study0/IM0000,1,0,North", "study0/IM0001,2,1,South"]
    (export / "labels.csv").write_text("\n".join(lines))
    listed, _ = named("table", export)[1].scans(export, lambda call, of: [call(one) for one in of])
    assert [scan.hospital for scan in listed] == ["North", "South"]

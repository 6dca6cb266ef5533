"""What a curation loses is said in four lines, in warnings with what to do, and in the chart."""

import csv
import json
import os
import zipfile

import cv2
import numpy as np
import pydicom
import pytest

from pgcxr.curation import losses
from pgcxr.errors import InputError
from pgcxr.io import trees
from pgcxr.sources import studies
from tests.curation.curating import curate

MATCHED = [{"codes": ("Z00.0", "J90")[index % 2]} for index in range(20)]


@pytest.fixture
def run(tmp_path):
    """run(export, ...): the report, and its warnings by their first words that tell them apart."""

    def go(export, out="cohort", **options):
        given = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False}
        report = curate(export, tmp_path / out, **given | {"audit": False} | options)
        written = json.loads((tmp_path / out / "report.json").read_text())
        assert written["warnings"] == report["warnings"] and written["losses"] == report["losses"]
        return report

    return go


def told(report) -> set[str]:
    """Which warnings there are; each ends in what to do."""
    names = {
        "have no row": "check that table and files are of one export",
        "have no file": "check that the export is whole",
        "be listed": "give yourself permission",
        "lead nowhere": "copy what they stand for",
        "hidden files": "rename those",
        "archives are among": "unpack them first (unzip",
        "rule manufacturer": "in a file of rules",
        "one class": "check the codes",
        "one patient": "check that PatientID",
        "is empty": "curate more patients",
        "both sexes": "put the hospital before it",
    }
    found = set()
    for warning in report["warnings"]:
        (name,) = (name for name in names if name in warning)
        assert names[name] in warning and "\n" not in warning
        found.add(name)
    return found


def test_nothing_lost_is_nothing_said(run, make_export, tmp_path):
    report = run(make_export(MATCHED))
    assert report["warnings"] == []
    assert losses.lines(report, "OUT") == [
        "files seen: 20",
        "images kept: 20 of 20 patients (10 normal, 10 abnormal) at 32 px, in OUT",
        "largest reasons to exclude: none, nothing is excluded",
        "rows of the table without a file: 0 of 20",
    ]
    assert "without a file: 0" in (tmp_path / "cohort" / "flowchart.svg").read_text()


def test_each_loss_is_counted_and_told(run, make_export, tmp_path):
    export = make_export(
        [
            *MATCHED,
            *[{"codes": None}] * 2,
            *[{"Manufacturer": "SIEMENS"}] * 3,
            {"Manufacturer": None},
            {"ViewPosition": "LL"},
            {"Modality": "CT", "codes": None},
        ]
    )
    with open(export / "studies.csv", "a", newline="") as file:
        csv.writer(file).writerows([f"GONE{index}", "P", "J90", ""] for index in range(4))
    with zipfile.ZipFile(export / "more.zip", "w") as archive:
        archive.writestr("IM0001", b"x")
    (export / "study0" / "viewer.exe").write_bytes(b"MZ")
    report = run(export)
    assert told(report) == {
        "have no row",
        "have no file",
        "archives are among",
        "rule manufacturer",
    }
    assert losses.lines(report, "OUT") == [
        "files seen: 30",
        "images kept: 20 of 20 patients (10 normal, 10 abnormal) at 32 px, in OUT",
        "largest reasons to exclude: 4 another manufacturer (manufacturer), 2 cannot be read "
        "(unreadable), 2 no diagnosis (diagnosis)",
        "rows of the table without a file: 4 of 29",
    ]
    said = " ".join(report["warnings"])
    assert "2 of 27 (7 %) files have no row" in said, "the CT needs none"
    assert "4 of 29 (14 %) rows of the table have no file" in said
    assert "4 of 25 (16 %) images (3 Siemens, not GE; 1 unknown)" in said
    chart = json.loads((tmp_path / "cohort" / "flowchart.json").read_text())
    assert (chart["collected"], chart["rows"], chart["rows_without_file"]) == (30, 29, 4)
    assert "without a file: 4" in (tmp_path / "cohort" / "flowchart.svg").read_text()
    details = (tmp_path / "cohort" / "excluded.csv").read_text()
    assert "an archive (ZIP), which is not read: unpack it" in details


def test_five_of_a_hundred_and_a_tenth_are_no_warning(run, make_export):
    export = make_export([*MATCHED[:18], {"codes": None}, *[{"Manufacturer": "SIEMENS"}] * 2])
    with open(export / "studies.csv", "a") as file:
        file.write("GONE,P,J90,\n")
    report = run(export)
    assert report["losses"]["files_without_row"] == report["losses"]["rows_without_file"] == 1
    assert told(report) == set()


def test_one_class_of_one_patient(run, make_export):
    report = run(make_export([{"patient": "P"}] * 3))
    assert told(report) == {"one class", "one patient", "is empty"}
    assert [w.split(" is empty")[0] for w in report["warnings"][2:]] == [
        f"the split {split}" for split, row in report["table2"].items() if not row["images"]
    ]
    again = [{"patient": "P", "PatientSex": sex} for sex in ("F", "M", "")]
    report = run(make_export(again, "two"), "both", split=(0, 0, 1))
    assert told(report) == {"one class", "one patient", "both sexes"}
    report = run(make_export([{"patient": "P"}] * 3, "again"), "all", split=(0, 0, 1))
    assert told(report) == {"one class", "one patient"}, "the other splits weren't asked for"


def test_what_may_not_be_read_is_counted(run, make_export, tmp_path, monkeypatch):
    """By a system that refuses: the tests may run as root."""
    export = make_export(MATCHED)
    (export / "closed").mkdir()
    scandir = os.scandir

    def refusing(path):
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(trees.os, "scandir", refusing)
    (export / "study1" / "gone").symlink_to(export / "nowhere")
    for name in (".snapshot/a/x.dcm", ".02.dcm", "study1/.IM", ".git/objects/1", "._02.dcm"):
        (export / name).parent.mkdir(parents=True, exist_ok=True)
        left_by_system = name.startswith((".git", "._"))
        (export / name).write_bytes(b"\0\5" if left_by_system else bytes(128) + b"DICM")
    report = run(export)
    assert told(report) == {"be listed", "lead nowhere", "hidden files"}
    assert "folders that cannot be listed: 1; files" in report["warnings"][0]
    assert "files that cannot be opened: 0; what" in report["warnings"][0]
    assert "1 links lead nowhere" in report["warnings"][1]
    assert report["warnings"][2].startswith("3 hidden files or folders")
    assert "a link that leads nowhere" in (tmp_path / "cohort" / "excluded.csv").read_text()
    assert "closed" not in report["warnings"][0]


def test_files_that_no_row_names(run, tmp_path):
    """Of a table of names: images that it doesn't list have a row in excluded.csv all the same."""
    export = tmp_path / "export"
    (export / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(10):
        cv2.imwrite(str(export / f"{index}.png"), rng.integers(0, 255, (32, 32), np.uint8))
    for name in ("more/x.PNG", "more/y.jpeg", "more/z.dcm"):
        (export / name).write_bytes(b"anything")
    (export / "more" / "u").write_bytes(bytes(128) + b"DICM")
    (export / "more" / "a.tar.gz").write_bytes(b"\x1f\x8b")
    (export / "readme.txt").write_text("hello")
    (export / ".hidden.png").write_bytes(b"")
    (export / "columns.toml").write_text(
        'table = "t.csv"\n[columns]\nfile = "name"\npatient = "who"\nlabel = "what"\n'
        '[label]\nnormal = ["well"]\nabnormal = ["ill"]\n'
    )
    rows = [f"{index}.png,{index},{('well', 'ill')[index % 2]}\n" for index in range(11)]
    (export / "t.csv").write_text("name,who,what\n" + "".join(rows))
    (tmp_path / "rules.toml").write_text(
        "".join(f"[{rule}]\nenabled = false\n" for rule in ("cropped", "inverted", "rotated"))
    )
    report = run(export, rules_file=tmp_path / "rules.toml")
    assert told(report) == {"have no row", "have no file", "archives are among"}
    assert losses.lines(report, "OUT")[0] == "files seen: 15"
    assert losses.lines(report, "OUT")[3] == "rows of the table without a file: 1 of 11"
    assert report["losses"]["files_without_row"] == 4 and report["collected"] == 15
    assert report["losses"]["rows"] == 11
    with open(tmp_path / "cohort" / "excluded.csv") as file:
        said = sorted((row["rule"], row["detail"].split(",")[0]) for row in csv.DictReader(file))
    assert said[:4] == [("diagnosis", "no row in the table")] * 4
    assert said[4:] == [("unreadable", "an archive (gzip)")]


@pytest.mark.parametrize("table", [True, False])
def test_an_export_of_archives_alone_says_to_unpack(run, make_export, tmp_path, table):
    export = make_export(MATCHED[:1])
    for path in [*export.rglob("IM*")]:
        path.unlink()
    if not table:
        (export / "studies.csv").unlink()
    for name in ("a.zip", "b.rar"):
        (export / "study0" / name).write_bytes(
            b"PK\x03\x04" if name == "a.zip" else b"Rar!\x1a\x07"
        )
    with pytest.raises(InputError, match=r"2 are archives \(RAR, ZIP\), .*unpack first \(unzip"):
        run(export)
    assert not (tmp_path / "cohort").exists()


def test_nothing_left_says_why_and_where(run, make_export, tmp_path):
    export = make_export(MATCHED[:4])
    table = (export / "studies.csv").read_text().splitlines()
    cells = [line.split(",") for line in table]
    patient = cells[0].index("patient_id")
    for row in cells[1:]:
        row[patient] = "SOMEBODY"
    (export / "studies.csv").write_text("\n".join(map(",".join, cells)) + "\n")
    trace = tmp_path / "trace.csv"
    for _ in range(2):  # the trace is known as its own
        with pytest.raises(InputError, match="4 because: the file and studies.csv name different"):
            run(export, trace=trace)
        with open(trace) as file:
            assert [row["rule"] for row in csv.DictReader(file)] == ["label_conflict"] * 4
    assert not (tmp_path / "cohort").exists()


def test_what_is_none_is_blamed_for_what_it_is(run, make_export, make_dicom, chest, tmp_path):
    export = make_export(MATCHED)
    make_dicom(export / "x", chest(30), PatientID="X", AccessionNumber="")
    make_dicom(export / "y", chest(31), PatientID="Y", AccessionNumber="0000")
    first = export / "study0" / "IM0000"
    first.rename(export / "renamed.jpg")
    others = {
        "empty": b"",
        "a.dcm": b"\xff\xd8\xff\xe0" + bytes(300),
        "b.tif": b"II*\0" + bytes(300),
        "c": b"some text, and more of it",
    }
    for name, content in others.items():
        (export / name).write_bytes(content)
    make_dicom(export / "DICOMDIR", chest(1))
    dataset = pydicom.dcmread(export / "DICOMDIR")
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    pydicom.dcmwrite(export / "DICOMDIR", dataset)
    report = run(export)
    with open(tmp_path / "cohort" / "excluded.csv") as file:
        said = sorted((row["rule"], row["detail"]) for row in csv.DictReader(file))
    assert report["images"] == 20, "a DICOM file called .jpg is one"
    none = ("diagnosis", studies.NO_NUMBER[1])
    assert said == [
        none,
        none,
        ("no_pixels", "a DICOMDIR, which is an index and no image"),
        ("unreadable", "not DICOM"),
        ("unreadable", "not DICOM: a JPEG image, which only the source table reads"),
        ("unreadable", "not DICOM: a TIFF file"),
        ("unreadable", "not DICOM: an empty file"),
    ]
    assert report["losses"]["files_without_number"] == 2

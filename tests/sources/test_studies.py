"""Which row of studies.csv is that of which file."""

import csv
import datetime

import pytest

from pgcxr.cohort import spelling
from pgcxr.errors import InputError
from pgcxr.sources import studies, studies_csv
from pgcxr.sources.studies import Studies
from pgcxr.sources.weak_labels import labeling
from tests.curation.curating import curate


def table(tmp_path, rows, head="accession_number,patient_id,diagnosis_codes,report"):
    with open(tmp_path / studies_csv.NAME, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head.split(","), *rows])
    return studies_csv.read(tmp_path, labeling.load(), [])


def said(tmp_path, rows, files, head="accession_number,patient_id,diagnosis_codes,report"):
    """For each file its label, or the rule that takes it."""
    made = Studies(table(tmp_path, rows, head), files, labeling.load())
    answers = []
    for accession, patient in files:
        study = made.of(accession, patient)
        if isinstance(study, tuple):
            answers.append(study[0])
        else:
            answers.append((study.decided.rejected or (study.decided.label,))[0])
    return answers, made


BAD, GOOD = "J18.9", "Z00.0"


@pytest.mark.parametrize(
    ("rows", "files", "expected"),
    [
        # Each row is that of its own patient.
        ("1 P1 Z00.0;1 P2 J18.9", "1 P1;1 P2", "normal abnormal"),
        ("1 P1 Z00.0;1 P2 J18.9", "1 P1;1 P3", "normal label_conflict"),
        ("1 P1 Z00.0;1 P2 J18.9", "1 -", "label_conflict"),
        ("1 P1 Z00.0", "1 P2", "label_conflict"),
        ("1 P1 Z00.0;1 - J18.9", "1 P1;1 P2", "label_conflict label_conflict"),
        # One study of several patients.
        ("1 - Z00.0", "1 P1;1 P2", "label_conflict label_conflict"),
        ("1 - Z00.0", "1 P1;1 -", "normal normal"),
        ("1 P1 Z00.0", "1 p1;1 00P1", "normal normal"),
        # Twice with other labels; long tables of abnormal codes are one study.
        ("1 P1 Z00.0;1 P1 J18.9", "1 P1", "label_conflict"),
        ("1 P1 Z00.0;1 P1 J18.9;1 P2 Z00.0", "1 P1;1 P2", "label_conflict normal"),
        ("1 P1 J90;1 P1 J18.9", "1 P1", "abnormal"),
        ("1 P1 Z00.0;1 P1 Z01.8;1 P1 Z00.0", "1 P1", "normal"),
        ("1 P1 Z00.0;1 P1 J9", "1 P1", "diagnosis"),
        # Zeros stand for none, whoever the patient is.
        ("00000 P1 Z00.0", "00000 P1", "diagnosis"),
        ("0 P1 Z00.0;2 P1 J18.9", "00000 P1;2 P1", "diagnosis abnormal"),
        ("1 P1 Z00.0;000 P1 J18.9", "1 P1", "normal"),
        # Under a merged cell.
        ("1 P1 Z00.0;- - J18.9;2 P1 Z00.0", "1 P1;2 P1", "label_conflict normal"),
        ("1 P1 Z00.0;- P1 J9", "1 P1", "label_conflict"),
        ("1 P1 Z00.0;- P2 J18.9", "1 P1", "normal"),
        ("1 P1 Z00.0;- - Z01.8", "1 P1", "normal"),
        ("1 P1 J18.9;- - Z00.0", "1 P1", "abnormal"),
        # Written otherwise.
        ("5 P1 Z00.0", "00005 P1", "normal"),
        ("00005 P1 Z00.0", "5 P1", "normal"),
        ("'00005 P1 Z00.0", "00005 P1", "normal"),
        ('="00005" P1 Z00.0', "00005 P1", "normal"),
        ("00005\u200b P1 Z00.0", "00005 P1", "normal"),
        ("\u202a00005\u202c P1 Z00.0", "00005 P1", "normal"),
        ("５0０ P1 Z00.0", "500 P1", "normal"),
        ("1234.0 P1 Z00.0", "1234 P1", "normal"),
        ("1,234,567 P1 Z00.0", "1234567 P1", "normal"),
        ("1.234E+03 P1 Z00.0", "1234 P1", "diagnosis"),
        ("1.2345E+04 P1 Z00.0", "0012345 P1", "normal"),
        ("a1 P1 Z00.0", "A1 P1", "normal"),
        ("1E5 P1 Z00.0", "1E5 P1", "normal"),
        # A number that may be another's.
        ("5 - Z00.0;5 - J18.9", "05 P1;005 P2", "label_conflict label_conflict"),
        ("5 - Z00.0", "05 P1;005 P2", "label_conflict label_conflict"),
        ("5 - Z00.0", "5 P1;05 P2", "normal diagnosis"),
        ("5 - Z00.0;7 - Z00.0", "5 P1;05 P2;07 P3", "label_conflict diagnosis normal"),
        ("5 - Z00.0;05 - J18.9;7 - Z00.0", "5 P1;05 P2;07 P3", "normal abnormal normal"),
        ("5 - Z00.0;05 - J18.9", "005 P1", "label_conflict"),
        ("5 P1 Z00.0", "05 P2", "label_conflict"),
        # Digits that are lost.
        ("2.01606E+15 - Z00.0", "2016063000000001 P1", "diagnosis"),
        ("2.01606E+15 - Z00.0;2.01606E+15 - J18.9", "2016063000000001 P1", "diagnosis"),
        (
            "2016063000000000 - Z00.0",
            "2016063000000001 P1;2016063000000000 P2",
            "diagnosis diagnosis",
        ),
        ("2016063000000000 - Z00.0", "2016063000000000 P2", "normal"),
        ("1 1.23457E+09 Z00.0", "1 1234567890", "normal"),
        ("1 1.23457E+09 Z00.0", "1 9999999999", "label_conflict"),
        ("1 1234567890.0 Z00.0", "1 001234567890", "normal"),
    ],
)
def test_rows_and_files(tmp_path, rows, files, expected):
    rows = [[cell.replace("-", "") for cell in row.split(" ")] for row in rows.split(";")]
    files = [tuple(cell.replace("-", "") for cell in file.split(" ")) for file in files.split(";")]
    assert said(tmp_path, [[*row, ""] for row in rows], files)[0] == expected.split()


def test_no_patient_in_the_table(tmp_path):
    head = "accession_number,diagnosis_codes"
    answers, _ = said(tmp_path, [("1", GOOD), ("2", BAD)], [("1", "P1"), ("2", "P2")], head)
    assert answers == ["normal", "abnormal"]


def test_a_column_for_each_code(tmp_path):
    head = "accession_number,patient_id,Diagnosis_Codes,diagnosis_code_2,diagnosis codes 3,report"
    rows = [("1", "P1", GOOD, "", BAD, ""), ("2", "P2", GOOD, "Z01.8", "", "")]
    assert said(tmp_path, rows, [("1", "P1"), ("2", "P2")], head)[0] == ["abnormal", "normal"]
    with pytest.raises(InputError, match="two columns are called diagnosis_codes"):
        table(tmp_path, [], f"{head},Diagnosis Codes")


@pytest.mark.parametrize("names", [("", ""), ("Unnamed: 3", "Unnamed: 4"), ("column 4", "")])
def test_columns_under_a_merged_cell_hold_codes_too(tmp_path, names):
    head = ",".join(("accession_number,patient_id,diagnosis_codes", *names, "report"))
    rows = [("1", "P1", "Z00.0", "J18.9", "", "clear"), ("2", "P1", "Z00.0", "", "J90", "")]
    read = table(tmp_path, [*rows, ("3", "P1", "Z00.0", "", "", "")], head)
    assert [row.codes for row in read] == [("Z00.0", "J18.9"), ("Z00.0", "J90"), ("Z00.0",)]
    assert [row.report for row in read] == ["clear", "", ""]


def test_what_columns_hold_that_are_not_read_is_said(tmp_path):
    head = "room,,accession_number,diagnosis_codes,secondary diagnosis codes,remark"
    rows = [("A12", "x", "1", "Z00.0", "J18.9; E11", "J18.9 ?"), ("R07", "", "2", "Z00.0", "", "")]
    said = []
    with open(tmp_path / studies_csv.NAME, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head.split(","), *rows])
    studies_csv.read(tmp_path, labeling.load(), said)
    assert said == [
        "studies.csv: column 2 has no name in the header, and is not read",
        'studies.csv: "secondary diagnosis codes" is not read, though it holds codes of diseases '
        'in 1 of 1 cells; if they are of the study, call it "diagnosis_codes_2"',
    ]


def test_numbers_that_were_used_again(tmp_path):
    head = "accession_number,diagnosis_codes,study_date"
    rows = [(f"{n}", "Z00.0", f"2020-01-0{n}") for n in range(1, 6)] + [("6", "Z00.0", "")]
    made = Studies(
        table(tmp_path, rows, head), [(f"{n}", "") for n in range(1, 7)], labeling.load()
    )
    day = [datetime.date(2020, 1, n) for n in range(1, 7)]
    files = [(f"{n}", day[n - 1]) for n in range(1, 7)]
    assert made.of_other_days(files) == set()
    files[0], files[1] = ("1", datetime.date(2019, 5, 5)), ("2", datetime.date(2020, 1, 3))
    assert made.of_other_days(files) == {"1"} and not made.warnings()
    shifted = [(number, each + datetime.timedelta(days=40)) for number, each in files]
    assert made.of_other_days(shifted) == set()
    assert "5 studies have another study_date than their files" in made.warnings()[0]


def test_numbers_that_fit_others_too_are_said(tmp_path):
    rows = [("5", "", GOOD, ""), ("7", "", GOOD, "")]
    _, made = said(tmp_path, rows, [("05", "P1"), ("005", "P2"), ("07", "P3")])
    undone, uncertain = made.warnings()
    assert "1 accession numbers are written otherwise" in undone
    assert "2 accession numbers of files fit several" in uncertain


def test_what_was_undone_and_what_could_not_be_is_said(tmp_path):
    rows = [("2.01606E+15", "", GOOD, "")] * 2 + [("7", "", GOOD, ""), ("", "P9", BAD, "")]
    answers, made = said(tmp_path, rows, [("2016063000000001", "P1"), ("007", "P2")])
    assert answers == ["diagnosis", "normal"]
    rounded, undone, unnumbered = made.warnings()
    assert "left out digits" in rounded and "rows 2 and 3" in rounded
    assert "1 accession numbers are written otherwise" in undone and "row 5" in unnumbered
    assert (len(made), made.unused()) == (3, 2)


def test_a_table_of_rounded_numbers_alone_is_an_error(tmp_path):
    rows = [("2.01606E+15", "", GOOD, "")]
    _, made = said(tmp_path, rows, [("2016063000000001", "P1")])
    with pytest.raises(InputError, match="left out digits of accession numbers .row 2,"):
        studies.refuse_strangers(tmp_path, made)


def test_fits():
    assert spelling.fits("2,01606E+15", "002016059900000000")
    assert not spelling.fits("2.01606E+15", "20160630000000010")
    assert not spelling.fits("A1", "1")


def test_a_spoilt_table_in_one_curation(make_export, tmp_path):
    """Everything at once, as a user meets it."""
    export = make_export(
        [{"codes": "Z00.0"}, {"codes": "Z00.0;J91*"}, {"codes": "Z00.0;J9"}]
        + [{"codes": "R91"}, {"codes": "Z00.0"}, {"codes": "J90"}]
        + [{"codes": "Z00.0", "NumberOfFrames": 2}]
    )
    path = export / studies_csv.NAME
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    rows[0][0] = f"'{rows[0][0]}"
    rows[3][0] = f" {rows[3][0].lower()}\u200b"
    rows += [[*rows[4][:2], "J90", ""]]
    text = "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in [head, *rows])
    path.write_bytes(f"{text}\r\n".replace("report", " Report").encode("utf-16"))
    trace = tmp_path / "trace.csv"
    options = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False}
    report = curate(export, tmp_path / "cohort", trace=trace, **options)
    with open(trace, newline="") as file:
        rules = [line["rule"] for line in csv.DictReader(file)]
    assert rules == ["", "", "diagnosis", "", "label_conflict", "", "multi_frame"]
    assert (report["normal"], report["abnormal"]) == (1, 3)
    assert report["losses"]["rows_without_file"] == 0
    assert any("1 accession numbers are written otherwise" in each for each in report["warnings"])

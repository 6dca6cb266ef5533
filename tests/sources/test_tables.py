"""CSV tables as spreadsheets and databases write them."""

import pytest

from pgcxr.errors import InputError
from pgcxr.sources import tables

WANTED, OPTIONAL = ("accession_number", "diagnosis_codes"), ("report",)
REPORT = 'Größe: "normal", 흉부; \t| end\nof two lines'
PLAIN = f"""accession_number,diagnosis_codes,report
A500001,Z00.0,"{REPORT.replace('"', '""')}"

A500002,J90,
"""


def read(path, content, notes=None):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(tables.numbered(path, WANTED, OPTIONAL, notes))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends(tmp_path, separator, encoding, end):
    quoted = REPORT.replace('"', '""').replace("\n", end)
    rows = [
        ("accession_number", "diagnosis_codes", "report"),
        ("A500001", "Z00.0", f'"{quoted}"'),
        (),
        ("A500002", "J90", ""),
    ]
    text = end.join(separator.join(row) for row in rows) + end
    assert read(tmp_path / "t.csv", text.encode(encoding)) == [
        (2, ("A500001", "Z00.0", REPORT.replace("\n", end))),
        (4, ("A500002", "J90", "")),
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("양측 폐에 이상 소견 없음.", "cp949", "CP949"),
        ("뷁 폐에 이상", "cp949", "CP949"),  # a syllable beyond KS X 1001
        ("Lungenödem, HÄRTE, größer, café, Überblähung", "cp1252", "CP1252"),
        ("20 µm – “no” effusion…", "cp1252", "CP1252"),
        ("æøå ÄÖÜ ñ", "cp1252", "CP1252"),
        ("폐렴", "utf-8", None),
        ("plain", "cp949", None),
    ],
)
def test_what_is_not_utf8_is_guessed_and_said(tmp_path, text, encoding, said):
    notes = []
    content = f'accession_number,diagnosis_codes,report\n1,Z00.0,"{text}"\n'.encode(encoding)
    assert read(tmp_path / "t.csv", content, notes) == [(2, ("1", "Z00.0", text))]
    assert len(notes) == (said is not None) and all(said in note for note in notes)


def test_a_character_that_a_database_cut_in_two_makes_no_other_encoding(tmp_path):
    content = "accession_number,diagnosis_codes,report\n1,Z00.0,양측 폐에 이상".encode()
    assert read(tmp_path / "t.csv", content[:-1])[0][1][2].startswith("양측 폐에 이")


@pytest.mark.parametrize(
    "header",
    [
        " Accession Number , DIAGNOSIS CODES,Report",
        "ACCESSION_NUMBER,DIAGNOSIS_CODES,REPORT",
        "AccessionNumber,diagnosis-codes,report,,",
        "\ufeff\u200baccession_number,\u00a0diagnosis_codes\u00a0,report",
        '"accession_number", "diagnosis_codes", "report"',
        "sep=,\r\naccession_number,diagnosis_codes,report",
        "\n\naccession_number,diagnosis_codes,report",
    ],
)
def test_headers_are_matched(tmp_path, header):
    rows = read(tmp_path / "t.csv", header + '\n 1 ,Z00.0,"a, b"\n')
    assert [cells for _, cells in rows] == [("1", "Z00.0", "a, b")]


def test_databases(tmp_path):
    mysql = (
        '"accession_number","diagnosis_codes","report"\n"1","Z00.0","\\"clear\\", he said"\n'
        '"2",\\N,"C:\\\\x"\n'
    )
    assert [cells for _, cells in read(tmp_path / "t.csv", mysql)] == [
        ("1", "Z00.0", '"clear", he said'),
        ("2", "", "C:\\x"),
    ]
    others = "accession_number,diagnosis_codes,report\n1,NULL,ends in \\\n2,\\N,#N/A\n"
    assert [cells for _, cells in read(tmp_path / "t.csv", others)] == [
        ("1", "", "ends in \\"),
        ("2", "", ""),
    ]


def rows_with(*lines):
    good = [f"A50000{n},Z00.0,clear" for n in range(1, 4)]
    return "\n".join(["accession_number,diagnosis_codes,report", *good, *lines]) + "\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (('A500004,Z00.0,"clear', "A500005,J90,effusion"), "row 5: a quotation mark"),
        (('A500004,Z00.0,"clear', 'A500005,J90,"effusion"'), "row 5: a quotation mark"),
        (('A500004,Z00.0,"clear', 'A500005,J90,a nodule of 2"'), "row 5: .* rows after it"),
        (('A500004,"Z00.0,clear', 'A500005",J90'), "row 5 has 2 cells|row 5: .* rows after it"),
        (('A500004,"Z00.0,clear', 'A500005,J90",clear'), "row 5: .* rows after it"),
        (('A500004,Z00.0,"so "called" lungs"',), "row 5: a quotation mark"),
        (("A500004,Z00.0,clear, and more",), "row 5 has 4 cells, the header 3"),
        (("A500004,Z00.0,clear", "and more"), "row 6 has 1 cells, the header 3"),
        (("A500004,Z00.0",), "row 5 has 2 cells"),
        (('A500004,Z00.0,"two\nlines"', "A500005"), r"row 6 \(line 7\) has 1 cells"),
        (("(3 rows affected)",), "row 5 has 1 cells"),
    ],
)
def test_what_would_give_cells_to_another_row_is_an_error(tmp_path, lines, said):
    with pytest.raises(InputError, match=f"t.csv: {said}|t.csv: {said}") as error:
        read(tmp_path / "t.csv", rows_with(*lines))
    assert "\n" not in str(error.value) and "A5000" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        'A500004,Z00.0,Heart normal. "Clear lungs".',
        'A500004,Z00.0,nodule of 2"',
        'A500004,Z00.0,"1. heart, bones, ribs\n2. lungs, clear, small"',
        'A500004,Z00.0,"compared with\nA400001, which was clear, too"',
        'A500004,Z00.0,"form\x0bfeed\x0c\x85\u2028all in one"',
        'A500004,Z00.0,"clear",,',
        "A500004,Z00.0,clear\n,,\n\n",
    ],
)
def test_what_is_right_is_read(tmp_path, line):
    if "A400001" in line:  # of another form than this table's numbers
        line = line.replace("A400001", "study A400001")
    assert [cells[0] for _, cells in read(tmp_path / "t.csv", rows_with(line))][3:] == ["A500004"]


def test_columns_of_the_same_name(tmp_path):
    with pytest.raises(InputError, match="two columns are called report"):
        read(
            tmp_path / "t.csv", "accession_number,diagnosis_codes,report,Report,report\n1,2,3,4,5\n"
        )
    assert read(tmp_path / "t.csv", "accession_number,diagnosis_codes,report,x,x\n1,2,3,4,5\n")


def test_rows_by_the_names_that_were_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text("Image index,Other\na,b\n")
    assert tables.rows(tmp_path / "t.csv", ("Image Index",)) == [{"Image Index": "a", "Other": "b"}]

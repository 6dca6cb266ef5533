"""No line of a table is lost, whatever is wrong with it."""

import gzip

import pytest

from pgcxr.privacy.audit import tables

HEADER = "accession_number,patient_id,diagnosis_codes,report\n"
LAST = "ACC0002222,PID0002222,J90,Hausmann Ottokar 1955-03-04\n"
EXPECTED = {
    ("number", "acc0002222"),
    ("number", "pid0002222"),
    ("date", "19550304"),
    ("text", "hausmannottokar19550304"),
}


def found(tmp_path, content: bytes, name: str = "a.csv"):
    (tmp_path / name).write_bytes(content)
    return tables.of_table(tmp_path / name)


@pytest.mark.parametrize(
    "wrong",
    [
        'ACC1,P1,J90,"' + "y " * 70_000 + '"\n',  # a cell longer than Python's csv takes
        'ACC1,P1,J90,"stray quote\n',
        'ACC1,P1,J90,"stray quote\n' + "ACC3,P3,J90,x\n" * 10_000,
        'ACC1,P1,J90,"' + "one line, " * 110_000 + '"\n',
        'ACC1,P1,"J90\n',
        "\0\0\0\n\n",
        '"""\n',
    ],
    ids=[
        "long cell",
        "stray quote",
        "far stray quote",
        "long line",
        "stray quote before",
        "zeros",
        "quotes",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_row_behind_a_broken_one(tmp_path, wrong, encoding):
    assert found(tmp_path, (HEADER + wrong + LAST).encode(encoding)) >= EXPECTED


def test_a_report_of_several_lines_is_no_row(tmp_path):
    got = found(
        tmp_path,
        (HEADER + 'ACC0001111,P1,J90,"Lungs, clear\nHeart, Kieselstein"\n' + LAST).encode(),
    )
    assert got >= EXPECTED and ("text", "lungsclearheartkieselstein") in got
    assert not {("number", "lungs"), ("number", "heart"), ("number", "kieselstein")} & got


@pytest.mark.parametrize(
    "encoding", ["latin-1", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-be"]
)
def test_other_encodings(tmp_path, encoding):
    got = found(tmp_path, "surname;patient_id\nGrünspecht;PID0002222\n".encode(encoding))
    assert {("name", "grunspecht"), ("number", "pid0002222")} <= got


def test_a_packed_table_and_a_list_without_a_header(tmp_path):
    assert found(
        tmp_path, gzip.compress((HEADER + LAST).encode()), "a.csv.gz"
    ) >= EXPECTED and tables.is_table("a.CSV.gz")
    assert found(tmp_path, b"Kieselstein\nZwetschgen\n", "a.txt") >= {
        ("text", "kieselstein"),
        ("text", "zwetschgen"),
    }
    assert ("text", "pid0001111") in found(tmp_path, b"PID0001111,1\nPID0002222,2\n")


def test_parts_are_the_whole(tmp_path, monkeypatch):
    lines = [f'ACC{i:07d},P{i},J90,"a report, of\ntwo lines {i}"\n' for i in range(300)]
    whole = found(tmp_path, (HEADER + "".join(lines)).encode())
    monkeypatch.setattr(tables, "PART", 1 << 10)
    parts = list(tables.parts(tmp_path / "a.csv"))
    assert len(parts) > 10 and set().union(*map(tables.of_part, parts)) == whole
    assert {part.header for part in parts} == {
        ("accession_number", "patient_id", "diagnosis_codes", "report")
    }

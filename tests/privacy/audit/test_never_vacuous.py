"""The audit fails, in one line that names nobody, wherever it has not looked at everything."""

import csv
import gzip
import os
import shutil

import pytest

from pgcxr.cli.command import run as run_app
from pgcxr.errors import InputError
from pgcxr.privacy.audit import auditing, gather
from pgcxr.privacy.deidentified.export import export_deidentified
from pgcxr.privacy.deidentified.options import DeidentificationOptions
from tests.curation.curating import curate

HEADER = "accession_number,patient_id,diagnosis_codes,report\n"


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """command(export, output, ...) -> (exit code, the one line) of `pgcxr privacy-audit`."""
    from pgcxr.cli.app import app

    monkeypatch.setenv("PGCXR_KEY_FILE", str(tmp_path / "private" / "key"))

    def go(*arguments):
        with pytest.raises(SystemExit) as ended:
            run_app(
                app,
                [
                    "privacy-audit",
                    *map(str, arguments),
                    *([] if "--workers" in arguments else ["--workers", "0"]),
                ],
            )
        said = capsys.readouterr()
        lines = (said.out + said.err).splitlines()
        assert len(lines) == 1 and "PID" not in lines[0] and "Ottilie" not in lines[0]
        return ended.value.code, lines[0]

    return go


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "studies.csv").write_text(HEADER + "ACC0001111,PID0001111,J90,clear\n")
    return folder


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "log.txt").write_text("nothing\n")
    return folder


def test_what_holds_nothing_to_compare_with_fails(command, export, out, tmp_path):
    assert command(export, out)[0] == 0
    (tmp_path / "empty").mkdir()
    for wrong in (("empty", "out"), ("export", "empty")):
        code, line = command(*(tmp_path / name for name in wrong))
        assert code == 2 and "file" in line
    (export / "studies.csv").write_text("")
    (export / "studies.csv").rename(export / "a.csv")
    code, line = command(export, out)
    assert (
        code == 2
        and "no identifier in 1 files, so that the privacy audit has nothing to look for" in line
    )


def test_files_of_the_export_that_cannot_be_read_fail(command, export, out, tmp_path):
    os.mkfifo(export / "Ottilie.dcm")
    os.symlink("nowhere", export / "Ottilie.csv")
    os.symlink(tmp_path, export / "elsewhere")
    os.symlink(".", export / "round")
    code, line = command(export, out)
    assert code == 2 and "3 of its files and folders could not be read" in line


def test_a_file_that_errs_and_a_folder_that_cannot_be_listed_fail(export, out, monkeypatch):
    (export / "a.dcm").write_bytes(bytes(128) + b"DICM")
    monkeypatch.setattr(
        gather.elements, "of_dicom", lambda path: (_ for _ in ()).throw(OSError(5, "broken disk"))
    )
    with pytest.raises(InputError, match=": 1 of its files and folders could not be read"):
        auditing.matcher(export, auditing.in_processes(0, False))
    monkeypatch.undo()
    real = os.scandir
    (export / "Ottilie").mkdir()
    monkeypatch.setattr(
        os, "scandir", lambda path: real(path if "Ottilie" not in str(path) else export / "gone")
    )
    with pytest.raises(InputError, match=": 1 of its files and folders could not be read"):
        auditing.matcher(export, auditing.in_processes(0, False))


def test_files_that_outputs_were_made_of_have_to_be_read(export):
    (export / "inside").mkdir()
    (export / "inside" / "a.dcm").write_bytes(b"x")
    os.symlink("inside", export / "round")
    os.mkfifo(export / "pipe.dcm")
    run = auditing.in_processes(0, False)
    assert auditing.matcher(export, run, made_of=["inside/a.dcm", "round/a.dcm"])[1]["unread"] == 1
    for gone in ("gone.dcm", "pipe.dcm", "round/b.dcm"):
        with pytest.raises(InputError, match=": 1 of its files and folders could not be read"):
            auditing.matcher(export, run, made_of=["inside/a.dcm", gone])


def test_a_file_that_brings_its_reader_down_is_read_as_bytes(export, out, monkeypatch):
    (export / "a.dcm").write_bytes(
        bytes(128) + b"DICM\x01Zwetschgen^Ottilie\x01" + b"\xe0\x7f\x10\0" + b"Kieselstein" * 9
    )
    real = gather.elements.of_dicom

    def swollen(path):
        raise MemoryError

    monkeypatch.setattr(
        gather.elements,
        "of_dicom",
        lambda path: swollen(path) if path.name == "a.dcm" else real(path),
    )
    look_for, counts = auditing.matcher(export, auditing.in_processes(0, False))
    assert counts["damaged"] == 1 and counts["unread"] == 0 and counts["files"] == 2
    (out / "log.txt").write_text("Kieselstein")
    assert auditing.check([out], look_for, counts, out.parent / "f.csv")["found"] == 0
    (out / "log.txt").write_text("by Ottilie")
    with pytest.raises(InputError, match="1 of kind name"):
        auditing.check([out], look_for, counts, out.parent / "f.csv")


def test_broken_dicom_is_read_as_bytes(export):
    (export / "a.dcm").write_bytes(
        bytes(128) + b"DICM\x02\0\x10\0UI\xff\xff" + b"Zwetschgen^Ottilie\0" * 3
    )
    gathering = gather.Gathering(export, auditing.in_processes(0, False))
    found = set().union(*gathering.batches())
    assert ("name", "ottilie") in found and gathering.damaged == 1 and not gathering.unread


@pytest.mark.parametrize("link", [False, True])
def test_what_links_lead_to_is_looked_through_once(command, export, out, tmp_path, link):
    aside = tmp_path / "aside.txt"
    aside.write_text("PID0001111" if link else "nobody")
    for name in ("one.txt", "two.txt"):
        os.symlink(aside, out / name)
    code, line = command(export, out)
    findings = tmp_path / "private" / "privacy_findings.csv"
    if link:
        assert code == 2 and "1 identifiers" in line
        assert [row["output"] for row in csv.DictReader(findings.open())] == [str(out / "one.txt")]
    else:
        assert code == 0 and "in 2 output files" in line


@pytest.mark.parametrize("what", ["fifo", "device", "nowhere", "folder", "itself", "closed"])
def test_what_is_no_file_among_the_outputs_fails(command, export, out, tmp_path, what, monkeypatch):
    path = out / "Ottilie"
    (tmp_path / "aside").mkdir()
    targets = {
        "device": "/dev/zero",
        "nowhere": "nowhere",
        "folder": tmp_path / "aside",
        "itself": path,
    }
    if what == "fifo":
        os.mkfifo(path)
    elif what == "closed":
        path.mkdir()
        real = os.scandir
        monkeypatch.setattr(
            os, "scandir", lambda place: real(place if place != str(path) else out / "gone")
        )
    else:
        os.symlink(targets[what], path)
    code, line = command(export, out)
    assert code == 2 and f"{out}: 1 of its entries cannot be looked through" in line
    if what == "folder":  # named by itself, it may be looked through
        (tmp_path / "aside" / "a").write_text("PID0001111")
        assert "1 identifiers" in command(export, out, tmp_path / "aside")[1]


def test_what_is_packed_too_deep_or_cannot_be_read_fails(command, export, out, monkeypatch):
    content = b"PID0001111"
    for _ in range(12):
        content = gzip.compress(content)
    (out / "a.gz").write_bytes(content)
    assert command(export, out)[1].startswith(
        "error: privacy audit: 1 of 2 output files could not be looked through"
    )
    (out / "a.gz").unlink()
    from pgcxr.privacy.audit.contents import reader

    monkeypatch.setattr(
        reader.texts, "text_or_bytes", lambda content, where: (_ for _ in ()).throw(MemoryError)
    )
    assert "1 of 1 output files could not be looked through" in command(export, out)[1]


def test_other_files_are_not_overwritten_by_findings(command, export, out, tmp_path):
    (out / "log.txt").write_text("PID0001111")
    (tmp_path / "mine.txt").write_text("precious")
    os.mkfifo(tmp_path / "fifo")
    key = tmp_path / "private" / "key"
    key.parent.mkdir()
    key.write_text("ab" * 32)
    for wrong in (
        "mine.txt",
        "fifo",
        "private/key",
        "export/studies.csv",
        "out/f.csv",
        "out",
        "no/../export/new.csv",
    ):
        before = {
            path: path.read_text() for path in (tmp_path / "mine.txt", key, export / "studies.csv")
        }
        code, line = command(export, out, "--findings", tmp_path / wrong)
        assert (
            code == 2
            and "--findings" in line
            and all(path.read_text() == text for path, text in before.items())
        )
    assert command(export, out, "--findings", "/dev/full")[0] == 2
    for _ in range(2):  # a table of ours is replaced
        assert (
            "1 identifiers" in command(export, out, "--findings", tmp_path / "private" / "f.csv")[1]
        )


@pytest.mark.parametrize("number", ["-1", "257"])
def test_numbers_of_processes(command, export, out, tmp_path, number, monkeypatch):
    from pgcxr.io import workers

    monkeypatch.setattr(
        workers, "run", lambda *arguments, **named: pytest.fail("a process is started")
    )
    assert command(export, out, "--workers", number) == (
        2,
        f"error: --workers {number}: must be from 0 to 256",
    )
    with pytest.raises(InputError, match="^processes: must be"):
        options = DeidentificationOptions(processes=int(number), key_file=tmp_path / "key")
        export_deidentified(export, tmp_path / "new", options)
    assert not (tmp_path / "key").exists()


def test_curate_fails_where_the_export_is_gone_or_findings_would_overwrite(
    make_export, tmp_path, monkeypatch
):
    export = make_export([{} if i % 2 else {"codes": "J90"} for i in range(6)])
    options = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False, "size": 32}
    for findings in (tmp_path / "key", export / "studies.csv"):
        with pytest.raises(InputError, match="^findings: "):
            curate(export, tmp_path / "cohort", findings=findings, **options)
    assert not (tmp_path / "key").exists() and (export / "studies.csv").read_text().startswith(
        "accession"
    )
    os.mkfifo(export / "pipe.dcm")  # excluded, so that nothing of it can be in the cohort
    report = curate(export, tmp_path / "cohort", **options)
    assert report["privacy_audit"]["unread"] == 1 and report["excluded"]["unreadable"] == 1

    from pgcxr.curation import tables

    real = tables.write

    def gone(*arguments, **named):
        report = real(*arguments, **named)
        shutil.move(export, tmp_path / "away")
        export.mkdir()
        return report

    monkeypatch.setattr(tables, "write", gone)
    with pytest.raises(InputError, match="holds no file"):
        curate(export, tmp_path / "second", **options)
    assert not (tmp_path / "second").exists()

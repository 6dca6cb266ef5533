"""Curation that is killed, run again, run on more files, or run twice at a time."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgcxr.cohort import records
from pgcxr.curation import work
from pgcxr.curation.journal import Journal
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.privacy import hashing
from tests.curation.curating import curate

ROOT = str(Path(__file__).resolve().parents[2])
CODES = ("Z00.0", "J90", "R91.1", "Z00.0")


@pytest.fixture
def export(make_export):
    """export(number): that many files, the first of which are always the same."""
    return lambda number=24: make_export([{"codes": CODES[index % 4]} for index in range(number)])


@pytest.fixture
def run(tmp_path):
    """run(export, name, ...): curates; returns what it said."""

    def go(folder, name="cohort", **options) -> list[str]:
        said: list[str] = []
        given = {
            "key_file": tmp_path / "key",
            "processes": 0,
            "show_progress": False,
            "audit": False,
            "say": said.append,
        }
        curate(folder, tmp_path / name, **given | options)
        return said

    return go


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def start(export: Path, out: Path, key: Path) -> subprocess.Popen:
    words = [
        "curate",
        str(export),
        "--out",
        str(out),
        "--key-file",
        str(key),
        "--workers",
        "2",
        "--no-audit",
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "pgcxr", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def journalled(out: Path) -> int:
    return sum(
        path.read_bytes().count(b"\n")
        for path in (work.folder_of(out) / "journal").glob("*.journal")
    )


def test_killed_at_any_moment_it_ends_with_the_same_cohort(export, run, tmp_path):
    folder = export(60)
    run(folder, "undisturbed")
    rng = random.Random(0)
    out, lines = tmp_path / "killed", 0
    for part in (rng.uniform(0.05, 0.95) for _ in range(3)):
        process = start(folder, out, tmp_path / "key")
        # Moments are counted in results, as machines differ: within the headers, then within the
        # images.
        until = lines + part * (120 - lines) / 2
        while process.poll() is None and journalled(out) < until:
            time.sleep(0.005)
        process.kill()
        process.wait()
        process.stdout.close(), process.stderr.close()
        assert not out.exists()
        assert journalled(out) >= lines, "nothing is lost"
        lines = journalled(out)
    assert 0 < lines < 120
    time.sleep(1.0)  # the workers notice
    said = run(folder, "killed", processes=2)
    assert any("known from an earlier run" in line for line in said)
    # Each result was written once, but for those in hand (at most HELD for each of 2 workers) at
    # each of 3 kills.
    assert journalled(out) == 60 + 60 + 1
    assert content(out) == content(tmp_path / "undisturbed")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == [
        ".killed.work",
        ".undisturbed.work",
    ]


def test_a_second_run_reads_nothing_again(export, run, tmp_path, monkeypatch):
    folder = export()
    run(folder)
    before = content(tmp_path / "cohort")
    monkeypatch.setattr("pydicom.dcmread", None)
    assert run(folder) == [
        "headers: 24 of 24 are known from an earlier run",
        "images: 24 of 24 are known from an earlier run",
    ]
    assert content(tmp_path / "cohort") == before


def test_a_grown_export_costs_what_is_new(export, run, tmp_path):
    folder = export(30)
    away = tmp_path / "away"
    # Files among the others, so that all numbers and the shuffled order change.
    names = [path.relative_to(folder) for path in sorted(folder.rglob("IM*"))[5:12]]
    for name in names:
        (away / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(away / name)
    run(folder)
    small = content(tmp_path / "cohort")
    for name in names:
        (away / name).rename(folder / name)
    said = run(folder)
    assert said[0].startswith("headers: 23 of 30") and said[1].startswith("images: 23 of 30")
    run(folder, "whole")
    assert content(tmp_path / "cohort") == content(tmp_path / "whole") != small
    # And one that has shrunk: what is gone is forgotten.
    for name in names:
        (folder / name).unlink()
    run(folder)
    assert content(tmp_path / "cohort") == small
    images = list((tmp_path / ".cohort.work" / "images").rglob("*.png"))
    assert len(images) == 23 and journalled(tmp_path / "cohort") == 46 + 1


def test_a_changed_file_is_read_again(export, run, tmp_path, make_dicom, chest):
    folder = export(8)
    run(folder)
    path = sorted(folder.rglob("IM*"))[3]
    make_dicom(path, chest(99), PatientID="PID0003", AccessionNumber="ACC00003")
    assert [line.split(" are")[0] for line in run(folder)] == ["headers: 7 of 8", "images: 7 of 8"]
    run(folder, "whole")
    assert content(tmp_path / "cohort") == content(tmp_path / "whole")


def test_other_options_take_headers_alone(export, run, tmp_path):
    folder = export(8)
    run(folder, size=16)
    with pytest.raises(InputError, match="exists and is not empty"):
        run(folder, size=8)
    assert run(folder, size=8, overwrite=True) == ["headers: 8 of 8 are known from an earlier run"]
    run(folder, "whole", size=8)
    assert content(tmp_path / "cohort") == content(tmp_path / "whole")


def test_only_what_curation_wrote_is_replaced(export, run, tmp_path):
    folder = export(8)
    run(folder)
    (tmp_path / "cohort" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not empty"):
        run(folder)
    (tmp_path / "cohort" / "notes.txt").unlink()
    run(folder)
    with open(tmp_path / "cohort" / "manifest.csv", "a") as file:
        file.write("changed\n")
    with pytest.raises(InputError, match="exists and is not empty"):
        run(folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not empty"):
        run(folder, "mine", overwrite=True)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_damage_is_said_and_mended(export, run, tmp_path):
    folder = export(12)
    run(folder)
    whole = content(tmp_path / "cohort")
    beside = tmp_path / ".cohort.work"
    (journal,) = (beside / "journal").iterdir()
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:40] + (b"B" if lines[2][40:41] == b"A" else b"A") + lines[2][41:]
    journal.write_bytes(b"".join(lines[:-2]) + lines[-2][:50])
    images = sorted((beside / "images").rglob("*.png"))
    os.truncate(images[0], 40)
    images[1].unlink()
    said = run(folder, overwrite=True)
    assert said[0] == f"{beside}: 2 damaged lines in its journal; those files are done again"
    assert content(tmp_path / "cohort") == whole
    assert run(folder)[0].startswith("headers: 12 of 12")


def test_nothing_in_the_work_folder_identifies(export, run, tmp_path):
    run(export(8))
    beside = tmp_path / ".cohort.work"
    assert beside.stat().st_mode & 0o077 == 0
    for path in beside.rglob("*"):
        seen = str(path.relative_to(beside)).encode() + (
            path.read_bytes() if path.is_file() else b""
        )
        for secret in (b"PID0", b"ACC0", b"study", b"IM00", b"SECRET"):
            assert secret not in seen, path


@pytest.mark.parametrize("left_by", ["finished run", "stopped run"])
def test_another_key_is_refused_before_anything_is_touched(
    export, run, tmp_path, monkeypatch, left_by
):
    folder = export(8)
    run(folder)
    if left_by == "stopped run":
        shutil.rmtree(tmp_path / "cohort")
    third = tmp_path / "third"
    hashing.read_or_make_key(third)
    before = content(tmp_path)
    for key in ("another", "third"):
        for overwrite in (False, True):
            monkeypatch.setenv("PGCXR_KEY_FILE", str(tmp_path / key))
            with pytest.raises(InputError) as error:
                run(folder, key_file=None, overwrite=overwrite)
            assert f"{key}: " in str(error.value) and "cohort was made with" in str(error.value)
            assert content(tmp_path) == before, "and no key was made"


def test_another_key_that_is_named_may_overwrite(export, run, tmp_path):
    folder = export(8)
    run(folder)
    hashing.read_or_make_key(tmp_path / "third")
    with pytest.raises(InputError, match="another patient key than .*cohort was made with"):
        run(folder, key_file=tmp_path / "third")
    said = run(folder, key_file=tmp_path / "third", overwrite=True)
    assert said == [f"{tmp_path / '.cohort.work'}: was made with another patient key; begins anew"]
    run(folder, key_file=tmp_path / "third")


def test_two_at_a_time(export, run, tmp_path):
    folder = export(8)
    key = hashing.read_or_make_key(tmp_path / "key")
    with work.opened(tmp_path / "cohort", folder, key, print), pytest.raises(InputError) as error:
        run(folder)
    assert "is being written by another process" in str(error.value) and "\n" not in str(
        error.value
    )
    run(folder)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_as_the_new_cohort_takes_the_old_ones_place(export, run, tmp_path, moment):
    folder = export(12)
    (folder / "study3" / "IM0011").rename(tmp_path / "away")
    run(folder)
    (tmp_path / "away").rename(folder / "study3" / "IM0011")
    code = (
        "import os, signal; from pgcxr.io import artifacts\n"
        "from tests.curation.curating import curate\n"
        f"real = artifacts._exchange\ndef exchange(*paths):\n    if {moment!r} == 'after': "
        "real(*paths)\n    os.kill(os.getpid(), signal.SIGKILL)\nartifacts._exchange = exchange\n"
        f"curate({str(folder)!r}, {str(tmp_path / 'cohort')!r}, "
        f"key_file={str(tmp_path / 'key')!r}, processes=0, show_progress=False, audit=False)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
    assert len(list((tmp_path / "cohort" / "images").iterdir())) == (
        11 if moment == "before" else 12
    )
    run(folder)
    run(folder, "whole")
    assert content(tmp_path / "cohort") == content(tmp_path / "whole")
    assert not list(tmp_path.glob(".*.partial"))


def test_a_foreign_folder_of_that_name_stays(export, run, tmp_path):
    (tmp_path / ".cohort.work").mkdir()
    (tmp_path / ".cohort.work" / "mine").write_text("mine")
    with pytest.raises(InputError, match="is not a work folder"):
        run(export(8))
    assert (tmp_path / ".cohort.work" / "mine").read_text() == "mine"


def test_a_journal_reads_only_what_its_key_wrote(tmp_path):
    ours, theirs = Journal(tmp_path, b"a" * 32), Journal(tmp_path, b"b" * 32)
    ours.write("x", ("y", 1))
    theirs.write("x", ("z", 2))
    assert list(ours.read()) == [("x", ("y", 1))] and ours.damaged == 1


def test_an_interrupted_run_goes_on(export, tmp_path, run):
    folder = export(60)
    process = start(folder, tmp_path / "out", tmp_path / "key")
    while process.poll() is None and journalled(tmp_path / "out") < 70:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert (
        process.returncode == 130 and error == "error: interrupted; run the same command again\n"
    ), error
    assert journalled(tmp_path / "out") >= 70
    with open(tmp_path / "out.csv", "w") as file:
        csv.writer(file).writerow(run(folder, "out"))
    assert "images:" in (tmp_path / "out.csv").read_text()


def test_records_stay_where_the_cohort_grows_and_are_told_from_new_ones(export, run, tmp_path):
    folder, out = export(12), tmp_path / "cohort"
    late = folder / "study3" / "IM0011"
    late.rename(tmp_path / "away")
    run(folder)
    written = records.write(out)["folder"]
    (out / "records" / ".x.partial").mkdir()
    before = content(written)
    run(folder)
    assert content(written) == before and records.cohort_of(written).samefile(out)
    assert not _of_records(out)
    with pytest.raises(InputError, match="exists and is not empty"):
        records.write(out)
    (tmp_path / "away").rename(late)
    run(folder)
    (warning,) = _of_records(out)
    assert warning.startswith("records/png was written from the cohort before")
    assert content(written) == before, "nothing is lost"
    with pytest.raises(InputError, match="write the records again with `pgcxr records`"):
        records.cohort_of(written)
    (written / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not empty"):
        records.write(out)
    (written / "notes.txt").unlink()
    records.write(out)
    assert records.cohort_of(written).samefile(out) and content(written) != before
    run(folder)
    assert not _of_records(out)


def _of_records(cohort: Path) -> list[str]:
    report = artifacts.read_json(cohort / "report.json")
    return [warning for warning in report["warnings"] if "records" in warning]

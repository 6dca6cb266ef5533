"""What curation refuses before it does anything: places that would cost the user data, files that
mean harm."""

import csv
import errno
import gzip
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.cohort import image_files, records
from pgcxr.cohort import manifest as cohort
from pgcxr.curation import rules, work
from pgcxr.curation.journal import Journal
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.privacy import hashing
from pgcxr.privacy.deidentified.export import export_deidentified
from pgcxr.privacy.deidentified.options import DeidentificationOptions
from pgcxr.sources import column_map, tables
from pgcxr.sources.weak_labels import codes, language
from tests.curation.curating import curate

ROWS = [{"codes": ("Z00.0", "J90")[index % 2]} for index in range(6)]


@pytest.fixture
def run(tmp_path):
    def go(export, out, **options):
        given = {
            "key_file": tmp_path / "key",
            "processes": 0,
            "show_progress": False,
            "audit": False,
        }
        return curate(export, out, **given | options)

    return go


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_export_is_never_written_over_or_into(
    make_export, run, tmp_path, monkeypatch, overwrite
):
    top = tmp_path / "top"
    run(make_export(ROWS), top)
    # A cohort of ours, with the export that was moved into it.
    (tmp_path / "export").rename(top / "export")
    (tmp_path / "link").symlink_to(top)
    (tmp_path / "straight").symlink_to(top / "export")
    before = _tree(top)
    for export, out, said in (
        (top / "export", top, "holds the export"),
        (tmp_path / "link" / "export", top, "holds the export"),
        (tmp_path / "straight", top, "holds the export"),
        (top / "export", top / "export", "is the export"),
        (top / "export", tmp_path / "link" / "export", "is the export"),
        (top / "export", top / "export" / "cohort", "lies in the export"),
        (tmp_path / "straight", top / "export" / "a" / "b", "lies in the export"),
        (top / "export", tmp_path / "straight" / "cohort", "lies in the export"),
    ):
        with pytest.raises(InputError, match=said):
            run(export, out, overwrite=overwrite)
        if not overwrite:
            with pytest.raises(
                InputError,
                match=said if out != top and out.name != "export" else "exists|link|holds",
            ):
                options = DeidentificationOptions(key_file=tmp_path / "key", processes=0)
                export_deidentified(export, out, options, show_progress=False)
    monkeypatch.chdir(top)
    with pytest.raises(InputError, match="export: is the export"):
        run(top / "export", Path("export"), overwrite=overwrite)
    assert _tree(top) == before


def test_only_a_cohort_and_nothing_else_is_overwritten(make_export, run, tmp_path):
    export, out = make_export(ROWS), tmp_path / "cohort"
    run(export, out)
    again = {"overwrite": True, "size": 16}
    for name in ("gan", ".notes"):
        (out / name).mkdir()
        with pytest.raises(
            InputError, match=f"{name}: lies in the cohort that would be overwritten"
        ):
            run(export, out, **again)
        (out / name).rmdir()
    (out / "manifest.csv").rename(tmp_path / "away")
    with pytest.raises(InputError, match="exists and is not empty"):
        run(export, out, **again)
    (tmp_path / "away").rename(out / "manifest.csv")
    (tmp_path / "link").symlink_to(out)
    with pytest.raises(InputError, match="link: is a link"):
        run(export, tmp_path / "link", **again)
    with pytest.raises(InputError, match="holds the file of rules"):
        run(export, out, rules_file=out / "rules.toml", **again)
    records.write(out)
    (out / f".x{places.PARTIAL}").mkdir()
    assert run(export, out, **again)["size"] == 16 and not (out / "records").exists()


@pytest.mark.parametrize("out", ["/", ".", "..", "a/.."])
@pytest.mark.parametrize("words", [["curate", "--overwrite"], ["curate"], ["export-deidentified"]])
def test_places_without_a_name_are_one_line(make_export, tmp_path, monkeypatch, capsys, words, out):
    export = make_export(ROWS[:2])
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    key = ["--key-file", str(tmp_path / "key")]
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [words[0], str(export), "--out", out, *words[1:], *key])
    error = capsys.readouterr().err
    assert (
        stopped.value.code == 2
        and error.count("\n") == 1
        and "a new folder is made; give its name" in error
    )


def test_a_folder_is_no_trace(make_export, run, tmp_path):
    export = make_export(ROWS[:2])
    for name in ("trace", "."):
        (tmp_path / "trace").mkdir(exist_ok=True)
        with pytest.raises(
            InputError, match=": exists; it is a folder: name a file in it, or another trace"
        ):
            run(export, tmp_path / "out", trace=tmp_path / name)


def test_a_study_does_not_lie_over_its_data(make_export, tmp_path, capsys):
    """Its steps remove folders of their names, such as `cohort`, when their options change."""
    from evaluate.study.__main__ import app as study

    make_export(ROWS[:1], "cohort")
    (tmp_path / "steps").mkdir()
    with pytest.raises(SystemExit) as stopped:
        command.run(
            study, ["--preset", "demo", "--data", str(tmp_path / "cohort"), "--out", str(tmp_path)]
        )
    assert (
        stopped.value.code == 2
        and f"{tmp_path}: holds the --data; name another folder" in capsys.readouterr().err
    )


READERS = {
    "--rules": rules.load,
    "--codes-file": codes.load,
    "--labels-file": language.load,
    "--columns": column_map.load,
    "studies.csv": lambda path: tables.rows(path, ("a",)),
    "train.csv": lambda path: list(tables.columns(path, ("a",))),
    "a cohort's image": image_files.read_png,
    "a report": artifacts.read_json,
    "--key-file": hashing.read_or_make_key,
}


@pytest.mark.parametrize("name", READERS)
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path, name):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe, 0o600)
    link.symlink_to("/dev/zero")
    for path in (pipe, link, tmp_path):
        with pytest.raises(
            InputError, match="is a pipe or a device|is a folder|may read the patient key"
        ) as error:
            READERS[name](path)
        assert "\n" not in str(error.value)


def test_pipes_in_the_work_folder_are_not_waited_for(make_export, run, tmp_path):
    export, out = make_export(ROWS), tmp_path / "cohort"
    run(export, out)
    beside = work.folder_of(out)
    os.mkfifo(beside / "journal" / f"{7:08d}-{'0' * 16}.journal")
    os.mkfifo(beside / "journal" / "x.journal")
    image = next((beside / "images").rglob("*.png"))
    image.unlink()
    os.mkfifo(image)
    (beside / "images" / "00" / "folder").mkdir(parents=True)
    said = []
    run(export, out, say=said.append)
    assert "1 damaged lines" in said[0] and "images: 5 of 6 are known" in said[2]
    assert image.is_file() and [path.suffix for path in (beside / "journal").iterdir()] == [
        ".journal"
    ]


def test_a_journal_without_line_ends_is_read_in_pieces(tmp_path, monkeypatch):
    journal = Journal(tmp_path, b"a" * 32)
    journal.write("x", 1)
    journal.close()
    monkeypatch.setattr("pgcxr.curation.journal.LINE", 1 << 12)
    with open(journal.files()[0], "ab") as file:
        file.write(b"A" * (3 << 12))
    assert list(journal.read()) == [("x", 1)] and journal.damaged == 3


def test_tables_that_are_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "LINE", 1 << 12)
    path = tmp_path / "a.csv.gz"
    for content in (b"a,b\n" + b"x" * (1 << 13), b"a,b\n" + b"1,2\n" * (1 << 12)):
        with gzip.open(path, "wb") as file:
            file.write(content)
        if content[-1:] == b"\n":
            assert len(list(tables.columns(path, ("a",)))) == 1 << 12
            monkeypatch.setattr("pgcxr.io.user_files.TABLE", 1 << 13)
        with pytest.raises(InputError, match="unpacks to more than any table has"):
            list(tables.columns(path, ("a",)))


def test_a_repeated_run_renews_its_own_trace_and_no_other(make_export, run, tmp_path):
    export, trace = make_export(ROWS), tmp_path / "trace.csv"
    for name in ("a", "a"):
        run(export, tmp_path / name, trace=trace)
    (export / "study1" / "IM0005").unlink()
    run(export, tmp_path / "a", trace=trace)
    with open(trace, newline="") as file:
        assert len(list(csv.DictReader(file))) == 5
    before = trace.read_bytes()
    with pytest.raises(
        InputError, match="is not as an earlier run for this cohort wrote it; remove it or name"
    ):
        run(export, tmp_path / "b", trace=trace)
    trace.write_bytes(before + b"my note\n")
    with pytest.raises(InputError, match="is not as an earlier run"):
        run(export, tmp_path / "a", trace=trace)
    assert trace.read_bytes() == before + b"my note\n" and not (tmp_path / "b").exists()


def test_a_key_that_cannot_be_made_is_named_itself(tmp_path, monkeypatch):
    def read_only(path, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(hashing.os, "open", read_only)
    with pytest.raises(OSError) as error:
        hashing.read_or_make_key(tmp_path / "key")
    assert error.value.filename == str(tmp_path / "key") and error.value.errno == errno.EROFS


@pytest.fixture
def small(make_export, run, tmp_path):
    run(make_export(ROWS), tmp_path / "small", size=16)
    return tmp_path / "small"


@pytest.mark.parametrize("size", [0, -16, 3, 12, 32, 1 << 40])
def test_sizes_of_records(small, size):
    with pytest.raises(
        InputError, match=f"size: must be a power of two from 4 up to the cohort's 16.*size={size}"
    ):
        records.write(small, size=size)


def test_an_image_that_is_none_of_the_cohorts_is_not_decoded(small, monkeypatch):
    path = sorted((small / "images").iterdir())[3]
    whole = path.read_bytes()
    path.write_bytes(cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes())
    monkeypatch.setattr(image_files.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(InputError, match="is 64 x 64 where the cohort's first image is 16 x 16"):
        records.write(small)
    with pytest.raises(InputError, match="is 64 x 64, smaller than the 128 px"):
        image_files.load_images([path], 128)
    # A header that claims more than any radiograph has, with its right checksum.
    import zlib

    head = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + whole[24:29]
    path.write_bytes(whole[:12] + head + zlib.crc32(head).to_bytes(4, "big") + whole[33:])
    for read in (
        lambda: image_files.read_png(path),
        lambda: image_files.check_images([path], 16),
        lambda: records.write(small),
    ):
        with pytest.raises(InputError, match="damaged|100000 x 100000"):
            read()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="is a pipe"):
        records.write(small)


def test_a_manifest_with_a_byte_order_mark(small):
    names = list(cohort.load(small).manifest["image_id"])
    manifest = small / "manifest.csv"
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    assert list(cohort.load(small).manifest["image_id"]) == names

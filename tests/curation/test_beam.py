"""Curation on Apache Beam: the same cohort, whatever runs it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgcxr.curation import stages, work
from pgcxr.errors import InputError
from tests.curation import hostile
from tests.curation.curating import curate

beam = pytest.importorskip("apache_beam", reason="extra: needs pgcxr[beam]")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def export(make_export):
    folder = make_export([{"codes": ("Z00.0", "J90")[index % 2]} for index in range(40)])
    (folder / "study0" / "notes").write_text("no DICOM")
    (folder / "study0" / "bomb").write_bytes(
        hostile.part10(hostile.zeros_deflated(1 << 14), hostile.DEFLATED)
    )
    return folder


@pytest.fixture
def run(tmp_path):
    def go(folder, name, **options):
        given = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False}
        return curate(folder, tmp_path / name, **given | options)

    return go


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_direct_runner_with_two_workers_gives_the_same_bytes(export, run, tmp_path, capfd):
    run(export, "local")
    # In a process of its own: TensorFlow's threads and Beam's forks do not go together.
    words = [
        "curate",
        str(export),
        "--out",
        str(tmp_path / "beam"),
        "--key-file",
        str(tmp_path / "key"),
    ]
    words += ["--runner", "DirectRunner", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "pgcxr", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert content(tmp_path / "beam") == content(tmp_path / "local")
    with open(tmp_path / "beam" / "excluded.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    # Several of Beam's workers had a part in it: each has a journal of its own, headers and images
    # apart.
    journals = list((work.folder_of(tmp_path / "beam") / "journal").iterdir())
    assert len(journals) >= 4 + 1
    assert not (work.folder_of(tmp_path / "beam") / "todo.jobs").exists()
    # What one runner began another goes on with.
    said = []
    run(export, "beam", say=said.append)
    assert said == [
        f"{kind}: {n} of {n} are known from an earlier run"
        for kind, n in (("headers", 42), ("images", 40))
    ]


def test_runner_options(export, run):
    for options, said in (
        (("direct_num_workers",), "must be name=value"),
        (("no_such_option=1",), "Beam has no such option"),
        (("direct_num_workers=many",), "is refused by Beam"),
    ):
        with pytest.raises(InputError, match=said) as error:
            run(export, "out", runner="DirectRunner", runner_options=options)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="is for a runner of Apache Beam"):
        run(export, "out", runner_options=("a=b",))
    with pytest.raises(InputError, match="runner: must be one of local, DirectRunner, FlinkRunner"):
        run(export, "out", runner="Beam")


def test_without_beam_it_is_one_line(export, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "pgcxr.curation.beam", raising=False)
    monkeypatch.delattr("pgcxr.curation.beam", raising=False)
    with pytest.raises(InputError, match=r"pip install 'pgcxr\[beam\]'"):
        run(export, "out", runner="FlinkRunner")


def test_a_pipeline_that_fails_is_one_line(export, tmp_path):
    code = (
        "from tests.curation.curating import curate\nfrom pgcxr.errors import "
        f"InputError\noptions = dict(key_file={str(tmp_path / 'key')!r}, processes=1, "
        "show_progress=False, runner='FlinkRunner',\n  runner_options=['flink_master=localhost:1', "
        f"'flink_job_server_jar=/nowhere.jar'])\ntry: curate({str(export)!r}, "
        f"{str(tmp_path / 'out')!r}, **options)\nexcept InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.startswith("runner: the pipeline failed; "), done.stdout + done.stderr
    assert done.stdout.count("\n") == 1 and not (tmp_path / "out").exists()


def test_nothing_that_identifies_is_given_to_the_runner(export, tmp_path):
    from pgcxr.curation import beam as ours
    from pgcxr.io.worker_process import Limits
    from pgcxr.sources.dicom_files import header_or_reason

    with work.opened(tmp_path / "out", export, b"k" * 32, print) as beside:
        items = sorted(export.rglob("IM*"))
        jobs = beside.folder / "todo.jobs"
        places = ours._write_jobs(
            jobs, beside.journal, [(f"{i}", item) for i, item in enumerate(items)]
        )
        pipeline = beam.Pipeline()
        do = ours.Do(
            str(beside.journal.folder),
            str(tmp_path / "key"),
            header_or_reason,
            stages.check_runner,
            Limits(),
        )
        _ = pipeline | beam.Create(places) | beam.ParDo(do)
        graph = pipeline.to_runner_api().SerializeToString()
        assert sum(place.count for place in places) == len(items) == 40
        for secret in (b"IM00", b"study", b"ACC0", b"k" * 32):
            assert secret not in graph and secret not in jobs.read_bytes()
        read = list(beside.journal.read_file(jobs, places[1].offset, places[1].count))
        assert [item for _, item in read] == items[ours.BUNDLE : 2 * ours.BUNDLE]
        os.unlink(jobs)

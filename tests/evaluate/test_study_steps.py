"""The runner of steps: only what changed, resumable, one line where a step fails."""

import os
import time
from pathlib import Path

import pytest

from evaluate.study import code_files, plan
from evaluate.study.options import StudyOptions
from evaluate.study.steps import Runner, Step
from pgcxr.errors import InputError
from pgcxr.io import artifacts

# A step that counts how often it ran and fails or hangs on demand; run as `python -m` from the
# checkout.
BODY = """
import json, pathlib, sys, time
out, mode = pathlib.Path(sys.argv[1]), sys.argv[2]
out.mkdir(parents=True, exist_ok=True)
with open(out / "runs", "a") as file:
    file.write("x")
if mode == "hang":
    time.sleep(60)
if mode == "fail":
    sys.exit("error: no images; curate more")
if mode == "crash":
    sys.exit(1)
(out / "report.json").write_text(json.dumps({"mode": mode}))
sys.exit(mode == "gate")
"""


@pytest.fixture
def steps(tmp_path, monkeypatch):
    code = tmp_path / "code"
    code.mkdir()
    (code / "toystep.py").write_text(BODY)
    monkeypatch.setenv("PYTHONPATH", str(code))

    def make(*modes, inputs=""):
        names = "abc"[: len(modes)]
        return [
            Step(name, "toystep", ("{out}", mode), tuple(names[:i]), inputs if i == 0 else "")
            for i, (name, mode) in enumerate(zip(names, modes, strict=True))
        ]

    return make


def _run(tmp_path, steps):
    said = []
    Runner(tmp_path / "out", {}, 2, said.append).run(steps)
    return said


def _runs(tmp_path, name):
    return len((tmp_path / "out" / name / "runs").read_text())


def test_a_second_run_makes_nothing_again(tmp_path, steps):
    _run(tmp_path, steps("one", "two"))
    assert _run(tmp_path, steps("one", "two")) == []
    assert _runs(tmp_path, "a") == _runs(tmp_path, "b") == 1


def test_what_changed_and_what_reads_it_is_made_again(tmp_path, steps):
    _run(tmp_path, steps("one", "two", "three"))
    _run(tmp_path, steps("one", "other", "three"))
    assert artifacts.read_json(tmp_path / "out" / "b" / "report.json") == {"mode": "other"}
    begun = {name: (tmp_path / "out" / name / "runs").stat().st_mtime_ns for name in "abc"}
    assert begun["a"] < begun["b"] < begun["c"]
    assert [_runs(tmp_path, name) for name in "abc"] == [1, 1, 1], (
        "a changed step begins in an empty folder"
    )


def test_another_input_makes_all_again(tmp_path, steps):
    _run(tmp_path, steps("one", "two", inputs="x"))
    assert len(_run(tmp_path, steps("one", "two", inputs="y"))) == 4


def test_a_gate_that_says_no_has_answered(tmp_path, steps):
    _run(tmp_path, steps("gate", "one"))
    assert _run(tmp_path, steps("gate", "one")) == []
    with pytest.raises(InputError, match="step a: exit code 1"):
        _run(tmp_path, steps("crash", "one"))


def test_a_failing_step_is_one_line_and_what_is_done_stays(tmp_path, steps):
    with pytest.raises(
        InputError, match=r"step b: no images; curate more \(whole output: .*b\.log\)"
    ):
        _run(tmp_path, steps("one", "fail"))
    said = _run(tmp_path, steps("one", "two"))
    assert [line.split(":")[0] for line in said] == ["b", "b"]


def test_a_stopped_study_stops_its_steps_and_their_folders_go_on(tmp_path, steps):
    runner = Runner(tmp_path / "out", {}, 1, lambda line: None)
    hang = steps("hang")
    started = runner._start

    def start(*arguments):
        started(*arguments)
        while not (tmp_path / "out" / "a" / "runs").exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    runner._start = start
    with pytest.raises(KeyboardInterrupt):
        runner.run(hang)
    mark = artifacts.read_json(tmp_path / "out" / "steps" / "a.json")
    assert mark["seconds"] is None and mark["spent"] > 0 and not runner.running
    begun = Runner(tmp_path / "out", {}, 1, lambda line: None)
    begun._start(hang[0], mark["key"], mark)
    while _runs(tmp_path, "a") < 2:
        time.sleep(0.05)
    begun._stop()
    assert _runs(tmp_path, "a") == 2, "the folder was kept and the command went on in it"


def test_a_step_that_ended_as_the_study_was_killed_is_not_made_again(tmp_path, steps):
    _run(tmp_path, steps("one", "two"))
    path = tmp_path / "out" / "steps" / "b.json"
    artifacts.write_json(path, artifacts.read_json(path) | {"seconds": None})
    assert _run(tmp_path, steps("one", "two")) == []
    assert _runs(tmp_path, "b") == 1 and artifacts.read_json(path)["seconds"] is not None


def test_a_lost_folder_is_made_again(tmp_path, steps):
    _run(tmp_path, steps("one"))
    (tmp_path / "out" / "a" / "report.json").unlink()
    assert len(_run(tmp_path, steps("one"))) == 2


def test_a_check_that_refuses_stops_before_what_needs_the_step(tmp_path, steps):
    def refuse(folder):
        assert (folder / "report.json").is_file()
        raise InputError("too few images")

    for _ in range(2):  # the second time the step is there already
        runner = Runner(tmp_path / "out", {}, 2, lambda line: None)
        with pytest.raises(InputError, match="too few images"):
            runner.run(steps("one", "two"), {"a": refuse})
    assert _runs(tmp_path, "a") == 1 and not (tmp_path / "out" / "b").exists()


def test_the_digest_follows_imports(tmp_path, monkeypatch):
    package = tmp_path / "pgcxr"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("def f():\n    from pgcxr import two\n")
    (package / "two.py").write_text("x = 1\n")
    (package / "three.py").write_text("x = 1\n")
    monkeypatch.setattr(code_files, "ROOT", tmp_path)

    def digest():
        code_files._imported.cache_clear()
        return code_files.digest(("pgcxr.one",))

    before = digest()
    (package / "three.py").write_text("x = 2\n")
    assert digest() == before
    (package / "two.py").write_text("x = 2\n")
    assert digest() != before


def test_an_export_may_have_any_name(tmp_path):
    folder = tmp_path / "{out} {0} {"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xe9.dcm")).write_bytes(b"x")
    planned = {step.name: step for step in plan.plan(StudyOptions(data=folder, seed=1)).steps}
    assert planned["cohort"].arguments[1].format(out="o") == str(folder)
    before = plan.state_of(folder)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xe9.dcm")).write_bytes(b"xy")
    assert plan.state_of(folder) != before

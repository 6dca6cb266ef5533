"""Beside first, then renamed."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.io import artifacts, locks, places


def test_an_error_leaves_the_old_file_and_nothing_beside(tmp_path):
    final = tmp_path / "a.txt"
    artifacts.write_text(final, "old")
    with pytest.raises(RuntimeError), artifacts.atomic_path(final) as beside:
        beside.write_text("ne")
        raise RuntimeError
    assert final.read_text() == "old" and list(tmp_path.iterdir()) == [final]


def test_a_failed_write_says_where(tmp_path):
    with pytest.raises(OSError) as raised, artifacts.atomic_path(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert raised.value.filename == str(tmp_path / "a.txt")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "out"
    with pytest.raises(RuntimeError), artifacts.new_folder(final) as folder:
        (folder / "half").write_text("x")
        assert not final.exists()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with artifacts.new_folder(final) as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in final.iterdir()] == ["whole"] and list(tmp_path.iterdir()) == [
        final
    ]


def test_what_a_killed_process_left_is_cleared(tmp_path):
    left = tmp_path / f".out{places.PARTIAL}"
    left.mkdir()
    (left / "stale").write_text("x")
    with artifacts.new_folder(tmp_path / "out") as folder:
        assert not list(folder.iterdir())
    assert not left.exists()


def test_nothing_of_the_users_is_overwritten(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(InputError, match="not empty"), artifacts.new_folder(tmp_path):
        pass
    with pytest.raises(InputError, match="is a file"), artifacts.new_folder(tmp_path / "mine"):
        pass


def test_a_folder_with_leftovers_only_counts_as_empty(tmp_path):
    final = tmp_path / "run"
    final.mkdir()
    (final / f".config.json{places.PARTIAL}.json").write_text("{")
    with artifacts.new_folder(final) as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in final.iterdir()] == ["whole"]


def _refused(path):
    with pytest.raises(InputError) as raised:
        places.refuse_existing(path)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_places_where_no_new_folder_can_be_are_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name, target in (("link", "empty"), ("dangling", "gone"), ("loop", "loop")):
        (tmp_path / name).symlink_to(target)
        assert "is a link" in _refused(tmp_path / name)
    assert "loop is not a folder" in _refused(tmp_path / "loop" / "out")
    assert "is not a folder" in _refused(tmp_path / "dangling" / "out")
    assert "file is not a folder" in _refused(tmp_path / "file" / "a" / "b")
    assert "/dev/null is not a folder" in _refused("/dev/null/x")
    assert "too long" in _refused(tmp_path / ("n" * 250))
    assert "too long" in _refused(tmp_path / ("n" * 300) / "out")
    assert "too long" in _refused("/".join(["n" * 200] * 30))
    monkeypatch.chdir(tmp_path / "empty")
    assert "a new folder is made" in _refused(".") and "a new folder is made" in _refused("a/..")
    for fine in ("a", "a/b/c", tmp_path / "empty", "n" * places.LONGEST_NAME, "a/../b"):
        places.refuse_existing(fine)


OTHER = """
import sys, time
from pathlib import Path
from pgcxr.io import artifacts
final = Path(sys.argv[2])
with getattr(artifacts, sys.argv[1])(final) as beside:
    (beside / "theirs" if beside.is_dir() else beside).write_text("theirs")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("kind", ["new_folder", "atomic_path"])
def test_two_at_once_do_not_touch_each_others_files(tmp_path, kind):
    final, make = tmp_path / "out", getattr(artifacts, kind)

    def other():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, "-c", OTHER, kind, str(final)], **pipes)
        assert process.stdout.readline() == "writing\n"
        return process

    def content():
        return (final / "theirs" if final.is_dir() else final).read_text()

    with other() as first:
        with (
            pytest.raises(InputError, match="out: is being written by another process"),
            make(final),
        ):
            pass
        first.communicate("\n")
    assert first.returncode == 0 and content() == "theirs"
    assert os.listdir(tmp_path) == ["out"]

    # One that was killed is no longer writing: what it left is taken over.
    final = tmp_path / "again"
    with other() as killed:
        killed.kill()
    assert len(os.listdir(tmp_path)) == 2
    with make(final) as beside:
        assert not (list(beside.iterdir()) if beside.is_dir() else beside.read_text())
    assert sorted(os.listdir(tmp_path)) == ["again", "out"]


def test_a_private_file_is_private_also_where_a_leftover_was_not(tmp_path):
    (tmp_path / f".a.csv{places.PARTIAL}.csv").write_text("left")
    with artifacts.atomic_path(tmp_path / "a.csv", private=True) as beside:
        assert beside.stat().st_mode & 0o777 == 0o600
        beside.write_text("x")
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600 and (
        tmp_path / "a.csv"
    ).read_text() == "x"


def test_a_failed_write_inside_a_new_folder_names_the_folder_asked_for(tmp_path):
    final = tmp_path / "out"
    inside = final.with_name(f".out{places.PARTIAL}") / "images" / "1.png"
    for error in (
        OSError(errno.ENOSPC, "No space left on device", str(inside)),
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("tensorflow says: No space left on device"),
    ):
        with pytest.raises(OSError) as raised, artifacts.new_folder(final):
            raise error
        assert raised.value.filename == str(final) and raised.value.errno == errno.ENOSPC
    with pytest.raises(OSError) as raised, artifacts.new_folder(final):
        raise OSError(errno.ENOENT, "no", "/elsewhere")
    assert raised.value.filename == "/elsewhere"


def test_arrays_come_back_and_are_the_same_bytes(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "text": np.str_("words"), "one": np.float64(0.5)}
    for name in ("1.npz", "2.npz"):
        artifacts.write_arrays(tmp_path / name, arrays)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    with np.load(tmp_path / "1.npz", allow_pickle=False) as file:
        assert sorted(file) == sorted(arrays)
        assert all(np.array_equal(file[name], array) for name, array in arrays.items())
    with pytest.raises(ValueError):
        artifacts.write_arrays(tmp_path / "3.npz", {"a": np.array([object()])})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.npz", "2.npz"]


def test_json_is_strict(tmp_path):
    body = {
        "a": np.float32(0.5),
        "b": [np.int64(3), float("nan"), float("inf")],
        "c": np.arange(2),
        "d": tmp_path,
    }
    artifacts.write_json(tmp_path / "a.json", body)
    read = json.loads(
        (tmp_path / "a.json").read_text(), parse_constant=lambda name: pytest.fail(name)
    )
    assert read == {"a": 0.5, "b": [3, None, None], "c": [0, 1], "d": str(tmp_path)}


def test_a_report_says_what_made_it(tmp_path):
    artifacts.write_report(tmp_path, {"x": 1}, command="c", seed=7, config={"k": 2})
    report = artifacts.read_json(tmp_path / "report.json")
    assert (
        report["x"] == 1
        and report["made_by"]["seed"] == 7
        and report["made_by"]["config"] == {"k": 2}
    )
    assert set(report["made_by"]["versions"]) >= {"pgcxr", "python", "tensorflow", "keras", "numpy"}


def test_damaged_json_is_one_line(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        artifacts.read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match="no such file"):
        artifacts.read_json(tmp_path / "b.json")
    for text in ("[1, 2]", "null", "3", '"a"'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputError, match="is not a JSON object"):
            artifacts.read_json(tmp_path / "a.json")
    for content in ("[" * 100_000, "1" * 10_000, "\udcff"):
        (tmp_path / "a.json").write_text(content, errors="surrogateescape")
        with pytest.raises(InputError, match="is not JSON"):
            artifacts.read_json(tmp_path / "a.json")


def test_a_folder_takes_anothers_place_whole(tmp_path):
    final = tmp_path / "made"
    with artifacts.new_folder(final) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(InputError, match="exists"), artifacts.new_folder(final):
        pass
    with pytest.raises(RuntimeError), artifacts.new_folder(final, replace=True) as folder:
        (folder / "b").write_text("half")
        raise RuntimeError
    assert [path.name for path in final.iterdir()] == ["a"]
    with artifacts.new_folder(final, replace=True) as folder:
        (folder / "b").write_text("new")
        assert [path.name for path in final.iterdir()] == ["a"]
    assert [path.name for path in final.iterdir()] == ["b"] and list(tmp_path.iterdir()) == [final]


def test_without_renameat2_folders_change_places_too(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts.ctypes, "CDLL", lambda *_, **__: object())
    test_a_folder_takes_anothers_place_whole(tmp_path)


def test_a_private_folder_is_held(tmp_path):
    with artifacts.private_folder(tmp_path / "work", tmp_path / "made") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        again = artifacts.private_folder(tmp_path / "work", tmp_path / "made")
        with pytest.raises(InputError, match="made: is being written by another process"), again:
            pass


def test_where_nothing_can_be_made_the_wait_has_an_end(tmp_path):
    with (
        pytest.raises(InputError, match="cannot be made there"),
        locks.claimed(tmp_path, tmp_path, _gone),
    ):
        pass


def _gone():
    raise FileNotFoundError

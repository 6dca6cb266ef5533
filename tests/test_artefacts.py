"""Beside first, then renamed."""

import json

import numpy as np
import pytest

from pgcxr import artefacts
from pgcxr.errors import InputError


def test_an_error_leaves_the_old_file_and_nothing_beside(tmp_path):
    final = tmp_path / "a.txt"
    artefacts.write_text(final, "old")
    with pytest.raises(RuntimeError), artefacts.atomic_path(final) as beside:
        beside.write_text("ne")
        raise RuntimeError
    assert final.read_text() == "old" and list(tmp_path.iterdir()) == [final]


def test_a_failed_write_says_where(tmp_path):
    with pytest.raises(OSError) as raised, artefacts.atomic_path(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert raised.value.filename == str(tmp_path / "a.txt")
    # Of a folder, its final name, not that of a file in what is removed.
    with pytest.raises(OSError) as raised, artefacts.new_folder(tmp_path / "out") as folder:
        raise OSError(28, "No space left on device", str(folder / "images" / "a.png"))
    assert raised.value.filename == str(tmp_path / "out")
    with pytest.raises(OSError) as raised, artefacts.new_folder(tmp_path / "out"):
        raise OSError(13, "Permission denied", "/elsewhere")
    assert raised.value.filename == "/elsewhere"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "out"
    with pytest.raises(RuntimeError), artefacts.new_folder(final) as folder:
        (folder / "half").write_text("x")
        assert not final.exists()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with artefacts.new_folder(final) as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in final.iterdir()] == ["whole"] and list(tmp_path.iterdir()) == [final]


def test_what_a_killed_process_left_is_cleared(tmp_path):
    left = tmp_path / f".out{artefacts.PARTIAL}"
    left.mkdir()
    (left / "stale").write_text("x")
    with artefacts.new_folder(tmp_path / "out") as folder:
        assert not list(folder.iterdir())
    assert not left.exists()


def test_nothing_of_the_users_is_overwritten(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(InputError, match="not empty"), artefacts.new_folder(tmp_path):
        pass
    with pytest.raises(InputError, match="is a file"), artefacts.new_folder(tmp_path / "mine"):
        pass


def test_a_folder_with_leftovers_only_counts_as_empty(tmp_path):
    final = tmp_path / "run"
    final.mkdir()
    (final / f".config.json{artefacts.PARTIAL}.json").write_text("{")
    with artefacts.new_folder(final) as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in final.iterdir()] == ["whole"]


def test_arrays_come_back_and_are_the_same_bytes(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "text": np.str_("words"), "one": np.float64(0.5)}
    for name in ("1.npz", "2.npz"):
        artefacts.write_arrays(tmp_path / name, arrays)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    with np.load(tmp_path / "1.npz", allow_pickle=False) as file:
        assert sorted(file) == sorted(arrays)
        assert all(np.array_equal(file[name], array) for name, array in arrays.items())
    with pytest.raises(ValueError):
        artefacts.write_arrays(tmp_path / "3.npz", {"a": np.array([object()])})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.npz", "2.npz"]


def test_json_is_strict(tmp_path):
    body = {"a": np.float32(0.5), "b": [np.int64(3), float("nan"), float("inf")], "c": np.arange(2), "d": tmp_path}
    artefacts.write_json(tmp_path / "a.json", body)
    read = json.loads((tmp_path / "a.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert read == {"a": 0.5, "b": [3, None, None], "c": [0, 1], "d": str(tmp_path)}


def test_a_report_says_what_made_it(tmp_path):
    artefacts.write_report(tmp_path, {"x": 1}, command="c", seed=7, config={"k": 2})
    report = artefacts.read_json(tmp_path / "report.json")
    assert report["x"] == 1 and report["made_by"]["seed"] == 7 and report["made_by"]["config"] == {"k": 2}
    assert set(report["made_by"]["versions"]) >= {"pgcxr", "python", "tensorflow", "keras", "numpy"}


def test_damaged_json_is_one_line(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        artefacts.read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match="no such file"):
        artefacts.read_json(tmp_path / "b.json")

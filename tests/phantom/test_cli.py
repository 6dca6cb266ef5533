"""The installed command."""

import subprocess
import sys

import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app


def phantom(*arguments):
    command = [sys.executable, "-m", "pgcxr", "phantom", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_an_export_is_written_and_told_in_one_line(tmp_path):
    done = phantom(tmp_path / "out", "--patients", 2, "--seed", 3, "--size", 64)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "studies.csv").is_file() and "2 patients" in done.stdout
    again = phantom(tmp_path / "out", "--patients", 2)
    assert again.returncode == 2 and again.stderr.count("\n") == 1 and "not empty" in again.stderr


def test_bad_values_end_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.run(app, ["phantom", str(tmp_path / "out"), "--patients", "0"])
    assert stopped.value.code == 2 and "--patients" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

"""The installed command: its help, and one line where the system says no."""

import subprocess
import sys

import pytest

from pgcxr import command


def test_help_is_instant_and_names_every_command():
    code = "import sys; from pgcxr import cli; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    shown = subprocess.run([sys.executable, "-m", "pgcxr.cli", "--help"], capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in ("phantom", "curate", "records", "generate"))


@pytest.mark.parametrize("number", [28, 30])
def test_a_full_or_read_only_disk_is_one_line(capsys, number):
    app = command.new_app("")

    @app.command()
    def main(word: str):
        raise OSError(number, "as the system says it", "place")

    with pytest.raises(SystemExit) as stop:
        command.run(app, ["x"])
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.startswith("error: place: ") and error.count("\n") == 1

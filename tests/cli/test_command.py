"""The installed command: its help, and one line where the system says no."""

import errno
import signal
import subprocess
import sys
from typing import Annotated

import pytest
import typer

import pgcxr
from pgcxr.cli import app as cli
from pgcxr.cli import command
from pgcxr.errors import ArgumentError, InputError


def test_help_is_instant_and_names_every_command():
    code = (
        "import sys; from pgcxr.cli import app; "
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    shown = subprocess.run(
        [sys.executable, "-m", "pgcxr", "--help"], capture_output=True, text=True, check=True
    )
    assert all(
        name in shown.stdout for name in ("phantom", "curate", "records", "generate", "timelapse")
    )


def _raising(error):
    app = command.new_app("")

    @app.command()
    def main(word: str):
        raise error

    with pytest.raises(SystemExit) as stop:
        command.run(app, ["x"])
    return stop.value.code


@pytest.mark.parametrize(
    "name",
    [
        "ENOSPC",
        "EDQUOT",
        "EROFS",
        "EEXIST",
        "ENOTDIR",
        "ENOENT",
        "ENAMETOOLONG",
        "EISDIR",
        "ELOOP",
        "ENOTEMPTY",
    ],
)
def test_what_is_wrong_with_a_disk_or_a_path_is_one_line(capsys, name):
    assert _raising(OSError(getattr(errno, name), "as the system says it", "place")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: place: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 5 TiB"), "not enough memory"),
        (OverflowError("too large to convert"), "a number is too large"),
        (RuntimeError("Symlink loop from '/a/b'"), "/a/b"),
    ],
)
def test_too_much_is_one_line(capsys, error, said):
    assert _raising(error) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ") and line.count("\n") == 1 and said in line


INTERRUPTED = """
import atexit, os, signal, sys, time
from pgcxr.cli import command
app = command.new_app("")

def again():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

@app.command()
def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:  # as a screening that watches ends
        {then}
signal.signal(signal.SIGINT, signal.default_int_handler)
command.run(app, [])
"""


@pytest.mark.parametrize(
    "then", ["again()", "atexit.register(again)", "atexit.register(again); raise"]
)
def test_a_second_interrupt_ends_in_one_line(then):
    """While what is half-written is removed, and as Python ends."""
    code = INTERRUPTED.format(then=then)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert ended.returncode in (command.INTERRUPTED, -signal.SIGINT)
    assert ended.stderr.replace("\n", "") == "error: interrupted; run the same command again"


def test_ctrl_c_stays_as_it_was_before_a_command():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    _raising(InputError("x"))
    assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


def test_a_fault_of_ours_keeps_its_traceback():
    app = command.new_app("")

    @app.command()
    def main(word: str):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        command.run(app, ["x"])


@pytest.mark.parametrize("seed", [-1, 2**32, 10**400, "None", "x", "1.5"])
@pytest.mark.parametrize(
    "arguments", [("phantom", "out", "--patients", "1"), ("curate", ".", "--out", "out")]
)
def test_a_wrong_seed_is_one_line(monkeypatch, tmp_path, capsys, arguments, seed):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        command.run(cli.app, [*arguments, f"--seed={seed}"])
    line = capsys.readouterr().err
    assert stop.value.code == 2 and line.startswith("error: ") and line.count("\n") == 1
    ends = (". See --help.\n", ": must be a whole number from 0 to 4294967295\n")
    assert "--seed" in line and line.endswith(ends)


def test_an_argument_of_the_library_is_shown_as_the_option_that_the_user_typed(capsys):
    app = command.new_app("x")

    @app.command()
    def paint(place: str, size: int = 4, set_: Annotated[list[str], typer.Option("--set")] = []):  # noqa: B006
        raise ArgumentError(place, "must be 8 or more", received=size)

    for argument, shown in (("size", "--size 4"), ("width", "--set width=4"), ("place", "PLACE 4")):
        with pytest.raises(SystemExit) as stopped:
            command.run(app, [argument])
        assert stopped.value.code == 2
        assert capsys.readouterr().err == f"error: {shown}: must be 8 or more\n"


def test_the_version_and_python_dash_m():
    shown = subprocess.run(
        [sys.executable, "-m", "pgcxr", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"pgcxr {pgcxr.__version__}\n"


@pytest.mark.parametrize(
    ("error", "option", "said"),
    [
        (ArgumentError("size", "must be 4, or None", 5), "--size", "--size 5: must be 4"),
        (
            ArgumentError("size", "must be 4, or None", 5),
            "--set size",
            "size=5: must be 4, or None",
        ),
        (ArgumentError("split", "must sum to 1", (0.5, 0.1)), "--split", "--split 0.5,0.1: must"),
        (ArgumentError("blocks", "must be", (1, 2)), "--set blocks", "--set blocks=(1, 2): must"),
    ],
)
def test_options_are_shown_as_they_are_typed(error, option, said):
    assert said in error.spelled(option)
    assert error.spelled(option).endswith("None") == (option == "--set size")


@pytest.mark.parametrize("typed", ["--normalise", "--normalize"])
@pytest.mark.parametrize("joint", [" ", "="])
def test_an_option_of_two_names_is_called_as_it_was_typed(tmp_path, capsys, typed, joint):
    (tmp_path / "export").mkdir()
    words = ["curate", str(tmp_path / "export"), "--out", str(tmp_path / "out"), "--key-file"]
    words += [str(tmp_path / "key"), *f"{typed}{joint}wrong".split(" ")]
    with pytest.raises(SystemExit):
        command.run(cli.app, words)
    assert capsys.readouterr().err.startswith(f"error: {typed} wrong: ")

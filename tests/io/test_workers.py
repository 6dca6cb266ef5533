"""The pool: order, crashes, limits, errors. Its functions live here so that a worker can import
them by name."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgcxr.curation import pixels, stages
from pgcxr.errors import ArgumentError
from pgcxr.io import progress, workers
from pgcxr.io.worker_process import Limits


def double(item: int) -> int:
    return 2 * item


def crash_on_7(item: int) -> int:
    if item == 7:
        os._exit(11)  # as a decoder written in C does
    return 2 * item


def full_disk(item: int) -> int:
    raise OSError(28, "No space left on device", f"file{item}")


def hungry(item: int) -> int:
    return len(bytearray(item << 20))


def busy(item: int) -> int:
    while item == 3:
        pass
    return item


def silent(item: int) -> int:
    if item == 3:
        time.sleep(600)
    return item


def nap(item: float) -> float:
    time.sleep(item)
    return item


def broken(item: int) -> int:
    raise ValueError("SECRET")


def killed_once(item: str) -> str:
    """As by a system that is short of memory: not the item's fault."""
    if not os.path.exists(item):
        Path(item).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def said(rule: str, detail: str) -> tuple[str, str]:
    return rule, detail


def run(function, items, workers_=2, **limits):
    found = dict(workers.stream(function, items, said, workers=workers_, limits=Limits(**limits)))
    assert sorted(found) == list(range(len(items)))
    return [found[index] for index in range(len(items))]


@pytest.mark.parametrize("processes", [0, 2])
def test_every_item_has_one_result(processes):
    assert run(double, list(range(70)), processes) == [2 * item for item in range(70)]


def test_a_crash_costs_one_item():
    found = run(crash_on_7, list(range(40)))
    assert found == [
        *(2 * item for item in range(7)),
        workers.CRASHED,
        *(2 * item for item in range(8, 40)),
    ]


def test_a_process_that_is_killed_from_outside_costs_nothing(tmp_path):
    items = [str(tmp_path / f"{number}") for number in range(6)]
    assert run(killed_once, items) == items


def test_limits_cost_one_item_each():
    too_large = ("too_large", "takes more memory than one file may")
    assert run(hungry, [1, 2000, 3], 1, memory=1 << 30) == [1 << 20, too_large, 3 << 20]
    begun = time.monotonic()
    assert run(busy, list(range(6)), cpu=1, wall=60) == [0, 1, 2, workers.TIMEOUT, 4, 5]
    assert time.monotonic() - begun < 55, "by the clock, not by the processor time"
    assert run(silent, list(range(6)), wall=1.5) == [0, 1, 2, workers.TIMEOUT, 4, 5]


def test_the_larger_the_file_the_more_time_it_may_take(tmp_path):
    with open(tmp_path / "a", "wb") as file:
        file.truncate(20 << 20)
    job = pixels.Job(tmp_path / "a", tmp_path, tmp_path, 32, "pad")
    limits = Limits(cpu=15, cpu_per_mib=0.5, most_cpu=60)
    assert limits.seconds(tmp_path / "a") == limits.seconds(job) == 25
    assert limits.seconds(3) == limits.seconds(tmp_path / "absent") == 15
    os.truncate(tmp_path / "a", 1 << 30)
    assert limits.seconds(job) == 60
    # More than `most_cpu` where more is asked for.
    assert Limits(cpu=90).seconds(3) == 90


def test_a_slow_file_is_told_of(tmp_path):
    waited, told = [], []
    list(workers.stream(nap, [0, 1.5], said, workers=1, limits=Limits(), waiting=waited.append))
    assert max(waited) >= 1
    stage = stages.Stages(None, tmp_path, tmp_path, stages.Machines(), Limits(), False, told.append)
    with progress.of_files("images", 3, False) as advance:
        tell = stage._told(advance)
        for seconds in (0.0, 9.0, 11.0, 12.0):
            tell(seconds)
        assert told == ["waiting for a slow file; each may take 15 to 60 s of processor time"]
        (task,) = advance._bars._progress.tasks
        assert task.description == "images (a slow file: 12 s)"
        tell(0.5)
        assert task.description == "images"


def test_errors_of_a_file_are_named_by_their_class_alone():
    assert (
        run(broken, [1], 0)
        == run(broken, [1])
        == [("unreadable", "cannot be processed (ValueError)")]
    )


@pytest.mark.parametrize("processes", [0, 1])
def test_errors_of_the_machine_reach_the_caller(processes):
    with pytest.raises(OSError, match="No space left") as error:
        run(full_disk, [1, 2], processes)
    assert error.value.errno == 28


def test_in_order():
    found = workers.run(
        crash_on_7, list(range(40)), lambda item: f"lost {item}", workers=2, title="x", show=False
    )
    assert found == ["lost 7" if item == 7 else 2 * item for item in range(40)]


def test_a_folder_that_no_process_may_enter_is_one_line(monkeypatch):
    monkeypatch.setattr(workers.os, "access", lambda place, mode: place != os.curdir)
    with pytest.raises(ArgumentError, match=r"processes: must be 0 here: .* \(cd\)"):
        list(workers.stream(str, [1], None, workers=1))


def test_no_items():
    assert run(double, []) == []


def slow(item: str) -> str:
    Path(item).touch()
    time.sleep(60)
    return item


POOLS = {
    "curate": "list(workers.stream(slow, [f'{out}{n}' for n in range(9)], said, workers=2))",
    "phantom": "export.write_export(out, export.PhantomOptions(patients=5000, size=64, workers=2))",
}
CALL = """
import sys, typer
from pgcxr.cli import command
from pgcxr.io import workers
from pgcxr.phantom import export
from tests.io.test_workers import said, slow
app = typer.Typer()
@app.command()
def main(out: str):
    print("begun", flush=True)
    {call}
if __name__ == "__main__":
    command.run(app)
"""


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_answered_at_once(tmp_path, name, number):
    script = tmp_path / "script.py"
    script.write_text(CALL.format(call=POOLS[name]))
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
        start_new_session=True,
        # Whoever runs the tests in the background ignores it, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "begun\n"
    until = time.monotonic() + 60
    while (
        not list(tmp_path.glob("out?")) + list(tmp_path.rglob("*.dcm")) and time.monotonic() < until
    ):
        time.sleep(0.05)
    # As a terminal does: to the workers as well.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    begun = time.monotonic()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in error and "Traceback" not in error, error
    assert time.monotonic() - begun < 10, "about one second on a machine with nothing else to do"
    begun_items = {path.name for path in tmp_path.glob("out[0-9]")}
    assert {path.name for path in tmp_path.iterdir()} == {"script.py"} | begun_items


def test_the_first_worker_of_a_process_is_as_deaf_as_the_others():
    """multiprocessing starts a helper with it, and that lets interrupts through again."""
    script = """
import multiprocessing, signal
from pgcxr.io import worker_process
if __name__ == "__main__":
    with worker_process.deaf():
        multiprocessing.get_context("spawn").Process(target=print).start()
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
"""
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": root}, check=True
    )

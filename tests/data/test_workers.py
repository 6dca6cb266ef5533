"""The pool: order, crashes, errors. Its functions live here so that a worker can import them by name."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgcxr.data.curation import workers


def double(item: int) -> int:
    return 2 * item


def crash_on_7(item: int) -> int:
    if item == 7:
        os._exit(11)  # as a decoder written in C does
    return 2 * item


def full_disk(item: int) -> int:
    raise OSError(28, "No space left on device", f"file{item}")


def crashed(item: int) -> str:
    return f"crashed {item}"


@pytest.mark.parametrize("processes", [0, 2])
def test_results_in_order(processes):
    found = workers.run(double, list(range(70)), crashed, workers=processes, title="x", show=False)
    assert found == [2 * item for item in range(70)]


def test_a_crash_costs_one_item():
    found = workers.run(crash_on_7, list(range(40)), crashed, workers=2, title="x", show=False)
    assert found == [*(2 * item for item in range(7)), "crashed 7", *(2 * item for item in range(8, 40))]


@pytest.mark.parametrize("processes", [0, 1])
def test_errors_of_the_machine_reach_the_caller(processes):
    with pytest.raises(OSError, match="No space left") as error:
        workers.run(full_disk, [1, 2], crashed, workers=processes, title="x", show=False)
    assert error.value.errno == 28


def test_no_items():
    assert workers.run(double, [], crashed, workers=2, title="x", show=False) == []


def slow(item: int) -> int:
    time.sleep(60)
    return item


POOLS = {
    "curate": "workers.run(slow, list(range(99)), crashed, workers=2, title='x', show=False)",
    "phantom": "export.write_export(sys.argv[1], 64, 0, 1024, workers=2)",
}
CALL = """
import sys, typer
from pgcxr import command
from pgcxr.data.curation import workers
from pgcxr.data.phantom import export
from tests.data.test_workers import crashed, slow
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
    time.sleep(3)
    # As a terminal does: to the workers as well.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    begun = time.monotonic()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in error and "Traceback" not in error, error
    assert time.monotonic() - begun < 10, "about one second on a machine with nothing else to do"
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]

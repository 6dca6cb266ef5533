"""The pool: order, crashes, errors. Its functions live here so that a worker can import them by name."""

import os

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

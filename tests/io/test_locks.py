"""A lock is held by one at a time, and gone with its file."""

import os

import pytest

from pgcxr.errors import InputError
from pgcxr.io import locks


def test_the_second_waits_for_the_first_to_close(tmp_path):
    with open(tmp_path / "lock", "w") as second:
        with open(tmp_path / "lock", "w") as first:
            assert locks.lock(first) and not locks.lock(second)
        assert locks.lock(second) and locks.lock(second, wait=True)


def test_what_another_holds_is_refused(tmp_path):
    def make() -> int:
        return os.open(tmp_path / ".a.partial", os.O_RDWR | os.O_CREAT)

    claim = tmp_path / ".a.partial", tmp_path / "a", make
    with (
        locks.claimed(*claim),
        pytest.raises(InputError, match="a: is being written by another process"),
        locks.claimed(*claim),
    ):
        pass
    with locks.claimed(*claim) as handle:
        os.write(handle, b"mine")

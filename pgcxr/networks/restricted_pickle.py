"""Official network pickles as plain data: no name that a pickle asks for is imported but NumPy's
own array helpers."""

import contextlib
import gzip
import pickle
import sys
import types
from pathlib import Path

from pgcxr.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
# The largest official file has 280 MB; a small gzip file may unpack to anything.
LARGEST = 4 << 30
CHUNK = 1 << 22
# numpy's own pickling helpers, by every name they had; they build arrays and nothing else.
NUMPY_GLOBALS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}


class NetworkState:
    """What stands in for `tfutil.Network`: holds the state and has no behavior."""

    def __setstate__(self, state: dict) -> None:
        self.state = state


class RestrictedUnpickler(pickle.Unpickler):
    """Builds arrays, plain containers and `NetworkState`; refuses any other name."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("tfutil", "Network"):
            return NetworkState
        if (module, name) in NUMPY_GLOBALS:
            return super().find_class(module.replace("numpy._core", "numpy.core"), name)
        raise InputError(
            f"asks for {module}.{name}, which a network pickle never needs; refused and not run"
        )


def load(path: str | Path):
    """What the pickle holds, gzipped or not.

    Raises:
        InputError: it asks for a name that is no data, or is too large.
        Exception: anything else that a damaged or hostile file makes the unpickler stumble over.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
    if zipped:
        with gzip.open(path, "rb") as file:
            size = 0
            while part := file.read(CHUNK):
                size += len(part)
                if size > LARGEST:
                    raise InputError(
                        f"unpacks to more than {LARGEST >> 30} GiB, which no network pickle needs"
                    )
    with gzip.open(path, "rb") if zipped else open(path, "rb") as file:
        return RestrictedUnpickler(file, encoding="latin1").load()


def dump(states: list[dict], file) -> None:
    """Writes each state as a `tfutil.Network`, as the original's own `save_pkl` does; a tuple of
    them."""
    with _tfutil() as network:
        objects = []
        for state in states:
            each = network.__new__(network)
            each.__dict__.update(state)
            objects.append(each)
        pickle.dump(tuple(objects), file, protocol=4)


@contextlib.contextmanager
def _tfutil():
    """Yields an empty class that pickle takes for `tfutil.Network`."""
    module, before = types.ModuleType("tfutil"), sys.modules.get("tfutil")
    module.Network = type("Network", (), {"__module__": "tfutil"})
    sys.modules["tfutil"] = module
    try:
        yield module.Network
    finally:
        del sys.modules["tfutil"]
        if before is not None:
            sys.modules["tfutil"] = before

"""The study's questions, a package each, asked in the way of `evaluate.protocol`."""

import importlib
from collections.abc import Callable
from typing import Any


def face(package: str, **places: str) -> tuple[list[str], Callable[[str], Any]]:
    """`__all__` and `__getattr__` of a question's package, whose names are imported when they are
    asked for: so that its command, which is in the package, shows its help and refuses a wrong
    option without TensorFlow.

    Args:
        package: its `__name__`.
        places: {name there: the file of the package that has it}.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{places[name]}"), name)

    return sorted(places), get

"""The examples (`>>>`) in docstrings do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

import pgcxr

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("pgcxr", "train", "evaluate")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module(module):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for example in doctest.DocTestFinder().find(importlib.import_module(module)):
        runner.run(example, out=said.append)
    assert runner.tries and not runner.failures, "".join(said)


def test_what_a_notebook_needs_has_an_example():
    without = {
        name
        for name in pgcxr.__all__
        if name != "__version__" and ">>> " not in getattr(pgcxr, name).__doc__
    }
    # Errors; a file of the original's; what `load_generator` shows.
    assert without <= {"InputError", "Rejected", "load_pickle", "Generator", "Discriminator"}

"""The package as others meet it: its face, its papers, its two entry points."""

import subprocess
import sys
from pathlib import Path

import pytest

import pgcxr

ROOT = Path(__file__).resolve().parents[1]
# Notebooks are written with these: a name is added with a line in docs/api.md, none is taken away.
NAMES = {
    *("CurationOptions", "Discriminator", "GanConfig", "Generator", "InputError", "Inverter"),
    *("PhantomOptions", "Rejected", "curate", "decode", "fit_axes", "generate", "latents"),
    *("load_cohort", "load_generator", "load_pickle", "pretrained", "walk", "write_phantom"),
}


def test_every_name_is_there():
    assert set(pgcxr.__all__) == NAMES | {"__version__"} <= set(dir(pgcxr))
    for name in NAMES:
        thing = getattr(pgcxr, name)
        assert callable(thing) and thing.__doc__, name
    with pytest.raises(AttributeError, match="'pgcxr' has no attribute 'generat'"):
        _ = pgcxr.generat


def test_every_name_is_in_the_documentation():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert {name for name in NAMES if f"`{name}" not in text} == set()


def test_the_package_imports_nothing_heavy():
    code = (
        "import sys, pgcxr; dir(pgcxr); pgcxr.InputError; "
        "print({'tensorflow', 'keras', 'pydicom', 'numpy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert answer.stdout == "set()\n", answer.stderr


def test_license_and_citation_are_those_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert {f"version: {pgcxr.__version__}", "license: Apache-2.0"} <= set(citation)
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Copyright 2026 the pgcxr authors" in text
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert "license = Apache-2.0\nlicense_files = LICENSE\n" in setup


@pytest.mark.parametrize("word", ["train", "evaluate"])
def test_the_command_says_where_training_and_evaluation_are(word):
    answer = subprocess.run(
        [sys.executable, "-m", "pgcxr", word, "--config", "demo"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert answer.returncode == 2 and not answer.stdout
    assert answer.stderr.count("\n") == 1 and "python -m train.gan" in answer.stderr

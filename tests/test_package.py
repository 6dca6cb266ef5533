"""The package as others meet it: its face, its papers, its two entry points."""

import subprocess
import sys
from pathlib import Path

import pytest

import pgcxr

ROOT = Path(__file__).resolve().parents[1]


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

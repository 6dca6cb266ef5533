"""The README's step-by-step block: every command and option exists, and each folder is written
before it is read."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from pgcxr.cli.app import app
from train.common import load_config

ROOT = Path(__file__).resolve().parents[1]


def commands() -> list[list[str]]:
    """The words of each command of the block "Step by step"."""
    part = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .split("\n## Step by step\n")[1]
        .split("\n## ")[0]
    )
    block = "\n".join(
        line.strip() for line in re.findall(r"(?:^    .*\n)+", part, re.M)[0].splitlines()
    )
    return [shlex.split(line) for line in block.replace("\\\n", " ").splitlines() if line]


def parsed(words: list[str]) -> dict:
    """Name and value of each argument and option, as typer reads them; nothing is run."""
    if words[0] == "pgcxr":
        group = typer.main.get_command(app)
        name, command, rest = words[1], group.commands[words[1]], words[2:]
    else:
        assert words[:2] == ["python", "-m"], words
        module = words[2]
        package = (ROOT / Path(*module.split(".")) / "__main__.py").is_file()
        name = f"{module}.__main__" if package else module
        command, rest = typer.main.get_command(importlib.import_module(name).app), words[3:]
    return command.make_context(name, list(rest)).params


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words[:3]))
def test_every_command_and_option_exists(words):
    found = parsed(words)
    if "set_" in found:
        kind = words[2].removeprefix("train.")
        load_config(kind, found["config"], found["set_"])


def test_the_steps_fit_each_other():
    """Each input is an earlier output, and classifiers read images of the GANs' size."""
    written, sizes = set(), set()
    for words in commands():
        found = parsed(words)
        for key in ("export", "cohort", "gan_run", "classifier_run", "run"):
            assert found.get(key) is None or str(found[key]) in written, words
        written.add(str(found["out"]))
        if "set_" in found:
            kind = words[2].removeprefix("train.")
            config = load_config(kind, found["config"], found["set_"])
            sizes.add(config["resolution"] if kind == "gan" else config.size)
            if kind == "gan":
                grown = sum(config[key] for key in ("lod_training_kimg", "lod_transition_kimg"))
                steps = (config["resolution"] // config["lod_initial_resolution"]).bit_length() - 1
                assert config["total_kimg"] >= 1.5 * steps * grown, (
                    "the full resolution is reached and trained"
                )
    assert len(sizes) == 1
    assert {"runs/try/fidelity", "runs/try/axes", "runs/try/anomaly"} <= written

"""The README and the pages of docs/: every command, option, link and name in them exists, and in
the step-by-step block each folder is written before it is read."""

import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest
import typer

from pgcxr.cli.app import app
from train.common import load_config

ROOT = Path(__file__).resolve().parents[1]


PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
}
# Options in the pages that are not ours.
OTHERS = {"--logdir", "--no-browser", "--options", "--query-gpu"}


def commands(text: str) -> list[list[str]]:
    """The words of each command that stands in a line of its own."""
    lines = re.findall(r"^    ((?:pgcxr|python -m (?:train|evaluate)).*)$", text, re.M)
    return [shlex.split(line) for line in lines]


def step_by_step() -> list[list[str]]:
    return commands(PAGES["README.md"].split("\n## Step by step\n")[1].split("\n## ")[0])


def command_of(words: list[str]) -> tuple:
    """(name, command, its arguments)."""
    if words[0] == "pgcxr":
        group = typer.main.get_command(app)
        return words[1], group.commands[words[1]], words[2:]
    assert words[:2] == ["python", "-m"], words
    module = words[2]
    package = (ROOT / Path(*module.split(".")) / "__main__.py").is_file()
    name = f"{module}.__main__" if package else module
    command, rest = typer.main.get_command(importlib.import_module(name).app), words[3:]
    if hasattr(command, "commands") and rest:
        return name, command.commands[rest[0]], rest[1:]
    return name, command, rest


def parsed(words: list[str]) -> dict:
    """Name and value of each argument and option, as typer reads them; nothing is run."""
    name, command, rest = command_of(words)
    return command.make_context(name, list(rest)).params


def all_options() -> set[str]:
    """Every option of every command."""
    group = typer.main.get_command(app)
    modules = sorted(ROOT.glob("train/*/__main__.py"))
    modules += sorted(ROOT.glob("evaluate/*/__main__.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
    scripts = [typer.main.get_command(importlib.import_module(name).app) for name in names]
    return {
        option
        for script in [group, *scripts]
        for command in [script, *getattr(script, "commands", {}).values()]
        for parameter in command.params
        for option in [*parameter.opts, *parameter.secondary_opts]
    } | {"--help"}


@pytest.mark.parametrize(
    "words",
    [words for text in PAGES.values() for words in commands(text)],
    ids=lambda words: " ".join(words[:3]),
)
def test_every_command_and_option_exists(words):
    found = parsed(words)
    if "set_" in found:
        kind = words[2].removeprefix("train.")
        load_config(kind, found["config"], found["set_"])


def test_the_steps_fit_each_other():
    """Each input is an earlier output, and classifiers read images of the GANs' size."""
    written, sizes = set(), set()
    for words in step_by_step():
        found = parsed(words)
        for key in ("export", "cohort", "gan_run", "classifier_run", "run"):
            assert found.get(key) is None or str(found[key]) in written, words
        written.add(str(found["out"]))
        if "set_" in found:
            kind = words[2].removeprefix("train.")
            config = load_config(kind, found["config"], found["set_"])
            sizes.add(config.resolution if kind == "gan" else config.size)
            if kind == "gan":
                grown = sum(
                    getattr(config, key) for key in ("lod_training_kimg", "lod_transition_kimg")
                )
                steps = (config.resolution // config.lod_initial_resolution).bit_length() - 1
                assert config.total_kimg >= 1.5 * steps * grown, (
                    "the full resolution is reached and trained"
                )
    assert len(sizes) == 1
    assert {"runs/try/fidelity", "runs/try/axes", "runs/try/anomaly"} <= written


def test_the_readme_is_short_and_has_the_steps():
    assert PAGES["README.md"].count("\n") <= 120
    assert len(step_by_step()) == 12


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_in_the_text_exist(page):
    known, named = all_options(), set()
    for code in re.findall(r"`([^`]+)`", PAGES[page]):
        named |= set(re.findall(r"(?<![\w-])--[a-z][\w-]*", code))
        if re.match(r"pgcxr [a-z]|python -m (train|evaluate)\.", code):
            _, command, rest = command_of(shlex.split(code))
            own = {name for each in command.params for name in [*each.opts, *each.secondary_opts]}
            assert {word for word in rest if word.startswith("--")} <= own | {"--help"}, code
    assert named <= known | OTHERS


@pytest.mark.parametrize("page", PAGES)
def test_links_and_names_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert anchor in slugs, target
    for name in re.findall(r"`(pgcxr(?:\.\w+)+)", PAGES[page]):
        if name != "pgcxr.NAME" and not name.endswith(".html"):
            pkgutil.resolve_name(name) if _is_module(name) else _attribute(name)
    folders = "pgcxr|train|evaluate|tests|benchmarks|notebooks|docs"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", PAGES[page]):
        assert "NAME" in path or (ROOT / path).exists(), path


def _is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _attribute(name: str):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_the_python_of_the_readme_runs():
    """As far as it needs no cohort."""
    block = re.findall(r"```python\n(.*?)```", PAGES["README.md"], re.S)[0]
    names: dict = {}
    exec(block.split("\n\ncohort")[0], names)
    assert names["images"].shape == (8, 64, 64, 1) and names["images"].dtype == "uint8"

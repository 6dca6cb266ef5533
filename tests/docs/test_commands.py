"""The commands in the pages: each exists, with its options, and in the step-by-step block each
folder is written before it is read."""

import configparser
import csv
import importlib
import io
import re
import shlex
import tomllib

import pytest
import typer

from pgcxr.cli.app import app
from tests.docs.pages import OURS, PAGES, ROOT, TODAY, blocks, command_of, commands, lines, parsed
from train.common import load_config

# Options in the pages that are not ours.
OTHERS = {"--logdir", "--no-browser", "--options", "--query-gpu"}
# What else stands in blocks of commands: programs that are not ours, and settings before a command.
PROGRAMS = {"tensorboard", "printf", "."}
SETTING = re.compile(r"[A-Z][A-Z_]+=.*", re.S)
LANGUAGES = {"", "python", "toml", "csv", "text", "{toctree}"}


def step_by_step() -> list[list[str]]:
    return commands(PAGES["README.md"].split("\n## Step by step\n")[1].split("\n## ")[0])


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
    [words for text in TODAY.values() for words in commands(text)],
    ids=lambda words: " ".join(words[:3]),
)
def test_every_command_and_option_exists(words):
    found = parsed(words)
    if "set_" in found:
        kind = words[2].removeprefix("train.")
        load_config(kind, found["config"], found["set_"])


@pytest.mark.parametrize("page", TODAY)
def test_every_line_of_a_block_is_a_command_that_is_known(page):
    assert {language for language, _ in blocks(PAGES[page])} <= LANGUAGES
    indented = re.findall(rf"^    {OURS.pattern}.*$", PAGES[page], re.M)
    assert {line.strip() for line in indented} <= set(lines(PAGES[page])), "below a list it is text"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in lines(PAGES[page]):
        if OURS.match(line):  # the test above parses it
            continue
        words = shlex.split(line, comments=True)
        while words and SETTING.fullmatch(words[0]):
            words.pop(0)
        if not words:
            continue
        program = words[0].rpartition("/")[2]
        if program == "make":
            names = [word for word in words[1:] if "=" not in word]
            assert all(re.search(rf"^{name}:", makefile, re.M) for name in names), line
        elif re.match(r"(pip|python[\d.]* -m pip)\b", " ".join([program, *words[1:]])):
            refuse_unknown_extras(line)
        elif re.fullmatch(r"python[\d.]*", program) and words[1] == "-m":
            module = words[2]
            known = module in ("venv", "pytest", "pydoc") or _module(module)
            assert known, line
        elif re.fullmatch(r"python[\d.]*", program):
            assert (ROOT / words[1]).is_file(), line
        else:
            assert program in PROGRAMS | {"pre-commit"}, f"{page}: which program is {line}?"


def refuse_unknown_extras(text: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    for named in re.findall(r"(?:\.|pgcxr)\[([\w,]+)\]", text):
        assert set(named.split(",")) <= set(setup["options.extras_require"]), text


def _module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("page", TODAY)
def test_blocks_of_other_languages_can_be_read(page):
    refuse_unknown_extras(PAGES[page])
    for language, content in blocks(PAGES[page]):
        if language == "python":
            compile(content, page, "exec")
            for line in re.findall(r"^(?:from|import) .*$", content, re.M):
                exec(line, {})
        elif language == "toml":
            assert tomllib.loads(content)
        elif language == "csv":
            rows = list(csv.reader(io.StringIO(content), strict=True))
            assert len(rows) > 1 and len({len(row) for row in rows}) == 1


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


def of_benchmarks() -> set[str]:
    """Options of the scripts in benchmarks/, which parse them themselves."""
    scripts = (path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    return {name for text in scripts for name in re.findall(r"\(\s*\"(--[a-z][\w-]*)\"", text)}


@pytest.mark.parametrize("page", TODAY)
def test_commands_and_options_in_the_text_exist(page):
    known, named = all_options(), set()
    for code in re.findall(r"`([^`]+)`", PAGES[page]):
        named |= set(re.findall(r"(?<![\w-])--[a-z][\w-]*", code))
        if re.match(r"pgcxr [a-z]|python -m (train|evaluate)\.", code):
            _, command, rest = command_of(shlex.split(code))
            own = {name for each in command.params for name in [*each.opts, *each.secondary_opts]}
            assert {word for word in rest if word.startswith("--")} <= own | {"--help"}, code
    assert named <= known | OTHERS | of_benchmarks()


def test_the_python_of_the_readme_runs():
    """As far as it needs no cohort."""
    block = re.findall(r"```python\n(.*?)```", PAGES["README.md"], re.S)[0]
    names: dict = {}
    exec(block.split("\n\ncohort")[0], names)
    assert names["images"].shape == (8, 64, 64, 1) and names["images"].dtype == "uint8"

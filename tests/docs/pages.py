"""The pages in Markdown, their blocks, and the commands in them."""

import importlib
import re
import shlex
from functools import cache
from pathlib import Path

import typer
from markdown_it import MarkdownIt

from pgcxr.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        ROOT / "benchmarks" / "README.md",
    ]
    if "reference" not in path.parts  # what `make docs` writes
}
# A changelog's words are of its own time.
TODAY = {page: text for page, text in PAGES.items() if page != "CHANGELOG.md"}
OURS = re.compile(r"(?:[\w.-]+/bin/)?(?:pgcxr|python3?(?:\.\d+)? -m (?:train|evaluate))\b")


@cache
def blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of each block of code; "" for one without a language."""
    return [
        (token.info.strip(), token.content)
        for token in MarkdownIt().parse(text)
        if token.type in ("fence", "code_block")
    ]


def lines(text: str) -> list[str]:
    """The lines of the blocks without a language: commands, all of them."""
    return [
        line.strip()
        for language, content in blocks(text)
        if not language
        for line in content.splitlines()
        if line.strip()
    ]


def commands(text: str) -> list[list[str]]:
    """The words of each command of ours that stands in a line of its own."""
    return [shlex.split(line, comments=True) for line in lines(text) if OURS.match(line)]


def command_of(words: list[str]) -> tuple:
    """(name, command, its arguments)."""
    if Path(words[0]).name == "pgcxr":
        group = typer.main.get_command(app)
        return words[1], group.commands[words[1]], words[2:]
    assert words[1] == "-m", words
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

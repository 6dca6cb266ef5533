"""docs/troubleshooting.md quotes messages as the code has them."""

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import PAGES, ROOT

PAGE = PAGES["docs/troubleshooting.md"]
ANYTHING = "…"
# Of an entry the quoted messages, one or more, before what is said of them.
ENTRY = re.compile(r"^- (`[^`]+`(?:,\s+`[^`]+`)*)(?::\s|$)", re.M)
QUOTED = [quote for entry in ENTRY.findall(PAGE) for quote in re.findall(r"`([^`]+)`", entry)]


@cache
def texts() -> set[str]:
    """All texts of the code, with ANYTHING in the place of what is put in."""
    found = set()
    for folder in ("pgcxr", "train", "evaluate"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.JoinedStr):
                    found.add(
                        "".join(
                            getattr(part, "value", "")
                            if isinstance(part, ast.Constant)
                            else ANYTHING
                            for part in node.values
                        )
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


@pytest.mark.parametrize("quote", QUOTED)
def test_a_quoted_message_is_one_of_the_code(quote):
    parts = [part for part in quote.split(ANYTHING) if part.strip(" :;,.")]
    assert parts and max(map(len, parts)) >= 10, "long enough to be found by"
    pattern = re.compile(".*".join(map(re.escape, parts)), re.S)
    assert any(map(pattern.search, texts()))


def test_every_entry_is_checked():
    assert len(QUOTED) > 60
    assert len(ENTRY.findall(PAGE)) == len(re.findall(r"^- ", PAGE, re.M))

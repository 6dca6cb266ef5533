"""The links, pictures and names in the pages lead somewhere."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, TODAY


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def targets(text: str) -> list[str]:
    """Where links and pictures lead, but for those to the internet."""
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in found if not target.startswith("https://")]


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_somewhere(page):
    for target in targets(PAGES[page]):
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        # The site has pages and files, no folders.
        assert found.is_file(), target
        if anchor:
            assert anchor in slugs(found.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", TODAY)
def test_names_in_the_text_exist(page):
    for name in re.findall(r"`(pgcxr(?:\.\w+)+)", PAGES[page]):
        if name != "pgcxr.NAME" and not name.endswith(".html"):
            pkgutil.resolve_name(name) if _is_module(name) else _attribute(name)
    folders = "pgcxr|train|evaluate|tests|benchmarks|notebooks|docs"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", PAGES[page]):
        assert "NAME" in path or (ROOT / path).exists(), path


def test_every_page_can_be_reached():
    """The list of pages at the left of the site names each of them."""
    index = PAGES["docs/index.md"]
    listed = set()
    for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.S):
        names = [line for line in block.splitlines() if not line.startswith(":")]
        listed |= {re.sub(r".*<(.*)>", r"\1", name) for name in names}
    pages = {
        Path(page).relative_to("docs").with_suffix("").as_posix()
        if page.startswith("docs/")
        else f"../{page.removesuffix('.md')}"
        for page in PAGES
    }
    assert pages - {"index"} == listed - {"reference/modules"}


def _is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _attribute(name: str):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)

"""The built site: what docs/check_site.py finds, and, after `make docs`, pages in a browser."""

import importlib.util
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.evaluate.chromium import PROGRAM, Chromium

SITE = ROOT / "site"
WHOLE = {
    "index.html": '<a href="docs/a.html#here">a</a><img src="docs/p.png">',
    "docs/a.html": '<h1 id="here">A</h1><a href="../index.html">i</a><a href="https://b.c">c</a>',
    "docs/p.png": "",
}


def checker():
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"docs/a.html": "<h1>A</h1>"}, "no such anchor: docs/a.html#here"),
        ({"docs/p.png": None}, "no such file: docs/p.png"),
        ({"index.html": '<a href="docs/">a</a>'}, "no such file: docs/"),
        ({"index.html": '<script src="https://b.c/d.js"></script>'}, "fetches https://b.c/d.js"),
        ({"index.html": '<link rel="stylesheet" href="//b.c/d">'}, "fetches //b.c/d"),
        ({"docs/s.css": "p { background: url(https://b.c/d) }"}, "fetches https://b.c/d"),
        ({"docs/s.css": "@font-face { src: url(//b.c/d.woff) }"}, "fetches //b.c/d.woff"),
    ],
)
def test_what_a_site_lacks_is_found(tmp_path, changed, said):
    (tmp_path / "docs").mkdir()
    for name, text in (WHOLE | changed).items():
        if text is not None:
            (tmp_path / name).write_text(text)
    found = checker().faults(tmp_path)
    assert len(found) == bool(said) and said in "".join(found)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if PROGRAM is None or not (SITE / "index.html").is_file():
        pytest.skip("extra: needs Chromium, and the site that `make docs` builds")
    with Chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


def test_the_site_is_read_and_searched_from_the_disk(browser):
    """Searched in English and in Korean, with nothing fetched from elsewhere and no error."""
    assert not checker().faults(SITE)
    tab = browser.page((SITE / "index.html").as_uri())
    tab.until("document.querySelector('h1')?.innerText.includes('pgcxr')")
    for word, page in (("spreadsheet", "own-export"), ("기흉", "own-export"), ("코호트", "korean")):
        tab.call("Page.navigate", url=f"{(SITE / 'search.html').as_uri()}?q={word}")
        tab.until(f"document.querySelector('#search-results a[href*=\"{page}\"]') !== null")
    tab.js(f"document.querySelector('#search-results a[href*=\"{page}\"]').click()")
    tab.until("document.querySelector('h1')?.innerText.includes('한국어')")
    tab.until("[...document.images].every(each => each.complete && each.naturalWidth)")
    assert not tab.errors
    assert not [url for url in tab.requests if not url.startswith(("file:", "data:"))]


@pytest.mark.parametrize("page", ["tour", "results/README", "design"])
def test_every_picture_is_shown(browser, page):
    tab = browser.page(Path(SITE / "docs" / f"{page}.html").as_uri())
    tab.until("document.readyState === 'complete'")
    tab.until("[...document.images].every(each => each.complete && each.naturalWidth)")

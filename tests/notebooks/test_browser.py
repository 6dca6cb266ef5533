"""The notebooks in JupyterLab, in a headless Chromium: a slider is pulled, a guess is made."""

import importlib.util
import json

import pytest

from tests.evaluate import chromium
from tests.notebooks.jupyter_lab import NOTEBOOK, Lab
from tests.notebooks.test_notebooks import ROOT

pytestmark = [
    pytest.mark.skipif(chromium.PROGRAM is None, reason="extra: needs Chromium"),
    pytest.mark.skipif(
        importlib.util.find_spec("jupyterlab") is None, reason="extra: needs JupyterLab (.[lab])"
    ),
]


@pytest.fixture(scope="module")
def rooms(study, tmp_path_factory):
    """(JupyterLab on the checkout, browser)."""
    home, profile = (tmp_path_factory.mktemp(name) for name in ("lab", "profile"))
    with Lab(ROOT, home, PGCXR_STUDY=str(study)) as lab, chromium.Chromium(profile) as browser:
        yield lab, browser


def in_view(tab, selector: str, place: int = 0) -> tuple[float, float]:
    """Where the middle of an element is, after it was scrolled to."""
    element = f"document.querySelectorAll({json.dumps(selector)})[{place}]"
    tab.until(f"{element} !== undefined")
    tab.js(f"{element}.scrollIntoView({{block: 'center'}}); 1")
    box = "(box => [box.x + box.width / 2, box.y + box.height / 2])"
    return tuple(tab.js(f"{box}({element}.getBoundingClientRect())"))


def pixels(tab, place: int) -> str:
    """The address of a widget's picture, which is new with each new value."""
    return tab.js(f"document.querySelectorAll('img.widget-image')[{place}].src")


def test_a_slider_moves_the_image_and_reset_takes_it_back(rooms):
    lab, browser = rooms
    tab = lab.open(browser, "notebooks/02_axes.ipynb")
    tab.js(f"({NOTEBOOK}).content.scrollToItem(3, 'start'); 1")
    x, y = in_view(tab, ".widget-hslider .noUi-handle", 3)
    before = [pixels(tab, place) for place in range(4)]
    readout = "document.querySelectorAll('.widget-hslider .widget-readout')[3].innerText"
    assert tab.js(readout) == "0"
    tab.drag((x, y), (x + 40, y))
    tab.until(f"Number({readout}) > 20")
    moved = f"document.querySelectorAll('img.widget-image')[1].src !== {json.dumps(before[1])}"
    tab.until(moved)
    # The start is the same picture, and the menu follows the axis that was moved.
    assert tab.js("document.querySelector('.widget-dropdown select').value") == "pleural effusion"
    assert "likelihood by the guides" in tab.js("document.body.innerText")
    reset = "Array.from(document.querySelectorAll('button')).find(b => b.innerText === 'reset')"
    tab.js(f"{reset}.click(); 1")
    tab.until(f"{readout} === '0'")
    assert not tab.errors
    assert all("127.0.0.1" in url or url.startswith(("data:", "blob:")) for url in tab.requests)


def test_the_search_is_played_and_a_guess_is_counted(rooms):
    lab, browser = rooms
    tab = lab.open(browser, "notebooks/03_anomaly.ipynb")
    tab.js(f"({NOTEBOOK}).content.scrollToItem(3, 'start'); 1")
    in_view(tab, ".widget-play button")
    steps = "/after\\s+(\\d) of 4 steps/.exec(document.body.innerText)?.[1]"
    tab.until(f"{steps} === '4'")
    tab.js("document.querySelector('.widget-play button').click(); 1")  # from the beginning
    tab.until(f"Number({steps}) < 4")
    tab.until(f"{steps} === '4'")
    game = lab.open(browser, "notebooks/04_fidelity.ipynb")
    game.js(f"({NOTEBOOK}).content.scrollToItem(5, 'start'); 1")
    in_view(game, "img.widget-image")
    guess = "Array.from(document.querySelectorAll('button')).find(b => b.innerText === 'synthetic')"
    game.until(f"{guess} !== undefined")
    game.js(f"{guess}.click(); 1")
    game.until("/That one was (real|synthetic)/.test(document.body.innerText)")

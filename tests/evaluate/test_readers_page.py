"""The study's page in a real headless Chromium: read by keyboard, killed, gone on with."""

import threading
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
import waitress

from evaluate.readers.kinds import ANOMALY, PREFERENCE, TURING
from evaluate.readers.server import application
from evaluate.readers.session import prepared
from tests.evaluate.chromium import PROGRAM, Chromium, ProtocolError
from tests.evaluate.toy_readers import toy_study

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


@contextmanager
def served(folder):
    """(address, store) of a study that is served by a thread of this process."""
    study, store = prepared(folder)
    server = waitress.create_server(application(study, store), host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}/", store
    finally:
        # As `server.run` does at Ctrl-C: a thread that still answers would write into a file that
        # has the number of the closed pipe by then.
        server.task_dispatcher.shutdown()
        server.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


def begin(browser, address, store, reader="r1"):
    """A tab in which a reader has opened her link and begun."""
    tab = browser.page(f"{address}#token={store.new_token(reader)}")
    tab.until("document.body.dataset.shown === 'card'")
    tab.press("Enter")
    return tab


def test_forty_cases_by_keyboard_with_a_crash_half_way(tmp_path):
    """Two readers at once; the browser is killed after 20 cases, and goes on at the 21st."""
    toy_study(tmp_path / "s", TURING, 40)
    profile = tmp_path / "profile"
    with served(tmp_path / "s") as (address, store):
        browser = Chromium(profile).__enter__()
        try:
            one = begin(browser, address, store)
            # Another name of the same machine has cookies of its own, as another machine has.
            other = begin(browser, address.replace("127.0.0.1", "localhost"), store, "r2")
            for position in range(3):
                other.at(position)
                other.press("s", "5", "Enter")
            other.at(3)
            for position in range(20):
                one.at(position)
                one.press("r" if position % 2 else "s", str(1 + position % 5), "Enter")
            one.at(20)
            one.press("r")
            assert one.errors == []
            assert all(url.startswith((address, "blob:")) for url in one.requests)
        finally:
            browser.kill()
        assert [len(store.answers(name)) for name in ("r1", "r2")] == [20, 3]
        with Chromium(profile) as browser:
            again = begin(browser, address, store)
            for position in range(20, 40):
                again.at(position)
                again.press("r", "4", "Enter")
            again.until("document.querySelector('#card-title').textContent.startsWith('All')")
    kept = store.answers("r1")
    assert [one.position for one in kept] == list(range(40))
    assert [one.answer["label"] for one in kept[:4]] == ["synthetic", "real", "synthetic", "real"]
    assert [one.answer["confidence"] for one in kept[:6]] == [1, 2, 3, 4, 5, 1]
    assert all(0 <= one.seconds < 60 for one in kept) and kept[-1].seconds > 0


def test_window_zoom_and_marks_are_kept_and_panes_are_linked(tmp_path, browser):
    toy_study(tmp_path / "s", ANOMALY, 4)
    with served(tmp_path / "s") as (address, store):
        tab = begin(browser, address, store)
        tab.at(0, "without")
        tab.drag((400, 400), (500, 400))  # 100 wider
        tab.drag((400, 400), (400, 440))  # and 20 lower
        tab.press("i", "+")
        tab.press("Enter")
        assert tab.js("document.querySelector('#message').textContent") != "", "nothing is answered"
        tab.press("y", "2")
        tab.press("ArrowRight", "ArrowRight", "ArrowDown", " ", "4")
        tab.drag((300, 300), (300, 300))  # a click marks, too
        tab.press("Backspace", "Enter")
        tab.at(0, "with")
        assert tab.js("document.querySelectorAll('canvas').length") == 3
        assert "first" not in tab.js("document.querySelector('#note').textContent").lower()
        tab.drag((200, 400), (240, 400), button="right")  # moves all three
        tab.press("n", "5", "Enter")
        tab.at(1, "without")
    first, second = store.answers("r1")
    view = first.display["query"]
    assert view["width"] == 355 and view["center"] == 107.5 and view["invert"] is True
    assert view["zoom"] == pytest.approx(1.25)
    (mark,) = first.answer["marks"]
    assert mark["x"] == pytest.approx(0.51) and mark["y"] == pytest.approx(0.505)
    assert mark["confidence"] == 4 and first.answer["detected"] == "yes"
    assert second.answer == {"detected": "no", "confidence": 5, "marks": []}
    assert set(second.display) == {"query", "reconstruction", "map"}
    assert second.display["map"] == second.display["query"] != view
    assert second.display["query"]["x"] > 0 and second.display["query"]["width"] == 355


def test_what_the_window_does_to_pixels(tmp_path, browser):
    toy_study(tmp_path / "s", PREFERENCE, 2)
    gray = np.full((64, 64), 100, np.uint8)
    for path in (tmp_path / "s" / "images").iterdir():
        cv2.imwrite(str(path), gray)
    middle = (
        "(() => { const c = document.querySelector('canvas'); return c.getContext('2d')"
        ".getImageData(c.width / 2, c.height / 2, 1, 1).data[0]; })()"
    )
    with served(tmp_path / "s") as (address, store):
        tab = begin(browser, address, store)
        tab.at(0)
        assert tab.js(middle) == 100
        tab.press("i")
        assert tab.js(middle) == 155
        tab.press("i", "[")  # width 255 / 1.1
        expected = ((100 - 127.5) / (255 / 1.1) + 0.5) * 255
        assert tab.js(middle) == pytest.approx(expected, abs=0.6)
        tab.press("0")
        assert tab.js(middle) == 100


def test_previous_next_and_a_changed_mind(tmp_path, browser):
    toy_study(tmp_path / "s", TURING, 4)
    with served(tmp_path / "s") as (address, store):
        tab = begin(browser, address, store)
        tab.at(0)
        tab.press("PageDown")
        tab.at(1)
        tab.press("r", "3", "Enter")
        tab.at(2)
        tab.press("End")
        tab.at(0)
        tab.press("PageDown")
        tab.at(1)
        assert tab.js("document.querySelector('[aria-pressed=true]').dataset.key") == "r"
        tab.press("s", "Enter")
        tab.at(2)
        # A second window of the same reader answers first; this one is told and shows what is.
        second = browser.page(address)
        second.until("document.body.dataset.shown === 'card'")
        second.press("Enter")
        second.at(0)
        tab.press("End")
        tab.at(0)
        second.press("r", "1", "Enter")
        second.at(2)
        tab.press("s", "5", "Enter")
        tab.until("document.querySelector('#message').textContent.includes('another window')")
        tab.until("document.querySelector('[aria-pressed=true]').dataset.key === 'r'")
        (kept,) = store.answers("r1", 0)
        assert kept.answer == {"label": "real", "confidence": 1}
        # Another reader opens her link in the same browser: no answer goes to her by mistake.
        begin(browser, address, store, "r2").at(0)
        tab.press("s", "5", "Enter")
        tab.until("document.querySelector('#login-message').textContent.startsWith('r2 reads')")
        assert store.answers("r2") == [] and len(store.answers("r1", 0)) == 1
        # The answer waits in the browser until she is back.
        tab.call("Page.navigate", url=f"{address}#token={store.new_token('r1')}")
        tab.until("document.body.dataset.shown === 'card'")
        assert [one.revision for one in store.answers("r1", 0)] == [0, 1]
    assert [one.answer["label"] for one in store.answers("r1", 1)] == ["real", "synthetic"]


def test_a_page_that_goes_while_it_is_asked(tmp_path, browser):
    """Chromium answers for it that its target navigated; what follows is asked again."""
    toy_study(tmp_path / "s")
    with served(tmp_path / "s") as (address, _):
        tab = browser.page(address)
        tab.until("document.body.dataset.shown")
        tab.until(
            "location.search === '?next' || (location.search = '?next', new Promise(() => {}))"
        )
        with pytest.raises(ProtocolError, match="navigated"):
            tab.js("(location.search = '', new Promise(() => {}))")


def test_a_wrong_token(tmp_path, browser):
    toy_study(tmp_path / "s")
    with served(tmp_path / "s") as (address, _):
        browser.page("about:blank").call("Network.clearBrowserCookies")
        tab = browser.page(f"{address}#token=wrong")
        tab.until("document.querySelector('#login-message').textContent === 'no such token'")
        assert (
            tab.js("location.hash") == "" and tab.js("document.querySelectorAll('img').length") == 0
        )

"""The page of a screening, as it is read on a phone."""

import cv2
import numpy as np
import pytest

from pgcxr.screening import pictures, worklist
from pgcxr.screening.results import FLAGGED, IMAGES, REFUSED, Record
from tests.evaluate.chromium import PROGRAM, Chromium

ABOUT = {
    **{"name": "tiny", "specificity": 0.9, "specificity_limit": 0.8, "healthy": 60},
    "threshold": 1.0,
}
REASONS = ("domain: farther from the model's normals than 99.5 % of these", "sex: M, not F")
# Gray values of the four pictures.
SHADES = (40, 100, 160, 220)


@pytest.fixture
def page(tmp_path):
    """worklist.html of one image that is flagged and one that is refused."""
    image = "0123456789abcdef"
    flagged = Record(image, FLAGGED, REASONS, ("no header",), 2.0, 0.01, True, 1.2, (0.5, 0.5))
    refused = Record("f" * 16, REFUSED, ("cropped: hardly like a chest",))
    shades = tuple(np.full((512, 512), shade, np.uint8) for shade in SHADES)
    folder = tmp_path / IMAGES / image
    folder.mkdir(parents=True)
    (folder / pictures.STRIP).write_bytes(pictures._strip(shades))
    worklist.write(tmp_path / "worklist.html", [flagged, refused], ABOUT, 200, 2)
    return tmp_path / "worklist.html"


def test_copies_are_said_where_files_are_counted(page):
    assert "Of 2 files (and 2 byte-identical copies) 1 were scored" in page.read_text()


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_everything_is_seen_without_scrolling_sideways(page, tmp_path, width):
    (tmp_path / "profile").mkdir()
    with Chromium(tmp_path / "profile") as browser:
        tab = browser.page("about:blank")
        size = {"width": width, "height": 3000, "deviceScaleFactor": 1, "mobile": width < 640}
        tab.call("Emulation.setDeviceMetricsOverride", **size)
        tab.call("Page.navigate", url=page.as_uri())
        tab.until("document.readyState === 'complete' && document.querySelector('.strip') !== null")
        wide = "[document.documentElement, ...document.querySelectorAll('.scroll')]"
        assert tab.js(f"{wide}.every(each => each.scrollWidth <= each.clientWidth)")
        assert tab.js("innerWidth") == width
        # Each reason is a few words a line, not one.
        assert tab.js("document.querySelector('td:last-child').clientWidth") > 150
        boxes = tab.js(
            "[...document.querySelectorAll('.strip i')].map(each => each.getBoundingClientRect())"
            ".map(box => [box.left, box.top, box.width, box.height])"
        )
        tab.screenshot(tmp_path / "seen.png")
    assert not tab.errors
    seen = cv2.imread(str(tmp_path / "seen.png"), cv2.IMREAD_GRAYSCALE)
    found = []
    for left, top, across, down in boxes:
        assert across / down == pytest.approx(np.divide(*pictures.HALF_OF_STRIP), rel=0.02)
        found += [
            seen[int(top + down / 2), int(left + across * at)] for at in (0.05, 0.45, 0.55, 0.95)
        ]
    assert found == pytest.approx(
        [SHADES[0]] * 2 + [SHADES[1]] * 2 + [SHADES[2]] * 2 + [SHADES[3]] * 2, abs=3
    )
    assert (boxes[0][1] == boxes[1][1]) == (width > 640)
    assert boxes[0][2] >= 340

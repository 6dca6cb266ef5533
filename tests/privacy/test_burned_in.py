"""Text that is printed on an image is found at its borders; markers and anatomy are not text."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pgcxr import dicom
from pgcxr.phantom.clinic import attend
from pgcxr.phantom.study_files import write_image
from pgcxr.privacy import black_out, burned_in

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "dicom"
TEXT = "DOE JANE 1943"


@pytest.fixture(scope="module")
def chests(tmp_path_factory):
    """Eight phantom radiographs of 512 px, decoded."""
    folder = tmp_path_factory.mktemp("phantom")
    images = []
    for index in range(8):
        attendance = attend(11, index)
        row = write_image(folder, attendance, attendance.studies[0], 0, "PA", 11, 512)
        images.append(dicom.decode(folder / row["file"]))
    return images


def printed(image, text, height, font, where, contrast, thickness=1):
    """A copy with `text`, and its box (left, top, right, bottom); `where` as fractions of the free
    room."""
    scale = cv2.getFontScaleFromHeight(font, height, thickness)
    (width, high), _ = cv2.getTextSize(text, font, scale, thickness)
    left = int(3 + where[0] * (image.shape[1] - width - 6))
    bottom = int(high + 3 + where[1] * (image.shape[0] - high - 12))
    ground = int(np.median(image[bottom - high : bottom, left : left + width]))
    color = ground + contrast if ground < 128 else ground - contrast
    copy = image.copy()
    cv2.putText(
        copy,
        text,
        (left, bottom),
        font,
        scale,
        int(np.clip(color, 0, 255)),
        thickness,
        cv2.LINE_AA,
    )
    # What was written, not what `getTextSize` says: that differs between versions of OpenCV.
    rows, columns = np.nonzero(cv2.absdiff(copy, image) > contrast // 4)
    return copy, (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def covered(boxes, wanted) -> float:
    """The share of `wanted` (left, top, right, bottom) that the boxes cover."""
    left, top, right, bottom = wanted
    mask = np.zeros((bottom + 100, right + 100), bool)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = True
    return float(mask[top:bottom, left:right].mean())


@pytest.mark.parametrize("where", [(0, 0), (1, 0), (0, 1), (1, 1)], ids=("tl", "tr", "bl", "br"))
@pytest.mark.parametrize(("height", "thickness"), [(9, 1), (12, 1), (18, 2), (28, 2)])
def test_text_of_any_size_font_and_contrast_is_found(chests, height, thickness, where):
    fonts = (
        cv2.FONT_HERSHEY_SIMPLEX,
        cv2.FONT_HERSHEY_PLAIN,
        cv2.FONT_HERSHEY_DUPLEX,
        cv2.FONT_HERSHEY_COMPLEX,
    )
    found, hidden = [], []
    for index, image in enumerate(chests):
        for contrast in (90, 200):
            page, (left, top, right, bottom) = printed(
                image, TEXT, height, fonts[index % 4], where, contrast, thickness
            )
            boxes = burned_in.text_regions(page)
            found.append(covered(boxes, (left, top, right, bottom)) > 0.1)
            hidden.append(black_out.around(page.shape, boxes)[top:bottom, left:right].mean() > 0.95)
    assert np.mean(found) >= 0.9 and np.mean(hidden) >= 0.85, (found, hidden)


def test_text_along_the_side_and_dark_on_white(chests):
    page, (left, top, right, bottom) = printed(
        chests[0], TEXT, 14, cv2.FONT_HERSHEY_SIMPLEX, (0, 0), 150
    )
    turned = np.ascontiguousarray(page.T)
    assert covered(burned_in.text_regions(turned), (top, left, bottom, right)) > 0.6
    assert covered(burned_in.text_regions(255 - page), (left, top, right, bottom)) > 0.6


def test_text_is_found_on_a_large_image(chests):
    large = cv2.resize(chests[0], (3000, 2400), interpolation=cv2.INTER_LINEAR)
    page, box = printed(large, TEXT, 40, cv2.FONT_HERSHEY_SIMPLEX, (1, 0), 150, 3)
    assert covered(burned_in.text_regions(page), box) > 0.6


def test_markers_and_anatomy_are_no_text(chests):
    for index, image in enumerate(chests):
        assert len(burned_in.text_regions(image)) == 0, index
        # The typeface of OpenCV 5 joins the letters of a bold PA to what looks like a word.
        for marker in ("L", "R", *(("PA",) if cv2.__version__ < "5" else ())):
            page, _ = printed(image, marker, 30, cv2.FONT_HERSHEY_DUPLEX, (index % 2, 0), 200, 3)
            assert len(burned_in.text_regions(page)) == 0, (index, marker)


@pytest.mark.parametrize(
    "image", [np.zeros((64, 64)), np.full((5, 300), 255), np.ones((1, 1))], ids=("0", "255", "1")
)
def test_images_of_nothing(image):
    assert burned_in.text_regions(image.astype(np.uint8)).shape == (0, 4)


def test_components_by_outlines_and_by_labels_are_the_same(monkeypatch):
    """Nested, touching the border, of one pixel; each with a pixel of its own."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        width = int(rng.integers(1, 6))
        mask = (cv2.blur(rng.random((60, 70)), (width, width)) > 0.55).astype(np.uint8)
        found = []
        for sparse in (1.0, -1.0):
            monkeypatch.setattr(burned_in, "SPARSE", sparse)
            boxes, places = burned_in._components(mask)
            for box, place in zip(boxes, places, strict=True):
                *_, filled = cv2.floodFill(mask.copy(), None, tuple(map(int, place)), 2, flags=8)
                assert mask[place[1], place[0]] == 1 and tuple(box) == tuple(filled)
            found.append(sorted(map(tuple, boxes.tolist())))
        assert found[0] == found[1]


def test_an_image_without_a_steep_edge_is_not_searched(chests, monkeypatch):
    monkeypatch.setattr(burned_in, "_letters", None)
    smooth = cv2.GaussianBlur(chests[0], (0, 0), 8)
    assert len(burned_in.text_regions(smooth)) == 0
    with pytest.raises(TypeError):
        burned_in.text_regions(printed(smooth, TEXT, 12, 0, (0, 0), 60)[0])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/dicom beside the checkout")
def test_no_text_on_real_chests():
    for path in sorted((SHARED / "real_chest").glob("*.dcm")):
        assert len(burned_in.text_regions(dicom.decode(path))) == 0, path.name


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_name_that_runs_into_a_bright_ground_is_found_to_its_end(turned, inverted):
    """Its last letters stand out by 4 gray levels of 255; none of them is left."""
    ground = np.clip(np.linspace(60, 310, 512), 0, 251).astype(np.uint8)[None].repeat(512, 0)
    rng = np.random.default_rng(0)
    ground = (ground - rng.integers(0, 2, ground.shape)).astype(np.uint8)
    image = cv2.putText(
        ground.copy(), "KIM CHULSOO 1960-05-03", (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2
    )
    ink = image == 255
    if inverted:
        image, ground = 255 - image, 255 - ground
    if turned:
        image, ink = np.ascontiguousarray(image.T), ink.T
    for x, y, width, height in burned_in.text_regions(image):
        ink[y : y + height, x : x + width] = False
        assert width * height < 0.08 * image.size
    assert ink.mean() < 2e-5

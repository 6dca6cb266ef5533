"""Shutters and pixels that are not square, pixel by pixel and by hand."""

import numpy as np
import pytest

from pgcxr import dicom
from pgcxr.dicom import display_area, normalization
from pgcxr.privacy.black_out import BlackOut, Region
from tests.dicom import encoders

NONE = normalization.parse("none")
FLAT = np.full((20, 30), 4095, np.uint16)
RECTANGLE = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": 7,
    "ShutterRightVerticalEdge": 28,
    "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 18,
}
CIRCLE = {
    "ShutterShape": "CIRCULAR",
    "CenterOfCircularShutter": [10, 15],
    "RadiusOfCircularShutter": 6,
}
POLYGON = {
    "ShutterShape": "POLYGONAL",
    "VerticesOfThePolygonalShutter": [2, 5, 2, 25, 19, 25, 19, 5],
}


def shown(tmp_path, pixels=FLAT, **tags) -> np.ndarray:
    path = encoders.write(tmp_path / "a", pixels, 12, "explicit", **tags)
    return dicom.decode(path, normalize=tags.pop("normalize", NONE))


def places(shape=FLAT.shape) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, from 1."""
    row, column = np.indices(shape)
    return row + 1, column + 1


@pytest.fixture
def lit(tmp_path):
    """lit(**tags): the pixels that are shown of an image with one dark one in its middle."""
    pixels = FLAT.copy()
    pixels[9, 14] = 0

    def go(**tags):
        found = shown(tmp_path, pixels, **tags)
        found[9, 14] = 255
        return found == 255

    return go


def test_a_rectangle_shows_its_edges(lit):
    row, column = places()
    inside = (row >= 3) & (row <= 18) & (column >= 7) & (column <= 28)
    np.testing.assert_array_equal(lit(**RECTANGLE), inside)


@pytest.mark.parametrize(("spacing", "ratio"), [(None, 1), ([0.2, 0.2], 1), ([0.2002, 0.2], 1)])
def test_a_circle_has_its_radius_along_a_row(lit, spacing, ratio):
    row, column = places()
    inside = (ratio * (row - 10)) ** 2 + (column - 15) ** 2 <= 36
    np.testing.assert_array_equal(lit(**CIRCLE, PixelSpacing=spacing or [1, 1]), inside)


def test_a_circle_of_pixels_that_are_not_square_is_round_on_the_screen(tmp_path):
    pixels = FLAT - places()[0].astype(np.uint16)
    tags = CIRCLE | {"RadiusOfCircularShutter": 12, "PixelAspectRatio": [2, 1]}
    found = shown(tmp_path, pixels, **tags) > 127
    high, wide = found.any(axis=1).sum(), found.any(axis=0).sum()
    assert found.shape == (40, 30) and abs(high - 25) <= 2 and abs(wide - 25) <= 2


def test_a_polygon(lit):
    row, column = places()
    inside = (row >= 2) & (row <= 19) & (column >= 5) & (column <= 25)
    np.testing.assert_array_equal(lit(**POLYGON), inside)
    triangle = lit(ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[1, 1, 1, 30, 20, 1])
    assert triangle[0, 0] and not triangle[12, 18] and 280 < triangle.sum() < 340


def test_what_several_shutters_show_lies_inside_of_all(lit):
    both = lit(**{**RECTANGLE, **CIRCLE, "ShutterShape": ["RECTANGULAR", "CIRCULAR"]})
    np.testing.assert_array_equal(both, lit(**RECTANGLE) & lit(**CIRCLE))


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"ShutterShape": "RECTANGULAR"},
        {"ShutterShape": "BITMAP"},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [10, 15]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 2, 2]},
        {k: v for k, v in RECTANGLE.items() if k != "ShutterShape"},
    ],
)
def test_no_shutter_or_a_broken_one_hides_nothing(lit, tags):
    assert lit(**tags).all()


def test_a_shutter_that_shows_nothing_is_said(tmp_path):
    with pytest.raises(dicom.Rejected, match="outside of the display shutter") as refusal:
        shown(tmp_path, **RECTANGLE | {"ShutterLeftVerticalEdge": 29})
    assert refusal.value.rule == "blank"


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_hidden_is_black_and_not_counted(tmp_path, chest, kind):
    """The percentile is that of the rest; so it is beside regions that are made black."""
    pixels = chest(1, 60)
    framed = pixels.copy()
    framed[:, :9] = 4095 if kind == "MONOCHROME2" else 0
    tags = {"PhotometricInterpretation": kind, "ShutterShape": "RECTANGULAR"}
    path = encoders.write(
        tmp_path / "a", framed, 12, "explicit", **tags, ShutterLeftVerticalEdge=10
    )
    alone = encoders.write(
        tmp_path / "b", np.ascontiguousarray(pixels[:, 9:]), 12, "explicit", **tags
    )
    image = dicom.decode(path)
    assert not image[:, :9].any()
    np.testing.assert_array_equal(image[:, 9:], dicom.decode(alone))
    black = dicom.decode(path, black_out=BlackOut((Region(0, 0, 1, 0.2),)))
    assert not black[:, :9].any() and not black[: image.shape[0] // 5].any() and black.any()


@pytest.mark.parametrize(
    ("tags", "shape"),
    [
        ({"PixelAspectRatio": [2, 1]}, (40, 30)),
        ({"PixelAspectRatio": [1, 2]}, (20, 60)),
        ({"ImagerPixelSpacing": [0.4, 0.2]}, (40, 30)),
        ({"PixelSpacing": [0.2, 0.3]}, (20, 45)),
        ({"NominalScannedPixelSpacing": [0.3, 0.2]}, (30, 30)),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [2, 1]}, (20, 30)),
        ({"PixelSpacing": [0.1949, 0.1947]}, (20, 30)),
        ({"PixelSpacing": [0, 0.2]}, (20, 30)),
        ({"PixelSpacing": [0, 0], "PixelAspectRatio": [2, 1]}, (40, 30)),
        ({"PixelSpacing": [0.2]}, (20, 30)),
        ({}, (20, 30)),
    ],
)
def test_pixels_become_square(tmp_path, chest, tags, shape):
    pixels = np.ascontiguousarray(chest(1, 30)[:20, :30])
    image = shown(tmp_path, pixels, **tags)
    assert image.shape == shape
    as_stored = shown(tmp_path, pixels).astype(float)
    assert abs(image.mean() - as_stored.mean()) < 3


def test_what_cannot_be_is_refused(tmp_path, monkeypatch):
    with pytest.raises(dicom.Rejected, match="four times"):
        shown(tmp_path, FLAT - places()[0].astype(np.uint16), PixelSpacing=[0.2, 0.02])
    monkeypatch.setattr(display_area, "MAX_PIXELS", FLAT.size)
    with pytest.raises(dicom.Rejected, match="8192") as refusal:
        shown(tmp_path, FLAT - places()[0].astype(np.uint16), PixelAspectRatio=[2, 1])
    assert refusal.value.rule == "too_large"

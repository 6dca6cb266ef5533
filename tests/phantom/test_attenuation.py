"""The physics, against hand-made cases."""

import numpy as np
import pytest

from pgcxr.phantom import imaging
from pgcxr.phantom.canvas import Canvas, smooth, strip
from pgcxr.phantom.outline import LEFT
from pgcxr.phantom.patient import sample_exposure, sample_patient
from pgcxr.phantom.places import ball
from pgcxr.phantom.scene import BONE, WATER, Scene


def slab(lung: float, blood: float = 0.0, bone: float = 0.0, gas: float = 0.0) -> float:
    """The line integral through 20 cm of body that hold these thicknesses, cm; lung of density
    0.25."""
    one = np.ones((4, 4), np.float32)
    scene = Scene(
        canvas=Canvas(4, 4.0),
        view="PA",
        sides=(LEFT,),
        body=20 * one,
        lung=lung * one,
        density=0.25 * one,
        blood=blood * one,
        bone=bone * one,
        gas=gas * one,
        soft=0 * one,
        metal=0 * one,
        cover={},
        outlines={},
    )
    return float(scene.attenuation()[0, 0])


def test_line_integrals_of_slabs():
    assert slab(0) == pytest.approx(WATER * 20, rel=1e-5)
    assert slab(10) == pytest.approx(WATER * (20 - 7.5), rel=1e-5)
    assert slab(10, blood=2) == pytest.approx(WATER * (20 - 7.5 + 1.5), rel=1e-5)
    assert slab(10, blood=30) == pytest.approx(
        WATER * 20, rel=1e-5
    )  # no more blood than there is lung
    assert slab(0, bone=1) == pytest.approx(WATER * 20 + BONE, rel=1e-5)
    assert slab(0, gas=3) == pytest.approx(WATER * 17, rel=1e-5)


def test_a_ball_has_the_volume_of_a_ball():
    canvas = Canvas(256, 8.0, (1.0, 2.0), tilt=9.0)
    scene = Scene(canvas, "PA", (LEFT,), *[np.zeros((256, 256), np.float32)] * 8, {}, {})
    depth = ball(scene, (1.3, 1.6), 1.5)
    assert depth.max() == pytest.approx(3.0, abs=0.01)
    assert depth.sum() / canvas.density**2 == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.005)


def test_drawn_areas_are_those_of_the_shapes():
    canvas = Canvas(256, 20.0, (3.0, -2.0), tilt=-6.0)
    rim = 1 / canvas.density  # cv2 adds half a pixel on either side

    def area(polygon):
        return canvas.cover(canvas.fill(polygon)).sum() * rim**2

    assert area(np.array([(1.0, -4.0), (6.0, -4.0), (6.0, 1.0), (1.0, 1.0)])) == pytest.approx(
        (5 + rim) ** 2, rel=0.02
    )
    line = np.stack([np.linspace(-1, 7, 9), np.zeros(9)], 1)
    assert area(strip(line, 0.8)) == pytest.approx((8 + rim) * (0.8 + rim), rel=0.03)
    circle = smooth(
        [
            (3 + 4 * np.cos(t), -2 + 4 * np.sin(t))
            for t in np.linspace(0, 2 * np.pi, 12, endpoint=False)
        ]
    )
    assert area(circle) == pytest.approx(np.pi * (4 + rim / 2) ** 2, rel=0.01)


def test_maps_from_functions_lie_where_the_grid_says():
    canvas = Canvas(128, 40.0, (1.0, 15.0), tilt=7.0)
    x, y = canvas.grid()
    inner = (slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(canvas.rows(lambda x, y: x + 0 * y)[inner], x[inner], atol=0.03)
    np.testing.assert_allclose(canvas.rows(lambda x, y: y + 0 * x)[inner], y[inner], atol=0.03)
    pixels = canvas.pixels(np.stack([x[40, 90], y[40, 90]]))
    np.testing.assert_allclose(pixels, (90, 40), atol=1e-3)


def test_noise_follows_the_quanta():
    canvas = Canvas(256, 40.0)
    exposure = sample_exposure(
        np.random.default_rng(0), sample_patient(np.random.default_rng(0)), "PA"
    )
    flat = np.full((256, 256), 3.0, np.float32)
    signal = imaging.detect(canvas, flat, exposure, np.random.default_rng(1))
    middle = signal[32:-32, 32:-32]
    detected = np.exp(-middle.mean())
    quanta = imaging.QUANTA * exposure.dose * (10 / canvas.density) ** 2 * detected
    assert middle.std() == pytest.approx(
        1 / np.sqrt(quanta) + imaging.ELECTRONIC / detected, rel=0.05
    )
    assert middle.mean() < 3.0  # scatter adds signal


def test_presentation_goes_through_its_two_anchors():
    canvas = Canvas(64, 40.0)
    exposure = sample_exposure(
        np.random.default_rng(2), sample_patient(np.random.default_rng(2)), "PA"
    )
    for level, gray in ((1.9, exposure.lung_gray), (3.5, exposure.body_gray)):
        shown = imaging.present(canvas, np.full((64, 64), level, np.float32), 1.9, 3.5, exposure)
        assert shown.mean() == pytest.approx(gray, abs=1e-3)

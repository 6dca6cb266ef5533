"""Gradients of aligned images, against SciPy, known maps and a plain decomposition."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from pgcxr.anomaly import gradients
from pgcxr.anomaly.gradients import Gradients, aligned, energies
from tests.screening.conftest import picture


def chests(count: int, first: int = 0) -> np.ndarray:
    """Float32 [count, 64, 64] in [-1, 1]."""
    pictures = [cv2.resize(picture(first + seed), (64, 64)) for seed in range(count)]
    return np.stack(pictures).astype(np.float32) / 127.5 - 1


def test_energies_are_those_of_scipy():
    image = np.random.default_rng(0).uniform(-1, 1, (64, 64)).astype(np.float32)
    found = energies(image[None]).reshape(6, 6, 5)
    smooth = ndimage.gaussian_filter(image, 0.7, mode="mirror", truncate=4)
    right, down = (ndimage.sobel(smooth, axis, mode="mirror") for axis in (1, 0))
    diagonal = np.array([1, -1]) / np.sqrt(2)
    parts = [image - smooth, right, down, *(diagonal[0] * right + d * down for d in diagonal)]
    for kind, part in enumerate(parts):
        within = ndimage.gaussian_filter(part**2, 3, mode="mirror", truncate=4)
        for row, column in [(0, 0), (2, 5), (5, 1)]:
            expected = np.log(within[12 + 8 * row, 12 + 8 * column] + 1e-4)
            assert found[row, column, kind] == pytest.approx(expected, abs=1e-3)


def test_a_moved_chest_is_moved_back():
    (image,) = chests(1)
    for angle, scale, across, down in [(5, 1.06, 3, -2), (-4, 0.95, -2, 4), (0, 1, 0.5, 0)]:
        turn = cv2.getRotationMatrix2D((32, 32), angle, scale)
        turn[:, 2] += across, down
        moved = cv2.warpAffine(image, turn, (64, 64), borderMode=cv2.BORDER_REPLICATE)
        (found,) = aligned(moved[None], image)
        inner = np.s_[10:54, 10:54]
        before, after = (np.sqrt(np.mean((x - image)[inner] ** 2)) for x in (moved, found))
        assert after < 0.7 * before and after < 0.09  # the grain is blurred twice


def test_a_map_is_the_same_at_another_resolution():
    # Twice as large from the corner: x' + 1/2 = 2 (x + 1/2), whatever a pixel is.
    corner = np.array([[2, 0, 0.5], [0, 2, 0.5]])
    np.testing.assert_allclose(gradients._at(corner, 2.0), corner)
    np.testing.assert_allclose(gradients._at(corner, 0.5), corner)
    aside = np.array([[1, 0, 3.0], [0, 1, -1.0]])
    np.testing.assert_allclose(gradients._at(aside, 2.0)[:, 2], [6, -2])


def test_a_score_is_what_the_components_leave():
    normals, other = chests(60), chests(6, first=500)
    known = Gradients.learned(normals, seed=0)
    found = energies(aligned(normals, known.template))
    units = found.std(axis=0)
    mean = (found / units).mean(axis=0)
    directions = np.linalg.svd(found / units - mean, full_matrices=False)[2][:15]
    rest = energies(aligned(other, known.template)) / units - mean
    expected = (rest**2).sum(axis=1) - ((rest @ directions.T) ** 2).sum(axis=1)
    np.testing.assert_allclose(known.ask(other), expected, rtol=0.02)
    # A texture that no normal has, in one lung, and what is no chest.
    grain = np.zeros((64, 64), np.float32)
    grain[20:40, 12:26] = np.random.default_rng(1).normal(0, 0.2, (20, 14))
    assert (known.ask(other + grain) > 1.2 * known.ask(other)).all()
    nothing = known.ask(np.full((1, 64, 64), -1, np.float32))
    assert nothing[0] > 2 * known.ask(other).max()


def test_large_images_are_read_at_64_px_and_small_ones_as_they_are():
    normals = chests(30)
    known = Gradients.learned(normals, seed=0)
    large = np.repeat(np.repeat(normals[:3], 2, axis=1), 2, axis=2)
    np.testing.assert_allclose(known.ask(large), known.ask(normals[:3]), rtol=1e-4)
    small = np.stack([cv2.resize(image, (16, 16)) for image in normals])
    assert Gradients.learned(small, seed=0).ask(small[:2]).shape == (2,)

"""Radiomic features and their Fréchet distance: pixel by pixel, by hand, and by scikit-image where
it is installed."""

import cv2
import numpy as np
import pytest

from pgcxr.metrics import radiomics as fast
from pgcxr.metrics.frd import frd
from pgcxr.metrics.radiomics import NAMES, radiomics
from tests.reference import radiomics_slow as slow
from tests.reference.set_distances_slow import fid
from tests.toy_cohort import spots


def pictures():
    """Noise, smooth shapes, few levels, one value, and an odd frame: uint8 [H, W] each."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:24, :24]
    rings = (np.hypot(x - 12, y - 11) // 3 % 2 * 200 + 20).astype(np.uint8)
    return {
        "noise": rng.integers(0, 256, (16, 16), dtype=np.uint8),
        "smooth": np.clip(60 + 5 * x + 3 * y + rng.normal(0, 4, x.shape), 0, 255).astype(np.uint8),
        "rings": rings,
        "black": np.zeros((16, 16), np.uint8),
        "white": np.full((16, 20), 255, np.uint8),
        "wide": rng.integers(90, 140, (17, 29), dtype=np.uint8),
    }


@pytest.mark.parametrize("name", list(pictures()))
def test_every_feature_pixel_by_pixel(name):
    image = pictures()[name]
    found = radiomics(image[None, ..., None])[0]
    assert dict(zip(NAMES, found, strict=True)) == pytest.approx(
        slow.radiomics(image), rel=1e-5, abs=1e-6
    )


def test_batches_give_what_single_images_give(monkeypatch):
    images, _ = spots(7, 16, seed=2)
    whole = radiomics(images)
    monkeypatch.setattr(fast, "PIXELS", 3 * 16 * 16)
    assert radiomics(images) == pytest.approx(whole, abs=1e-9) and np.isfinite(whole).all()
    assert whole.shape == (7, len(NAMES)) and len(set(NAMES)) == len(NAMES) == 46
    assert radiomics(images[:0]).shape == (0, 46)


def test_pairs_by_hand():
    """Haralick's own example of 4 x 4 pixels with levels 0 to 3, in one direction; here all four
    directions are in one matrix, so its parts are added."""
    levels = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]], np.uint8)
    along = np.array([[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]])
    across = np.array([[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]])
    falling = np.array([[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]])  # his 135
    rising = np.array([[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]])  # his 45
    matrix = (along + across + falling + rising) / 84
    assert slow.glcm(levels, 1)[:4, :4] == pytest.approx(matrix)
    contrast = sum(matrix[i, j] * (i - j) ** 2 for i in range(4) for j in range(4))
    found = fast.pairs(levels[None], 1)[0]
    assert found[0] == pytest.approx(np.log(1 + contrast))
    assert found[2] == pytest.approx(np.log((matrix**2).sum()))


def test_pairs_by_scikit_image():
    feature = pytest.importorskip("skimage.feature")
    for image in pictures().values():
        levels = image // 8
        for distance in fast.DISTANCES:
            angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
            matrix = feature.graycomatrix(levels, [1], angles, 32, symmetric=True)
            if distance > 1:  # its diagonals are distance / sqrt(2) long
                matrix = np.concatenate(
                    [
                        feature.graycomatrix(levels, [apart], [angle], 32, symmetric=True)
                        for apart, angle in zip(
                            (distance, distance * 2**0.5, distance, distance * 2**0.5),
                            angles,
                            strict=True,
                        )
                    ],
                    axis=3,
                )
            whole = matrix.sum(axis=3, keepdims=True) / matrix.sum()
            names = ("contrast", "homogeneity", "ASM", "correlation")
            theirs = [feature.graycoprops(whole, name)[0, 0] for name in names]
            ours = fast.pairs(levels[None], distance)[0]
            expected = [np.log1p(theirs[0]), theirs[1], np.log(theirs[2])]
            assert ours[:3] == pytest.approx(expected, abs=1e-9)
            assert ours[4] == pytest.approx(theirs[3], abs=1e-9)


def test_what_is_no_gray_image_is_refused():
    for wrong in (
        np.zeros((2, 16, 16, 1), np.float32),
        np.zeros((2, 16, 16), np.uint8),
        np.zeros((2, 16, 16, 3), np.uint8),
        np.zeros((2, 16, 8, 1), np.uint8),
    ):
        with pytest.raises(ValueError, match="images must"):
            radiomics(wrong)


def test_frd_is_the_logarithm_of_the_distance_in_units_of_the_real_set():
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(5, 5))
    real, fake = rng.normal(size=(80, 5)) @ mix, rng.normal(0.3, 1.5, (60, 5)) @ mix
    unit = [(each - real.mean(axis=0)) / real.std(axis=0) for each in (real, fake)]
    found = frd(real, fake)
    assert found["frd"] == pytest.approx(np.log(fid(*unit)), rel=1e-6)
    assert found["shift"] == pytest.approx(unit[1].mean(axis=0))
    assert found["spread"] == pytest.approx(unit[1].std(axis=0))
    # A unit of its own for each feature, and what does not vary has none.
    scaled = [np.column_stack([each * [1, 1e3, 1e-4, 7, 1] + 50, np.full(len(each), 0.1)])
              for each in (real, fake)]  # fmt: skip
    again = frd(*scaled)
    assert again["frd"] == pytest.approx(found["frd"], rel=1e-5) and again["left_out"] == [5]
    assert again["features"] == found["features"] == 5 and np.isnan(again["shift"][5])
    assert frd(real, real)["frd"] < -20 and frd(real[:5], fake)["enough"] is False
    assert np.isnan(frd(np.ones((9, 2)), real[:, :2])["frd"])
    # Sums of equal float32 numbers are rounded.
    equal = np.column_stack([real, np.full(len(real), 7.123)]).astype(np.float32)
    assert frd(equal, equal)["left_out"] == [5]


def test_frd_sees_what_changes_the_pixels_and_not_who_is_on_them():
    """Blur, noise and contrast of a set are each farther away than another set of the same kind,
    and the stronger the farther."""
    real, other = (spots(120, 32, seed)[0] for seed in (4, 5))
    rng = np.random.default_rng(6)

    def changed(kind, by):
        if kind == "blur":
            return np.stack([cv2.GaussianBlur(image, (0, 0), by)[..., None] for image in other])
        noise = rng.normal(0, by, other.shape) if kind == "noise" else 0
        gain = 1 - by if kind == "contrast" else 1
        mean = other.mean(axis=(1, 2, 3), keepdims=True)
        return np.clip(np.rint((other - mean) * gain + mean + noise), 0, 255).astype(np.uint8)

    vectors = radiomics(real)
    floor = frd(vectors, radiomics(other))["frd"]
    for kind, steps in (("blur", (0.4, 0.6)), ("noise", (3, 6)), ("contrast", (0.1, 0.2))):
        little, much = (frd(vectors, radiomics(changed(kind, by)))["frd"] for by in steps)
        assert floor + 1 < little < much, kind

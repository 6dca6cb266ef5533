"""Multi-scale structural similarity against the original program's numbers and a slow twin."""

from pathlib import Path

import numpy as np
import pytest

from pgcxr.metrics.ms_ssim import diversity, ms_ssim
from tests.reference import ms_ssim_slow

GOLDEN = Path(__file__).parents[1] / "goldens" / "image_metrics.npz"


def textures(seed, n, size, channels=1):
    """Smooth random fields: noise alone has no structure at the coarse scales."""
    noise = np.random.default_rng(seed).normal(size=(n, size, size, channels))
    spectrum = (
        np.fft.fft2(noise, axes=(1, 2))
        / (0.02 + np.hypot(*np.meshgrid(*[np.fft.fftfreq(size)] * 2)))[..., None]
    )
    field = np.fft.ifft2(spectrum, axes=(1, 2)).real
    return np.clip(127 + 50 * field / field.std(), 0, 255).astype(np.uint8)


def test_a_pair_of_the_original_program():
    with np.load(GOLDEN) as file:
        found = ms_ssim(file["pair_a"], file["pair_b"])
        expected = file["pair_msssim_each"]
    # The original adds up in float32.
    assert found["each"] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (32, 3), (64, 1), (176, 1)])
def test_as_the_slow_twin(size, channels):
    a = textures(1, 3, size, channels)
    b = np.clip(a + np.random.default_rng(2).normal(0, 12, a.shape), 0, 255).astype(np.uint8)
    found = ms_ssim(a, b)
    assert found["each"] == pytest.approx(
        [ms_ssim_slow.ms_ssim(x, y) for x, y in zip(a, b, strict=True)], abs=1e-9
    )
    assert found["mean"] == pytest.approx(np.mean(found["each"])) and found["pairs"] == 3
    assert 0.2 < found["mean"] < 0.999


@pytest.mark.shared
@pytest.mark.parametrize("name", ["rgb_reals", "gray_fakes", "gray128_fakes"])
def test_whole_runs_of_the_original_program(shared, name):
    with np.load(shared / "reference" / "metrics.npz") as file:
        images = file[name].transpose(0, 2, 3, 1)
        expected = float(file[name.replace("_", "_msssim_")])
    assert diversity(images)["mean"] == pytest.approx(expected, abs=1e-6)


def test_the_same_image_has_1_and_repeats_are_less_diverse():
    images = textures(3, 8, 32)
    assert ms_ssim(images, images)["mean"] == pytest.approx(1.0)
    assert diversity(np.repeat(images, 2, axis=0))["mean"] == pytest.approx(1.0)
    assert diversity(images)["mean"] < 0.7
    assert diversity(images[:7])["pairs"] == 3


def test_what_is_no_pair_is_refused():
    images = textures(4, 2, 32)
    for bad in (
        images[:1],
        images[:, :16],
        images.astype(float),
        images[..., 0],
        images[:0],
        images[:, :8, :8],
    ):
        with pytest.raises(ValueError):
            ms_ssim(images, bad)

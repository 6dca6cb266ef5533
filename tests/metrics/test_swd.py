"""The sliced Wasserstein distance against the original program's numbers and a slow twin."""

from pathlib import Path

import numpy as np
import pytest

from pgcxr.metrics import swd
from tests.reference import swd_slow

GOLDEN = Path(__file__).parents[1] / "goldens" / "image_metrics.npz"


@pytest.fixture(scope="module")
def golden():
    """Inputs and results of NVIDIA's program: images NCHW."""
    with np.load(GOLDEN) as file:
        return dict(file)


def images(seed, n, size, channels=1, low=0, high=256):
    return (
        np.random.default_rng(seed).integers(low, high, (n, size, size, channels)).astype(np.uint8)
    )


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_pyramid_is_the_original_one(golden, level):
    image = golden["pyr_input"][0].transpose(1, 2, 0).astype(np.float32)
    found = swd.laplacian(image, level).transpose(2, 0, 1)
    assert found == pytest.approx(golden[f"pyr_level{level}"][0], abs=1e-4)
    # A gray image goes through OpenCV without its last axis.
    assert swd.laplacian(image[..., 0], level) == pytest.approx(found[0], abs=1e-4)


def test_descriptors_and_their_normalization_are_the_original_ones(golden):
    whole = golden["pyr_input"].transpose(0, 2, 3, 1).astype(np.float32)
    positions = swd.draw_positions(np.random.RandomState(77), 2, [64], per_image=4)[0]
    found = np.concatenate([swd.neighborhoods(whole[i], *positions[:, i]) for i in range(2)])
    assert np.array_equal(found, golden["desc_seed77"].reshape(8, 3, 49))
    assert swd.normalized(found).reshape(8, 147) == pytest.approx(
        golden["desc_finalized"], abs=1e-6
    )


def test_the_distance_of_two_clouds_is_the_original_one(golden):
    random = np.random.RandomState(79)
    a, b = golden["sw_A"].reshape(50, 3, 49), golden["sw_B"].reshape(50, 3, 49)
    found = np.mean([swd.distance(a, b, swd.draw_directions(random)) for _ in range(swd.REPEATS)])
    assert found == pytest.approx(float(golden["sw_seed79"]), rel=1e-6)


@pytest.mark.parametrize(("channels", "n"), [(1, 40), (3, 5)])
def test_as_the_slow_twin(channels, n):
    """40 images are more than one minibatch, which the order of drawing depends on."""
    reals, fakes = images(1, n, 32, channels), images(2, n, 32, channels, low=60, high=180)
    found = swd.sliced_wasserstein(reals, fakes, seed=11)
    assert list(found) == ["32", "16", "mean"]
    expected = swd_slow.sliced_wasserstein(reals, fakes, 11)
    assert [found["32"], found["16"]] == pytest.approx(expected, rel=2e-4)
    assert found["mean"] == pytest.approx(np.mean(expected), rel=2e-4)
    # The cheap one of each tick of a training.
    cheap = swd.sliced_wasserstein(reals, fakes, seed=11, per_image=20, repeats=1)
    expected = swd_slow.sliced_wasserstein(reals, fakes, 11, per_image=20, repeats=1)
    assert [cheap["32"], cheap["16"]] == pytest.approx(expected, rel=2e-4)


@pytest.mark.shared
@pytest.mark.parametrize("images_of", ["rgb", "gray", "gray128"])
def test_whole_runs_of_the_original_program(shared, images_of):
    with np.load(shared / "reference" / "metrics.npz") as file:
        reals, fakes = (
            file[f"{images_of}_{name}"].transpose(0, 2, 3, 1) for name in ("reals", "fakes")
        )
        expected = file[f"{images_of}_swd_fakes"]
    found = swd.sliced_wasserstein(reals, fakes, seed=1234)
    assert list(found.values()) == pytest.approx(expected, rel=1e-5)


def test_smaller_within_one_distribution_and_zero_for_flat_images():
    reals = images(3, 64, 16)
    same = swd.sliced_wasserstein(reals, images(4, 64, 16), seed=0)["mean"]
    smooth = np.repeat(np.repeat(images(5, 64, 8), 2, axis=1), 2, axis=2)
    assert same < 0.5 * swd.sliced_wasserstein(reals, smooth, seed=0)["mean"]
    flat = np.full((4, 16, 16, 1), 9, np.uint8)
    assert swd.sliced_wasserstein(flat, flat, seed=0) == {"16": 0.0, "mean": 0.0}


def test_a_seed_gives_the_same_numbers_again_and_another_seed_others():
    a, b = images(6, 8, 32), images(7, 8, 32)
    first = swd.sliced_wasserstein(a, b, seed=1)
    assert swd.sliced_wasserstein(a, b, seed=np.random.RandomState(1)) == first
    assert swd.sliced_wasserstein(a, b, seed=2)["mean"] != first["mean"]


@pytest.mark.parametrize(
    ("reals", "fakes", "message"),
    [
        (images(0, 4, 32), images(0, 5, 32), "equally many"),
        (images(0, 4, 32), images(0, 4, 16), "one size"),
        (images(0, 4, 8), images(0, 4, 8), "at least 16"),
        (images(0, 4, 24), images(0, 4, 24), "power of two"),
        (images(0, 4, 32).astype(np.float32), images(0, 4, 32), "uint8"),
        (images(0, 4, 32)[..., 0], images(0, 4, 32), "uint8"),
    ],
)
def test_what_cannot_be_compared_is_refused(reals, fakes, message):
    with pytest.raises(ValueError, match=message):
        swd.sliced_wasserstein(reals, fakes)

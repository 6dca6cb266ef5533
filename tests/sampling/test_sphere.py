"""Great circles between latents, and the pull toward a center."""

import numpy as np
import pytest

from pgcxr.errors import ArgumentError, InputError
from pgcxr.networks import Generator
from pgcxr.sampling import generation, sphere


def test_a_quarter_circle_by_hand():
    a, b = np.array([2.0, 0, 0, 0]), np.array([0, 2.0, 0, 0])
    for share in (0, 1 / 3, 0.5, 1):
        angle = share * np.pi / 2
        np.testing.assert_allclose(
            sphere.slerp(a, b, share), [2 * np.cos(angle), 2 * np.sin(angle), 0, 0], atol=1e-15
        )
    np.testing.assert_array_equal(sphere.slerp(a, a, 0.3), a)
    # The cosine of this angle is 1 in float64.
    near = np.array([2 * np.cos(1e-9), 2 * np.sin(1e-9), 0, 0])
    np.testing.assert_allclose(sphere.slerp(a, near, 0.5)[1], 1e-9, rtol=1e-6)


def test_a_path_stays_on_the_sphere_whatever_the_lengths_of_its_keys():
    keys = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32) * np.array(
        [[1], [3], [0.1], [9]], np.float32
    )
    frames = sphere.path(keys, 5)
    assert frames.dtype == np.float32 and frames.shape == (16, 50)
    np.testing.assert_array_equal(frames[::5], keys)
    between = np.delete(frames, np.s_[::5], axis=0).astype(float)
    np.testing.assert_allclose(np.linalg.norm(between, axis=1), np.sqrt(50), rtol=1e-6)
    np.testing.assert_array_equal(sphere.path(keys, 1), keys)


def test_there_is_no_path_to_the_opposite():
    z = np.random.default_rng(1).normal(size=(1, 8))
    with pytest.raises(InputError, match="opposite"):
        sphere.path(np.concatenate([z, -3 * z]), 4)
    with pytest.raises(InputError, match="opposite"):
        sphere.toward(z[0], -z, 0.5)


def test_each_row_is_pulled_by_itself():
    random = np.random.default_rng(2)
    z, center = random.normal(size=(300, 512)).astype(np.float32), random.normal(size=512)
    pulled = sphere.toward(center, z, 0.4)
    for row in (0, 7, 299):
        np.testing.assert_array_equal(sphere.toward(center, z[row : row + 1], 0.4)[0], pulled[row])
    cosine = (sphere.on_sphere(pulled) @ sphere.on_sphere(center[None])[0]) / 512
    before = (sphere.on_sphere(z) @ sphere.on_sphere(center[None])[0]) / 512
    np.testing.assert_allclose(np.arccos(cosine), 0.4 * np.arccos(before), atol=1e-6)
    np.testing.assert_array_equal(sphere.toward(center, z, 1), z)


def test_the_most_typical_has_the_least_distances():
    points = np.random.default_rng(3).normal(size=(40, 5))
    sums = [np.square(points - point).sum() for point in points]
    assert sphere.medoid(points) == int(np.argmin(sums))


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"n": -2}, {"size": 1.5}, {"seed": None}])
def test_latents_of_nonsense(wrong):
    with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}: must be a whole number, 0 or"):
        generation.latents(**({"seed": 1, "n": 2, "size": 4} | wrong))
    assert generation.latents(np.int64(2**40), np.int32(0), 4).shape == (0, 4)


@pytest.mark.parametrize("shape", [(4,), (2, 5), (2, 4, 1), ()])
def test_latents_of_another_generator(shape):
    generator = Generator(resolution=8, fmap_max=4)
    with pytest.raises(ArgumentError, match=r"z: must be latents \[N, 4\] of this generator"):
        generation.generate(generator, np.zeros(shape, np.float32))

"""The geometry of walks on the sphere, and the file of axes."""

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.latent.axes import normalize, unit

SIZE = 16


@pytest.fixture
def u():
    return normalize(np.random.default_rng(1).normal(size=(6, SIZE)))


@pytest.fixture
def axes():
    return unit(np.random.default_rng(2).normal(size=(3, SIZE)))


def test_every_step_keeps_the_length_and_the_first_is_the_start(u, axes):
    path = walks.walk(u, axes[0], np.linspace(0, 3.0, 7))
    assert path.shape == (7, 6, SIZE)
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), np.sqrt(SIZE))
    np.testing.assert_allclose(path[0], u, atol=1e-12)


def test_the_angle_from_the_start_is_the_one_asked_for(u, axes):
    for angle in (0.1, 0.7, 1.5):
        moved = walks.move(u, axes[0], angle)
        np.testing.assert_allclose(np.arccos(np.sum(moved * u, axis=1) / SIZE), angle, atol=1e-7)


def test_the_walk_is_the_formula_of_the_design(u, axes):
    n = axes[0] - (u @ axes[0])[:, None] * u / SIZE
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    expected = np.sqrt(SIZE) * (u / np.sqrt(SIZE) * np.cos(0.4) + n * np.sin(0.4))
    np.testing.assert_allclose(walks.move(u, axes[0], 0.4), expected, atol=1e-12)


def test_the_projection_rises_along_the_axis_and_falls_against_it(u, axes):
    forth = walks.walk(u, axes[0], np.linspace(0, 0.5, 6)) @ axes[0]
    assert np.all(np.diff(forth, axis=0) > 0)
    assert np.all(walks.move(u, axes[0], -0.5) @ axes[0] < u @ axes[0])


def test_several_axes_at_once_need_no_order(u, axes):
    np.testing.assert_allclose(
        walks.move(u, axes[:2], [0.3, -0.2]), walks.move(u, axes[1::-1], [-0.2, 0.3]), atol=1e-12
    )
    np.testing.assert_allclose(
        walks.move(u, axes, [0, 0.3, 0]), walks.move(u, axes[1], 0.3), atol=1e-12
    )


def test_a_start_on_the_axis_itself_stays(axes):
    on_it = np.sqrt(SIZE) * axes[:1]
    np.testing.assert_allclose(walks.move(on_it, axes[0], 0.5), on_it, atol=1e-9)


def test_the_length_of_the_start_does_not_matter(u, axes):
    np.testing.assert_allclose(
        walks.move(3 * u, axes, [0.1, 0.2, 0.3]), walks.move(u, axes, [0.1, 0.2, 0.3]), atol=1e-12
    )


def test_axes_come_back_from_the_disk(tmp_path, axes):
    held = latent_axes.Axes(
        axes,
        ("nodule", "consolidation", "pneumothorax"),
        np.array([0.1, 0.2, 0.3]),
        np.array([1, 0, 1]),
    )
    latent_axes.save(tmp_path / latent_axes.FILE, held)
    back = latent_axes.load(tmp_path)
    assert back.names == held.names and back.latent_size == SIZE
    np.testing.assert_allclose(back.vectors, axes, atol=1e-6)
    np.testing.assert_allclose(back.ends, held.ends, atol=1e-6)
    assert list(back.found) == [True, False, True]


@pytest.mark.parametrize("damage", ["absent", "text", "pickled", "wrong"])
def test_a_bad_file_of_axes_is_one_line(tmp_path, axes, damage):
    path = tmp_path / latent_axes.FILE
    if damage == "text":
        path.write_text("hello")
    elif damage == "pickled":
        np.savez(
            path,
            vectors=axes,
            names=np.array(["a", "b", "c"], dtype=object),
            ends=[0],
            found=[1],
            latent_size=4,
        )
    elif damage == "wrong":
        latent_axes.save(path, latent_axes.Axes(axes, ("only one",), np.zeros(1), np.ones(1)))
    with pytest.raises(InputError, match="evaluate.axes") as caught:
        latent_axes.load(tmp_path)
    assert "\n" not in str(caught.value)

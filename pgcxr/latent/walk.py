"""Walks over the sphere of latents along disease axes, and the axes on disk.

The generator sees only the direction of z, so a straight line z + a n would bend the amount of
change with a; on the sphere, z(t) = sqrt(L) (u cos t + n_t sin t), equal steps of the angle t are
equal steps for the generator.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.latent.regression import normalize

FILE = "axes.npz"


@dataclass(frozen=True)
class Axes:
    """`vectors` unit vectors [K, L]; `names` of the diseases; `ends` [K] angles in radians at which
    each is severe; `found` [K] whether the evidence is enough."""

    vectors: np.ndarray
    names: tuple[str, ...]
    ends: np.ndarray
    found: np.ndarray

    @property
    def latent_size(self) -> int:
        return self.vectors.shape[1]


def tangent(u: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """n_t, [N, L]: the part of `axis` [L] orthogonal to each u [N, L], of length 1.

    Zero where u lies on the axis itself: nothing is left to move towards.
    """
    heading = u / np.linalg.norm(u, axis=-1, keepdims=True)
    across = axis - (heading @ axis)[..., None] * heading
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    return np.where(length > 1e-9, across / np.maximum(length, 1e-9), 0.0)


def move(u: np.ndarray, axes: np.ndarray, angles) -> np.ndarray:
    """Latents [N, L] after moving by `angles` [K] (radians) along `axes` [K, L] at once.

    The moves are added in the tangent plane at u, so for one axis this is z(t) = sqrt(L) (u cos t +
    n_t sin t), u and n_t of length 1, and for several no order of them matters. The length stays
    sqrt(L).
    """
    u = normalize(u)
    step = sum(
        angle * tangent(u, axis)
        for axis, angle in zip(np.atleast_2d(axes), np.atleast_1d(angles), strict=True)
    )
    size = np.linalg.norm(step, axis=-1, keepdims=True)
    heading = np.where(size > 0, step / np.where(size > 0, size, 1.0), 0.0)
    return normalize(u * np.cos(size) + np.sqrt(u.shape[-1]) * heading * np.sin(size))


def walk(u: np.ndarray, axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """[S, N, L]: the latents u [N, L] at each of the angles [S] along one axis [L]."""
    return np.stack([move(u, axis, angle) for angle in angles])


def save(path: str | Path, axes: Axes) -> None:
    """Writes axes.npz without pickled objects."""
    with artifacts.atomic_path(path) as beside, open(beside, "wb") as file:
        np.savez(
            file,
            vectors=axes.vectors.astype(np.float32),
            names=np.array(axes.names, dtype=np.str_),
            ends=np.asarray(axes.ends, np.float32),
            found=np.asarray(axes.found, bool),
            latent_size=np.int64(axes.latent_size),
        )


def load(folder: str | Path) -> Axes:
    """The axes in a folder written by `python -m evaluate.axes`."""
    path = Path(folder) / FILE
    try:
        with np.load(path, allow_pickle=False) as held:
            names = tuple(str(name) for name in held["names"])
            axes = Axes(held["vectors"].astype(np.float64), names, held["ends"], held["found"])
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; find the axes with `python -m evaluate.axes`"
        ) from None
    except (ValueError, KeyError, OSError):
        raise InputError(
            f"{path}: is not a file of axes; make it again with `python -m evaluate.axes`"
        ) from None
    if (
        axes.vectors.shape != (len(axes.names), axes.latent_size)
        or not np.isfinite(axes.vectors).all()
    ):
        raise InputError(
            f"{path}: its arrays don't fit each other; make it again with `python -m evaluate.axes`"
        )
    return axes

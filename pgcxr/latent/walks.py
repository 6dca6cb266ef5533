"""Walks over the sphere of latents along disease axes.

The generator sees only the direction of z, so a straight line z + a n would bend the amount of
change with a; on the sphere, z(t) = sqrt(L) (u cos t + n_t sin t), equal steps of the angle t are
equal steps for the generator.
"""

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.latent.axes import normalize


def tangent(u: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """n_t, [N, L]: the part of `axis` [L] orthogonal to each u [N, L], of length 1.

    Zero where u lies on the axis itself: nothing is left to move toward.
    """
    heading = u / np.linalg.norm(u, axis=-1, keepdims=True)
    across = axis - (heading @ axis)[..., None] * heading
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    return np.where(length > 1e-9, across / np.maximum(length, 1e-9), 0.0)


def move(u: np.ndarray, axes: np.ndarray, angles) -> np.ndarray:
    """Moves latents along several axes at once.

    The moves are added in the tangent plane at u, so for one axis this is z(t) = sqrt(L) (u cos t +
    n_t sin t), u and n_t of length 1, and for several no order of them matters.

    Example:

        >>> start = np.array([[2.0, 0.0, 0.0, 0.0]])
        >>> axis = np.array([0.0, 1.0, 0.0, 0.0])
        >>> move(start, axis, np.pi / 6).round(3)
        array([[1.732, 1.   , 0.   , 0.   ]])

    Args:
        u: [N, L] latents of any length.
        axes: unit vectors [K, L], or one, [L].
        angles: [K] in radians, or one for all of a single axis.

    Returns:
        [N, L] of length sqrt(L), float64.

    Raises:
        ArgumentError: the axes are not of the latents' size.
    """
    u, axes, angles = normalize(u), np.atleast_2d(axes), np.atleast_1d(angles)
    if axes.shape != (len(angles), u.shape[-1]):
        expected = f"must be [{len(angles)}, {u.shape[-1]}], an axis for each angle"
        raise ArgumentError("axes", expected, received=list(axes.shape))
    step = sum(angle * tangent(u, axis) for axis, angle in zip(axes, angles, strict=True))
    size = np.linalg.norm(step, axis=-1, keepdims=True)
    heading = np.where(size > 0, step / np.where(size > 0, size, 1.0), 0.0)
    return normalize(u * np.cos(size) + np.sqrt(u.shape[-1]) * heading * np.sin(size))


def walk(u: np.ndarray, axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The latents u [N, L] at each of the `angles` [S] (radians) along one axis [L]: [S, N, L].

    Example:

        >>> path = walk(np.eye(4)[:2], np.eye(4)[3], np.radians([0, 30, 60]))
        >>> path.shape, np.degrees(np.arccos(path[:, 0, 0] / 2)).round(3).tolist()
        ((3, 2, 4), [0.0, 30.0, 60.0])
    """
    return np.stack([move(u, axis, angle) for angle in angles])

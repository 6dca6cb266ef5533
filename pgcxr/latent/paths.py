"""Paths over the sphere of latents that raise one output and hold the others, start by start.

At a latent u, with the logits' slopes J [K, L] by u, the smallest step d with J d = t is the
minimum norm solution d = J^T (J J^T + eps I)^-1 t. One axis for all images is this step averaged; a
path takes it anew in each place, so it follows what bends. It also follows whatever fools the
network whose slopes these are. So J is averaged over neighbors and networks, steps are short, and
who judges a path must have no part in J.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgcxr.latent.axes import normalize, unit

# Latents [N, L] -> (logits [N, K], their slopes [N, K, L]).
Slopes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Goal:
    """Where a path leads.

    Attributes:
        present: the logit at which the target is there; nothing pushes it further.
        absent: the logit at or below which another output is left alone.
        ridge: eps, relative to the mean diagonal of J J^T.
        angle: the longest step, radians.
    """

    present: float = 3.0
    absent: float = -2.6
    ridge: float = 2e-2
    angle: float = 0.06


DEFAULT = Goal()


def follow(
    starts: np.ndarray, target: int, slopes: Slopes, steps: int, goal: Goal = DEFAULT
) -> np.ndarray:
    """The paths of N starts toward one output.

    Example:

        >>> def slopes(u):  # two outputs that are two coordinates
        ...     return 4 * u[:, :2], np.broadcast_to(4 * np.eye(2, 3), (len(u), 2, 3))
        >>> path = follow(np.array([[-0.2, 0.5, 1.6]]), 0, slopes, steps=20)
        >>> path.shape, bool(path[-1, 0, 0] > 0.7), bool(path[-1, 0, 1] < 0)
        ((21, 1, 3), True, True)

    Args:
        starts: [N, L] of any length.
        target: place of the output that is to rise.
        slopes: of the logits.
        steps: how many.
        goal: where they lead, how fast.

    Returns:
        [steps + 1, N, L] of length sqrt(L), float64.
    """
    u = normalize(starts)
    path = [u]
    for _ in range(steps):
        logits, jacobian = slopes(u)
        u = _step(u, np.asarray(logits, np.float64), np.asarray(jacobian, np.float64), target, goal)
        path.append(u)
    return np.stack(path)


def _step(u, logits, jacobian, target: int, goal: Goal) -> np.ndarray:
    size = u.shape[1]
    along = np.einsum("nkl,nl->nk", jacobian, u) / size
    jacobian = jacobian - along[..., None] * u[:, None]  # in the tangent plane
    # The target up to `present`, by a logit at most; the others down to `absent`, by half of one.
    wanted = np.clip(goal.absent - logits, -0.5, 0.0)
    wanted[:, target] = np.clip(goal.present - logits[:, target], 0.0, 1.0)
    counts = logits > goal.absent - 0.3
    counts[:, target] = True
    step = np.zeros_like(u)
    for row, active in enumerate(counts):
        a = jacobian[row][active]
        gram = a @ a.T
        damped = gram + (goal.ridge * np.trace(gram) / len(a) + 1e-12) * np.eye(len(a))
        step[row] = a.T @ np.linalg.solve(damped, wanted[row][active])
    angle = np.linalg.norm(step, axis=1, keepdims=True) / np.sqrt(size)
    return normalize(u + step * np.minimum(1.0, goal.angle / np.maximum(angle, 1e-12)))


def smoothed(
    slopes: Slopes, neighbors: int, rng: np.random.Generator, angle: float = 0.35
) -> Slopes:
    """Slopes averaged over the latent and `neighbors` random ones at `angle` radians from it: what
    fools a network is seldom the same next door."""

    def averaged(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, size = u.shape
        near = [u]
        for _ in range(neighbors):
            drawn = rng.standard_normal(u.shape)
            drawn -= np.sum(drawn * u, axis=1, keepdims=True) / size * u
            near.append(u * np.cos(angle) + normalize(drawn) * np.sin(angle))
        logits, jacobian = slopes(np.concatenate(near))
        shape = (neighbors + 1, n, *np.shape(jacobian)[1:])
        return np.asarray(logits)[:n], np.reshape(jacobian, shape).mean(axis=0)

    return averaged


def displacements(path: np.ndarray) -> np.ndarray:
    """[N, L]: the direction, of length 1, in which each path [S, N, L] has left its start: tangent
    there; 0 where it never left."""
    start, end = unit(path[0]), path[-1]
    return unit(end - np.sum(end * start, axis=1, keepdims=True) * start)

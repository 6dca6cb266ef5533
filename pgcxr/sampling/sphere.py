"""Latents as directions: the generator divides by their length before anything else (arXiv
1710.10196, appendix A.1).

So between two latents lies a great circle, not a straight line, whose middle would be shorter than
any latent that was trained on (White, arXiv 1609.04468, section 2.1). Results have the length
sqrt(L), that of a typical latent. Each row is worked out by itself, in float64: its bits do not
depend on the rows beside it.
"""

import numpy as np

from pgcxr.errors import InputError

# Closer than this to opposite, and no great circle is the shortest.
OPPOSITE = 1e-4  # radians


def on_sphere(latents: np.ndarray) -> np.ndarray:
    """Latents [N, L] with the length sqrt(L), float64."""
    latents = np.asarray(latents, np.float64)
    # Row by row: a matrix product may sum in another order for another number of rows.
    return np.stack([row * np.sqrt(len(row) / (row * row).sum()) for row in latents])


def slerp(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The point [L] that lies `share` of the way from `start` to `end` (both on the sphere, [L])
    along the great circle: (sin((1 - t) w) start + sin(t w) end) / sin w (Shoemake 1985).
    InputError where the two are opposite."""
    # Not by arccos of the product, which has lost half of its digits where the angle is small.
    difference, total = start - end, start + end
    angle = 2 * np.arctan2(np.sqrt((difference * difference).sum()), np.sqrt((total * total).sum()))
    if np.pi - angle < OPPOSITE:
        raise InputError(
            "two of the latents are opposite, no path between them is the shortest; leave one out"
        )
    if angle == 0:
        return start.copy()
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def path(keys: np.ndarray, steps: int) -> np.ndarray:
    """float32 [(K - 1) * steps + 1, L]: from each of K latents to the next in equal angles; keys
    stay as they are."""
    points = on_sphere(keys)
    frames = np.empty(((len(keys) - 1) * steps + 1, keys.shape[1]), np.float32)
    frames[::steps] = keys
    for index in range(len(keys) - 1):
        for step in range(1, steps):
            frames[index * steps + step] = slerp(points[index], points[index + 1], step / steps)
    return frames


def toward(center: np.ndarray, latents: np.ndarray, share: float) -> np.ndarray:
    """float32 [N, L]: each latent's angle to `center` [L] multiplied by `share`; 1 leaves them as
    they are."""
    if share == 1:
        return np.asarray(latents, np.float32)
    middle = on_sphere(center[None])[0]
    return np.stack([slerp(middle, point, share) for point in on_sphere(latents)]).astype(
        np.float32
    )

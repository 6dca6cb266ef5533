"""Strips and animations of edited images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pgcxr.images import enlarge
from pgcxr.plots import animation, grids, overlay, video

MILLISECONDS = 120  # that each frame is shown for
# Images beside each other in the animation, and the least and longest side of one, px.
ABREAST, LEAST, ANIMATED = 4, 128, 256
# The change at full color, of 255 gray levels, at least: noise is not to look like a finding.
FAINTEST = 24.0


def words(name: str) -> str:
    """A finding's name as it is read."""
    return name.replace("_", " ")


def headings(severities: Sequence[float]) -> list[str]:
    """What stands above the columns."""
    return ["start" if value == 0 else f"severity {value:.2f}" for value in severities]


def strip(
    path: Path,
    title: str,
    images: np.ndarray,
    severities: Sequence[float],
    captions: list[str],
    heat: dict[str, np.ndarray],
    real: np.ndarray | None = None,
) -> None:
    """One image along its way: the images, what has changed since the start, where a classifier
    looks.

    Args:
        path: .png.
        title: above.
        images: uint8 [S, R, R, 1].
        severities: [S].
        captions: [S], written into the images.
        heat: {name: maps [S, h, w]}, one scale for each.
        real: uint8 [R, R, 1], the radiograph that the images stand for.
    """
    columns, first = headings(severities), _colored(images)
    changes = changed(images)
    label = "image" if real is None else "nearest\nsynthetic\nimage"
    rows = [(label, first), ("change", changes)]
    for name, maps in heat.items():
        scale = (0.0, float(maps.max()))
        laid = [overlay.overlay(*pair, limits=scale) for pair in zip(images, maps, strict=True)]
        rows.append((f"Grad-CAM,\n{words(name)}", np.stack(laid)))
    if real is not None:
        rows.insert(0, ("radiograph", _colored(real[None])))
    grids.labeled_grid(rows, path, columns, title, {int(real is not None): captions})


def changed(images: np.ndarray) -> np.ndarray:
    """RGB [S, R, R, 3]: in each image what differs from the first, red where it is brighter
    (denser) now, blue where darker."""
    difference = images.astype(np.float32) - images[:1]
    limit = max(float(np.percentile(np.abs(difference), 99.5)), FAINTEST)
    pairs = zip(images, difference[..., 0], strict=True)
    return np.stack([overlay.diff_overlay(image, own, limit) for image, own in pairs])


def overview(
    path: Path, title: str, names: list[str], images: np.ndarray, severities, captions: list
) -> None:
    """All starts below each other.

    Args:
        path: .png.
        title: above.
        names: [N].
        images: uint8 [S, N, R, R, 1].
        severities: [S].
        captions: [N] of [S].
    """
    rows = [(name, _colored(images[:, place])) for place, name in enumerate(names)]
    grids.labeled_grid(rows, path, headings(severities), title, dict(enumerate(captions)))


def animate(folder: Path, frames: np.ndarray) -> bool:
    """animation.gif, there and back, and animation.mp4; whether there is the second.

    Args:
        folder: where to.
        frames: uint8 [F, N, R, R, 1].
    """
    scale = max(-(-LEAST // frames.shape[2]), 1)
    abreast = min(ABREAST, frames.shape[1])
    shown = [grids.tile(enlarge(frame, scale, axes=(1, 2)), abreast) for frame in frames]
    shown += shown[-2:0:-1]
    animation.write_gif(folder / "animation.gif", shown, MILLISECONDS)
    return video.write_mp4(folder / "animation.mp4", shown, MILLISECONDS)


def _colored(images: np.ndarray) -> np.ndarray:
    return np.repeat(images, 3, axis=-1)

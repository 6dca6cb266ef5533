"""Animated GIFs of 8-bit images: a walk through the latents, a training seen from fixed latents."""

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from pgcxr.io.artifacts import atomic_path

# GIF counts in hundredths of a second; browsers show shorter frames for a tenth of a second.
SHORTEST = 20


def write_gif(
    path: str | os.PathLike, frames: Iterable[np.ndarray], milliseconds: int = 100
) -> Path:
    """Writes frames, uint8 [H, W], [H, W, 1] or RGB [H, W, 3], all of one shape, as a GIF that
    repeats for ever.

    Gray frames keep every gray level; colors are reduced to 256 a frame. Equal neighbors become
    one frame of their joint duration. The same frames give the same bytes. All frames are held in
    memory.

    Args:
        path: .gif.
        milliseconds: each frame is shown for, 20 or more, in steps of 10.
    """
    path = Path(path)
    if milliseconds < SHORTEST:
        raise ValueError(
            f"{path.name}: a frame of a GIF is shown for {SHORTEST} ms or longer, not "
            f"{milliseconds}"
        )
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"{path.name}: no frames")
    shape = np.shape(first)
    pictures = (_picture(frame, shape) for frame in itertools.chain([first], frames))
    with atomic_path(path) as beside:
        opening = next(pictures)
        opening.save(
            beside,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=milliseconds,
            loop=0,
            optimize=False,
        )
    return path


def _picture(frame: np.ndarray, shape: tuple[int, ...]) -> Image.Image:
    frame = np.asarray(frame)
    if frame.dtype != np.uint8:
        raise ValueError(f"frames must be uint8, not {frame.dtype}")
    if (
        frame.shape != shape
        or frame.ndim not in (2, 3)
        or (frame.ndim == 3 and frame.shape[2] not in (1, 3))
    ):
        raise ValueError(
            f"frames must be [H, W], [H, W, 1] or [H, W, 3], all of one shape, not {shape}, "
            f"{frame.shape}"
        )
    if frame.ndim == 3 and frame.shape[2] == 1:
        frame = frame[..., 0]
    return Image.fromarray(np.ascontiguousarray(frame))

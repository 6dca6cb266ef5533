"""MP4 of 8-bit images (VP9, which browsers play), by OpenCV where it can."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pgcxr.io.artifacts import atomic_path

CODEC = "vp09"


def write_mp4(
    path: str | os.PathLike, frames: Sequence[np.ndarray], milliseconds: int = 100
) -> bool:
    """Writes frames, uint8 [H, W] or RGB [H, W, 3], all of one shape, as an MP4 that plays once.

    What is written is read back: OpenCV does not say where it has no encoder, or no room on the
    disk.

    Args:
        path: .mp4.
        frames: to show.
        milliseconds: each is shown for.

    Returns:
        Whether there is a file: not where this OpenCV has no encoder.
    """
    path = Path(path)
    shown = [_even(frame) for frame in frames]
    size = shown[0].shape[1::-1]
    # OpenCV goes by the suffix.
    beside = path.with_name(f".{path.stem}.partial.mp4")
    try:
        code = cv2.VideoWriter.fourcc(*CODEC)
        writer = cv2.VideoWriter(str(beside), cv2.CAP_FFMPEG, code, 1000 / milliseconds, size)
        if not writer.isOpened():
            return False
        for frame in shown:
            writer.write(frame)
        writer.release()
        if _count(beside) != len(shown):
            return False
        with atomic_path(path) as final:
            final.write_bytes(beside.read_bytes())
    finally:
        beside.unlink(missing_ok=True)
    return True


def _even(frame: np.ndarray) -> np.ndarray:
    """BGR, with sides of an even number of pixels, as the codec's colors need."""
    color = frame if frame.ndim == 3 else frame[..., None]
    color = np.broadcast_to(color, (*color.shape[:2], 3))[..., ::-1]
    rows, columns = (side % 2 for side in color.shape[:2])
    return np.ascontiguousarray(np.pad(color, [(0, rows), (0, columns), (0, 0)], mode="edge"))


def _count(path: Path) -> int:
    reader, count = cv2.VideoCapture(str(path)), 0
    while reader.read()[0]:
        count += 1
    reader.release()
    return count

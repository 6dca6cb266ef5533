"""Animated GIFs: every frame and gray level, the same bytes, nothing half-written."""

import numpy as np
import pytest
from PIL import Image

from pgcxr.plots.animation import write_gif


def _frames(path):
    with Image.open(path) as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            yield np.asarray(gif.convert("RGB")), gif.info


def test_gray_frames_come_back_to_the_bit_and_repeat_for_ever(tmp_path):
    # All 256 gray levels in each frame; only a few pixels differ between the last two.
    first = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = [first, first[::-1], first[::-1].copy()]
    frames[2][3, 4:7] = 0
    path = write_gif(tmp_path / "a.gif", iter(frames), 250)
    shown = list(_frames(path))
    assert len(shown) == 3
    for (image, info), frame in zip(shown, frames, strict=True):
        assert np.array_equal(image, np.repeat(frame[..., None], 3, axis=2))
        assert info["duration"] == 250 and info["loop"] == 0
    again = write_gif(tmp_path / "b.gif", [frame[..., None] for frame in frames], 250)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.gif", "b.gif"]


def test_colors_stay(tmp_path):
    red, blue = np.zeros((2, 8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 200, 90
    shown = [image for image, _ in _frames(write_gif(tmp_path / "c.gif", [red, blue]))]
    assert [image[0, 0].tolist() for image in shown] == [[200, 0, 0], [0, 0, 90]]


def test_frames_that_are_no_images_leave_nothing(tmp_path):
    gray = np.zeros((8, 8), np.uint8)
    for bad, message in [
        ([], "no frames"),
        ([gray, np.zeros((8, 9), np.uint8)], "of one shape"),
        ([gray, gray.astype(float)], "must be uint8"),
        ([np.zeros((8, 8, 2), np.uint8)], "must be .H, W."),
        ([np.zeros(8, np.uint8)], "must be .H, W."),
    ]:
        with pytest.raises(ValueError, match=message):
            write_gif(tmp_path / "bad.gif", bad)
    with pytest.raises(ValueError, match="20 ms or longer"):
        write_gif(tmp_path / "bad.gif", [gray], 10)
    assert list(tmp_path.iterdir()) == []

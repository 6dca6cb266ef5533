"""MP4: every frame, near to the gray level; no half-written file."""

import cv2
import numpy as np
import pytest

from pgcxr.plots import video


def test_frames_come_back(tmp_path):
    frames = [np.full((33, 51), 40 * index, np.uint8) for index in range(5)]
    if not video.write_mp4(tmp_path / "a.mp4", frames, 100):
        pytest.skip("this OpenCV has no encoder")
    reader, shown = cv2.VideoCapture(str(tmp_path / "a.mp4")), []
    while (read := reader.read())[0]:
        shown.append(read[1])
    assert len(shown) == 5 and shown[0].shape == (34, 52, 3)
    assert all(abs(int(image.mean()) - 40 * i) < 8 for i, image in enumerate(shown))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_without_an_encoder_there_is_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "CODEC", "none")
    assert not video.write_mp4(tmp_path / "a.mp4", [np.zeros((8, 8), np.uint8)] * 2)
    assert not list(tmp_path.iterdir())

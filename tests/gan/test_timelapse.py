"""RUN/training.gif: which sheets, at what size, with which words; made again by its command."""

import resource

import numpy as np
import pytest
from PIL import Image

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.gan import samples, schedule, timelapse
from pgcxr.gan.config import GanConfig
from pgcxr.io import artifacts
from pgcxr.plots import grids

CONFIG = GanConfig(
    resolution=16,
    total_kimg=5.0,
    lod_training_kimg=1.0,
    lod_transition_kimg=1.0,
    minibatch_base=8,
    minibatch_dict={},
)


def _run(folder, kimg, resolution=16):
    """A RUN with a sheet of noise for each of `kimg`; returns the sheets."""
    artifacts.write_json(folder / "config.json", CONFIG.replace(resolution=resolution).to_dict())
    side, rng, sheets = samples.side(resolution), np.random.default_rng(0), []
    for each in kimg:
        images = rng.integers(0, 255, (side * side, resolution, resolution, 1), np.uint8)
        # Darker from row to row, so that one part of the sheet can be told from another.
        images = (
            images // (1 + np.arange(side * side) // side).astype(np.uint8)[:, None, None, None]
        )
        sheets.append(grids.tile(images, side))
        grids.write_png(folder / f"samples/kimg{each:09.3f}.png", sheets[-1])
    return sheets


def _frames(path):
    with Image.open(path) as gif:
        found = []
        for index in range(gif.n_frames):
            gif.seek(index)
            found.append((np.asarray(gif.convert("L")), gif.info["duration"]))
    return found


def test_every_sheet_is_a_frame_with_its_words_below(tmp_path):
    sheets = _run(tmp_path, [1.0, 2.5, 5.0])
    path = timelapse.write(tmp_path, CONFIG)
    frames = _frames(path)
    assert path == tmp_path / "training.gif"
    assert [duration for _, duration in frames] == [100, 100, 100 * (1 + timelapse.PAUSE)]
    for (frame, _), sheet in zip(frames, sheets, strict=True):
        shown = sheet.repeat(3, 0).repeat(3, 1)  # 142 px: three times is the most below 540
        assert frame.shape == (shown.shape[0] + timelapse.CAPTION, shown.shape[1])
        assert np.abs(frame[: len(shown)].astype(int) - shown).max() <= 256 // timelapse.GRAYS // 2
        words = frame[len(shown) :]
        # Both of them, and nothing between.
        assert (
            words[:, :100].min() < 10
            and words[:, -100:].min() < 10
            and words[:, 180:250].min() == 255
        )
    captions = [frame[-timelapse.CAPTION :] for frame, _ in frames]
    assert not np.array_equal(captions[0], captions[1]) and not np.array_equal(
        captions[1], captions[2]
    )


def test_words_are_those_of_the_half_phase_that_ends_there():
    stages = list(schedule.half_phases(CONFIG.schedule(1)))
    ends = [stage.end / 1000 for stage in stages]
    assert [timelapse.caption(stages, end)[1] for end in ends] == [
        "4 px",
        "4 to 8 px",
        "8 px",
        "8 to 16 px",
        "16 px",
    ]
    assert timelapse.caption(stages, ends[0] + 0.032) == (
        f"{ends[0] + 0.032:.1f} kimg",
        "4 to 8 px",
    )
    assert timelapse.caption(stages, 99.96) == ("100.0 kimg", "16 px")


def test_long_trainings_are_thinned_out_evenly():
    assert timelapse.evenly([1.0, 2.0], 3) == [1.0, 2.0]
    kimg = [float(x) for x in range(0, 1000, 10)] + [1000 + x / 10 for x in range(1, 5001)]
    chosen = timelapse.evenly(kimg, 100)
    assert len(chosen) <= 100 and chosen == sorted(set(chosen)) and set(chosen) <= set(kimg)
    assert chosen[0] == kimg[0] and chosen[-1] == kimg[-1]
    assert max(np.diff(chosen)) < 1500 / 99 + 10


@pytest.mark.parametrize(("resolution", "side"), [(4, 8), (64, 8), (128, 4), (512, 4), (1024, 4)])
def test_frames_stay_small_and_show_whole_images(tmp_path, resolution, side):
    (sheet,) = _run(tmp_path, [5.0], resolution)
    assert max(sheet.shape) <= samples.WIDEST + 16
    ((frame, _),) = _frames(timelapse.write(tmp_path, CONFIG.replace(resolution=resolution)))
    height, width = frame.shape
    assert width == height - timelapse.CAPTION and 480 <= width <= timelapse.LONGEST
    # The same part of the sheet, by area.
    extent = side * (resolution + grids.GAP) - grids.GAP
    part = sheet[:extent, :extent].astype(float)
    assert np.mean(frame[: -timelapse.CAPTION]) == pytest.approx(part.mean(), abs=1.5)


def test_what_is_no_sheet_is_left_out(tmp_path):
    assert timelapse.write(tmp_path, CONFIG) is None
    _run(tmp_path, [1.0, 2.0])
    (tmp_path / "samples/kimg00003.000.png").write_bytes(b"\x89PNG cut")
    grids.write_png(tmp_path / "samples/kimg00004.000.png", np.zeros((8, 8), np.uint8))
    grids.write_png(tmp_path / "samples/mine.png", np.zeros((142, 142), np.uint8))
    assert len(_frames(timelapse.write(tmp_path, CONFIG))) == 2


def test_a_full_disk_leaves_the_film_of_before(tmp_path):
    _run(tmp_path, [1.0])
    before = timelapse.write(tmp_path, CONFIG).read_bytes()
    _run(tmp_path, [1.0, 2.0, 3.0])
    _, hard = was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), hard))
    try:
        with pytest.raises(OSError) as caught:
            timelapse.write(tmp_path, CONFIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
    assert "training.gif: the disk is full" in command._system_error(caught.value)
    assert (tmp_path / "training.gif").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json",
        "samples",
        "training.gif",
    ]


def test_the_command_makes_it_again(tmp_path, capsys):
    _run(tmp_path / "run", [1.0, 2.0])
    first = timelapse.write(tmp_path / "run", CONFIG).read_bytes()
    (tmp_path / "run/training.gif").unlink()
    assert _command(capsys, tmp_path / "run") == (0, f"{tmp_path / 'run/training.gif'}\n", "")
    assert (tmp_path / "run/training.gif").read_bytes() == first
    for folder, body, said in [
        ("none", None, "no such folder"),
        ("empty", {"resolution": 16, "total_kimg": 5.0}, "no sheets kimg*.png"),
        ("imported", {"imported": True, "resolution": 16}, "config.json: total_kimg: is missing"),
        (
            "odd",
            {"resolution": 17, "total_kimg": 5.0},
            "config.json: resolution: must be a power of two",
        ),
    ]:
        if body:
            artifacts.write_json(tmp_path / folder / "config.json", body)
        code, _, error = _command(capsys, tmp_path / folder)
        assert code == 2 and said in error and error.count("\n") == 1, error


def _command(capsys, run):
    with pytest.raises(SystemExit) as stop:
        command.run(app, ["timelapse", str(run)])
    told = capsys.readouterr()
    return stop.value.code, told.out.replace("\n", "") + "\n" if told.out else "", told.err

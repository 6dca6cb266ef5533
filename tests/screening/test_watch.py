"""A folder that grows, a process that is killed, one file under two names."""

import shutil

import cv2
import pytest

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.screening import results, screen
from pgcxr.screening.options import ScreeningOptions
from pgcxr.screening.results import REFUSED
from tests.screening.conftest import deep, picture
from tests.screening.test_screen import id_of, rows_of

WATCH = ScreeningOptions(processes=0, watch=0.05)


@pytest.fixture
def watching(loaded, tmp_path):
    """A screening of tmp_path/new that looks when it is told to."""
    (tmp_path / "new").mkdir()
    with results.opened(tmp_path / "out", screen.identity(loaded, WATCH)) as held:
        yield screen.Screening(loaded, tmp_path / "new", held, WATCH)


# Cut in the pixels, and in the header, which then describes no image.
@pytest.mark.parametrize(("stalled", "rule"), [(20000, "unreadable"), (440, "no_pixels")])
def test_a_file_is_read_once_it_is_whole_and_once_only(
    watching, tmp_path, make_dicom, stalled, rule
):
    path = make_dicom(tmp_path / "IM1", deep(picture(1)))
    whole, arriving = path.read_bytes(), tmp_path / "new" / "IM1"
    arriving.write_bytes(whole[: stalled // 2])
    assert watching.look() == {"new": 0, "copies": 0, "waiting": 1}
    arriving.write_bytes(whole[:stalled])
    assert watching.look()["waiting"] == 1 and not watching.results.records
    # A transfer that stalls is refused, until it goes on.
    assert watching.look() == {"new": 1, "copies": 0, "waiting": 0}
    (broken,) = watching.results.records.values()
    assert broken.status == REFUSED and broken.reasons[0].startswith(rule)
    arriving.write_bytes(whole)
    watching.look()
    assert watching.look()["new"] == 1
    assert list(watching.results.records) == [id_of(arriving)]
    assert list(rows_of(tmp_path / "out")) == [id_of(arriving)]
    table = tmp_path / "out" / "results.csv"
    before = table.stat().st_ino
    assert watching.look() == {"new": 0, "copies": 0, "waiting": 0}
    assert table.stat().st_ino == before  # nothing is written while nothing happens


def test_the_same_file_under_another_name_is_recognized(watching, tmp_path):
    cv2.imwrite(str(tmp_path / "new" / "a.png"), picture(2))
    watching.look()
    assert watching.look()["new"] == 1
    shutil.copy(tmp_path / "new" / "a.png", tmp_path / "new" / "b.png")
    watching.look()
    assert watching.look() == {"new": 0, "copies": 1, "waiting": 0}
    (row,) = rows_of(tmp_path / "out").values()
    assert row["files"] == "2"
    for name in ("a.png", "b.png"):  # taken away by who sent them: the result stays
        (tmp_path / "new" / name).unlink()
    watching.look()
    (row,) = rows_of(tmp_path / "out").values()
    assert row["files"] == "0" and row["score"]


def test_a_killed_screening_goes_on_where_it_stopped(loaded, tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    for seed in range(5):
        cv2.imwrite(str(tmp_path / "new" / f"{seed}.png"), picture(seed))
    monkeypatch.setattr(screen, "BATCH", 1)
    options, checked = ScreeningOptions(processes=0), []
    real = screen.checking.check
    monkeypatch.setattr(
        screen.checking, "check", lambda job: checked.append(job.path.name) or real(job)
    )

    class Killed(BaseException):
        pass

    def progress(what, done, total):
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        screen.screen(loaded, tmp_path / "new", tmp_path / "out", options, progress)
    images = tmp_path / "out" / "images"
    before = {path.name: path.stat().st_mtime_ns for path in images.iterdir()}
    assert len(before) == 2
    # What a kill within a commit leaves, and what a full disk may.
    (images / f".{id_of(tmp_path / 'new' / '4.png')}.partial").mkdir()
    damaged = next(iter(before))
    (images / damaged / "result.json").write_text('{"image": ')
    del before[damaged]
    checked.clear()
    report = screen.screen(loaded, tmp_path / "new", tmp_path / "out", options)
    assert report["images"] == report["files"] == 5 and len(checked) == 4
    assert len(rows_of(tmp_path / "out")) == len(list(images.iterdir())) == 5
    for name, changed in before.items():
        assert (images / name).stat().st_mtime_ns == changed
    checked.clear()
    assert screen.screen(loaded, tmp_path / "new", tmp_path / "out", options)["images"] == 5
    assert checked == []


def test_a_watch_ends_when_it_is_interrupted(loaded, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "a.png"), picture(3))
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(screen.time, "sleep", sleep)
    (tmp_path / "new").mkdir()
    shutil.move(tmp_path / "a.png", tmp_path / "new")
    shutil.copy(tmp_path / "new" / "a.png", tmp_path / "new" / "b.png")
    lines = []
    report = screen.screen(loaded, tmp_path / "new", tmp_path / "out", WATCH, say=lines.append)
    assert report["images"] == 1 and looks == [0.05] * 3
    assert lines == [
        "0 new images, 2 files wait until they are whole",
        "1 new images (and 1 byte-identical copy), 0 files wait until they are whole",
    ]


def test_a_file_that_is_written_to_meanwhile_is_said_and_left_out(loaded, tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    path = tmp_path / "new" / "a.png"
    cv2.imwrite(str(path), picture(4))
    real = screen.checking._check

    def growing(job):
        with open(path, "ab") as file:
            file.write(b"more")
        return real(job)

    monkeypatch.setattr(screen.checking, "_check", growing)
    lines = []
    options = ScreeningOptions(processes=0)
    report = screen.screen(loaded, tmp_path / "new", tmp_path / "out", options, say=lines.append)
    assert report["images"] == 0 and "1 files were written to meanwhile" in lines[0]


def test_another_models_results_and_anything_else_are_left_alone(loaded, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(5))
    options = ScreeningOptions(processes=0)
    screen.screen(loaded, tmp_path / "a.png", tmp_path / "out", options)
    with pytest.raises(InputError, match="was made with another model or other options"):
        other = options.replace(specificity=0.8)
        screen.screen(loaded, tmp_path / "a.png", tmp_path / "out", other)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match="exists and is not empty"):
        screen.screen(loaded, tmp_path / "a.png", tmp_path / "mine", options)
    artifacts.write_report(tmp_path / "mine", {}, command="train.gan")
    with pytest.raises(InputError, match="is no folder of `pgcxr screen`"):
        screen.screen(loaded, tmp_path / "a.png", tmp_path / "mine", options)
    known = screen.identity(loaded, options)
    with (
        results.opened(tmp_path / "out", known),
        pytest.raises(InputError, match="is being written by another process"),
        results.opened(tmp_path / "out", known),
    ):
        pass
    with pytest.raises(ArgumentError, match="watch"):
        screen.screen(loaded, tmp_path / "a.png", tmp_path / "out", options.replace(watch=1.0))


def test_links_that_lead_out_of_the_folder_are_not_followed(screened, tmp_path):
    cv2.imwrite(str(tmp_path / "secret.png"), picture(6))
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "link.png").symlink_to(tmp_path / "secret.png")
    report, records, _ = screened(tmp_path / "new")
    (record,) = records.values()
    assert record["reasons"] == ["unreadable: a link that leads out of the export"]
    assert report["refused"] == 1

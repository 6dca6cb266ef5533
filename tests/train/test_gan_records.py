"""train.gan on TFRecords: the same bits as on the cohort, also when killed between; one line where
they are wrong."""

import shutil

import numpy as np
import pytest

from evaluate import common, patients
from pgcxr.cli import command
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort import pipeline, record_files, records
from pgcxr.errors import InputError
from pgcxr.gan import state_file
from pgcxr.io import artifacts
from tests.toy_cohort import ramps, write_cohort
from train.common import load_config
from train.gan import images as gan_images
from train.gan import training
from train.gan.__main__ import app

pytestmark = pytest.mark.usefixtures("traced_once")

# From 4 px into the fade to 8 px, which is traced once more; 12 of 20 images are trained on.
SMALL = {
    "resolution": 8,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.08,
    "lod_training_kimg": 0.032,
    "lod_transition_kimg": 0.032,
    "tick_kimg_base": 0.032,
    "minibatch_base": 4,
    "seed": 3,
}
SETS = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{"cohort", "png", "nvidia"}: folders."""
    folder = tmp_path_factory.mktemp("made")
    write_cohort(folder / "cohort", *ramps(20, 8, seed=0))
    places = {
        format: records.write(folder / "cohort", format)["folder"] for format in records.FORMATS
    }
    return {"cohort": folder / "cohort", **places}


def _run(folder, out, *more) -> int:
    with pytest.raises(SystemExit) as stop:
        command.run(
            app,
            [
                str(folder),
                "--config",
                "demo",
                "--out",
                str(out),
                "--seed",
                "3",
                *SETS,
                *map(str, more),
            ],
        )
    return stop.value.code


def _fails(capsys, folder, out, *more) -> str:
    capsys.readouterr()
    code, told = _run(folder, out, *more), capsys.readouterr().err
    assert code == 2 and told.count("\n") == 1 and told.startswith("error: "), told
    return told


def _state(out) -> dict:
    """Every array of the newest state."""
    with np.load(sorted((out / "state").glob("nimg*.npz"))[-1]) as arrays:
        return {name: arrays[name] for name in arrays.files if name != state_file.META}


def _assert_same(ours: dict, theirs: dict) -> None:
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


@pytest.fixture(scope="module")
def whole(made, tmp_path_factory):
    """The last state of a training on the cohort."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert _run(made["cohort"], out) == 0
    return _state(out)


def _killed_at(count, monkeypatch):
    """The next training is cut off after `count` images, without saving its state."""

    def with_bar(config, train):
        def advance(nimg, lod):
            if nimg >= count:
                raise KeyboardInterrupt

        return train(advance, print)

    monkeypatch.setattr(training, "_with_bar", with_bar)


# Of the original's format, the test of a damaged record goes on and ends so.
def test_killed_and_gone_on_with_it_ends_with_the_bits_of_the_cohort(
    made, whole, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        _killed_at(70, patch)
        assert _run(made["png"], out) == 130
    assert (
        max(path.name for path in (out / "state").iterdir()) < "nimg0000000070"
        and not (out / "report.json").exists()
    )
    assert _run(made["png"], out) == 0
    assert "going on after 0.1 kimg" in capsys.readouterr().out
    _assert_same(_state(out), whole)
    config = artifacts.read_json(out / "config.json")
    assert (out / config["records"]).samefile(made["png"])
    assert common.cohort_of(out).folder.samefile(made["cohort"]), "evaluations find the manifest"
    assert (
        patients.check_disjoint(out, cohorts.load(made["cohort"]).select("test"))["gan_patients"]
        == 12
    )


@pytest.mark.parametrize("format", records.FORMATS)
@pytest.mark.parametrize(
    "asked", ["label=normal", "label=abnormal", "labels=binary", "labels=findings", "split=val"]
)
def test_the_images_and_labels_that_a_cohort_gives(made, format, asked):
    settings = load_config("gan", "demo", [asked]).replace(**SMALL)
    if (format, asked) == ("nvidia", "labels=findings"):
        with pytest.raises(InputError, match=r"train-rxx.labels: holds labels of shape \[12, 2\]"):
            gan_images.choose(made[format], settings)
        return
    ours, theirs = (gan_images.choose(made[source], settings) for source in (format, "cohort"))
    assert 2 <= len(ours.chosen) == len(theirs.chosen)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    assert (ours.labels is None) == (not asked.startswith("labels"))
    reals = [pipeline.ImageDataset(images.chosen, 8, images.labels) for images in (ours, theirs)]
    for each in reals:
        each.labels = None
        each.hold(3, print)
    batches = [
        np.concatenate(list(each.dataset(3, 0, 5, 4, 1).as_numpy_iterator())) for each in reals
    ]
    np.testing.assert_array_equal(*batches)


def test_images_with_an_unknown_finding_are_left_out(tmp_path, capsys):
    folder = write_cohort(tmp_path / "cohort", *ramps(20, 8, seed=0))
    path = folder / "manifest.csv"
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace(",0,", ",,", 1)
    path.write_text("\n".join(lines))
    out = records.write(folder)["folder"]
    found = gan_images.choose(
        out, load_config("gan", "demo").replace(**SMALL | {"labels": "findings"})
    )
    assert len(found.chosen) == len(found.labels) == 11 and 1 not in found.chosen.rows
    assert not np.isnan(found.labels).any()
    assert "1 of 12 images left out: some finding is unknown in png" in capsys.readouterr().out


def _flip(path, record):
    """In the data of one record, counted from 1."""
    offset = record_files.RecordFile.scan(path).offsets[record - 1]
    content = bytearray(path.read_bytes())
    content[offset + 40] ^= 1
    path.write_bytes(content)


def test_a_record_that_is_damaged_later_leaves_the_state_to_go_on_from(
    made, whole, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 0)
    folder = shutil.copytree(made["nvidia"], tmp_path / "nvidia")
    path = folder / "train" / "train-r03.tfrecords"
    sound = path.read_bytes()
    _flip(path, 5)
    assert f"{path}: record 5 is damaged" in _fails(capsys, folder, tmp_path / "run")
    # The last two before 8 px are read: a tick's and the half-phase's.
    kept = sorted(path.name for path in (tmp_path / "run" / "state").iterdir())
    assert kept == ["nimg0000000032.npz", "nimg0000000048.npz"]
    path.write_bytes(sound)
    assert _run(folder, tmp_path / "run") == 0
    _assert_same(_state(tmp_path / "run"), whole)
    # The copy isn't where its report says that the cohort is, seen from there.
    assert artifacts.read_json(tmp_path / "run" / "config.json")["cohort"] == ""
    with pytest.raises(
        InputError, match="config.json: was trained on records whose cohort isn't known"
    ):
        patients.check_disjoint(tmp_path / "run", cohorts.load(made["cohort"]).select("test"))
    (folder / "train" / "train-r02.tfrecords").write_bytes(b"")
    assert "train-r02.tfrecords: holds no records" in _fails(capsys, folder, tmp_path / "run")


def test_wrong_records_are_one_line_and_leave_no_run(made, tmp_path, capsys):
    out = tmp_path / "run"
    png, nvidia = (shutil.copytree(made[format], tmp_path / format) for format in records.FORMATS)
    assert "smaller than the 16 px asked for" in _fails(capsys, png, out, "--set", "resolution=16")
    assert "smaller than the 16 px asked for" in _fails(
        capsys, nvidia, out, "--set", "resolution=16"
    )
    assert "labels of shape [12, 2]" in _fails(capsys, nvidia, out, "--set", "labels=findings")
    (nvidia / "train" / "train-rxx.labels").unlink()
    assert "holds no labels" in _fails(capsys, nvidia, out, "--label", "normal")
    assert "holds no labels" in _fails(capsys, nvidia, out, "--set", "labels=binary")
    (png / "manifest.csv").touch()
    assert "holds both a cohort and TFRecords" in _fails(capsys, png, out)
    (png / "manifest.csv").unlink()
    path = png / "train.tfrecords"
    sound = path.read_bytes()
    path.write_bytes(sound[:-9])
    assert f"{path}: is cut short in record 12" in _fails(capsys, png, out)
    path.write_bytes(sound)
    _flip(path, 4)
    assert f"{path}: record 4 is damaged" in _fails(capsys, png, out, "--label", "normal")
    assert not out.exists()

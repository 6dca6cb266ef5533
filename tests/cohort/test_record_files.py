"""TFRecords as training images: the pixels of the cohort and of the original; what cannot be used
is named."""

import shutil

import cv2
import numpy as np
import pytest

from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort import pipeline, record_files, records
from pgcxr.cohort.image_files import PngFiles
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import InputError
from tests.toy_cohort import spots, write_cohort

tf = pytest.importorskip("tensorflow")
FORMATS = ("png", "nvidia")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{"cohort", "png", "nvidia"}: 30 images of 16 px, 18 of them to train on."""
    folder = tmp_path_factory.mktemp("made")
    write_cohort(folder / "cohort", *spots(30, 16, seed=0))
    places = {format: records.write(folder / "cohort", format)["folder"] for format in FORMATS}
    return {"cohort": folder / "cohort", **places}


@pytest.fixture
def train(made):
    return cohorts.load(made["cohort"]).select(split="train")


def _copy(made, tmp_path, format):
    return shutil.copytree(made[format], tmp_path / format)


def _read(images, level):
    return np.stack([images.read(tf.constant(index), (level,))[0] for index in range(len(images))])


def _batches(reals, level):
    return np.concatenate(list(reals.dataset(level, 5, 7, 4, seed=2).as_numpy_iterator()))


@pytest.mark.parametrize("size", [16, 8, 4])
def test_png_records_give_the_pixels_of_the_cohort(made, train, size):
    found = record_files.load(made["png"], "train")
    np.testing.assert_array_equal(found.images(size), train.images(size))
    level = size.bit_length() - 1
    files = PngFiles(train.paths(), 16)
    wanted = [files.read(tf.constant(index), (level,))[0] for index in range(len(train))]
    np.testing.assert_array_equal(_read(found, level), np.stack(wanted))


@pytest.mark.parametrize("split", cohorts.SPLITS)
def test_the_originals_files_give_the_pixels_of_their_own_level(made, split):
    found, full = (
        record_files.load(made["nvidia"], split),
        cohorts.load(made["cohort"]).select(split=split).images(16),
    )
    for level, factor in ((4, 1), (3, 2), (2, 4)):
        boxes = full.reshape(len(full), 2**level, factor, 2**level, factor, 1).astype(float)
        np.testing.assert_array_equal(_read(found, level), np.rint(boxes.mean(axis=(2, 4))))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("in_memory", [True, False])
def test_batches_are_those_of_the_cohort(made, train, monkeypatch, format, in_memory):
    """In the same order; and from the disk the same as held in memory, level by level."""
    wanted = ImageDataset(train, 16)
    if not in_memory:
        monkeypatch.setattr(
            pipeline, "IN_MEMORY_BYTES", 18 * 64 * 4 // 3 + 1
        )  # 8 px fit, 16 px don't
    reals = ImageDataset(record_files.load(made[format], "train"), 16)
    for level in (4, 3, 2):
        found = _batches(reals, level)
        assert found.shape == (28, 2**level, 2**level, 1) and found.dtype == np.uint8
        # The mean's exact half is rounded in two ways where files are reduced from the disk.
        tolerance = 1 if format == "png" and not in_memory and level < 4 else 0
        assert np.abs(found.astype(int) - _batches(wanted, level)).max() <= tolerance
        reals.hold(level, lambda line: None)
        assert (level in reals.levels) == (level < 4 if not in_memory else format == "nvidia")
        np.testing.assert_array_equal(_batches(reals, level), found)


@pytest.mark.shared
def test_the_originals_own_data_set(shared):
    """Images and labels as the original's own reader gives them."""
    expected = np.load(shared / "reference" / "tfrecords_gray32_expected.npz")
    found = record_files.load(shared / "reference" / "tfrecords_gray32", "train")
    assert len(found) == 8 and found.at_every_level
    for lod in range(4):
        wanted = np.moveaxis(expected[f"images_lod{lod}"], 1, -1)
        np.testing.assert_array_equal(_read(found, 5 - lod), wanted)
    with pytest.raises(InputError, match=r"rxx.labels: holds labels of shape \[8, 4\]"):
        found.labels("binary")


@pytest.mark.parametrize(
    ("format", "kind"), [("png", "binary"), ("png", "findings"), ("nvidia", "binary")]
)
def test_labels_are_those_of_the_cohort(made, train, format, kind):
    found = record_files.load(made[format], "train").labels(kind)
    wanted = (
        train.findings()
        if kind == "findings"
        else np.stack([1 - train.binary(), train.binary()], axis=1)
    )
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == np.float32


def test_an_unknown_finding_is_nan(made, tmp_path):
    folder = shutil.copytree(
        made["cohort"], tmp_path / "cohort", ignore=shutil.ignore_patterns("records")
    )
    text = (folder / "manifest.csv").read_text().splitlines()
    column = text[0].split(",").index("nodule")
    cells = text[2].split(",")
    cells[column] = ""
    text[2] = ",".join(cells)
    (folder / "manifest.csv").write_text("\n".join(text))
    found = record_files.load(records.write(folder)["folder"], "train").labels("findings")
    assert np.isnan(found).sum() == 1 and np.isnan(found[1, 1])


@pytest.mark.parametrize("format", FORMATS)
def test_a_selection_keeps_its_own_images_and_labels(made, format):
    whole = record_files.load(made[format], "train")
    rows = np.flatnonzero(whole.labels("binary")[:, 1])
    part = whole.select(rows)
    assert 0 < len(part) < len(whole) and part.labels("binary")[:, 1].all()
    np.testing.assert_array_equal(_read(part, 4), _read(whole, 4)[rows])
    assert part.select(np.array([1])).rows.tolist() == [rows[1]]


def test_the_fingerprint_is_of_all_records_in_their_order(made, tmp_path):
    def fingerprint(folder, rows=slice(None), labels=None):
        return ImageDataset(record_files.load(folder, "train").select(rows), 8, labels).fingerprint

    whole = fingerprint(made["nvidia"])
    other = _copy(made, tmp_path, "nvidia")
    assert fingerprint(other) == whole
    found = {
        whole,
        fingerprint(made["png"]),
        fingerprint(other, slice(None, -1)),
        fingerprint(other, slice(None, None, -1)),
    }
    found |= {fingerprint(other, labels=labels) for labels in (np.zeros((18, 2)), np.ones((18, 2)))}
    assert len(found) == 6
    # Another image, with the right checksum: the last one, at 4 px alone.
    path = other / "train" / "train-r02.tfrecords"
    data = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as file:
        for record in [*data[:-1], data[0]]:
            file.write(record)
    assert fingerprint(other) not in found


def _flip(path, record):
    """In the data of one record, counted from 1; its length stays."""
    offset = record_files.RecordFile.scan(path).offsets[record - 1]
    content = bytearray(path.read_bytes())
    content[offset + 40] ^= 1
    path.write_bytes(content)


FLIPPED = [
    ("png", "train.tfrecords"),
    ("nvidia", "train/train-r04.tfrecords"),
    ("nvidia", "train/train-r02.tfrecords"),
]


@pytest.mark.parametrize(("format", "name"), FLIPPED)
def test_a_flipped_byte_names_file_and_record(made, tmp_path, monkeypatch, format, name):
    folder = _copy(made, tmp_path, format)
    _flip(folder / name, 7)
    said = rf"{name.rpartition('/')[2]}: record 7 is damaged; write the records again"
    # By the number in the file, also where only some of its records are meant.
    found = record_files.load(folder, "train").select(np.arange(18) >= 3)
    with pytest.raises(
        InputError, match=said
    ):  # held in memory, from the beginning or level by level
        ImageDataset(found, 16).hold(2, lambda line: None)
    monkeypatch.setattr(pipeline, "IN_MEMORY_BYTES", 0)
    reals = ImageDataset(found, 16)
    with pytest.raises(tf.errors.OpError):
        for level in (2, 4):
            _batches(reals, level)
    with pytest.raises(InputError, match=said):
        reals.name_damaged(0, 15, seed=2)
    if format == "png":
        with pytest.raises(InputError, match=said):
            found.labels("binary")


def test_a_file_that_is_gone_while_it_is_used(made, tmp_path, monkeypatch):
    folder = _copy(made, tmp_path, "nvidia")
    reals = ImageDataset(record_files.load(folder, "train"), 16)
    (folder / "train" / "train-r03.tfrecords").unlink()
    with pytest.raises(InputError, match="train-r03.tfrecords: no such file"):
        reals.hold(3, lambda line: None)


def _cut(path, records):
    """Keeps whole records only."""
    path.write_bytes(path.read_bytes()[: record_files.RecordFile.scan(path).offsets[records]])


def _rgb(folder):
    with records.NvidiaWriter(folder / "train", "train", 16) as writer:
        writer.add(np.zeros((3, 16, 16), np.uint8))


def _oblong(folder):
    with tf.io.TFRecordWriter(str(folder / "train.tfrecords")) as file:
        file.write(
            records.example(image=[cv2.imencode(".png", np.zeros((8, 16), np.uint8))[1].tobytes()])
        )


def _other(folder):
    with tf.io.TFRecordWriter(str(folder / "train.tfrecords")) as file:
        file.write(records.example(pixels=[b"\0"]))


@pytest.mark.parametrize(
    ("format", "spoil", "said"),
    [
        (
            "nvidia",
            lambda f: (f / "train/train-r03.tfrecords").unlink(),
            "train-r03.tfrecords: no such file",
        ),
        (
            "nvidia",
            lambda f: (f / "train/train-r02.tfrecords").unlink(),
            "train-r02.tfrecords: no such file",
        ),
        (
            "nvidia",
            lambda f: _cut(f / "train/train-r03.tfrecords", 9),
            "train-r03.tfrecords: holds 9 records where ",
        ),
        ("nvidia", lambda f: shutil.rmtree(f / "train"), "no TFRecords of the split train"),
        ("png", lambda f: (f / "train.tfrecords").unlink(), "no TFRecords of the split train"),
        (
            "png",
            lambda f: (f / "train").mkdir() or _rgb(f),
            "holds both train.tfrecords and train/train-r02.tfrecords",
        ),
        (
            "nvidia",
            lambda f: (f / "train/b-r02.tfrecords").write_bytes(b""),
            "holds several data sets, b, train",
        ),
        ("nvidia", _rgb, r"images of \[3, 4, 4\] \(channels, rows, columns\), where gray ones"),
        ("png", _oblong, "holds images of 16 x 8, not square"),
        ("png", _other, "its records hold no 'image'"),
    ],
)
def test_what_cannot_be_used_is_named(made, tmp_path, format, spoil, said):
    folder = _copy(made, tmp_path, format)
    spoil(folder)
    with pytest.raises(InputError, match=said) as caught:
        record_files.load(folder, "train")
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_folder_of_another_split_is_refused(made):
    assert len(record_files.load(made["nvidia"] / "val", "val")) == 6
    with pytest.raises(InputError, match="holds the split val, not train"):
        record_files.load(made["nvidia"] / "val", "train")


@pytest.mark.parametrize("format", FORMATS)
def test_a_resolution_that_is_not_reached(made, format):
    with pytest.raises(InputError, match="16 x 16, smaller than the 32 px asked for"):
        ImageDataset(record_files.load(made[format], "train"), 32)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "holds no labels"),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), "train-rxx.labels: is damaged"),
        (lambda path: path.write_bytes(b"what"), "train-rxx.labels: is damaged"),
        (lambda path: path.write_bytes(b""), "train-rxx.labels: is damaged"),
        (
            lambda path: np.save(path.open("wb"), np.zeros((18, 2))),
            "holds other labels than normal and abnormal",
        ),
        (
            lambda path: np.save(path.open("wb"), np.full((18, 2), 0.5)),
            "holds other labels than normal and abnormal",
        ),
        (
            lambda path: np.save(path.open("wb"), np.zeros((17, 2))),
            r"of shape \[17, 2\], where 18 images",
        ),
        (lambda path: np.save(path.open("wb"), np.array([{}])), "is damaged, or no NumPy array"),
    ],
)
def test_labels_that_cannot_be_used(made, tmp_path, spoil, said):
    folder = _copy(made, tmp_path, "nvidia")
    spoil(folder / "train" / "train-rxx.labels")
    with pytest.raises(InputError, match=said):
        record_files.load(folder, "train").labels("binary")


def test_findings_are_not_in_the_originals_files(made):
    with pytest.raises(
        InputError, match=r"where 18 images with normal and nodule.* need \[18, 6\]"
    ):
        record_files.load(made["nvidia"], "train").labels("findings")

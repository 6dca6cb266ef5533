"""TFRecords: the original's own files, a twin of its arithmetic, and what is read back."""

import numpy as np
import pytest

from pgcxr.cohort import manifest as cohort
from pgcxr.cohort import records
from pgcxr.errors import InputError
from tests.curation.curating import curate


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


@pytest.fixture
def small_cohort(tmp_path, make_export):
    given = [{"codes": "J90"} if index % 3 else {} for index in range(12)]
    options = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False, "audit": False}
    curate(make_export(given), tmp_path / "cohort", size=16, **options)
    return tmp_path / "cohort"


def read_nvidia(tf, path):
    """Images of one file, parsed feature by feature."""
    found = []
    for raw in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(raw).features.feature
        shape = list(features["shape"].int64_list.value)
        found.append(np.frombuffer(features["data"].bytes_list.value[0], np.uint8).reshape(shape))
    return np.stack(found)


def halved(image: np.ndarray) -> np.ndarray:
    """Slow twin: the mean of each 2x2 block in float64, not rounded."""
    channels, rows, columns = image.shape
    result = np.empty((channels, rows // 2, columns // 2))
    for c, r, k in np.ndindex(result.shape):
        result[c, r, k] = image[c, 2 * r : 2 * r + 2, 2 * k : 2 * k + 2].astype(float).mean()
    return result


def test_pyramid_rounds_each_level_once():
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16), np.uint8)
    exact = image.astype(float)
    levels = list(records.pyramid(image))
    assert [level.shape for level in levels] == [(1, 16, 16), (1, 8, 8), (1, 4, 4)]
    for level in levels:
        np.testing.assert_array_equal(level, np.rint(exact))
        exact = halved(exact)


def test_nvidia_files_of_a_cohort(tf, small_cohort):
    report = records.write(small_cohort, "nvidia")
    assert report["size"] == 16 and sum(report["images"].values()) == 12
    loaded = cohort.load(small_cohort)
    for split in cohort.SPLITS:
        part = loaded.select(split)
        folder = small_cohort / "records" / "nvidia" / split
        assert sorted(path.name for path in folder.iterdir()) == [
            *(f"{split}-r{level:02d}.tfrecords" for level in (2, 3, 4)),
            f"{split}-rxx.labels",
        ]
        full = read_nvidia(tf, folder / f"{split}-r04.tfrecords")
        np.testing.assert_array_equal(full, np.moveaxis(part.images(16), -1, 1))
        small = read_nvidia(tf, folder / f"{split}-r03.tfrecords")
        np.testing.assert_array_equal(small, np.stack([np.rint(halved(image)) for image in full]))
        labels = np.load(folder / f"{split}-rxx.labels")
        assert labels.dtype == np.float32 and labels.shape == (len(part), 2)
        np.testing.assert_array_equal(labels[:, 1], part.binary())
        np.testing.assert_array_equal(labels.sum(1), 1)


def test_png_files_of_a_cohort(tf, small_cohort):
    records.write(small_cohort, "png", size=8)
    loaded = cohort.load(small_cohort)
    for split in cohort.SPLITS:
        part = loaded.select(split)
        path = small_cohort / "records" / "png" / f"{split}.tfrecords"
        examples = [
            tf.train.Example.FromString(raw).features.feature
            for raw in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        ]
        names = [example["image_id"].bytes_list.value[0].decode() for example in examples]
        assert names == list(part.manifest["image_id"])
        images = [
            tf.io.decode_png(example["image"].bytes_list.value[0]).numpy() for example in examples
        ]
        np.testing.assert_array_equal(np.stack(images), part.images(8))
        findings = [list(example["findings"].int64_list.value) for example in examples]
        np.testing.assert_array_equal(findings, part.findings()[:, 1:])
        assert [example["label"].int64_list.value[0] for example in examples] == list(part.binary())


@pytest.mark.parametrize(
    ("options", "said"), [({"format": "zip"}, "format=zip"), ({"size": 32}, "size=32")]
)
def test_bad_options(small_cohort, options, said):
    with pytest.raises(InputError, match=said):
        records.write(small_cohort, **options)
    assert not (small_cohort / "records").exists()


@pytest.mark.shared
def test_same_as_the_original(tf, shared, tmp_path):
    """Byte for byte what the original's dataset tool wrote of the same images."""
    expected = np.load(shared / "reference" / "tfrecords_gray32_expected.npz")
    with records.NvidiaWriter(tmp_path, "tfrecords_gray32", 32) as writer:
        for index in expected["order"]:
            writer.add(expected["source_images"][index])
        writer.add_labels(
            np.load(shared / "reference" / "tfrecords_gray32" / "tfrecords_gray32-rxx.labels")
        )
    for path in sorted((shared / "reference" / "tfrecords_gray32").iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
    for lod in range(4):
        found = read_nvidia(tf, tmp_path / f"tfrecords_gray32-r{5 - lod:02d}.tfrecords")
        np.testing.assert_array_equal(found, expected[f"images_lod{lod}"])


def test_records_know_their_cohort(tf, small_cohort, tmp_path):
    """By its place relative to theirs, as long as its manifest is the one that they were written
    from."""
    out = records.write(small_cohort, "nvidia", out=tmp_path / "elsewhere" / "r")["folder"]
    assert records.cohort_of(out).samefile(small_cohort) and records.cohort_of(
        out / "train"
    ).samefile(small_cohort)
    (tmp_path / "link").symlink_to(out)
    assert records.cohort_of(tmp_path / "link").samefile(small_cohort)
    assert records.cohort_of(small_cohort) is None, "its report is that of another command"
    small_cohort.rename(tmp_path / "away")
    assert records.cohort_of(out) is None
    (tmp_path / "away").rename(small_cohort)
    manifest = small_cohort / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",train,", ",val,", 1))
    with pytest.raises(InputError, match="manifest.csv: has changed since .*r was written from it"):
        records.cohort_of(out)

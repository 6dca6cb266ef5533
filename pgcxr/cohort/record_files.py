"""Folders of TFRecords as training images, any of them by its number.

Read are what `pgcxr records` writes, either format, and the original's own data sets (see
`pgcxr.cohort.records`), of gray square images.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pgcxr.cohort import image_files, labels
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import FINDINGS
from pgcxr.cohort.image_files import reduce_tensor
from pgcxr.cohort.tfrecord import AGAIN, RecordFile, damaged
from pgcxr.errors import InputError
from pgcxr.images import reduce_by_area
from pgcxr.io import places

LEVEL = re.compile(r"(.*)-r(\d\d)\.tfrecords")


class Records:
    """Images of one data set.

    Attributes:
        files: {log2 of the size: file}.
        rows: int64 [N], which of the files' records are meant.
        at_every_level: whether images of every size are stored, rather than reduced from one.
    """

    at_every_level = False

    def __init__(self, folder: Path, files: dict[int, RecordFile], rows: np.ndarray | None = None):
        self.folder, self.files = folder, files
        self.rows = np.arange(len(self.largest)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def largest(self) -> RecordFile:
        """The file of the largest images."""
        return self.files[max(self.files)]

    def select(self, rows: np.ndarray) -> "Records":
        """Only some of the images."""
        return type(self)(self.folder, self.files, self.rows[rows])

    def fingerprint(self) -> bytes:
        """Of the checksums of all records."""
        digest = hashlib.sha256()
        for level, file in sorted(self.files.items()):
            digest.update(bytes([level]) + file.checksums[self.rows].tobytes())
        return digest.digest()

    def check_size(self, resolution: int) -> None:
        """Raises InputError unless there are images of `resolution` px."""
        size = 1 << max(self.files)
        if size < resolution:
            raise InputError(
                f"{self.largest.path}: holds images of {size} x {size}, smaller than the "
                f"{resolution} px asked for; choose a lower resolution, or larger records"
            )

    def check(self, indices: Iterable[int]) -> None:
        """Raises InputError for the first of these images that cannot be read."""
        import tensorflow as tf

        for index in indices:
            for level, file in self.files.items():
                try:
                    self.read(tf.constant(int(index)), (level,))
                except tf.errors.NotFoundError:
                    raise InputError(f"{file.path}: no such file; {AGAIN}") from None
                except tf.errors.OpError:
                    raise damaged(file.path, int(self.rows[index])) from None

    def _record(self, level: int, index):
        import tensorflow as tf

        return self.files[level].read(tf.gather(tf.constant(self.rows), index))


class PngRecords(Records):
    """One file of compressed PNG, with labels, as `pgcxr records` writes it."""

    def read(self, index, levels: tuple[int, ...]) -> tuple:
        """Image `index` at each of `levels` (log2 of the size), reduced: uint8 tensors [2^level,
        2^level, 1]."""
        import tensorflow as tf

        (full,) = self.files
        image = tf.io.decode_png(self._png(index), channels=1)
        image = tf.ensure_shape(image, (1 << full, 1 << full, 1))
        return tuple(reduce_tensor(image, 1 << level) for level in levels)

    def images(self, size: int) -> np.ndarray:
        """uint8 [N, size, size, 1], reduced by area: the pixels that a cohort of the same files
        gives."""
        import tensorflow as tf

        images = np.empty((len(self), size, size, 1), np.uint8)
        read = tf.data.Dataset.range(len(self)).map(self._png, num_parallel_calls=tf.data.AUTOTUNE)
        try:
            for index, content in enumerate(read.as_numpy_iterator()):
                image = image_files.decode_png(content)
                if image is None or image.shape != (1 << max(self.files),) * 2:
                    raise damaged(self.largest.path, int(self.rows[index]))
                images[index, :, :, 0] = reduce_by_area(image, size, size)
        except tf.errors.OpError:
            self.check(range(len(self)))
            raise
        return images

    def labels(self, kind: str) -> np.ndarray:
        """float32 [N, K], see `pgcxr.cohort.labels`; NaN where a finding is unknown."""
        return _labels_of_examples(self.largest, kind)[self.rows]

    def _png(self, index):
        import tensorflow as tf

        features = {"image": tf.io.FixedLenFeature((), tf.string)}
        return tf.io.parse_single_example(self._record(max(self.files), index), features)["image"]


class LevelRecords(Records):
    """The original's files, one of raw pixels for each size from 4 px up."""

    at_every_level = True

    def read(self, index, levels: tuple[int, ...]) -> tuple:
        """Image `index` at each of `levels` (log2 of the size), as stored: uint8 tensors [2^level,
        2^level, 1]."""
        import tensorflow as tf

        def stored(level: int):
            features = {"data": tf.io.FixedLenFeature((), tf.string)}
            data = tf.io.parse_single_example(self._record(level, index), features)["data"]
            return tf.reshape(
                tf.io.decode_raw(data, tf.uint8), (1 << level, 1 << level, 1)
            )  # [1HW] -> [HW1]

        return tuple(stored(level) for level in levels)

    def labels(self, kind: str) -> np.ndarray:
        """float32 [N, K], see `pgcxr.cohort.labels`."""
        return _labels_of_file(self.folder, len(self.largest), kind)[self.rows]


def is_there(folder: Path) -> bool:
    """Whether a folder holds TFRecords, itself or one folder for each split."""
    return any(
        any(place.glob("*.tfrecords"))
        for place in (folder, *(folder / split for split in cohorts.SPLITS))
    )


def load(folder: str | Path, split: str) -> Records:
    """The images of one split, or those of a data set that has none.

    Raises:
        InputError: a file is missing or cut short, or they don't belong together, or their images
            are not gray squares.
    """
    folder = places.existing_folder(folder, "a folder of TFRecords")
    paths = _paths(folder, split)
    names = {match[1] for path in paths if (match := LEVEL.fullmatch(path.name))}
    if len(names) > 1:
        raise InputError(
            f"{folder}: holds several data sets, {', '.join(sorted(names))}; give each its own "
            "folder"
        )
    if names & set(cohorts.SPLITS) - {split}:
        raise InputError(
            f"{folder}: holds the split {min(names)}, not {split}; name the folder above it"
        )
    files = [RecordFile.scan(path) for path in paths]
    if not names:
        return PngRecords(folder, {_png_level(files[0]): files[0]})
    levels = {_raw_level(file): file for file in files}
    for level in range(2, max(levels)):
        if level not in levels:
            raise InputError(
                f"{paths[0].parent}/{min(names)}-r{level:02d}.tfrecords: no such file; {AGAIN}"
            )
        if len(levels[level]) != len(files[-1]):
            raise InputError(
                f"{levels[level].path}: holds {len(levels[level])} records where {paths[-1].name} "
                f"holds {len(files[-1])}; {AGAIN}"
            )
    return LevelRecords(paths[0].parent, levels)


def _paths(folder: Path, split: str) -> list[Path]:
    compressed = [path for path in [folder / f"{split}.tfrecords"] if path.is_file()]
    inner, flat = (
        sorted(path for path in place.glob("*.tfrecords") if LEVEL.fullmatch(path.name))
        for place in (folder / split, folder)
    )
    candidates = [paths for paths in (compressed, inner, flat) if paths]
    if not candidates:
        raise InputError(f"{folder}: no TFRecords of the split {split}; {AGAIN}")
    if len(candidates) > 1:
        raise InputError(
            f"{folder}: holds both {candidates[0][0].name} and "
            f"{candidates[1][0].relative_to(folder)}; "
            "give records of different formats folders of their own"
        )
    return candidates[0]


def _png_level(file: RecordFile) -> int:
    image = image_files.decode_png(_first(file, "image").bytes_list.value[0])
    if image is None:
        raise damaged(file.path, 0)
    rows, columns = image.shape
    if rows != columns or rows & (rows - 1) or rows < 4:
        raise InputError(
            f"{file.path}: holds images of {columns} x {rows}, not square and a power of two; "
            f"{AGAIN}"
        )
    return rows.bit_length() - 1


def _raw_level(file: RecordFile) -> int:
    level, shape = (
        int(LEVEL.fullmatch(file.path.name)[2]),
        list(_first(file, "shape").int64_list.value),
    )
    if shape != [1, 1 << level, 1 << level]:
        raise InputError(
            f"{file.path}: holds images of {shape} (channels, rows, columns), where gray ones of "
            f"{1 << level} x {1 << level} are needed"
        )
    return level


def _first(file: RecordFile, name: str):
    """A feature of the first record."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    data = next(file.in_turn())
    try:
        feature = tf.train.Example.FromString(data).features.feature[name]
    except DecodeError:
        raise damaged(file.path, 0) from None
    if not feature.WhichOneof("kind") or not (feature.bytes_list.value or feature.int64_list.value):
        raise InputError(f"{file.path}: its records hold no {name!r}; {AGAIN}")
    return feature


def _labels_of_file(folder: Path, count: int, kind: str) -> np.ndarray:
    """float32 [count, K] of the original's `*-rxx.labels`, a NumPy array with a row of 0 and 1 for
    each image.

    Raises:
        InputError: there is none, or it holds labels of another kind or number.
    """
    paths, columns = sorted(folder.glob("*-rxx.labels")), labels.names(kind)
    if not paths:
        raise InputError(f"{folder}: holds no labels (*-rxx.labels); train without labels")
    try:
        rows = np.load(paths[0], allow_pickle=False)
        usable = np.isin(rows, (0, 1)).all()
    except (ValueError, EOFError, TypeError):
        raise InputError(f"{paths[0]}: is damaged, or no NumPy array; {AGAIN}") from None
    if rows.shape != (count, len(columns)):
        raise InputError(
            f"{paths[0]}: holds labels of shape {list(rows.shape)}, where {count} images with "
            f"{' and '.join(columns)} need {[count, len(columns)]}; train without labels, "
            f"or {AGAIN}"
        )
    if not usable or (labels.exclusive(kind) and (rows.sum(axis=1) != 1).any()):
        raise InputError(
            f"{paths[0]}: holds other labels than {' and '.join(columns)}, each 0 or 1; {AGAIN}"
        )
    return rows.astype(np.float32)


def _labels_of_examples(file: RecordFile, kind: str) -> np.ndarray:
    """float32 [N, K] of the features `label` and `findings` that `pgcxr records` writes; NaN where
    one is unknown.

    Reads all of the file.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    labels.names(kind)  # refuses what is none
    rows = np.empty((len(file), 1 + len(FINDINGS)), np.float32)
    for index, data in enumerate(file.in_turn()):
        try:
            features = tf.train.Example.FromString(data).features.feature
            row = [*features["label"].int64_list.value, *features["findings"].int64_list.value]
        except DecodeError:
            row = []
        if len(row) != rows.shape[1] or row[0] not in (0, 1) or not set(row[1:]) <= {-1, 0, 1}:
            raise InputError(
                f"{file.path}: record {index + 1} holds no labels that could be used; {AGAIN}"
            )
        rows[index] = row
    abnormal, five = rows[:, :1], rows[:, 1:]
    if kind == labels.BINARY:
        return labels.one_hot(abnormal)
    return np.concatenate([1 - abnormal, np.where(five < 0, np.nan, five)], axis=1)

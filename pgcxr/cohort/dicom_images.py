"""DICOM files as training images, without a cohort in between."""

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pgcxr import dicom
from pgcxr.cohort.image_files import reduce_tensor
from pgcxr.dicom import pixel_data
from pgcxr.dicom.normalization import THESIS, Normalization
from pgcxr.dicom.reading import Rejected
from pgcxr.errors import InputError
from pgcxr.images import PAD, fitted_side, to_square
from pgcxr.io import trees

# Exports begin with a few files of other kinds at most.
LOOKED_AT = 100


class DicomFiles:
    """Square images of some files, decoded anew each time.

    A file is named by its place among `paths`, from 1: its own name may be that of a patient.
    """

    def __init__(
        self, paths: Sequence[Path], size: int, fit: str, normalize: Normalization, decoder: str
    ):
        self.paths, self.size, self.fit = list(paths), size, fit
        self._options = {"normalize": normalize, "decoder": decoder}
        pixel_data.reader(decoder)  # says so where it is not there

    def load(self, index: int) -> np.ndarray:
        """uint8 [size, size, 1]; or Rejected ("too_small" among the rules: nothing is enlarged)."""
        image = dicom.decode(self.paths[index], **self._options)
        if fitted_side(*image.shape, self.fit) < self.size:
            raise TooSmall(self.size)
        return to_square(image, self.size, self.fit)[..., None]

    def tensors(self, index, note: Callable[[str], None] = lambda rule: None) -> tuple:
        """uint8 [size, size, 1] and why there is no image, or ""; in tf.data. `note` is told each
        rule that rejects."""
        import tensorflow as tf

        def load(number):
            try:
                return self.load(int(number)), b""
            except (Rejected, TooSmall) as reason:
                note(reason.rule)
                said = f"file {number + 1} of {len(self.paths)}: {reason.rule}: {reason.detail}"
                return np.zeros((self.size, self.size, 1), np.uint8), said.encode()

        image, reason = tf.numpy_function(load, [index], (tf.uint8, tf.string))
        return tf.ensure_shape(image, (self.size, self.size, 1)), tf.ensure_shape(reason, ())


class TooSmall(Exception):
    """An image that would have to be enlarged."""

    rule = "too_small"

    def __init__(self, size: int):
        self.detail = f"smaller than {size} px"
        super().__init__(self.rule, self.detail)


class DicomImages:
    """The images of an export that can be decoded, for `pgcxr.cohort.pipeline.ImageDataset`.

    Every file is decoded once, to know which they are, and kept where all fit into `hold_bytes`;
    the others are decoded again whenever they are shown.

    Attributes:
        rejected: how many files each rule left out.
    """

    at_every_level = False

    def __init__(self, folder: Path, resolution: int, *, hold_bytes: int):
        paths = files_in(folder)
        self.folder, self._files = (
            folder,
            DicomFiles(paths, resolution, PAD, THESIS, pixel_data.PYDICOM),
        )
        self.rejected: Counter[str] = Counter()
        digest, rows, held = hashlib.sha256(), [], []
        keep = len(paths) * resolution**2 <= hold_bytes
        for index, (image, reason) in enumerate(_each(self._files, self.rejected)):
            if not reason:
                digest.update(image.tobytes())
                rows.append(index)
                held += [image] if keep else []
        self._held = np.stack(held) if held else None
        self._rows, self._digest = np.array(rows, np.int64), digest.digest()

    def __len__(self) -> int:
        return len(self._rows)

    def fingerprint(self) -> bytes:
        """Of all pixels, in order."""
        return self._digest

    def check_size(self, resolution: int) -> None:
        """All are of the resolution asked for, or were left out."""

    def images(self, size: int) -> np.ndarray:
        """uint8 [N, size, size, 1]."""
        if self._held is not None and size == self._files.size:
            return self._held
        return np.stack([self._files.load(row) for row in self._rows])

    def read(self, index, levels: tuple[int, ...]) -> tuple:
        """Image `index` at each of `levels` (log2 of the size), reduced: uint8 tensors [2^level,
        2^level, 1]."""
        import tensorflow as tf

        image, reason = self._files.tensors(tf.gather(tf.constant(self._rows), index))
        with tf.control_dependencies([tf.debugging.Assert(tf.equal(reason, ""), [reason])]):
            return tuple(reduce_tensor(tf.identity(image), 1 << level) for level in levels)

    def check(self, indices: Iterable[int]) -> None:
        """Raises InputError for the first of these images that can no longer be read."""
        for index in indices:
            try:
                self._files.load(self._rows[index])
            except (Rejected, TooSmall) as reason:
                number = int(self._rows[index]) + 1
                raise InputError(
                    f"{self.folder}: file {number} of {len(self._files.paths)} can no longer be "
                    f"read ({reason.rule}: {reason.detail}); put it back, or begin a new run"
                ) from None


def files_in(folder: str | os.PathLike) -> list[Path]:
    """All files of a tree that are not hidden, in the order of their paths."""
    tree = trees.walk(folder, lambda path: not trees.is_hidden(path))
    return sorted(Path(folder, name) for name in tree.files)


def is_there(folder: str | os.PathLike) -> bool:
    """Whether one of the first files in a folder is a DICOM image."""
    for path in files_in(folder)[:LOOKED_AT]:
        try:
            dicom.read_header(path)
            return True
        except Rejected:
            pass
    return False


def dataset(files: DicomFiles, rejected: Counter | None):
    """tf.data of (image, reason) of every file, in order; counts reasons in `rejected`, or has them
    raised."""
    import tensorflow as tf

    lock = threading.Lock()

    def note(rule: str) -> None:
        with lock:
            rejected[rule] += 1

    def load(index):
        if rejected is not None:
            return files.tensors(index, note)
        image, reason = files.tensors(index)
        with tf.control_dependencies([tf.debugging.Assert(tf.equal(reason, ""), [reason])]):
            return tf.identity(image), reason

    return tf.data.Dataset.range(len(files.paths)).map(load, num_parallel_calls=tf.data.AUTOTUNE)


def _each(files: DicomFiles, rejected: Counter):
    return dataset(files, rejected).prefetch(16).as_numpy_iterator()

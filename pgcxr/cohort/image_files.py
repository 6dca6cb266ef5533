"""The PNG files of a cohort as training images, any of them by its number."""

from collections.abc import Iterable
from pathlib import Path

from pgcxr.cohort import manifest as cohorts


class Files:
    """Square gray PNG files of at least `resolution` px."""

    def __init__(self, paths: list[Path], resolution: int):
        self.paths, self._resolution = paths, resolution

    def read(self, index, levels: tuple[int, ...]) -> tuple:
        """Image `index` at each of `levels` (log2 of the size): uint8 tensors [2^level, 2^level,
        1]."""
        import tensorflow as tf

        path = tf.gather(tf.constant([str(path) for path in self.paths]), index)
        image = tf.image.decode_png(tf.io.read_file(path), channels=1)
        return tuple(reduce_tensor(image, 1 << level) for level in levels)

    def check(self, indices: Iterable[int]) -> None:
        """Raises InputError for the first of these files that cannot be read, or is too small."""
        for index in indices:
            cohorts.load_images([self.paths[index]], self._resolution)


def reduce_tensor(image, size: int):
    """uint8 tensor [R, R, 1] -> [size, size, 1], the rounded mean over each box."""
    import tensorflow as tf

    return tf.cast(tf.round(tf.image.resize(image, (size, size), method="area")), tf.uint8)

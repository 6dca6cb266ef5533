"""Real images for training, in an order that is a pure function of the seed and the image count.

Because image number k is known without running through the k - 1 before it, a resumed run goes on
with exactly the image that an undisturbed run would see.
"""

import hashlib
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pgcxr.cohort import dicom_images
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.dicom_images import DicomImages
from pgcxr.cohort.image_files import PngFiles
from pgcxr.cohort.record_files import Records
from pgcxr.dicom import normalization
from pgcxr.dicom.normalization import THESIS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import CROP, PAD, reduce_by_factor
from pgcxr.io import places

# Above this, images stay on the disk and are read as they are needed.
IN_MEMORY_BYTES = 2_000_000_000


def repeat_factors(findings: np.ndarray, threshold: float) -> np.ndarray:
    """How often each image is shown in an epoch so that rare findings are seen (repeat factor
    sampling; Gupta et al., LVIS, CVPR 2019, arXiv 1908.03195, section 4.2).

    A finding of which a share f < `threshold` of the images has any is worth sqrt(threshold / f);
    an image counts as its rarest one, at least once.

    Args:
        findings: [N, K] of 0, 1, or NaN where unknown.
        threshold: share of the images.

    Returns:
        float64 [N], 1 and above.

    Example:

        >>> repeat_factors(np.array([[1, 1], [0, 1], [0, 0], [0, 0]]), 0.5)
        array([1.41421356, 1.        , 1.        , 1.        ])
    """
    present = findings == 1
    share = np.maximum(present.mean(axis=0), 1 / len(present))
    return np.where(present, np.maximum(1, np.sqrt(threshold / share)), 1.0).max(axis=1)


def order(
    count: int, start: int, length: int, seed: int, repeats: np.ndarray | None = None
) -> np.ndarray:
    """Which of `count` images are number start .. start + length - 1: int32, one fresh shuffle for
    each epoch, in which image i is shown `repeats[i]` times on average (None: once)."""
    each = count if repeats is None else math.ceil(repeats.sum())
    chosen = np.empty(length, np.int32)
    filled = 0
    while filled < length:
        epoch, first = divmod(start + filled, each)
        rng = np.random.default_rng([seed, epoch])
        shuffled = rng.permutation(count)
        if repeats is not None:
            # Systematic: 1.4 is once or twice, and twice in 4 epochs of 10; none is left out.
            ends = np.cumsum(repeats[shuffled])
            at = (np.arange(each) + rng.random()) * (ends[-1] / each)
            shuffled = rng.permutation(shuffled[np.searchsorted(ends, at, side="right")])
        part = shuffled[first : first + length - filled]
        chosen[filled : filled + len(part)] = part
        filled += len(part)
    return chosen


class ImageDataset:
    """The real images of one training, at any level.

    Args:
        images: a cohort's selection, TFRecords, DICOM files, or uint8 [N, R, R, C].
        resolution: R, of the finished network.
        labels: float32 [N, K] of a conditioned GAN (see `pgcxr.cohort.labels`).
        repeats: [N], how often each is shown in an epoch (see `repeat_factors`); None: once.

    Attributes:
        count: N.
        fingerprint: of which images there are and in which order; a run goes on with these alone.

    Example:

        >>> images = np.arange(6, dtype=np.uint8).repeat(64).reshape(6, 8, 8, 1)
        >>> dataset = ImageDataset(images, resolution=8)
        >>> batches = dataset.dataset(level=2, start=0, steps=2, minibatch=3, seed=0)
        >>> [batch.shape for batch in batches.as_numpy_iterator()]
        [(3, 4, 4, 1), (3, 4, 4, 1)]
    """

    def __init__(
        self,
        images: cohorts.Cohort | Records | DicomImages | np.ndarray,
        resolution: int,
        labels: np.ndarray | None = None,
        repeats: np.ndarray | None = None,
    ):
        self.resolution = resolution
        self.labels, self.repeats = labels, repeats
        self.full, self.source = None, None
        stored = isinstance(images, (Records, DicomImages))
        if stored:
            images.check_size(resolution)
        if isinstance(images, np.ndarray):
            self.full = images
        elif len(images) * resolution**2 <= IN_MEMORY_BYTES and not (
            stored and images.at_every_level
        ):
            self.full = images.images(resolution)
        else:
            self.source = images if stored else PngFiles(images.paths(), resolution)
            self.source.check([0])
        self.levels: dict[int, np.ndarray] = {}
        self.count = len(images)
        self.fingerprint = _fingerprint(images, labels)
        if self.count == 0:
            raise InputError(
                "cohort: no training images with the label asked for; see manifest.csv"
            )

    def hold(self, level: int, say: Callable = print) -> None:
        """Reads files once for all the small levels that fit into memory, `level` among them: there
        a device trains faster than large files are decoded. Nothing to do where all is in memory,
        or for larger levels.

        Raises:
            InputError: a file cannot be read.
        """
        import tensorflow as tf

        fits = [
            v
            for v in range(2, 11)
            if self.count * 4**v * 4 / 3 <= IN_MEMORY_BYTES and 2**v <= self.resolution
        ]
        if level not in fits:
            self.levels = {}  # networks grow: the small levels do not come again
        if self.full is not None or level in self.levels or level not in fits:
            return
        say(
            f"reading {self.count} images once, to hold them in memory for the levels up to "
            f"{2 ** fits[-1]} px"
        )
        self.levels = {
            v: np.empty((self.count, 2**v, 2**v, 1), np.uint8) for v in fits if v >= level
        }

        read = tf.data.Dataset.range(self.count).map(
            lambda index: self.source.read(index, tuple(self.levels)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        try:
            for index, images in enumerate(read.prefetch(64).as_numpy_iterator()):
                for held, image in zip(self.levels.values(), images, strict=True):
                    held[index] = image
        except tf.errors.OpError:
            self.levels = {}
            self.source.check(range(self.count))  # says which
            raise

    def dataset(
        self,
        level: int,
        start: int,
        steps: int,
        minibatch: int,
        seed: int,
        share: tuple | None = None,
    ):
        """tf.data of `steps` batches uint8 [minibatch, 2^level, 2^level, C], from image number
        `start` on.

        `share` (host, hosts, devices of each) cuts every batch into equal parts for all devices, in
        order, and keeps those of one host, as a batch for each device.

        With labels each is (images, float32 [minibatch, K]).
        """
        import tensorflow as tf

        numbers = order(self.count, start, steps * minibatch, seed, self.repeats)
        indices = numbers.reshape(steps, minibatch)
        if share is not None:
            host, hosts, devices = share
            minibatch //= hosts * devices
            indices = indices.reshape(steps, hosts, devices, minibatch)[:, host].reshape(
                -1, minibatch
            )
        batches = tf.data.Dataset.from_tensor_slices(indices)
        size = 2**level
        if self.full is not None or level in self.levels:
            images = tf.constant(
                self.levels[level] if self.full is None else reduce_by_area(self.full, size)
            )
            pixels = batches.map(
                lambda i: tf.ensure_shape(
                    tf.gather(images, i), (minibatch, size, size, images.shape[-1])
                )
            )
        else:
            pixels = batches.map(
                lambda i: self._read(i, level, minibatch), num_parallel_calls=tf.data.AUTOTUNE
            )
        if self.labels is not None:
            labels = tf.constant(self.labels)
            pixels = tf.data.Dataset.zip(pixels, batches.map(lambda i: tf.gather(labels, i)))
        options = tf.data.Options()
        # One process reads for all its replicas: each step's batch is split between them, in order.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        return pixels.with_options(options).prefetch(2)

    def name_damaged(self, start: int, length: int, seed: int) -> None:
        """Raises InputError with the name of the first file that cannot be read among images start
        .. start + length.

        TensorFlow's own error does not say which file it was.
        """
        if self.source is not None:
            numbers = order(self.count, start, length, seed, self.repeats)
            self.source.check(dict.fromkeys(numbers))

    def _read(self, indices, level: int, minibatch: int):
        import tensorflow as tf

        images = tf.map_fn(
            lambda i: self.source.read(i, (level,))[0], indices, fn_output_signature=tf.uint8
        )
        return tf.ensure_shape(images, (minibatch, 2**level, 2**level, 1))


def from_dicom(
    files: str | os.PathLike | Sequence[str | os.PathLike],
    size: int,
    *,
    fit: str = "pad",
    normalize: str = str(THESIS),
    decoder: str = "pydicom",
    rejected: Counter | None = None,
):
    """tf.data of uint8 [size, size, 1], straight from DICOM, in order and decoded in parallel.

    Args:
        files: a folder, read with all that is in it, or the files themselves.
        size: side in pixels.
        fit: "pad" or "crop".
        normalize: as `pgcxr.dicom.normalization.parse` reads it.
        decoder: "pydicom" or "tfio".
        rejected: {rule: count}; files that are no images, or smaller than `size`, are left out and
            added to it, once for every time the data set is run through. Without it the first of
            them ends the run: the tf.errors.InvalidArgumentError says the rule and the file's
            number, never its name.

    Example:

        >>> import tempfile
        >>> from pgcxr.phantom.export import PhantomOptions, write_export
        >>> left_out = Counter()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     options = PhantomOptions(patients=2, size=64, workers=1)
        ...     counts = write_export(f"{folder}/export", options)
        ...     images = from_dicom(f"{folder}/export", 32, rejected=left_out)
        ...     shapes = {image.shape for image in images.as_numpy_iterator()}
        >>> shapes
        {(32, 32, 1)}
    """
    if isinstance(files, (str, os.PathLike)):
        paths = dicom_images.files_in(places.existing_folder(files, "a folder of DICOM files"))
    else:
        paths = [Path(path) for path in files]
    if fit not in (PAD, CROP):
        raise ArgumentError("fit", f"must be {PAD} or {CROP}", received=fit)
    images = dicom_images.DicomFiles(paths, size, fit, normalization.parse(normalize), decoder)

    def decoded(image, reason):
        return reason == ""

    def image_alone(image, reason):
        return image

    return dicom_images.dataset(images, rejected).filter(decoded).map(image_alone).prefetch(2)


def reduce_by_area(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 [N, R, R, C] -> [N, size, size, C], the rounded mean over each box."""
    full = images.shape[1]
    if size == full:
        return images
    return np.rint(reduce_by_factor(images, full // size, np.float32)).astype(np.uint8)


def _fingerprint(
    images: cohorts.Cohort | Records | DicomImages | np.ndarray, labels: np.ndarray | None
) -> str:
    """Of which images there are and in which order: those that a run was begun with are those it
    can go on with."""
    digest = hashlib.sha256()
    if isinstance(images, np.ndarray):
        digest.update(
            repr((images.shape, images.dtype.str)).encode() + np.ascontiguousarray(images).tobytes()
        )
    elif isinstance(images, cohorts.Cohort):
        columns = [name for name in ("image_id", "sha256") if name in images.manifest.columns]
        digest.update(images.manifest[columns].to_csv(index=False).encode())
    else:
        # The original keeps labels in a file of their own.
        digest.update(images.fingerprint() + (b"" if labels is None else labels.tobytes()))
    return digest.hexdigest()[:16]

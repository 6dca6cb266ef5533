"""TFRecords of a cohort: compressed PNG at one size, or the original PGGAN's multi-resolution raw
images.

The `nvidia` layout is that of the original's dataset tool, so that its code and its descendants
read it: one folder for each data set, `<name>-rNN.tfrecords` for every resolution 2^NN from 4 px up
with the features `shape` (int64 [C, H, W]) and `data` (uint8, C order), and `<name>-rxx.labels`, a
NumPy array, float32 [N, 2]: one-hot normal, abnormal.
"""

import contextlib
import os
from pathlib import Path

import numpy as np

from pgcxr.cohort import image_files, labels
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts

COMMAND = "pgcxr records"
FORMATS = ("png", "nvidia")
SMALLEST_LOG2 = 2
BATCH = 64


def write(
    folder: str | Path,
    format: str = "png",
    *,
    out: str | Path | None = None,
    size: int | None = None,
) -> dict:
    """Writes every split of a cohort as TFRecords.

    Args:
        folder: the cohort.
        format: "png", or "nvidia" for the original's multi-resolution data sets.
        out: a new folder, or records of what the cohort was before; by default records/FORMAT in
            the cohort.
        size: side in pixels, a power of two up to the cohort's, which it is by default.

    Returns:
        {"folder", "format", "size", "images": {split: N}}.

    Raises:
        InputError: the cohort or the size is not as it must be, or `out` is there already.

    Example:

        >>> import tempfile
        >>> import cv2
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = f"{','.join(cohorts.REQUIRED)}\\n0,a,normal,0,0,0,0,0,train,0.png\\n"
        ...     count = Path(folder, "manifest.csv").write_text(table)
        ...     done = cv2.imwrite(f"{folder}/0.png", np.zeros((8, 8), np.uint8))
        ...     report = write(folder, "nvidia")
        ...     [path.name for path in sorted(report["folder"].glob("train/*"))]
        ['train-r02.tfrecords', 'train-r03.tfrecords', 'train-rxx.labels']
    """
    if format not in FORMATS:
        raise ArgumentError("format", f"must be {' or '.join(FORMATS)}", received=format)
    cohort = cohorts.load(folder)
    own = _side(cohort.paths())
    size = own if size is None else size
    if size < 1 << SMALLEST_LOG2 or size & (size - 1) or size > own:
        expected = f"must be a power of two from 4 up to the cohort's {own}"
        raise ArgumentError("size", expected, received=size)
    out = Path(out) if out is not None else cohort.folder / "records" / format
    report = {"folder": out, "format": format, "size": size, "images": {}}
    with artifacts.new_folder(out, replace=_gives_way(out, cohort.folder)) as beside:
        for split in cohorts.SPLITS:
            part = cohort.select(split)
            if len(part):
                (_write_png if format == "png" else _write_nvidia)(part, beside, split, size)
            report["images"][split] = len(part)
        where = {
            "folder": out.name,
            "cohort": os.path.relpath(cohort.folder.resolve(), out.resolve()),
            "manifest_sha256": _manifest_hash(cohort.folder),
        }
        artifacts.write_report(beside, report | where, command=COMMAND)
    return report


def _side(paths: list[Path]) -> int:
    """Of all images, by their headers, so that none is decoded that is not what the others are."""
    side = image_files.png_size(paths[0])[0]
    image_files.check_images(paths, side)
    for path in paths:
        rows, columns = image_files.png_size(path)
        if rows != side:
            raise InputError(
                f"{path}: is {columns} x {rows} where the cohort's first image is {side} x {side}; "
                "make the cohort again with `pgcxr curate`"
            )
    return side


def cohort_of(folder: Path) -> Path | None:
    """The cohort that the records in `folder` were written from; None where that isn't known, or
    not in its place.

    Raises:
        InputError: its manifest has changed: the splits of the records may no longer be its splits.
    """
    for place in (folder, folder.parent):  # the latter where `folder` is that of one split
        report = _report(place)
        if report is None:
            continue
        # As text: `..` must lead out of the folder also where it is reached by a link.
        cohort = Path(os.path.realpath(place)) / report["cohort"]
        if "\0" in report["cohort"] or not (cohort / "manifest.csv").is_file():
            return None
        if _manifest_hash(cohort) != report.get("manifest_sha256"):
            raise InputError(
                f"{cohort / 'manifest.csv'}: has changed since {place} was written from it; "
                "write the records again with `pgcxr records`"
            )
        return cohort
    return None


def out_of_date(folder: Path, cohort: Path) -> list[Path]:
    """The records in `folder`, or in folders in it, that were written from another manifest than
    the one in `cohort`."""
    now = _manifest_hash(cohort)
    found = {place: _report(place) for place in (folder, *sorted(folder.glob("*/")))}
    return [place for place, made in found.items() if made and made.get("manifest_sha256") != now]


def _gives_way(out: Path, cohort: Path) -> bool:
    """Whether `out` holds nothing but records of what `cohort` was before."""
    if not out.is_dir() or out.is_symlink() or out not in out_of_date(out, cohort):
        return False
    made_of = Path(os.path.realpath(out)) / _report(out)["cohort"]
    ours = {"report.json", *(f"{split}.tfrecords" for split in cohorts.SPLITS), *cohorts.SPLITS}
    return made_of.is_dir() and made_of.samefile(cohort) and {p.name for p in out.iterdir()} <= ours


def _report(place: Path) -> dict | None:
    """What `pgcxr records` says of the records in `place`; None where it didn't write them."""
    if not (place / "report.json").is_file():
        return None
    report = artifacts.read_json(place / "report.json")
    made_by = report.get("made_by")
    ours = isinstance(made_by, dict) and made_by.get("command") == COMMAND
    return report if ours and isinstance(report.get("cohort"), str) else None


def _manifest_hash(cohort: Path) -> str:
    return artifacts.sha256(cohort / "manifest.csv")


def pyramid(image: np.ndarray):
    """uint8 [C, R, R] -> uint8 [C, R / 2^k, R / 2^k] for k = 0, 1, ... down to 4 px.

    2x2 means of the unrounded next larger level, rounded half to even, as the original's dataset
    tool has it.
    """
    level = image.astype(np.float32)
    while True:
        yield np.rint(level).clip(0, 255).astype(np.uint8)
        if level.shape[-1] <= 1 << SMALLEST_LOG2:
            return
        level = (
            level[:, ::2, ::2] + level[:, ::2, 1::2] + level[:, 1::2, ::2] + level[:, 1::2, 1::2]
        ) * 0.25


class NvidiaWriter:
    """Writes a data set of square images, one file for each resolution. Use as a context
    manager."""

    def __init__(self, folder: Path, name: str, size: int):
        self._folder, self._name, self._size = Path(folder), name, size
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "NvidiaWriter":
        import tensorflow as tf

        self._folder.mkdir(parents=True, exist_ok=True)
        levels = range(int(np.log2(self._size)), SMALLEST_LOG2 - 1, -1)
        names = (str(self._folder / f"{self._name}-r{level:02d}.tfrecords") for level in levels)
        self._files = [self._stack.enter_context(tf.io.TFRecordWriter(name)) for name in names]
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def add(self, image: np.ndarray) -> None:
        """Appends uint8 [C, size, size] at every resolution."""
        for level, file in zip(pyramid(image), self._files, strict=True):
            file.write(example(shape=list(level.shape), data=[level.tobytes()]))

    def add_labels(self, labels: np.ndarray) -> None:
        """Writes float32 [N, K], in the order of the images."""
        with open(self._folder / f"{self._name}-rxx.labels", "wb") as file:
            np.save(file, labels.astype(np.float32))


def _write_nvidia(cohort: cohorts.Cohort, folder: Path, split: str, size: int) -> None:
    with NvidiaWriter(folder / split, split, size) as writer:
        paths = cohort.paths()
        for at in range(0, len(paths), BATCH):
            for image in image_files.load_images(paths[at : at + BATCH], size):
                writer.add(np.moveaxis(image, -1, 0))  # [HWC] -> [CHW]
        writer.add_labels(labels.of_cohort(cohort, labels.BINARY))


def _write_png(cohort: cohorts.Cohort, folder: Path, split: str, size: int) -> None:
    """Features: image_id, image (PNG bytes), label (1 abnormal), findings (five of 0, 1, or -1
    where unknown)."""
    import cv2
    import tensorflow as tf

    findings = np.nan_to_num(cohort.findings()[:, 1:], nan=-1).astype(np.int64)
    abnormal, paths = cohort.binary().astype(np.int64), cohort.paths()
    with tf.io.TFRecordWriter(str(folder / f"{split}.tfrecords")) as file:
        for index, (path, name) in enumerate(zip(paths, cohort.manifest["image_id"], strict=True)):
            image = image_files.load_images([path], size)[0]
            encoded = cv2.imencode(".png", image)[1].tobytes()
            values = {"label": [abnormal[index]], "findings": list(findings[index])}
            file.write(example(image_id=[name.encode()], image=[encoded], **values))


def example(**features: list) -> bytes:
    """A serialized tf.train.Example; lists of bytes or of whole numbers."""
    import tensorflow as tf

    def feature(values: list):
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    named = {name: feature(values) for name, values in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString(
        deterministic=True  # of all versions of protobuf in the same order, the original's
    )

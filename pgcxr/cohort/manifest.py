"""A curated cohort on disk: manifest.csv and images/*.png."""

import csv
import io
import math
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.vocabulary import SPLITS
from pgcxr.errors import InputError
from pgcxr.io import places, user_files

if TYPE_CHECKING:  # slow to import, and worker processes need only the images
    import pandas as pd

PNG = b"\x89PNG\r\n\x1a\n"
# Of one image: the largest that is curated, of 16 bits, hardly compressed.
MAX_PIXELS, MOST_BYTES = 8192 * 8192, 256 << 20
REQUIRED = ("image_id", "patient_id", "label", *FINDINGS, "split", "png")
# What is wrong with an image is said in one line here; OpenCV's own warnings would come between.
cv2.setLogLevel(0)


@dataclass(frozen=True)
class Cohort:
    """`manifest` has one row per image; the columns of the contract, `diagnoses` (the findings of
    thesis Table 6, ";" between them) and `mask` (a PNG under the cohort, 255 where a pixel is all
    lesion, or empty)."""

    folder: Path
    manifest: "pd.DataFrame"

    def select(self, split: str | None = None, label: str | None = None) -> "Cohort":
        """The rows of one split and/or one label, in the manifest's order."""
        rows = self.manifest
        if split is not None:
            rows = rows[rows["split"] == split]
        if label is not None:
            rows = rows[rows["label"] == label]
        return Cohort(self.folder, rows.reset_index(drop=True))

    def __len__(self) -> int:
        return len(self.manifest)

    def paths(self) -> list[Path]:
        """The PNG of every row."""
        return [self.folder / name for name in self.manifest["png"]]

    def images(self, size: int) -> np.ndarray:
        """uint8 [N, size, size, 1], reduced by area."""
        return load_images(self.paths(), size)

    def masks(self, size: int) -> np.ndarray:
        """Lesion coverage per pixel, float32 [N, size, size] in [0, 1]; NaN for abnormal rows
        without a mask."""
        covered = np.zeros((len(self), size, size), np.float32)
        for index, row in enumerate(self.manifest.itertuples()):
            if row.mask:
                mask = read_png(self.folder / row.mask)
                # `pgcxr curate` stores the share of each pixel that is lesion, 0..255.
                covered[index] = cv2.resize(
                    mask.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA
                )
            elif row.label == ABNORMAL:
                covered[index] = np.nan
        return covered

    def binary(self) -> np.ndarray:
        """float32 [N]: 1 for abnormal."""
        return (self.manifest["label"] == ABNORMAL).to_numpy(np.float32)

    def findings(self) -> np.ndarray:
        """float32 [N, 6]: normal, then the five findings, as in thesis 3.2; NaN where the finding
        is unknown."""
        normal = (self.manifest["label"] == NORMAL).to_numpy(np.float32)[:, None]
        import pandas as pd

        five = (
            self.manifest[list(FINDINGS)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
        )
        return np.concatenate([normal, five], axis=1)


def load(folder: str | Path) -> Cohort:
    """Reads a cohort written by `pgcxr curate`."""
    folder = places.existing_folder(folder, "a cohort written by `pgcxr curate`")
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputError(
            f"{folder}: no manifest.csv; make the cohort with `pgcxr curate EXPORT --out {folder}`"
        )
    manifest = _table(path)
    missing = [name for name in REQUIRED if name not in manifest.columns]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; make it again with `pgcxr curate`"
        )
    for extra in ("diagnoses", "mask"):
        if extra not in manifest.columns:
            manifest[extra] = ""
    if manifest.empty:
        raise InputError(f"{path}: has no rows; see excluded.csv for why every image was excluded")
    check_manifest(path, manifest)
    return Cohort(folder, manifest)


def _table(path: Path) -> "pd.DataFrame":
    """A CSV file with a header, all cells texts; InputError where a row has more or fewer cells."""
    content = user_files.read_bytes(
        path, user_files.TABLE, absent="make it again with `pgcxr curate`"
    )
    try:
        # With a byte order mark, too: a spreadsheet program puts one there.
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        lines = [line for line in csv.reader(text) if line]
    except (csv.Error, UnicodeDecodeError):
        lines = [[]]
    header = lines[0] if lines else []
    if not header or len(set(header)) < len(header):
        raise InputError(f"{path}: is not a CSV table; make it again with `pgcxr curate`")
    for row, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            raise InputError(
                f"{path}: row {row} ({header[0]} {line[0][:40]}): has {len(line)} cells where the "
                f"header has {len(header)}; make it again with `pgcxr curate`"
            )
    import pandas as pd

    return pd.DataFrame(lines[1:], columns=header, dtype=str)


def check_manifest(path: Path, manifest: "pd.DataFrame") -> None:
    """Raises InputError for the first cell that the contract does not allow; `path` is named in
    it."""
    allowed = {
        "label": (NORMAL, ABNORMAL),
        "split": SPLITS,
        **{name: ("0", "1", "") for name in FINDINGS},
    }
    for column, words in allowed.items():
        _refuse(
            path,
            manifest,
            ~manifest[column].isin(words),
            column,
            "expected " + " or ".join(w or "empty" for w in words),
        )
    for column in ("image_id", "patient_id", "png"):
        _refuse(path, manifest, manifest[column].str.strip() == "", column, "must not be empty")
    for column in ("png", "mask"):
        outside = manifest[column].map(
            lambda name: Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name
        )
        _refuse(path, manifest, outside, column, "must be a path inside the cohort")
    _refuse(path, manifest, manifest["image_id"].duplicated(), "image_id", "occurs twice")


def _refuse(
    path: Path, manifest: "pd.DataFrame", wrong: "pd.Series", column: str, said: str
) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        name, value = str(manifest["image_id"].iloc[row]), str(manifest[column].iloc[row])
        raise InputError(
            f"{path}: row {row + 1} (image_id {name[:40]}): {column} is {value[:40]!r}; {said}; "
            "make it again with `pgcxr curate`"
        )


def read_png(path: Path, size: int | None = None) -> np.ndarray:
    """A gray PNG, uint8 [H, W]; of 16 bits the upper 8. With `size`, it must be square and of
    `size` px at least."""
    content = user_files.read_bytes(
        path, MOST_BYTES, absent="make the cohort again with `pgcxr curate`"
    )
    if size is not None and all(_said_size(content)):
        _check_shape(path, _said_size(content), size)
    image = decode_png(content)
    if image is None:
        raise InputError(
            f"{path}: is damaged or not a PNG image; make the cohort again with `pgcxr curate`"
        )
    return image


def decode_png(content: bytes) -> np.ndarray | None:
    """A gray PNG, uint8 [H, W]; None where it is damaged or none.

    Of 16 bits (`pgcxr curate --bits 16`) the upper 8 are taken, as tf.io.decode_png does: networks
    are trained on 8.
    """
    # OpenCV fills with black what is cut short, and grumbles; and it makes room for whatever a
    # header claims.
    if not _whole_png(content) or math.prod(_said_size(content)) > MAX_PIXELS:
        return None
    image = cv2.imdecode(
        np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
    )
    return (
        (image >> 8).astype(np.uint8) if image is not None and image.dtype == np.uint16 else image
    )


def reduce(image: np.ndarray, size: int) -> np.ndarray:
    """uint8 [R, R] -> [size, size], by area."""
    return (
        image
        if image.shape == (size, size)
        else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    )


def png_size(path: Path) -> tuple[int, int]:
    """Rows and columns from the first chunk of a PNG; 0, 0 where it is none or cannot be read."""
    try:
        with user_files.opened(path, MOST_BYTES) as file:
            return _said_size(file.read(24))
    except (InputError, OSError):
        return 0, 0


def _said_size(content: bytes) -> tuple[int, int]:
    if len(content) < 24 or content[:8] != PNG:
        return 0, 0
    columns, rows = struct.unpack(">II", content[16:24])
    return rows, columns


def check_images(paths: list[Path], size: int) -> None:
    """Raises InputError for the first PNG that is missing, not square or smaller than `size`, by
    their headers."""
    for path in paths:
        rows, columns = png_size(path)
        if not 0 < rows * columns <= MAX_PIXELS:
            read_png(path)  # says what is wrong
            raise InputError(f"{path}: is damaged; make the cohort again with `pgcxr curate`")
        _check_shape(path, (rows, columns), size)


def _check_shape(path: Path, shape: tuple[int, int], size: int) -> None:
    if shape[0] != shape[1]:
        raise InputError(
            f"{path}: is {shape[1]} x {shape[0]} pixels, not square; make the cohort again with "
            "`pgcxr curate`"
        )
    if shape[0] < size:
        raise InputError(
            f"{path}: is {shape[1]} x {shape[0]}, smaller than the {size} px asked for; "
            f"curate with --size {size} or more, or choose a lower resolution"
        )


def _whole_png(content: bytes) -> bool:
    """Whether every chunk is there, up to the last, with its checksum (PNG specification, 5.3)."""
    at, kind = 8, b""
    if content[:8] != PNG:
        return False
    while kind != b"IEND" and at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 8 + length
        if zlib.crc32(content[at + 4 : end]).to_bytes(4, "big") != content[end : end + 4]:
            return False
        at = end + 4
    return kind == b"IEND"


def load_images(paths: list[Path], size: int) -> np.ndarray:
    """uint8 [N, size, size, 1]: PNGs reduced by area; InputError where one is not square or smaller
    than `size`."""
    images = np.empty((len(paths), size, size, 1), np.uint8)

    def fill(index: int) -> None:
        images[index, :, :, 0] = reduce(read_png(paths[index], size), size)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, range(len(paths))))
    return images

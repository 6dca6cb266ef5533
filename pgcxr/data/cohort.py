"""A curated cohort on disk: manifest.csv and images/*.png."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pgcxr import artefacts
from pgcxr.data.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.errors import InputError

SPLITS = ("train", "val", "test")
REQUIRED = ("image_id", "patient_id", "label", *FINDINGS, "split", "png")


@dataclass(frozen=True)
class Cohort:
    """`manifest` has one row per image; the columns of the contract, `diagnoses` (the findings of thesis Table 6,
    ";" between them) and `mask` (a PNG under the cohort, 255 where a pixel is all lesion, or empty)."""

    folder: Path
    manifest: pd.DataFrame

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
        """Lesion coverage per pixel, float32 [N, size, size] in [0, 1]; NaN for abnormal rows without a mask."""
        covered = np.zeros((len(self), size, size), np.float32)
        for index, row in enumerate(self.manifest.itertuples()):
            if row.mask:
                mask = read_png(self.folder / row.mask)
                # `pgcxr curate` stores the share of each pixel that is lesion, 0..255.
                covered[index] = cv2.resize(mask.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
            elif row.label == ABNORMAL:
                covered[index] = np.nan
        return covered

    def binary(self) -> np.ndarray:
        """float32 [N]: 1 for abnormal."""
        return (self.manifest["label"] == ABNORMAL).to_numpy(np.float32)

    def findings(self) -> np.ndarray:
        """float32 [N, 6]: normal, then the five findings, as in thesis 3.2; NaN where the finding is unknown."""
        normal = (self.manifest["label"] == NORMAL).to_numpy(np.float32)[:, None]
        five = self.manifest[list(FINDINGS)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
        return np.concatenate([normal, five], axis=1)


def load(folder: str | Path) -> Cohort:
    """Reads a cohort written by `pgcxr curate`."""
    folder = artefacts.existing_folder(folder, "a cohort written by `pgcxr curate`")
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputError(f"{folder}: no manifest.csv; make the cohort with `pgcxr curate EXPORT --out {folder}`")
    try:
        manifest = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError):
        raise InputError(f"{path}: is not a CSV table; make it again with `pgcxr curate`") from None
    missing = [name for name in REQUIRED if name not in manifest.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; make it again with `pgcxr curate`")
    for extra in ("diagnoses", "mask"):
        if extra not in manifest.columns:
            manifest[extra] = ""
    if manifest.empty:
        raise InputError(f"{path}: has no rows; see excluded.csv for why every image was excluded")
    return Cohort(folder, manifest)


def read_png(path: Path) -> np.ndarray:
    """An 8-bit grey PNG, uint8 [H, W]."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        content = b""
    # The decoder also refuses a damaged file, but says so on stderr in words of its own, without a name.
    image = None
    if _whole_png(content):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise InputError(
            f"{path}: missing, cut off, damaged or not a PNG image; make the cohort again with `pgcxr curate`"
        )
    return image


def _whole_png(content: bytes) -> bool:
    """Whether every chunk is there, up to the last, with its checksum (PNG specification, 5.3)."""
    at, kind = 8, b""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return False
    while kind != b"IEND" and at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 8 + length
        if zlib.crc32(content[at + 4 : end]).to_bytes(4, "big") != content[end : end + 4]:
            return False
        at = end + 4
    return kind == b"IEND"


def load_images(paths: list[Path], size: int) -> np.ndarray:
    """uint8 [N, size, size, 1]: PNGs reduced by area; raises InputError where an image is smaller than `size`."""
    images = np.empty((len(paths), size, size, 1), np.uint8)

    def fill(index: int) -> None:
        image = read_png(paths[index])
        if min(image.shape) < size:
            raise InputError(
                f"{paths[index]}: is {image.shape[1]} x {image.shape[0]}, smaller than the {size} px asked for; "
                f"curate with --size {size} or more, or choose a lower resolution"
            )
        if image.shape != (size, size):
            image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        images[index, :, :, 0] = image

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, range(len(paths))))
    return images

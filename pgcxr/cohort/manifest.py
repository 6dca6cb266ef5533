"""A curated cohort on disk: manifest.csv and images/*.png."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.image_files import load_images, read_png
from pgcxr.cohort.vocabulary import SPLITS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import reduce_by_area
from pgcxr.io import places, user_files
from pgcxr.options import meant

if TYPE_CHECKING:  # slow to import, and worker processes need only the images
    import pandas as pd

REQUIRED = ("image_id", "patient_id", "label", *FINDINGS, "split", "png")


@dataclass(frozen=True)
class Cohort:
    """`manifest` has one row per image; the columns of the contract, `diagnoses` (the findings of
    thesis Table 6, ";" between them) and `mask` (a PNG under the cohort, 255 where a pixel is all
    lesion, or empty)."""

    folder: Path
    manifest: "pd.DataFrame"

    def select(self, split: str | None = None, label: str | None = None) -> "Cohort":
        """The rows of one split and/or one label, in the manifest's order.

        Args:
            split: "train", "val" or "test"; None for all.
            label: "normal" or "abnormal"; None for both.

        Raises:
            ArgumentError: there is no such split or label, which would leave no row in silence.
        """
        for name, value, known in (
            ("split", split, SPLITS),
            ("label", label, (NORMAL, ABNORMAL)),
        ):
            if value is not None and value not in known:
                raise ArgumentError(name, f"is none; {meant(value, known)}", received=value)
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
                covered[index] = reduce_by_area(mask.astype(np.float32) / 255, size, size)
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
    """Reads a cohort written by `pgcxr curate`.

    Args:
        folder: with manifest.csv and the images that it names.

    Raises:
        InputError: there is no manifest, or a column or a cell is not as the contract has it.

    Example:

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = [
        ...         ",".join(REQUIRED),
        ...         "000000,a,normal,0,0,0,0,0,train,images/000000.png",
        ...         "000001,b,abnormal,1,0,0,,0,test,images/000001.png",
        ...     ]
        ...     count = Path(folder, "manifest.csv").write_text("\\n".join(table))
        ...     cohort = load(folder)
        >>> len(cohort), len(cohort.select(split="train"))
        (2, 1)
        >>> cohort.findings()
        array([[ 1.,  0.,  0.,  0.,  0.,  0.],
               [ 0.,  1.,  0.,  0., nan,  0.]], dtype=float32)
    """
    folder = places.existing_folder(folder, "a cohort written by `pgcxr curate`")
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputError(f"{folder}: no manifest.csv; make the cohort with `pgcxr curate`")
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

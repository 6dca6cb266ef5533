"""Curates a small tree in a public set's layout, and says what became of each of its files."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pgcxr.cohort import manifest as cohort
from tests.curation.curating import curate


@dataclass
class Curated:
    """`rows` has the manifest's row of each kept file, `rules` the rule of each other one, both by
    path."""

    report: dict
    out: Path
    rows: dict[str, pd.Series]
    rules: dict[str, str]

    def labels(self) -> dict[str, tuple]:
        """path -> (label, diagnoses)."""
        return {path: (row["label"], row["diagnoses"]) for path, row in self.rows.items()}

    def mask(self, path: str) -> np.ndarray:
        return cv2.imread(str(self.out / self.rows[path]["mask"]), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def curated(tmp_path):
    """curated(folder, **options) -> Curated"""

    def run(folder: Path, name: str = "cohort", **options) -> Curated:
        out, trace = tmp_path / name, tmp_path / f"{name}.trace.csv"
        options = {
            "processes": 0,
            "key_file": tmp_path / "key",
            "show_progress": False,
            "trace": trace,
        } | options
        report = curate(folder, out, **options)
        manifest = cohort.load(out).manifest.set_index("image_id", drop=False)
        with open(trace, newline="") as file:
            lines = list(csv.DictReader(file))
        kept = {line["path"]: manifest.loc[line["image_id"]] for line in lines if line["image_id"]}
        return Curated(
            report, out, kept, {line["path"]: line["rule"] for line in lines if line["rule"]}
        )

    return run


@pytest.fixture
def make_picture(chest):
    """make_picture(path, seed, side=64): a PNG or JPEG file of smooth shapes."""

    def make(path: Path, seed: int, side: int = 64) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), (chest(seed, side)[:, :side] // 16).astype(np.uint8))
        return path

    return make


@pytest.fixture
def no_age(tmp_path):
    """A file of rules that keeps images of unknown age and every view."""
    path = tmp_path / "rules.toml"
    path.write_text('[age]\nunknown = "keep"\n')
    return path

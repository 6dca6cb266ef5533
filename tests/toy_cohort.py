"""Cohorts of tiny images with diseases that a tiny network learns in seconds: for tests of what
trains on cohorts."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pgcxr.cohort.findings import FINDINGS

SPLITS = ("train", "train", "train", "val", "test")


def spots(count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, size, size, 1] and int [N]: 0 for normal, i for a bright spot in the place of
    finding i."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(1, 6, count) * (rng.random(count) < 0.5)
    y, x = np.mgrid[:size, :size] / size - 0.5
    images = 70 + 40 * np.cos(np.pi * x) + rng.normal(0, 6, (count, size, size))
    angle = (2 * np.pi * kind / 5)[:, None, None]
    inside = np.hypot(x - 0.3 * np.cos(angle), y - 0.3 * np.sin(angle)) < 0.15
    images += 90 * inside * (kind > 0)[:, None, None]
    return np.clip(images, 0, 255).astype(np.uint8)[..., None], kind


def ramps(count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same shapes: coarse noise, brighter at the top (0, normal) or at the bottom (1 to 5, one
    disease)."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(1, 6, count) * (rng.random(count) < 0.5)
    noise = rng.normal(128, 50, (count, size // 4, size // 4)).repeat(4, axis=1).repeat(4, axis=2)
    ramp = np.linspace(-40, 40, size)[:, None] * np.where(kind > 0, 1, -1)[:, None, None]
    return np.clip(noise + ramp, 0, 255).astype(np.uint8)[..., None], kind


def write_cohort(folder: Path, images: np.ndarray, kind: np.ndarray, seed: int = 0) -> Path:
    """Writes manifest.csv and images/*.png in the layout of `pgcxr curate`; splits 3:1:1, one image
    per patient."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for index, (image, finding) in enumerate(zip(images, kind, strict=True)):
        name = f"images/toy{index:04d}.png"
        cv2.imwrite(str(folder / name), image)
        rows.append(
            {
                "image_id": f"toy{index:04d}",
                "patient_id": hashlib.sha256(f"{seed} {index}".encode()).hexdigest()[:16],
                "label": "abnormal" if finding else "normal",
                **{
                    known: str(int(finding == place))
                    for place, known in enumerate(FINDINGS, start=1)
                },
                "split": SPLITS[index % 5],
                "png": name,
                "sha256": hashlib.sha256(
                    f"{seed}".encode() + (folder / name).read_bytes()
                ).hexdigest(),
            }
        )
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder

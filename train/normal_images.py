"""The normal images of a cohort, which a training learns from alone, and what its RUN says of
them."""

import os
import sys
from pathlib import Path

from pgcxr.cohort import confounders, manifest
from pgcxr.cohort.findings import NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.io import artifacts

LEAST = {"train": 8, "val": 2}


def parts(cohort: Path) -> tuple[Cohort, dict[str, Cohort]]:
    """(all images of a cohort, {"train", "val": its normal ones}).

    Raises:
        InputError: a split has too few.
    """
    images = manifest.load(cohort)
    return images, of_label(images, NORMAL)


def of_label(images: Cohort, label: str) -> dict[str, Cohort]:
    """{"train", "val": the images of a label}.

    Raises:
        InputError: a split has too few.
    """
    found = {split: images.select(split, label) for split in LEAST}
    for split, part in found.items():
        if len(part) < LEAST[split]:
            raise InputError(
                f"{images.folder / 'manifest.csv'}: split {split} has {len(part)} {label} images; "
                f"at least {LEAST[split]} are needed: curate more"
            )
    return found


def settings(images: Cohort, out: Path, seed: int, label: str = NORMAL) -> dict:
    """What config.json of the RUN `out` says of its images."""
    return {
        "cohort": os.path.relpath(images.folder.resolve(), out.resolve()),
        "manifest_sha256": artifacts.sha256(images.folder / "manifest.csv"),
        # What `evaluate` reads to know whose images the network has seen.
        "split": "train",
        "label": label,
        "seed": seed,
    }


def with_confounders(images: Cohort) -> dict:
    """In what normal and abnormal images differ beside the disease; said on the screen, too."""
    found = confounders.of_cohort(images)
    for line in found["lines"]:
        print(f"warning: {images.folder}: {line}", file=sys.stderr)
    return found

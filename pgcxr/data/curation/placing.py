"""How a cohort's folder gets its images, and which folders may give way to a new cohort."""

import os
import shutil
from pathlib import Path

from pgcxr import artefacts
from pgcxr.data.curation.work import Work
from pgcxr.errors import InputError


def place(folder: Path, beside: Work, named: dict[int, str], kept) -> None:
    """Puts the images and masks of the kept into the cohort's folder, under their final names.

    Args:
        named: number of a scan -> name of its images in `beside`.
        kept: the images, with `scan`, `done` and `image_id`.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for image in kept:
        for kind in ("images", "masks") if image.done.mask else ("images",):
            _link(beside.place(kind, named[image.scan.number]), folder / kind / f"{image.image_id}.png")
    if not any((folder / "masks").iterdir()):
        (folder / "masks").rmdir()


def _link(made: Path, place: Path) -> None:
    """A second name for the same bytes, which take no room twice; a copy on file systems without such."""
    try:
        os.link(made, place)
    except OSError:
        shutil.copyfile(made, place)


def refuse_existing(out: Path) -> None:
    """Raises InputError where a new cohort may not be made."""
    if is_cohort(out):
        raise InputError(
            f"{out}: exists and is not empty: made by other options, from another export, by another version, or "
            "changed since; name another --out, or replace it by --overwrite"
        )
    artefacts.refuse_existing(out)


def is_cohort(folder: Path) -> bool:
    """Whether `pgcxr curate` made `folder`."""
    try:
        return artefacts.read_json(folder / "report.json")["made_by"]["command"] == "pgcxr curate"
    except (InputError, OSError, KeyError, TypeError):
        return False

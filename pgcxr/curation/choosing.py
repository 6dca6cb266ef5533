"""Which of the images that could be made stay, under which name and in which split."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pgcxr.cohort import splits
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.curation import duplicates, pixels
from pgcxr.curation.rules import Rules
from pgcxr.errors import InputError
from pgcxr.sources import Scan
from pgcxr.sources.weak_labels.decision import NOT_UNDERSTOOD


@dataclass
class Selection:
    """The scans of an export, and why some of them are out.

    Attributes:
        knows: the rules that the source has the data for.
        excluded: number of a scan -> (rule, detail).
        seen: number of a scan -> whether a device model sees a device on it, where the source tells
            nothing of devices.
    """

    export: Path
    scans: Sequence[Scan]
    rules: Rules
    knows: tuple[str, ...]
    excluded: dict[int, tuple[str, str]] = field(default_factory=dict)
    seen: dict[int, bool] = field(default_factory=dict)

    def remaining(self) -> list[Scan]:
        """Those that are not out."""
        return [scan for scan in self.scans if scan.number not in self.excluded]

    def refuse_none_left(self, left: Sequence) -> None:
        """Raises InputError, with the rules that took the most, where `left` is empty."""
        if left:
            return
        counts = Counter(rule for rule, _ in self.excluded.values()).most_common(3)
        most = ", ".join(f"{count} by {rule}" for rule, count in counts)
        unread = sum(NOT_UNDERSTOOD in detail for _, detail in self.excluded.values())
        detail, often = Counter(detail for _, detail in self.excluded.values()).most_common(1)[0]
        most += f"; {often} because: {detail}"
        most += f"; {unread} reports {NOT_UNDERSTOOD}, see docs/curation.md" if unread else ""
        raise InputError(
            f"{self.export}: no image is left of {len(self.excluded)} files ({most}); change the "
            "rules or the size, or check the export; a trace (`trace`) lists every file"
        )


@dataclass(slots=True)
class Image:
    """An image that passed: `image_id` names it in the cohort."""

    scan: Scan
    done: pixels.Done
    split: str = ""
    image_id: str = ""


def choose(
    selection: Selection, done: dict[int, pixels.Done], normals: int | None, seed: int
) -> list[Image]:
    """The scans that became images, less duplicates and surplus normals; the others are noted in
    `selection.excluded`.

    Args:
        done: number of a scan -> what became of its file.
        normals: how many normal images stay, or None for all.
    """
    excluded, rules = selection.excluded, selection.rules
    excluded.update({number: result.rejected for number, result in done.items() if result.rejected})
    images = [Image(scan, done[scan.number]) for scan in selection.remaining()]
    near = rules.tables["near_duplicate"]
    steps = (
        (True, lambda: _broken_by_image(images, rules)),
        (rules.enabled("duplicate"), lambda: duplicates.exact(images)),
        (
            near["enabled"],
            lambda: duplicates.near(images, near["distance"], near["across_patients"]),
        ),
        (normals is not None, lambda: _surplus(images, normals, seed)),
    )
    for asked, step in steps:
        if asked:
            excluded.update(step())
            images = [image for image in images if image.scan.number not in excluded]
    return images


def _broken_by_image(images: list[Image], rules: Rules) -> dict[int, tuple[str, str]]:
    reasons = (
        (image.scan.number, rules.broken_by_image(image.done.measures, image.scan.view))
        for image in images
    )
    return {number: reason for number, reason in reasons if reason}


def _surplus(images: list[Image], normals: int, seed: int) -> dict[int, tuple[str, str]]:
    numbers = [image.scan.number for image in images if image.scan.label == NORMAL]
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    return {numbers[index]: ("subsample", f"beyond {normals} normals") for index in order[normals:]}


def name_and_split(images: list[Image], fractions: Sequence[float], seed: int) -> list[Image]:
    """Shuffles, numbers and splits. A patient's stratum is its rarest finding, or abnormal or
    normal without one."""
    counts = Counter(
        finding for image in images for finding in image.scan.findings if finding in FINDINGS
    )
    rank = {**{finding: counts[finding] for finding in FINDINGS}, ABNORMAL: math.inf}
    strata: dict[str, str] = {}
    for image in images:
        present = [name for name in image.scan.findings if name in FINDINGS] or [image.scan.label]
        candidates = [*present, strata.get(image.scan.patient, NORMAL)]
        strata[image.scan.patient] = min(
            (c for c in candidates if c != NORMAL), key=rank.get, default=NORMAL
        )
    assigned = splits.assign(strata, fractions, seed)
    shuffled = [
        images[index] for index in np.random.default_rng([seed, 1]).permutation(len(images))
    ]
    for index, image in enumerate(shuffled):
        image.split, image.image_id = assigned[image.scan.patient], f"{index:06d}"
    return shuffled

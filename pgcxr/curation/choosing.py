"""Which of the images that could be made stay, under which name and in which split."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.cohort import splits
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.curation import duplicates, pixels, rules
from pgcxr.errors import InputError
from pgcxr.sources import Scan


@dataclass(slots=True)
class Kept:
    """An image that passed: `image_id` names it in the cohort."""

    scan: Scan
    done: pixels.Done
    split: str = ""
    image_id: str = ""


def choose(
    scans, done: dict[int, pixels.Done], excluded: dict, rule_set: rules.Rules, normals, seed: int
) -> list[Kept]:
    """The scans that became images, less duplicates and surplus normals; notes the others in
    `excluded`."""
    excluded.update({number: result.rejected for number, result in done.items() if result.rejected})
    kept = [Kept(scan, done[scan.number]) for scan in scans if scan.number not in excluded]
    near = rule_set.tables["near_duplicate"]
    steps = (
        (True, lambda: _broken_by_image(kept, rule_set)),
        (rule_set.enabled("duplicate"), lambda: duplicates.exact(kept)),
        (near["enabled"], lambda: duplicates.near(kept, near["distance"], near["across_patients"])),
        (normals is not None, lambda: _surplus(kept, normals, seed)),
    )
    for asked, step in steps:
        if asked:
            excluded.update(step())
            kept = [image for image in kept if image.scan.number not in excluded]
    return kept


def _broken_by_image(kept: list[Kept], rule_set: rules.Rules) -> dict[int, tuple[str, str]]:
    reasons = (
        (image.scan.number, rule_set.broken_by_image(image.done.measures, image.scan.view))
        for image in kept
    )
    return {number: reason for number, reason in reasons if reason}


def _surplus(kept: list[Kept], normals: int, seed: int) -> dict[int, tuple[str, str]]:
    numbers = [image.scan.number for image in kept if image.scan.label == NORMAL]
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    return {numbers[index]: ("subsample", f"beyond {normals} normals") for index in order[normals:]}


def name_and_split(kept: list[Kept], fractions: Sequence[float], seed: int) -> list[Kept]:
    """Shuffles, numbers and splits. A patient's stratum is its rarest finding, or abnormal or
    normal without one."""
    counts = Counter(
        finding for image in kept for finding in image.scan.findings if finding in FINDINGS
    )
    rank = {**{finding: counts[finding] for finding in FINDINGS}, ABNORMAL: math.inf}
    strata: dict[str, str] = {}
    for image in kept:
        present = [name for name in image.scan.findings if name in FINDINGS] or [image.scan.label]
        candidates = [*present, strata.get(image.scan.patient, NORMAL)]
        strata[image.scan.patient] = min(
            (c for c in candidates if c != NORMAL), key=rank.get, default=NORMAL
        )
    assigned = splits.assign(strata, fractions, seed)
    shuffled = [kept[index] for index in np.random.default_rng([seed, 1]).permutation(len(kept))]
    for index, image in enumerate(shuffled):
        image.split, image.image_id = assigned[image.scan.patient], f"{index:06d}"
    return shuffled


def refuse_none_left(export: Path, left: Sequence, excluded: dict[int, tuple[str, str]]) -> None:
    if left:
        return
    counts = Counter(rule for rule, _ in excluded.values()).most_common(3)
    most = ", ".join(f"{count} by {rule}" for rule, count in counts)
    raise InputError(
        f"{export}: no image is left of {len(excluded)} files ({most}); change --rules or --size, "
        "or check the export"
    )

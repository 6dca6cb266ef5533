"""Labels for images that have none: what classifier (real) is sure of (thesis 2.3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

NORMAL, ABNORMAL, REJECTED = 0, 1, -1
NAMES = {NORMAL: "normal", ABNORMAL: "abnormal", REJECTED: "rejected"}


def pseudo_labels(
    probability: np.ndarray, abnormal_above: float, normal_below: float
) -> np.ndarray:
    """int [N]: ABNORMAL where P(abnormal) is above the first threshold, NORMAL below the second,
    else REJECTED.

    The thesis writes it the other way round, which would call its abnormal images normal.
    """
    return np.where(
        probability > abnormal_above,
        ABNORMAL,
        np.where(probability < normal_below, NORMAL, REJECTED),
    )


def counts(labels: np.ndarray) -> dict[str, int]:
    """{"normal", "abnormal"} of labels 0 and 1."""
    return {NAMES[label]: int((labels == label).sum()) for label in (NORMAL, ABNORMAL)}


@dataclass
class Synthetic:
    """Synthetic images that classifier (real) is sure of.

    Attributes:
        images: {split: uint8 [N, H, W, 1]}.
        labels: {split: float32 [N, 1]}.
        counts: of all that were generated, {generated, normal, abnormal, rejected}.
        probability: [M] of all that were generated, P(abnormal).
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    counts: dict[str, int]
    probability: np.ndarray


def collect(
    batches: Iterator[np.ndarray],
    score: Callable[[np.ndarray], np.ndarray],
    wanted: dict[str, tuple[int, int]],
    abnormal_above: float,
    normal_below: float,
    progress: Callable[[int], None] = lambda count: None,
) -> Synthetic:
    """Draws images until every split has its normal and abnormal ones, or `batches` ends.

    Where it ends before, every count is reduced by the same factor, so that the class ratio stays
    that of the real images (thesis 2.2: "identical number of images and ratio").

    Args:
        batches: uint8 [B, H, W, 1].
        score: images -> P(abnormal) [B].
        wanted: {split: (normal, abnormal)}.
        progress: called with the number of images with a label so far.
    """
    need = [sum(counts[label] for counts in wanted.values()) for label in (NORMAL, ABNORMAL)]
    labeled: list[list[np.ndarray]] = [[], []]
    outputs = []
    for images in batches:
        outputs.append(score(images))
        called = pseudo_labels(outputs[-1], abnormal_above, normal_below)
        for label in (NORMAL, ABNORMAL):
            room = need[label] - len(labeled[label])
            labeled[label].extend(images[called == label][:room])
        progress(len(labeled[NORMAL]) + len(labeled[ABNORMAL]))
        if all(len(labeled[label]) >= need[label] for label in (NORMAL, ABNORMAL)):
            break
    share = min(
        (len(labeled[label]) / need[label] for label in (NORMAL, ABNORMAL) if need[label]),
        default=0.0,
    )
    probability = np.concatenate(outputs)
    called = pseudo_labels(probability, abnormal_above, normal_below)
    totals = {"generated": len(called)} | {
        name: int((called == label).sum()) for label, name in NAMES.items()
    }
    return Synthetic(*_share_out(labeled, wanted, share), totals, probability)


def _share_out(labeled: list[list[np.ndarray]], wanted: dict, share: float) -> tuple[dict, dict]:
    images, labels = {}, {}
    start = [0, 0]
    for split, counts in wanted.items():
        parts = []
        for label in (NORMAL, ABNORMAL):
            count = int(counts[label] * share)
            parts.append(labeled[label][start[label] : start[label] + count])
            start[label] += count
        images[split] = np.array([*parts[NORMAL], *parts[ABNORMAL]], np.uint8)
        labels[split] = np.repeat(np.float32([NORMAL, ABNORMAL]), [len(part) for part in parts])[
            :, None
        ]
    return images, labels

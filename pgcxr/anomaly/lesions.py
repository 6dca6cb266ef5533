"""Whether anomaly maps point at lesions."""

from collections.abc import Sequence

import cv2
import numpy as np

from pgcxr.anomaly.regions import aupro, froc
from pgcxr.cohort.findings import NORMAL
from pgcxr.errors import ArgumentError
from pgcxr.metrics.roc import auroc

# A pixel belongs to a lesion from this share of its area on (a small nodule may fill no pixel at
# low resolution).
COVERED = 0.25
# How far from the lesion's edge a peak still counts as a hit, as a fraction of the width.
NEAR = 1 / 32


def localization(
    maps: np.ndarray, masks: np.ndarray, classes: np.ndarray, names: Sequence[str]
) -> dict:
    """How well anomaly maps point at lesions.

    A hit is a map whose peak lies in the lesion or within 1/32 of the width of it.

    Args:
        maps: anomaly maps [N, S, S].
        masks: [N, S, S] lesion coverage in [0, 1], NaN where unknown.
        classes: [N], the class of each image.
        names: of the abnormal classes, in the order of the table.

    Returns:
        {pixel_auroc, aupro, froc, hit_rate, hit_rate_by_chance, n, classes}: `pixel_auroc` pools
        the pixels of the `n` abnormal images with a mask; `aupro` and `froc` (see
        `pgcxr.anomaly.regions`) read normal images, too, and are None where there are none;
        `hit_rate_by_chance` is the rate of peaks thrown anywhere. `classes` holds for each class
        {n, area, contrast, hit_rate, hit_rate_by_chance}: medians of the lesions' share of the
        image, and of the map's mean inside the lesion over its mean outside (1: the lesion does not
        stand out).
    """
    if maps.shape != masks.shape:
        raise ArgumentError("masks", f"must be {maps.shape}, as the maps", received=masks.shape)
    rows = np.flatnonzero(np.isin(classes, names) & (np.nan_to_num(masks).max(axis=(1, 2)) > 0))
    if not len(rows):
        rates = dict.fromkeys(("pixel_auroc", "aupro", "froc", "hit_rate", "hit_rate_by_chance"))
        return {**rates, "n": 0, "classes": {}}
    strength, coverage = maps[rows], masks[rows]
    lesions = _inside(coverage)
    hit, chance = peaks_in_lesions(strength, coverage)
    area = coverage.mean(axis=(1, 2))
    contrast = np.array(
        [
            float(values[lesion].mean() / values[~lesion].mean())
            for values, lesion in zip(strength, lesions, strict=True)
        ]
    )
    table = {}
    for name in names:
        own = classes[rows] == name
        if own.any():
            table[name] = {
                "n": int(own.sum()),
                "area": float(np.median(area[own])),
                "contrast": float(np.median(contrast[own])),
                "hit_rate": float(hit[own].mean()),
                "hit_rate_by_chance": float(chance[own].mean()),
            }
    return {
        "pixel_auroc": auroc(lesions.ravel().astype(int), strength.ravel()),
        **_by_region(maps, rows, lesions, np.flatnonzero(classes == NORMAL)),
        "hit_rate": float(hit.mean()),
        "hit_rate_by_chance": float(chance.mean()),
        "n": len(rows),
        "classes": table,
    }


def _by_region(maps: np.ndarray, rows: np.ndarray, lesions: np.ndarray, normal: np.ndarray) -> dict:
    """{aupro, froc} of the abnormal `rows`, whose `lesions` are given, among normal images."""
    if not len(normal):
        return {"aupro": None, "froc": None}
    shown = maps[np.concatenate([rows, normal])]
    nothing = np.zeros((len(normal), *lesions.shape[1:]), bool)
    return {
        "aupro": aupro(shown, np.concatenate([lesions, nothing])),
        "froc": froc(
            shown,
            np.concatenate([_widened(lesions), nothing]),
            np.arange(len(shown)) >= len(rows),
        ),
    }


def peaks_in_lesions(maps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(whether each map's peak lies in the lesion or within 1/32 of the width of it, how often one
    thrown anywhere would).

    Args:
        maps: [N, S, S].
        masks: [N, S, S], lesion coverage in [0, 1], somewhere above 0 in each.

    Returns:
        (bool [N], [N]).
    """
    near = _widened(_inside(masks)).reshape(len(maps), -1)
    peaks = np.argmax(maps.reshape(len(maps), -1), axis=1)
    return near[np.arange(len(maps)), peaks], near.mean(axis=1)


def _inside(coverage: np.ndarray) -> np.ndarray:
    """bool [N, S, S]: the pixels of lesions."""
    return coverage >= np.minimum(COVERED, coverage.max(axis=(1, 2), keepdims=True))


def _widened(lesions: np.ndarray) -> np.ndarray:
    """bool [N, S, S]: lesions and what is within `NEAR` of them."""
    reach = max(int(round(NEAR * lesions.shape[-1])), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.stack([cv2.dilate(lesion.astype(np.uint8), kernel) for lesion in lesions]) > 0

"""Figures of anomaly detection: thesis Figures 14 and 15, the ROC curves and the scores with the
threshold."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from evaluate import common
from pgcxr.anomaly.calibration import CalibratedScores
from pgcxr.cohort.findings import NORMAL, TABLE_6
from pgcxr.images import enlarge
from pgcxr.plots import curves, grids, overlay, roc

CELL = 512  # px of a panel: small images are enlarged so that outlines are fine
NORMALS_SHOWN = 6
# In units of the range [-1, 1], for all cases: a difference of a quarter of it has full color.
FULL = 0.5


@dataclass(frozen=True)
class By:
    """What found the anomalies, in the words of the figures.

    Attributes:
        name: in legends.
        short: beside a case.
        limits: of the anomaly map, (coldest, hottest).
    """

    name: str
    short: str
    limits: tuple[float, float]


INVERSION = By("GAN, normals only", "GAN", (1.5, 4.0))
FUSION = By("fusion, normals only", "fusion", (0.05, 0.8))  # the map is a probability
COLUMNS = [
    "query",
    "nearest\nnormal",
    "brighter than\nnearest normal",
    "difference\nred +, blue \N{MINUS SIGN}",
    "anomaly map",
    "supervised:\nGrad-CAM",
]


@dataclass(frozen=True)
class Cases:
    """The N test images.

    Attributes:
        queries: uint8 [N, R, R, 1].
        nearest: [N, R, R, 1] in [-1, 1], the normal images that the GAN makes, or the principal
            components.
        differences, maps, masks: [N, S, S]; masks are NaN where unknown.
        likelihoods: [N, 6] of the supervised classifier.
        classes: [N].
        by: what found the anomalies.
    """

    queries: np.ndarray
    nearest: np.ndarray
    differences: np.ndarray
    maps: np.ndarray
    masks: np.ndarray
    likelihoods: np.ndarray
    classes: np.ndarray
    by: By = INVERSION


def draw(
    folder: Path, cases: Cases, ours: CalibratedScores, supervised: CalibratedScores, classifier
) -> None:
    """abnormal.png (Figure 14), normal.png (Figure 15), roc.png and scores.png.

    The cases are not picked by hand: of each class the one with the median score, and normals at
    even steps from the lowest score to the highest.
    """
    shown = [
        _middle(np.flatnonzero(cases.classes == name), ours.test)
        for name in TABLE_6
        if name in cases.classes
    ]
    normal = np.flatnonzero(cases.classes == NORMAL)
    ranked = normal[np.argsort(ours.test[normal], kind="stable")]
    steps = np.unique(np.linspace(0, len(ranked) - 1, NORMALS_SHOWN).round().astype(int))
    for name, rows, title in (
        (
            "abnormal.png",
            np.array(shown),
            "Abnormal images, median score of each class (green: border of the lesion)",
        ),
        ("normal.png", ranked[steps], "Normal images, from the lowest score to the highest"),
    ):
        panels = [
            _panels(cases, row, heat)
            for row, heat in zip(rows, _heat(cases, rows, classifier), strict=True)
        ]
        labels = [_label(cases, ours, supervised, row) + _unseen(cases.masks[row]) for row in rows]
        grids.labeled_grid(list(zip(labels, panels, strict=True)), folder / name, COLUMNS, title)
    abnormal = (cases.classes != NORMAL).astype(int)
    roc.roc_plot(
        {
            cases.by.name: (abnormal, ours.test),
            "supervised, five findings": (abnormal, supervised.test),
        },
        folder / "roc.png",
        "Abnormal against normal",
        {cases.by.name: ours.threshold, "supervised, five findings": supervised.threshold},
    )
    groups = {"test, normal": ours.test[abnormal == 0], "test, abnormal": ours.test[abnormal == 1]}
    curves.histogram_plot(
        groups, folder / "scores.png", "Anomaly score", ours.threshold, "Scores of test images"
    )


def _middle(rows: np.ndarray, scores: np.ndarray) -> int:
    return int(rows[np.argsort(scores[rows], kind="stable")[len(rows) // 2]])


def _heat(cases: Cases, rows: np.ndarray, classifier) -> np.ndarray:
    """Grad-CAM [n, h, w] of each image for its likeliest finding, on one scale."""
    from pgcxr.classifier.gradcam import gradcam

    images = common.from_uint8(cases.queries[rows])
    likeliest = cases.likelihoods[rows, 1:].argmax(axis=1)
    heat = [None] * len(rows)
    for finding in np.unique(likeliest):
        own = np.flatnonzero(likeliest == finding)
        for place, map_ in zip(
            own, gradcam(classifier, images[own], int(finding) + 1), strict=True
        ):
            heat[place] = map_
    heat = np.stack(heat)
    return heat / max(float(heat.max()), 1e-6)


def _panels(cases: Cases, row: int, heat: np.ndarray) -> np.ndarray:
    """uint8 [6, S, S, 3]: what `COLUMNS` names."""
    query, nearest = _enlarged(cases.queries[row]), _enlarged(common.to_uint8(cases.nearest[row]))
    mask = np.nan_to_num(cases.masks[row])
    difference = cases.differences[row]
    gray = [np.repeat(image[..., None], 3, axis=-1) for image in (query, nearest)]
    positive = np.repeat(
        _enlarged(np.uint8(np.clip(difference / FULL, 0, 1) * 255))[..., None], 3, axis=-1
    )
    return np.stack(
        [
            overlay.outline(gray[0], _smooth(mask, query.shape)) if mask.any() else gray[0],
            gray[1],
            positive,
            overlay.diff_overlay(query, _smooth(difference, query.shape), limit=FULL),
            overlay.overlay(query, _smooth(cases.maps[row], query.shape), limits=cases.by.limits),
            overlay.overlay(query, _smooth(heat, query.shape), limits=(0.0, 1.0)),
        ]
    )


def _label(cases: Cases, ours, supervised, row: int) -> str:
    name = cases.classes[row]
    verdict = "found" if ours.detected[row] else "missed"
    other = "found" if supervised.detected[row] else "missed"
    if name == NORMAL:
        verdict, other = (
            "alarm" if scores.detected[row] else "no alarm" for scores in (ours, supervised)
        )
    words = name.replace("_", "\n").replace(
        "pneumomedia", "pneumo-\nmedia"
    )  # long names would be cut off
    return f"{words}\n{cases.by.short}: {verdict}, p {ours.p[row]:.3f}\nsupervised: {other}"


def _unseen(mask: np.ndarray) -> str:
    """A word where there is a lesion, but none of its pixels is filled enough for an outline."""
    mask = np.nan_to_num(mask)
    return "\n(lesion too small to outline)" if 0 < mask.max() <= 0.5 else ""


def _enlarged(image: np.ndarray) -> np.ndarray:
    """uint8 [S, S]: pixels repeated where the image is smaller than `CELL`."""
    image = image[..., 0] if image.ndim == 3 else image
    factor = max(CELL // image.shape[0], 1)
    return enlarge(image, factor)


def _smooth(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(np.asarray(values, np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)

"""How well scores and maps tell abnormal images from normal ones: thesis Table 6, and what it
leaves out."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from evaluate.anomaly.selection import Reading
from pgcxr.anomaly import calibration
from pgcxr.cohort.findings import NORMAL, TABLE_6
from pgcxr.io import artifacts
from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.bootstrap import bootstrap_auroc
from pgcxr.metrics.proportions import clopper_pearson, clustered_wilson, mcnemar
from pgcxr.metrics.roc import auroc, patient_codes

# A pixel belongs to a lesion from this share of its area on (a small nodule may fill no pixel at
# low resolution).
COVERED = 0.25
# How far from the lesion's edge a peak still counts as a hit, as a fraction of the width.
NEAR = 1 / 32


@dataclass(frozen=True)
class Scores:
    """Scores of one method, higher for abnormal: of held-out `healthy` images [M], and of the test
    images [N]."""

    healthy: np.ndarray
    test: np.ndarray
    specificity: float

    @cached_property
    def threshold(self) -> float:
        return calibration.threshold(self.healthy, self.specificity)

    @cached_property
    def p(self) -> np.ndarray:
        return calibration.p_values(self.healthy, self.test)

    @cached_property
    def detected(self) -> np.ndarray:
        return self.test > self.threshold


def report(
    classes: np.ndarray, ours: Scores, supervised: Scores, patients: np.ndarray, seed: int
) -> dict:
    """{classes, normals, overall, supervised, mcnemar, delong, obuchowski}: see design section 3.

    `overall` holds under `clustered` {patients, images, auroc_ci95 (Obuchowski), bootstrap,
    sensitivity_ci95, specificity_ci95}, which allow for several images of one patient; `obuchowski`
    is DeLong's test that does so.

    Args:
        classes: [N] "normal" or a class of thesis Table 6.
        patients: [N], whose image each is.
        seed: of the bootstrap.
    """
    ill = classes != NORMAL
    only_ours = int(np.sum(ill & ours.detected & ~supervised.detected))
    only_theirs = int(np.sum(ill & ~ours.detected & supervised.detected))
    rival = _of_one(classes, supervised, patients, seed)
    return {
        **_of_one(classes, ours, patients, seed),
        "supervised": {
            **rival["overall"],
            "classes": rival["classes"],
            "normals": rival["normals"],
        },
        # On abnormal images, as the thesis compares detection rates.
        "mcnemar": mcnemar(only_ours, only_theirs),
        "delong": delong(ill.astype(int), ours.test, supervised.test),
        "obuchowski": delong(ill.astype(int), ours.test, supervised.test, patients=patients),
    }


def localization(marks: np.ndarray, masks: np.ndarray, classes: np.ndarray) -> dict:
    """{pixel_auroc, hit_rate, hit_rate_by_chance, n, classes}: how well anomaly maps [N, S, S]
    point at lesions.

    pixel_auroc pools the pixels of all abnormal images with a mask; a hit is a map whose peak lies
    in the lesion or within 1/32 of the width of it; by chance is the rate of peaks thrown anywhere.
    `classes` holds for each class {n, area, contrast, hit_rate, hit_rate_by_chance}: medians of the
    lesions' share of the image, and of the map's mean inside the lesion over its mean outside (1:
    the lesion does not stand out).

    Args:
        masks: [N, S, S] lesion coverage, NaN where unknown.
    """
    rows = np.flatnonzero((classes != NORMAL) & (np.nan_to_num(masks).max(axis=(1, 2)) > 0))
    if not len(rows):
        return {
            "pixel_auroc": None,
            "hit_rate": None,
            "hit_rate_by_chance": None,
            "n": 0,
            "classes": {},
        }
    strength, coverage = marks[rows], masks[rows]
    least = np.minimum(COVERED, coverage.max(axis=(1, 2), keepdims=True))
    inside = coverage >= least
    reach = max(int(round(NEAR * marks.shape[-1])), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = (
        np.stack([cv2.dilate(lesion.astype(np.uint8), kernel) for lesion in inside]).reshape(
            len(rows), -1
        )
        > 0
    )
    peaks = np.argmax(strength.reshape(len(rows), -1), axis=1)
    hit, chance = near[np.arange(len(rows)), peaks], near.mean(axis=1)
    area = coverage.mean(axis=(1, 2))
    contrast = [
        float(mark[lesion].mean() / mark[~lesion].mean())
        for mark, lesion in zip(strength, inside, strict=True)
    ]
    table = {}
    for name in TABLE_6:
        own = classes[rows] == name
        if own.any():
            table[name] = {
                "n": int(own.sum()),
                "area": float(np.median(area[own])),
                "contrast": float(np.median(np.array(contrast)[own])),
                "hit_rate": float(hit[own].mean()),
                "hit_rate_by_chance": float(chance[own].mean()),
            }
    return {
        "pixel_auroc": auroc(inside.ravel().astype(int), strength.ravel()),
        "hit_rate": float(hit.mean()),
        "hit_rate_by_chance": float(chance.mean()),
        "n": len(rows),
        "classes": table,
    }


def write_scores(path: Path, reading: Reading, ours: Scores, supervised: Scores) -> None:
    """scores.csv: one row per test image, with nothing that names a patient."""
    columns = (
        "image_id",
        "class",
        "label",
        "score",
        "p_value",
        "detected",
        "supervised_score",
        "supervised_detected",
    )
    rows = zip(
        reading.test.manifest["image_id"],
        reading.classes,
        reading.test.manifest["label"],
        (f"{score:.5f}" for score in ours.test),
        (f"{p:.5f}" for p in ours.p),
        ours.detected.astype(int),
        (f"{score:.5f}" for score in supervised.test),
        supervised.detected.astype(int),
        strict=True,
    )
    with (
        artifacts.atomic_path(path) as beside,
        open(beside, "w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows([columns, *rows])


def _of_one(classes: np.ndarray, scores: Scores, patients: np.ndarray, seed: int) -> dict:
    table = {}
    for name in TABLE_6:
        rows = classes == name
        n, detected = int(rows.sum()), int(scores.detected[rows].sum())
        table[name] = {
            "n": n,
            "detected": detected,
            "sensitivity": detected / n if n else None,
            "ci95": clopper_pearson(detected, n),
        }
    calm = classes == NORMAL
    n, alarms = int(calm.sum()), int(scores.detected[calm].sum())
    n_ill, detected = int((~calm).sum()), int(scores.detected[~calm].sum())
    area, low, high = delong_ci((~calm).astype(int), scores.test)
    return {
        "classes": table,
        "normals": {
            "n": n,
            "false_alarms": alarms,
            "specificity": 1 - alarms / n,
            "ci95": clopper_pearson(n - alarms, n),
        },
        "overall": {
            "sensitivity": detected / n_ill,
            "sensitivity_ci95": clopper_pearson(detected, n_ill),
            "specificity": 1 - alarms / n,
            "auroc": area,
            "auroc_ci95": [low, high],
            "threshold": scores.threshold,
            "clustered": _clustered(~calm, scores, patients, seed),
        },
    }


def _clustered(ill: np.ndarray, scores: Scores, patients: np.ndarray, seed: int) -> dict:
    codes = patient_codes(patients, len(ill))
    _, low, high = delong_ci(ill.astype(int), scores.test, patients=patients)
    drawn = bootstrap_auroc(ill.astype(int), scores.test, patients, seed=seed)
    return {
        "patients": drawn["patients"],
        "images": len(ill),
        "auroc_ci95": [low, high],
        "bootstrap": drawn,
        "sensitivity_ci95": clustered_wilson(
            np.bincount(codes, ill & scores.detected), np.bincount(codes, ill)
        ),
        "specificity_ci95": clustered_wilson(
            np.bincount(codes, ~ill & ~scores.detected), np.bincount(codes, ~ill)
        ),
    }

"""How well scores and maps tell abnormal images from normal ones: thesis Table 6, and what it
leaves out."""

import csv
from pathlib import Path

import numpy as np

from evaluate.anomaly.selection import Reading
from pgcxr.anomaly.calibration import CalibratedScores
from pgcxr.cohort.findings import NORMAL, TABLE_6
from pgcxr.io import artifacts
from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.bootstrap import bootstrap_auroc
from pgcxr.metrics.proportions import clopper_pearson, clustered_wilson, mcnemar
from pgcxr.metrics.roc import patient_codes


def report(
    classes: np.ndarray,
    ours: CalibratedScores,
    supervised: CalibratedScores,
    patients: np.ndarray,
    seed: int,
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


def write_scores(
    path: Path, reading: Reading, ours: CalibratedScores, supervised: CalibratedScores
) -> None:
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


def _of_one(classes: np.ndarray, scores: CalibratedScores, patients: np.ndarray, seed: int) -> dict:
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


def _clustered(ill: np.ndarray, scores: CalibratedScores, patients: np.ndarray, seed: int) -> dict:
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

"""How well scores and maps tell abnormal images from normal ones: thesis Table 6, and what it
leaves out."""

import numpy as np
import pandas as pd

from evaluate.anomaly.selection import Reading
from pgcxr.anomaly.calibration import CalibratedScores
from pgcxr.cohort.findings import NORMAL, TABLE_6
from pgcxr.metrics.auroc import delong, delong_ci
from pgcxr.metrics.proportions import clopper_pearson, clustered_wilson, mcnemar
from pgcxr.metrics.resampling import bootstrap_auroc
from pgcxr.metrics.roc import patient_codes


def report(
    classes: np.ndarray,
    ours: CalibratedScores,
    supervised: CalibratedScores,
    patients: np.ndarray,
    seed: int,
) -> dict:
    """{classes, normals, overall, supervised, mcnemar, delong, obuchowski}

    `overall` holds under `clustered` {patients, images, auroc_ci95 (Obuchowski), bootstrap,
    sensitivity_ci95, specificity_ci95}, which allow for several images of one patient; `obuchowski`
    is DeLong's test that does so.

    Args:
        classes: [N] "normal" or a class of thesis Table 6.
        patients: [N], whose image each is.
        seed: of the bootstrap.
    """
    abnormal = classes != NORMAL
    only_ours = int(np.sum(abnormal & ours.detected & ~supervised.detected))
    only_theirs = int(np.sum(abnormal & ~ours.detected & supervised.detected))
    other = _of_one(classes, supervised, patients, seed)
    return {
        **_of_one(classes, ours, patients, seed),
        "supervised": {
            **other["overall"],
            "classes": other["classes"],
            "normals": other["normals"],
        },
        # On abnormal images, as the thesis compares detection rates.
        "mcnemar": mcnemar(only_ours, only_theirs),
        "delong": delong(abnormal.astype(int), ours.test, supervised.test),
        "obuchowski": delong(abnormal.astype(int), ours.test, supervised.test, patients=patients),
    }


def scores_table(
    reading: Reading, ours: CalibratedScores, supervised: CalibratedScores
) -> pd.DataFrame:
    """scores.csv: one row per test image, with nothing that names a patient."""
    return pd.DataFrame(
        {
            "image_id": reading.test.manifest["image_id"],
            "class": reading.classes,
            "label": reading.test.manifest["label"],
            "score": ours.test.astype(float),
            "p_value": ours.p,
            "detected": ours.detected.astype(int),
            "supervised_score": supervised.test.astype(float),
            "supervised_detected": supervised.detected.astype(int),
        }
    )


def _of_one(classes: np.ndarray, scores: CalibratedScores, patients: np.ndarray, seed: int) -> dict:
    """{classes, normals, overall} of one method."""
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
    abnormal = classes != NORMAL
    n, alarms = int((~abnormal).sum()), int(scores.detected[~abnormal].sum())
    n_abnormal, detected = int(abnormal.sum()), int(scores.detected[abnormal].sum())
    area, low, high = delong_ci(abnormal.astype(int), scores.test)
    return {
        "classes": table,
        "normals": {
            "n": n,
            "false_alarms": alarms,
            "specificity": 1 - alarms / n,
            "ci95": clopper_pearson(n - alarms, n),
        },
        "overall": {
            "sensitivity": detected / n_abnormal,
            "sensitivity_ci95": clopper_pearson(detected, n_abnormal),
            "specificity": 1 - alarms / n,
            "auroc": area,
            "auroc_ci95": [low, high],
            "threshold": scores.threshold,
            "clustered": _clustered(abnormal, scores, patients, seed),
        },
    }


def _clustered(
    abnormal: np.ndarray, scores: CalibratedScores, patients: np.ndarray, seed: int
) -> dict:
    """Intervals that allow for several images of one patient."""
    codes = patient_codes(patients, len(abnormal))
    _, low, high = delong_ci(abnormal.astype(int), scores.test, patients=patients)
    resampled = bootstrap_auroc(abnormal.astype(int), scores.test, patients, seed=seed)
    return {
        "patients": resampled["patients"],
        "images": len(abnormal),
        "auroc_ci95": [low, high],
        "bootstrap": resampled,
        "sensitivity_ci95": clustered_wilson(
            np.bincount(codes, abnormal & scores.detected), np.bincount(codes, abnormal)
        ),
        "specificity_ci95": clustered_wilson(
            np.bincount(codes, ~abnormal & ~scores.detected), np.bincount(codes, ~abnormal)
        ),
    }

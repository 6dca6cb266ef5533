"""What a threshold makes of scores: the confusion matrix and its rates; all that is said of one
reading, and of two.

A case is called positive where its score is at or above the threshold. Sensitivity and specificity
are of the truth's classes, PPV and NPV of the calls: the thesis (Tables 3 to 5) prints NPV and PPV
under the former's names.
"""

import math
from dataclasses import dataclass

import numpy as np

from pgcxr.metrics.auroc import delong, delong_ci, hanley_mcneil_1982, hanley_mcneil_1983
from pgcxr.metrics.calibration import bin_edges, calibration, checked_probabilities, ece
from pgcxr.metrics.non_inferiority import non_inferiority
from pgcxr.metrics.proportions import (
    clopper_pearson,
    clustered_wilson,
    mcnemar,
    predictive_values,
    wilson,
)
from pgcxr.metrics.recalibration import log_loss, logits_of, scaled, temperature
from pgcxr.metrics.resampling import RESAMPLES, bootstrap_auroc, bootstrap_difference
from pgcxr.metrics.roc import at_specificity, checked, patient_codes, youden

__all__ = ["clopper_pearson", "comparison", "confusion", "evaluation", "mcnemar", "rates", "wilson"]

RATES = ("sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class Points:
    """Where a classifier is read off.

    Attributes:
        threshold: of the first operating point.
        specificity: the least at the operating point of highest sensitivity.
        prevalence: the share of positive cases that PPV and NPV are also given for.
    """

    threshold: float = 0.5
    specificity: float = 0.95
    prevalence: float = 0.1


AT_95 = Points()


def confusion(labels, scores, threshold: float, patients=None) -> dict:
    """The rates at one threshold; `rates` says what the dict holds.

    Args:
        labels: 0 or 1, [N], both present.
        scores: finite, [N].
        threshold: cases at or above it are called positive.
        patients: [N], whose image each is: adds `clustered95`, the interval [low, high] of each
            rate that allows for several images of one patient.

    Example:

        >>> from pgcxr.metrics.confusion import confusion
        >>> at = confusion([0, 0, 1, 1, 1], [0.1, 0.6, 0.4, 0.8, 0.9], threshold=0.5)
        >>> at['confusion'], round(at['sensitivity'], 3), at['specificity']
        ({'tn': 1, 'fp': 1, 'fn': 1, 'tp': 2}, 0.667, 0.5)
    """
    labels, scores = checked(labels, scores)
    if math.isnan(threshold):
        raise ValueError("the threshold is NaN")
    called, positive = scores >= threshold, labels == 1
    # What is counted for each rate, and of what.
    parts = {"sensitivity": (called, positive), "specificity": (~called, ~positive)}
    parts |= {"ppv": (positive, called), "npv": (~positive, ~called)}
    tp, fn = int((called & positive).sum()), int((~called & positive).sum())
    fp, tn = int((called & ~positive).sum()), int((~called & ~positive).sum())
    report = {**rates(tn, fp, fn, tp), "threshold": float(threshold)}
    if patients is not None:
        codes = patient_codes(patients, len(labels))
        report["clustered95"] = {
            name: clustered_wilson(np.bincount(codes, right & of), np.bincount(codes, of))
            for name, (right, of) in parts.items()
        }
    return report


def rates(tn: int, fp: int, fn: int, tp: int) -> dict:
    """{sensitivity, specificity, ppv, npv, confusion: {tn, fp, fn, tp}, ci95, wilson95}.

    `ci95` holds the exact (Clopper-Pearson) and `wilson95` the score interval [low, high] of each
    rate. A rate with nothing in its denominator is NaN.
    """
    parts = dict(
        zip(RATES, ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp), (tn, tn + fn)), strict=True)
    )
    return {
        **{name: k / n if n else math.nan for name, (k, n) in parts.items()},
        "confusion": {"tn": tn, "fp": fp, "fn": fn, "tp": tp},
        "ci95": {name: clopper_pearson(k, n) for name, (k, n) in parts.items()},
        "wilson95": {name: wilson(k, n) for name, (k, n) in parts.items()},
    }


def evaluation(
    labels,
    scores,
    points: Points = AT_95,
    patients=None,
    validation: tuple | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict:
    """All that is said about one classifier on one test set (thesis 2.3), at three operating
    points.

    Returns:
        {auroc, auroc_ci95 (DeLong), sensitivity, specificity, ppv, npv, threshold, confusion, ci95,
        wilson95, at_prevalence, youden, at_specificity, chosen_on, calibration, clustered}.

        `youden` and `at_specificity` hold the same as the top level does from sensitivity to
        at_prevalence, at Youden's point and at the highest sensitivity of `specificity` or more.
        Their thresholds are chosen on what `chosen_on` names: "validation", or "test", where their
        rates are optimistic. `at_prevalence`: PPV and NPV were `prevalence` of the cases positive,
        not the test set's share. `calibration`: see `pgcxr.metrics.calibration.calibration`, with
        `temperature` {temperature, log_loss_before, log_loss_after, ece_before, ece_after} (equal
        width), fitted on validation, and None without one; None as a whole where scores are no
        probabilities. `clustered` (with `patients`): {patients, images, auroc_ci95 (Obuchowski),
        bootstrap}, and each point has `clustered95`.

    Args:
        labels: 0 or 1, [N], two of each.
        scores: finite, [N], higher for positive.
        points: the operating points, and the prevalence of a ward.
        patients: [N], whose image each is.
        validation: (labels, scores) of cases that are not in the test set.
        resamples, seed: of the bootstrap over patients.

    Example:

        >>> from pgcxr.metrics.confusion import Points, evaluation
        >>> labels = [0, 0, 0, 0, 1, 1, 1, 1]
        >>> scores_a = [0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9]
        >>> report = evaluation(labels, scores_a, Points(threshold=0.5))
        >>> report['auroc'], report['sensitivity'], report['specificity'], report['confusion']
        (0.9375, 0.75, 0.75, {'tn': 3, 'fp': 1, 'fn': 1, 'tp': 3})
    """
    area, low, high = delong_ci(labels, scores)
    chosen = (labels, scores) if validation is None else validation

    def point(at: float) -> dict:
        report = confusion(labels, scores, at, patients)
        return {
            **report,
            "at_prevalence": predictive_values(**report["confusion"], prevalence=points.prevalence),
        }

    report = {
        "auroc": area,
        "auroc_ci95": [low, high],
        **point(points.threshold),
        "youden": point(youden(*chosen)["threshold"]),
        "at_specificity": {
            "aimed_at": points.specificity,
            **point(at_specificity(*chosen, points.specificity)["threshold"]),
        },
        "chosen_on": "test" if validation is None else "validation",
        "calibration": None,
    }
    if np.min(scores) >= 0 and np.max(scores) <= 1:
        report["calibration"] = {
            **calibration(labels, scores, patients=patients, seed=seed),
            "temperature": None if validation is None else _temperature(labels, scores, validation),
        }
    if patients is not None:
        _, low, high = delong_ci(labels, scores, patients=patients)
        drawn = bootstrap_auroc(labels, scores, patients, resamples=resamples, seed=seed)
        report["clustered"] = {
            "patients": drawn["patients"],
            "images": len(scores),
            "auroc_ci95": [low, high],
            "bootstrap": drawn,
        }
    return report


def comparison(
    labels,
    scores_a,
    scores_b,
    margin: float = 0.05,
    patients=None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict:
    """Whether reading b (trained on synthetic images) is worse than reading a (trained on real
    ones), same cases.

    Returns:
        {delong: {z, p, difference (a - b), ci95, ...}, hanley_mcneil_1982: {z, p},
        hanley_mcneil_1983: {z, p, r}, non_inferiority: see `non_inferiority`, clustered (with
        `patients`): {patients, images, obuchowski: as delong, bootstrap: of the difference}}.
    """
    paired = delong(labels, scores_a, scores_b)
    n_positive = int(np.sum(np.asarray(labels) == 1))
    n_negative = len(labels) - n_positive
    report = {
        "delong": paired,
        "hanley_mcneil_1982": hanley_mcneil_1982(
            paired["auroc_a"], paired["auroc_b"], n_positive, n_negative
        ),
        "hanley_mcneil_1983": hanley_mcneil_1983(labels, scores_a, scores_b),
        "non_inferiority": non_inferiority(labels, scores_a, scores_b, margin, patients),
    }
    if patients is not None:
        drawn = bootstrap_difference(
            labels, scores_a, scores_b, patients, resamples=resamples, seed=seed
        )
        report["clustered"] = {
            "patients": drawn["patients"],
            "images": len(labels),
            "obuchowski": delong(labels, scores_a, scores_b, patients=patients),
            "bootstrap": drawn,
        }
    return report


def _temperature(labels, scores, validation: tuple) -> dict:
    known, probabilities = checked_probabilities(*validation)
    try:
        by = temperature(known, logits_of(probabilities))
    except ValueError as error:  # too few errors in the validation set, or too many
        return {"temperature": None, "reason": str(error)}
    after, edges = scaled(scores, by), bin_edges(scores)
    return {
        "temperature": by,
        "log_loss_before": log_loss(labels, scores),
        "log_loss_after": log_loss(labels, after),
        "ece_before": ece(labels, scores, edges),
        "ece_after": ece(labels, after, edges),
    }

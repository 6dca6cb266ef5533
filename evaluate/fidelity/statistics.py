"""What the statistics say of each arm, beyond its ROC curve: operating points, patients,
calibration.

Thresholds and temperatures are chosen on validation images, never on those that are judged. For
what is read on the real test set these are real ones: how a classifier would be set up where it is
to be used.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.fidelity.arms import ARMS
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.metrics.confusion import RATES, Points, comparison, evaluation
from pgcxr.options import Options
from pgcxr.plots.reliability import reliability_plot

POINTS = {"fixed": "threshold", "youden": "Youden's index", "at_specificity": "specificity"}
# {key in the report: the arm that is compared with real_on_real}
COMPARISONS = {
    "comparison": "synthetic_on_real",
    "comparison_control": "pseudolabelled_real_on_real",
}


@dataclass(frozen=True)
class Reading:
    """What one classifier says of one test set.

    Attributes:
        labels: [N] of the images that are judged.
        scores: [N] P(abnormal).
        validation: (labels, scores) of the images that thresholds are chosen on.
        patients: [N] whose images they are, where that is known.
    """

    labels: np.ndarray
    scores: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    patients: np.ndarray | None = None


def refuse_few_patients(rows: Cohort, labels: np.ndarray) -> None:
    """InputError unless two patients at least have a normal, and two an abnormal image among the
    test images `rows`."""
    patients = rows.manifest["patient_id"].to_numpy()
    for label, name in enumerate(("normal", "abnormal")):
        count = len(set(patients[labels.ravel() == label]))
        if count < 2:
            raise InputError(
                f"{rows.folder / 'manifest.csv'}: the {name} images of split test are of {count} "
                "patient; intervals need two or more: curate more patients"
            )


def measured(readings: dict[str, Reading], options: Options, seed: int) -> dict:
    """What the report says of each reading, and of two against real_on_real.

    Args:
        readings: {arm: Reading}.
        options: FidelityOptions.
        seed: of the bootstraps.

    Returns:
        {arm: `pgcxr.metrics.confusion.evaluation`, comparison and comparison_control:
        `pgcxr.metrics.confusion.comparison`}.
    """
    report = {}
    for arm, reading in readings.items():
        report[arm] = evaluation(
            reading.labels,
            reading.scores,
            Points(specificity=options.specificity, prevalence=options.prevalence),
            patients=reading.patients,
            validation=reading.validation,
            seed=seed,
        )
    real = readings["real_on_real"]
    for key, arm in COMPARISONS.items():
        report[key] = comparison(
            real.labels,
            real.scores,
            readings[arm].scores,
            options.margin,
            patients=real.patients,
            seed=seed,
        )
    return report


def tables(report: dict) -> dict[str, pd.DataFrame]:
    """operating-points.csv, and reliability.csv with the bins of the calibration curves."""
    curves = []
    for arm in ARMS:
        for kind in ("equal_width", "equal_mass"):
            curve = dict(report[arm]["calibration"][kind]["curve"])
            curve["wilson95_low"], curve["wilson95_high"] = np.transpose(curve.pop("wilson95"))
            curves.append(pd.DataFrame({"arm": arm, "bins": kind, **curve}))
    return {
        "operating-points.csv": pd.DataFrame(point_rows(report)),
        "reliability.csv": pd.concat(curves, ignore_index=True),
    }


def plot(folder: Path, readings: dict[str, Reading]) -> None:
    """reliability.png and .svg."""
    curves = {
        ARMS[arm].removesuffix(" test set"): (readings[arm].labels, readings[arm].scores)
        for arm in ARMS
    }
    for kind in ("png", "svg"):
        reliability_plot(curves, folder / f"reliability.{kind}")


def point_rows(report: dict) -> list[dict]:
    """One row for each arm and operating point: its rates with their intervals (a patient's images
    as one where that is known), and PPV and NPV at the stated prevalence."""
    rows = []
    for arm in ARMS:
        for point in POINTS:
            rates = report[arm] if point == "fixed" else report[arm][point]
            limits = rates.get("clustered95", rates["wilson95"])
            row = {"arm": arm, "point": point, "threshold": rates["threshold"]}
            for rate in RATES:
                row |= {
                    rate: rates[rate],
                    f"{rate}_low": limits[rate][0],
                    f"{rate}_high": limits[rate][1],
                }
            elsewhere = rates["at_prevalence"]
            row |= {"prevalence": elsewhere["prevalence"]}
            row |= {f"{rate}_at_prevalence": elsewhere[rate] for rate in ("ppv", "npv")}
            rows.append(row)
    return rows

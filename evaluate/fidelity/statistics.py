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

from evaluate.fidelity.figures import ARMS
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.metrics.confusion import RATES, comparison, evaluation
from pgcxr.plots.page import Page
from pgcxr.plots.reliability import reliability_plot

POINTS = {"fixed": "threshold", "youden": "Youden's index", "at_specificity": "specificity"}
# {key in the report: the arm that is compared with real_on_real}
COMPARISONS = {
    "comparison": "synthetic_on_real",
    "comparison_control": "pseudolabelled_real_on_real",
}


@dataclass(frozen=True)
class Reading:
    """P(abnormal) `scores` [N] of the images that are judged, their `labels`, whose they are, and
    (labels, scores) of the `validation` images."""

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


def measured(readings: dict[str, Reading], chosen: dict, seed: int) -> dict:
    """{arm: `evaluation`, comparison and comparison_control: `comparison`} of `readings` {arm:
    Reading}."""
    found = {}
    for arm, reading in readings.items():
        found[arm] = evaluation(
            reading.labels,
            reading.scores,
            patients=reading.patients,
            validation=reading.validation,
            specificity=chosen["specificity"],
            prevalence=chosen["prevalence"],
            seed=seed,
        )
    real = readings["real_on_real"]
    for key, arm in COMPARISONS.items():
        found[key] = comparison(
            real.labels,
            real.scores,
            readings[arm].scores,
            chosen["margin"],
            patients=real.patients,
            seed=seed,
        )
    return found


def write(folder: Path, report: dict, readings: dict[str, Reading]) -> None:
    """operating-points.csv, reliability.csv (its bins), reliability.png and .svg."""
    table = pd.DataFrame(operating_points(report))
    artifacts.write_text(
        folder / "operating-points.csv", table.to_csv(index=False, float_format="%.6f")
    )
    curves = []
    for arm in ARMS:
        for kind in ("equal_width", "equal_mass"):
            curve = dict(report[arm]["calibration"][kind]["curve"])
            curve["wilson95_low"], curve["wilson95_high"] = np.transpose(curve.pop("wilson95"))
            curves.append(pd.DataFrame({"arm": arm, "bins": kind, **curve}))
    artifacts.write_text(
        folder / "reliability.csv", pd.concat(curves).to_csv(index=False, float_format="%.6f")
    )
    drawn = {
        ARMS[arm].removesuffix(" test set"): (readings[arm].labels, readings[arm].scores)
        for arm in ARMS
    }
    for kind in ("png", "svg"):
        reliability_plot(drawn, folder / f"reliability.{kind}")


def operating_points(report: dict) -> list[dict]:
    """One row for each arm and operating point: its rates with their intervals (a patient's images
    as one where that is known), and PPV and NPV at the stated prevalence."""
    rows = []
    for arm in ARMS:
        for point in POINTS:
            found = report[arm] if point == "fixed" else report[arm][point]
            limits = found.get("clustered95", found["wilson95"])
            row = {"arm": arm, "point": point, "threshold": found["threshold"]}
            for rate in RATES:
                row |= {
                    rate: found[rate],
                    f"{rate}_low": limits[rate][0],
                    f"{rate}_high": limits[rate][1],
                }
            elsewhere = found["at_prevalence"]
            row |= {"prevalence": elsewhere["prevalence"]}
            row |= {f"{rate}_at_prevalence": elsewhere[rate] for rate in ("ppv", "npv")}
            rows.append(row)
    return rows


def chapter(page: Page, folder: Path, report: dict) -> None:
    """The operating points, what patients with several images change, and the calibration, on
    `page`."""
    first = report["real_on_real"]
    names = POINTS | {
        "fixed": f"{first['threshold']:g}",
        "at_specificity": f"{first['at_specificity']['aimed_at']:.0%}",
    }
    names["at_specificity"] += " specificity"
    rows, last = [], None
    for row in operating_points(report):
        title = "" if row["arm"] == last else ARMS[row["arm"]]
        last = row["arm"]
        rates = [
            f"{row[rate]:.3f} ({row[f'{rate}_low']:.3f} to {row[f'{rate}_high']:.3f})"
            for rate in RATES[:2]
        ]
        shown = [row[f"{rate}_at_prevalence"] for rate in ("ppv", "npv")]
        rows.append(
            (title, names[row["point"]], row["threshold"], *rates, row["ppv"], row["npv"], *shown)
        )
    share = first["at_prevalence"]["prevalence"]
    page.table(
        [
            "",
            "Operating point",
            "Threshold",
            "Sensitivity",
            "Specificity",
            "PPV",
            "NPV",
            f"PPV at {share:.0%}",
            f"NPV at {share:.0%}",
        ],
        rows,
        "Operating points, thresholds chosen on validation images; 95 % intervals (Wilson) allow "
        "for several images of one patient. PPV and NPV hold for the test set's share of abnormal "
        f"images, the last two for a share of {share:.0%}.",
    )
    rows = []
    for arm, title in ARMS.items():
        found = report[arm].get("clustered")
        if found:
            rows.append(
                (
                    title,
                    report[arm]["auroc"],
                    report[arm]["auroc_ci95"],
                    found["auroc_ci95"],
                    found["bootstrap"]["ci95"],
                )
            )
    if rows:
        found = first["clustered"]
        page.table(
            ["AUROC", "Value", "DeLong", "Obuchowski, by patient", "Bootstrap, by patient"],
            rows,
            f"95 % intervals that take {found['images']:,} images as independent (DeLong), and "
            f"that allow for their coming from {found['patients']:,} patients.",
        )
    page.figure(
        folder / "reliability.png",
        "Calibration. Points: share of abnormal images among those with a score of about so much, "
        "in ten bins of equal width, with Wilson's 95 % interval; on the diagonal the scores are "
        "right, below it too high. Below: how many images have which score.",
    )
    rows = []
    for arm, title in ARMS.items():
        found = report[arm]["calibration"]
        equal, changed, cooled = found["equal_width"], found["recalibration"], found["temperature"]
        rows.append(
            (
                title,
                found["brier"]["score"],
                equal["ece"],
                equal["ece_by_chance"],
                equal["p"],
                changed["slope"],
                changed["in_the_large"],
                cooled["temperature"],
                cooled.get("ece_after"),
            )
        )
    page.table(
        [
            "",
            "Brier score",
            "ECE",
            "ECE by chance",
            "p",
            "Slope",
            "In the large",
            "Temperature",
            "ECE after it",
        ],
        rows,
        "Calibration on the test set's share of abnormal images. ECE by chance: its mean were the "
        "scores right; p: how often it would then be this large. Slope (1 is right, below: too "
        "sure) and calibration in the large (0 is right, below: scores too high) by logistic "
        "recalibration. Temperature: fitted on validation images; above 1, the scores were too "
        "sure.",
    )

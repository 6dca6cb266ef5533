"""The chapter on fidelity: how real the synthetic images are to a classifier.

Its parts make both the chapter of a study and, with what only the evaluation's own page shows
(`evaluate.fidelity.page`), report.html.
"""

from pathlib import Path

from evaluate import common, thesis
from evaluate.fidelity.arms import ARMS
from evaluate.fidelity.explanations import THRESHOLD
from evaluate.fidelity.statistics import COMPARISONS, POINTS, point_rows
from evaluate.protocol import Result
from evaluate.thesis import interval, p_value
from pgcxr.metrics.calibration import DRAWS
from pgcxr.metrics.confusion import RATES
from pgcxr.plots.page import Page

MEASURES = {
    "auroc": "AUROC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}


class FidelityResult(Result):
    """How real the synthetic images are to a classifier, and its chapter."""

    command = "evaluate.fidelity"
    float_format = "%.6f"

    def chapter(self, page: Page) -> None:
        """Figures 3, 7 to 9, 11, 13; Tables 3 to 5; the statistics."""
        report = self.figures
        page.section("How real are the synthetic images? (thesis, Results 1)")
        labels, options = report["pseudo_labels"], self.made_by["config"]
        page.text(
            f"Classifier: {report['architecture']}. One trained on real images labels synthetic "
            f"ones (P(abnormal) > {options['abnormal_above']:g} abnormal, < "
            f"{options['normal_below']:g} normal, the rest dropped); a second one, trained in the "
            "same way on as many synthetic images, reads the real test set.",
            f"Of {labels['generated']:,} synthetic images {labels['normal']:,} were labeled "
            f"normal, {labels['abnormal']:,} abnormal, {labels['rejected']:,} were dropped.",
        )
        common.tell_confounders(page, report)
        if (self.folder / "scheme.png").is_file():  # not in earlier versions
            page.figure(
                self.folder / "scheme.png",
                "Figure 3. Who learns from what and reads what, with this run's numbers of images.",
            )
        readings(page, self.folder, report)
        comparison(page, report)
        operating_points(page, self.folder, report)
        explained(page, self.folder)
        part = report["explain"]
        maps, others = part["groups"]["All"]["cam"]["pearson"], part["chance"]["cam"]["pearson"]
        page.text(
            f"On {part['images']:,} real test images the CAMs of the two classifiers correlate "
            f"with {maps['mean']:.2f} in the mean ({interval(maps['ci95'])}), those of different "
            f"images with {others['mean']:.2f}. fidelity/report.html has this for true and false "
            "calls, and the pseudo-labels at other thresholds."
        )
        synthetic_images(page, self.folder)


def readings(page: Page, folder: Path, report: dict) -> None:
    """Tables 3 to 5 and Figures 7 to 9: who reads what, and how well."""
    for arm in ARMS:
        _confusion(page, arm, report[arm])
    rows = []
    for arm, title in ARMS.items():
        printed = thesis.ARMS.get(arm)
        theirs = printed and {
            "auroc": printed["auroc"],
            "sensitivity": thesis.sensitivity(arm),
            "specificity": thesis.specificity(arm),
        }
        limits = {"auroc": report[arm]["auroc_ci95"], **report[arm]["ci95"]}
        for rate, name in MEASURES.items():
            head = title if rate == "auroc" else ""
            rows.append((head, name, (theirs or {}).get(rate), report[arm][rate], limits[rate]))
    page.table(
        ["", "Measure", "Thesis", "This run", "95 % interval"],
        rows,
        "AUROC: DeLong; the others: Clopper-Pearson. The thesis's sensitivity and specificity are "
        "those of its tables. It has no control arm.",
    )
    page.figure(
        folder / "roc.png", "Figures 7 to 9. ROC curves with AUROC and 95 % interval (DeLong)."
    )


def _confusion(page: Page, arm: str, reading: dict) -> None:
    """Thesis Tables 3 to 5, with totals, beside this run's."""
    printed, counts = thesis.ARMS.get(arm), reading["confusion"]
    pseudo = arm == "synthetic_on_synthetic"
    how = "labeled" if pseudo else "truly"
    columns = [("Thesis", printed)] if printed else []
    columns.append(("This run", counts))
    header, rows = [""], [["Predicted normal"], ["Predicted abnormal"], ["Total"]]
    for whose, cells in columns:
        header += [f"{whose}: {name}" for name in (f"{how} normal", f"{how} abnormal", "total")]
        predicted = [(cells["tn"], cells["fn"]), (cells["fp"], cells["tp"])]
        predicted.append(tuple(map(sum, zip(*predicted, strict=True))))
        for row, pair in zip(rows, predicted, strict=True):
            row += [*pair, sum(pair)]
    number = f"Table {printed['table']}. " if printed else ""
    note = " Columns: pseudo-labels by classifier (real), not a known truth." if pseudo else ""
    page.table(header, rows, f"{number}{ARMS[arm]}, threshold {reading['threshold']:g}.{note}")


def comparison(page: Page, report: dict) -> None:
    """Whether a classifier that has not learned from real images with true labels is worse."""
    rows, verdicts = [], []
    for title, key in zip(("synthetic", "control"), COMPARISONS, strict=True):
        part = report[key]
        z_1982 = thesis.HANLEY_MCNEIL_1982_Z if title == "synthetic" else None
        paired, margin = part["delong"], part["non_inferiority"]
        difference = f"AUROC: real \N{MINUS SIGN} {title}"
        rows.append((difference, None, paired["difference"], interval(paired["ci95"])))
        for name, printed, test in (
            ("DeLong, paired", None, paired),
            ("Hanley-McNeil 1982, unpaired", z_1982, part["hanley_mcneil_1982"]),
            ("Hanley-McNeil 1983, paired", None, part["hanley_mcneil_1983"]),
        ):
            rows.append((f"{name}: z", printed, test["z"], _p(test)))
        bound = f"{margin['lower_bound']:.3f}".replace("-", "\N{MINUS SIGN}")
        verdicts.append(
            f"Non-inferiority ({title}) with a margin of {margin['margin']:g} in AUROC: "
            f"{'shown' if margin['passed'] else 'not shown'}. {title.capitalize()} \N{MINUS SIGN} "
            f"real is at least {bound} (one-sided 97.5 %, {margin['method']}; {_p(margin)}, of "
            "which less than 0.025 shows it)."
        )
    page.comparison_table(
        rows,
        "Is the classifier trained on synthetic images worse? All on the same real test images. "
        "The thesis's p < 0.0001 is a significant difference.",
    )
    for text in verdicts:
        page.verdict(None, text)


def operating_points(page: Page, folder: Path, report: dict) -> None:
    """The operating points, what patients with several images change, and the calibration."""
    first = report["real_on_real"]
    names = POINTS | {
        "fixed": f"{first['threshold']:g}",
        "at_specificity": f"{first['at_specificity']['aimed_at']:.0%} specificity",
    }
    rows, last = [], None
    for row in point_rows(report):
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
    share = f"{first['at_prevalence']['prevalence']:.0%}"
    header = ["Operating point", "Threshold", "Sensitivity", "Specificity", "PPV", "NPV"]
    page.table(
        ["", *header, f"PPV at {share}", f"NPV at {share}"],
        rows,
        "Operating points, thresholds chosen on validation images; 95 % intervals (Wilson) allow "
        "for several images of one patient. PPV and NPV hold for the test set's share of abnormal "
        f"images, the last two for a share of {share}.",
    )
    _by_patient(page, report)
    page.figure(
        folder / "reliability.png",
        "Calibration. Points: share of abnormal images among those with a score of about so much, "
        "in ten bins of equal width, with Wilson's 95 % interval; on the diagonal the scores are "
        "right, below it too high. Below: how many images have which score.",
    )
    _calibration(page, report)


def _by_patient(page: Page, report: dict) -> None:
    rows, clustered = [], None
    for arm, title in ARMS.items():
        if "clustered" in report[arm]:
            clustered = report[arm]["clustered"]
            intervals = [report[arm]["auroc_ci95"], clustered["auroc_ci95"]]
            rows.append((title, report[arm]["auroc"], *intervals, clustered["bootstrap"]["ci95"]))
    if clustered:
        page.table(
            ["AUROC", "Value", "DeLong", "Obuchowski, by patient", "Bootstrap, by patient"],
            rows,
            f"95 % intervals that take {clustered['images']:,} images as independent (DeLong), and "
            f"that allow for their coming from {clustered['patients']:,} patients.",
        )


def _calibration(page: Page, report: dict) -> None:
    rows = []
    for arm, title in ARMS.items():
        part = report[arm]["calibration"]
        bins, logistic, scaling = part["equal_width"], part["recalibration"], part["temperature"]
        rows.append(
            (
                *(title, part["brier"]["score"]),
                *(bins["ece"], bins["ece_by_chance"], p_value(bins["p"], DRAWS)),
                *(logistic["slope"], logistic["in_the_large"]),
                *(scaling["temperature"], scaling.get("ece_after")),
            )
        )
    header = ["Brier score", "ECE", "ECE by chance", "p", "Slope", "In the large", "Temperature"]
    page.table(
        ["", *header, "ECE after it"],
        rows,
        "Calibration on the test set's share of abnormal images. ECE by chance: its mean were the "
        "scores right; p: how often it would then be this large. Slope (1 is right, below: too "
        "sure) and calibration in the large (0 is right, below: scores too high) by logistic "
        "recalibration. Temperature: fitted on validation images; above 1, the scores were too "
        "sure.",
    )


def explained(page: Page, folder: Path) -> None:
    """Figure 11."""
    page.figure(
        folder / "gradcam.png",
        "Figure 11. Grad-CAM and CAM of both classifiers on the same real test images. True and "
        "false, positive and negative are the calls of classifier (synthetic) at a threshold of "
        f"{THRESHOLD:g} against the diagnosis: its surest true calls and its worst false ones. "
        "P(abnormal) is each classifier's own output. Grad-CAM: gray speaks little for abnormal, "
        "red to yellow strongly; CAM: red speaks for abnormal, blue against; an empty map is 0 "
        "everywhere; on one scale for each column. Green: border of the true lesion, if there is "
        "one.",
    )


def synthetic_images(page: Page, folder: Path) -> None:
    """Figure 13."""
    page.figure(
        folder / "synthetic.png",
        "Figure 13. Synthetic images by pseudo-label: what classifier (real) called them.",
    )


def _p(part: dict) -> str:
    said = p_value(part["p"])
    return f"p {said}" if said.startswith("<") else f"p = {said}"

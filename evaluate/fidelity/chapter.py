"""The chapter on fidelity: how real the synthetic images are to a classifier."""

from pathlib import Path

from evaluate import thesis
from evaluate.fidelity import statistics
from evaluate.protocol import Result
from evaluate.thesis import ARM_NAMES, interval
from pgcxr.plots.page import Page


class FidelityResult(Result):
    """How real the synthetic images are to a classifier, and its chapter."""

    command = "evaluate.fidelity"
    float_format = "%.6f"

    def chapter(self, page: Page) -> None:
        _write(page, self.folder, self.figures)


def _write(page: Page, folder: Path, report: dict) -> None:
    """Figures 3, 7 to 9, 11, 13; Tables 3 to 5; the statistics."""
    page.section("How real are the synthetic images? (thesis, Results 1)")
    labels = report["pseudo_labels"]
    page.text(
        f"Classifier: {report['architecture']}. Figure 3, in words: a classifier trained on real "
        "images labels synthetic ones (P(abnormal) > 0.7 abnormal, < 0.3 normal, the rest "
        "dropped); a second one, trained in the same way on as many synthetic images, reads the "
        "real test set.",
        f"Of {labels['generated']:,} synthetic images {labels['normal']:,} were labelled normal, "
        f"{labels['abnormal']:,} abnormal, {labels['rejected']:,} were dropped.",
    )
    for arm, title in ARM_NAMES.items():
        ours, theirs = report[arm], thesis.ARMS.get(arm)
        number = f"Table {theirs['table']}. " if theirs else ""
        rows = []
        for row, (normal, abnormal) in (
            ("Predicted normal", ("tn", "fn")),
            ("Predicted abnormal", ("fp", "tp")),
        ):
            values = [theirs[normal], theirs[abnormal]] if theirs else [None, None]
            rows.append((row, *values, ours["confusion"][normal], ours["confusion"][abnormal]))
        own = arm == "synthetic_on_synthetic"
        known = (
            ["labelled normal", "labelled abnormal"] if own else ["truly normal", "truly abnormal"]
        )
        header = [
            "",
            *(f"Thesis: {name}" for name in known),
            *(f"This run: {name}" for name in known),
        ]
        if not theirs:
            header, rows = [header[0], *header[3:]], [(row[0], *row[3:]) for row in rows]
        note = (
            " The columns are pseudo-labels by classifier (real), not a known truth." if own else ""
        )
        page.table(header, rows, f"{number}{title}, threshold {ours['threshold']}.{note}")
    rows = []
    for arm, title in ARM_NAMES.items():
        limits = report[arm]["ci95"]
        if arm in thesis.ARMS:
            rows.append(
                (
                    f"AUROC: {title}",
                    thesis.ARMS[arm]["auroc"],
                    report[arm]["auroc"],
                    interval(report[arm]["auroc_ci95"]),
                )
            )
            rows.append(
                (
                    f"Sensitivity: {title}",
                    thesis.sensitivity(arm),
                    report[arm]["sensitivity"],
                    interval(limits["sensitivity"]) + "; thesis: from its table",
                )
            )
            rows.append(
                (
                    f"Specificity: {title}",
                    thesis.specificity(arm),
                    report[arm]["specificity"],
                    interval(limits["specificity"]) + "; thesis: from its table",
                )
            )
        else:
            rows.append(
                (f"AUROC: {title}", None, report[arm]["auroc"], interval(report[arm]["auroc_ci95"]))
            )
    page.comparison_table(rows)
    page.figure(
        folder / "roc.png", "Figures 7 to 9. ROC curves with AUROC and 95 % interval (DeLong)."
    )
    compared = report["comparison"]
    margin = compared["non_inferiority"]
    page.comparison_table(
        [
            ("Difference of AUROC, real − synthetic, on the same images", None, compared["delong"]["difference"],
             interval(compared["delong"]["ci95"])),
            ("DeLong, paired: z", None, compared["delong"]["z"], f"p = {compared['delong']['p']:.2g}"),
            ("Hanley-McNeil 1982, unpaired: z", thesis.HANLEY_MCNEIL_1982_Z, compared["hanley_mcneil_1982"]["z"],
             f"p = {compared['hanley_mcneil_1982']['p']:.2g}; the thesis's p < 0.0001 is a significant difference"),
            ("Hanley-McNeil 1983, paired: z", None, compared["hanley_mcneil_1983"]["z"],
             f"p = {compared['hanley_mcneil_1983']['p']:.2g}"),
        ],
        "Is the classifier trained on synthetic images worse?",
    )  # fmt: skip
    page.verdict(
        None,
        f"Non-inferiority with a margin of {margin['margin']}: "
        f"{'shown' if margin['passed'] else 'not shown'} ({margin['method']}, one-sided p = "
        f"{margin['p']:.2g}, of which less than 0.025 shows it).",
    )
    statistics.chapter(page, folder, report)
    page.figure(
        folder / "gradcam.png",
        "Figure 11. Grad-CAM and CAM of both classifiers on the same four real test images. True "
        "and false, positive and negative are the calls of classifier (synthetic) at a threshold "
        "of 0.5 against the diagnosis: its surest true calls and its worst false ones. "
        "P(abnormal) is each classifier's own output. Grad-CAM: grey speaks little for abnormal, "
        "red to yellow strongly; CAM: red speaks for abnormal, blue against; on one scale for "
        "each column. Green: border of the true lesion, if there is one.",
    )
    seen = report["explain"]
    maps, others = seen["groups"]["All"]["cam"]["pearson"], seen["chance"]["cam"]["pearson"]
    page.text(
        f"On {seen['images']:,} real test images the CAMs of the two classifiers correlate with "
        f"{maps['mean']:.2f} in the mean ({interval(maps['ci95'])}), those of different images "
        f"with {others['mean']:.2f}. fidelity/report.html has this for true and false calls, and "
        "the pseudo-labels at other thresholds."
    )
    page.figure(
        folder / "synthetic.png",
        "Figure 13. Synthetic images by pseudo-label: what classifier (real) called them.",
    )

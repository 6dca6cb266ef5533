"""The chapters of the report on the three results: fidelity, axes, anomaly detection."""

from pathlib import Path

from evaluate.study import thesis
from evaluate.study.wording import ARM_NAMES, fixed, interval, words
from pgcxr.data.findings import FINDINGS, TABLE_6
from pgcxr.plots.page import Page


def fidelity(page: Page, out: Path, report: dict) -> None:
    """Figures 3, 7 to 9, 11, 13; Tables 3 to 5; the statistics."""
    folder = out / "fidelity"
    page.section("How real are the synthetic images? (thesis, Results 1)")
    labels = report["pseudo_labels"]
    page.text(
        f"Classifier: {report['architecture']}. Figure 3, in words: a classifier trained on real images labels "
        "synthetic ones (P(abnormal) > 0.7 abnormal, < 0.3 normal, the rest dropped); a second one, trained in the "
        "same way on as many synthetic images, reads the real test set.",
        f"Of {labels['generated']:,} synthetic images {labels['normal']:,} were labelled normal, "
        f"{labels['abnormal']:,} abnormal, {labels['rejected']:,} were dropped.",
    )
    for arm, title in ARM_NAMES.items():
        ours, theirs = report[arm], thesis.ARMS.get(arm)
        number = f"Table {theirs['table']}. " if theirs else ""
        rows = []
        for row, (normal, abnormal) in (("Predicted normal", ("tn", "fn")), ("Predicted abnormal", ("fp", "tp"))):
            values = [theirs[normal], theirs[abnormal]] if theirs else [None, None]
            rows.append((row, *values, ours["confusion"][normal], ours["confusion"][abnormal]))
        header = ["", "Thesis: truly normal", "Thesis: truly abnormal", "Truly normal", "Truly abnormal"]
        page.table(header, rows, f"{number}{title}, threshold {ours['threshold']}.")
    rows = []
    for arm, title in ARM_NAMES.items():
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
                (f"Sensitivity: {title}", thesis.sensitivity(arm), report[arm]["sensitivity"], "thesis: from its table")
            )
            rows.append(
                (f"Specificity: {title}", thesis.specificity(arm), report[arm]["specificity"], "thesis: from its table")
            )
        else:
            rows.append((f"AUROC: {title}", None, report[arm]["auroc"], interval(report[arm]["auroc_ci95"])))
    page.comparison_table(rows)
    page.figure(folder / "roc.png", "Figures 7 to 9. ROC curves with AUROC and 95 % interval (DeLong).")
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
        None, f"Non-inferiority with a margin of {margin['margin']}: {'shown' if margin['passed'] else 'not shown'}."
    )
    page.figure(folder / "gradcam.png", "Figure 11. Grad-CAM of both classifiers on the same real test images.")
    page.figure(folder / "synthetic.png", "Figure 13. Synthetic images by pseudo-label.")


def axes(page: Page, out: Path, report: dict) -> None:
    """Figures 4, 5, 10 and 12."""
    folder = out / "axes"
    page.section("Latent axes of disease (thesis, Results 2)")
    page.text(
        f"Figure 4, in words: {report['samples']:,} synthetic images are read by the six-output classifier; the logit "
        "of each output is regressed on the latent vector, with weights for rare classes; the slope is the axis.",
        f"An axis counts as {report['criterion']}.",
    )
    page.table(
        ["Class", "Thesis: after filter (of 30,000)", "Before filter", "After filter"],
        [
            (words(name), thesis.COUNTS_AFTER[name], report["counts_before"][name], report["counts_after"][name])
            for name in ("normal", *FINDINGS)
        ],
        "Figure 5. Synthetic images by class, and those with a single pattern (highest output >= 0.9, others <= 0.1).",
    )
    page.table(
        [
            "Disease",
            "Thesis: likelihood at the end",
            "Likelihood: start",
            "end",
            "Held-out AUROC",
            "p",
            "Stability",
            "Found",
        ],
        [
            (
                words(name),
                thesis.LIKELIHOOD_END.get(name),
                axis["likelihood_start"],
                axis["likelihood_end"],
                axis["heldout_auroc"],
                axis["null_p"],
                axis["bootstrap_cosine"],
                "yes" if axis["found"] else "no",
            )
            for name, axis in report["axes"].items()
        ],
        "The thesis found consolidation, interstitial opacity, pleural effusion. Stability: cosine of refits.",
    )
    page.figure(folder / "likelihood.png", "Likelihood of each disease along its own axis, from normal-looking images.")
    for path in sorted(folder.glob("walk_*.png")):
        page.figure(path, f"Figure 10. Walking along the axis of {words(path.stem.removeprefix('walk_')).lower()}.")
    if (folder / "two_axes.png").exists():
        page.figure(folder / "two_axes.png", "Figure 12. One image changed along two axes.")
    names = list(report["cosine_matrix"])
    page.table(
        ["", *map(words, names)],
        [(words(a), *(report["cosine_matrix"][a][b] for b in names)) for a in names],
        "Cosines between the axes.",
    )


def anomaly(page: Page, out: Path, report: dict) -> None:
    """Table 6, Figures 6, 14 and 15."""
    folder = out / "anomaly"
    page.section("Anomaly detection by latent inversion (thesis, Results 3)")
    page.text(
        "Figure 6, in words: a GAN trained on normal images only is searched for the image nearest to the query; what "
        "differs is the anomaly. Maps and threshold are calibrated on held-out healthy images.",
        f"{report['iterations']} iterations.",
    )
    rows = []
    for name in TABLE_6:
        count, detected = thesis.TABLE_6[name]
        ours = report["classes"].get(name)
        values = (ours["n"], ours["detected"], ours["sensitivity"], ours["ci95"]) if ours else (0, None, None, None)
        rows.append((words(name), count, detected, detected / count, *values))
    header = [
        "Diagnosis",
        "Thesis: n",
        "Detected",
        "Sensitivity",
        "This run: n",
        "Detected",
        "Sensitivity",
        "95 % interval",
    ]
    page.table(header, rows, "Table 6. Detection of each class; intervals are exact (Clopper-Pearson).")
    normals, overall, supervised = report["normals"], report["overall"], report["supervised"]
    page.comparison_table(
        [
            ("Sensitivity", 0.90, overall["sensitivity"], f"supervised: {fixed(supervised, 'sensitivity')}"),
            ("Specificity", None, overall["specificity"], f"supervised: {fixed(supervised, 'specificity')}"),
            ("False alarms", None, normals["false_alarms"], f"of {normals['n']} normal images"),
            ("AUROC", None, overall["auroc"], f"supervised: {fixed(supervised, 'auroc')}"),
            ("McNemar against the supervised classifier: p", None, report["mcnemar"]["p"], ""),
            (
                "Localisation: AUROC over pixels",
                None,
                report["localisation"]["pixel_auroc"],
                "against the lesion masks",
            ),
            ("Localisation: peak inside the lesion", None, report["localisation"]["hit_rate"], ""),
        ]
    )
    page.figure(folder / "roc.png", "ROC curve of the anomaly score and of the supervised classifier.")
    page.figure(folder / "abnormal.png", "Figure 14. Abnormal images: unsupervised and supervised.")
    page.figure(folder / "normal.png", "Figure 15. Normal images: unsupervised and supervised.")

"""The chapters of the report on the three results: fidelity, axes, anomaly detection."""

import math
from pathlib import Path

from evaluate.study import thesis
from evaluate.study.wording import ARM_NAMES, interval, listed, percent, words
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
        own = arm == "synthetic_on_synthetic"
        known = ["labelled normal", "labelled abnormal"] if own else ["truly normal", "truly abnormal"]
        header = ["", *(f"Thesis: {name}" for name in known), *(f"This run: {name}" for name in known)]
        if not theirs:
            header, rows = [header[0], *header[3:]], [(row[0], *row[3:]) for row in rows]
        note = " The columns are pseudo-labels by classifier (real), not a known truth." if own else ""
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
    page.figure(
        folder / "gradcam.png",
        "Figure 11. Grad-CAM of both classifiers on the same "
        "four real test images. True and false, positive and negative are the calls of classifier (synthetic) at a "
        "threshold of 0.5 against the diagnosis: its surest true calls and its worst false ones. P(abnormal) is each "
        "classifier's own output. Grey: speaks little for abnormal; red to yellow: speaks strongly for it, on one "
        "scale for each classifier. Green: border of the true lesion, where there is one.",
    )
    page.figure(
        folder / "synthetic.png", "Figure 13. Synthetic images by pseudo-label: what classifier (real) called them."
    )


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
        "Figure 5, as a table. Synthetic images by their highest output, before and after the thesis's filter for a "
        "single pattern (highest output >= 0.9, all others <= 0.1).",
    )
    left, variant = sum(report["counts_after"].values()), report["variant"]
    page.text(
        f"The filter left {left:,} of {report['samples']:,} images here"
        + (": this classifier is hardly ever so sure. " if left < report["samples"] / 100 else ". ")
        + (
            f"The axes below don't need it: they are fitted on all images ({report['variants']['all']['samples']:,}), "
            f"the "
            f"other {report['samples'] - report['variants']['all']['samples']:,} judge them."
            if variant == "all"
            else "The axes below are fitted on what it left."
        )
    )
    starts = report["starts"]
    page.text(
        f"Walks begin with the {sum(starts.values())} synthetic images that look most normal to the classifier. Half "
        f"of "
        f"them choose the angle at which a walk ends (where the disease stands out most from all others); all "
        f"likelihoods in the table and the figures below are means over the other {starts['reported']}."
    )
    page.table(
        [
            "Disease",
            "Thesis: likelihood at the end",
            "Likelihood at the start",
            "End of the walk",
            "Likelihood at the end",
            "Highest other disease there",
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
                f"{math.degrees(axis['angle_end']):.0f}°",
                axis["likelihood_end"],
                f"{words(axis['off_target_disease'])} {axis['off_target_max']:.3f}",
                axis["heldout_auroc"],
                axis["null_p"],
                axis["bootstrap_cosine"],
                "yes" if axis["found"] else "no",
            )
            for name, axis in report["axes"].items()
        ],
        "The thesis found consolidation, interstitial opacity, pleural effusion. Held-out AUROC and p: whether the "
        "projection on the axis predicts the classifier on images that it was not fitted on. Stability: mean cosine "
        "with "
        "axes refitted on images drawn again.",
    )
    page.figure(
        folder / "likelihood.png",
        f"Mean likelihood of each disease along its own axis, over {starts['reported']} normal-looking images. Shaded: "
        "from the lower to the upper quartile of these images. Large dot: where the walk ends, as in the table.",
    )
    for name, axis in report["axes"].items():
        missed = "" if axis["found"] else "Axis not found: shown to be judged, not as a result. "
        page.figure(
            folder / f"walk_{name}.png",
            f"Figure 10. Walking along the axis of {words(name).lower()}, from normal-looking to the end of the walk. "
            f"{missed}Above each column: the angle and the mean likelihood of {words(name).lower()} over all "
            f"{starts['reported']} images, {report['starts_shown']} of which are shown; under each, Grad-CAM of that "
            "output (red to yellow: speaks strongly for it), on one scale for all.",
        )
        page.figure(
            folder / f"likelihood_{name}.png",
            f"All five likelihoods along the axis of {words(name).lower()}, means over the same {starts['reported']} "
            "images. Large dots: where the walk ends.",
        )
    page.figure(
        folder / "two_axes.png",
        "Figure 12. One image changed along two axes at once, in per cent of the angle at which each walk ends.",
    )
    names = list(report["cosine_matrix"])
    page.table(
        ["", *map(words, names)],
        [(words(a), *(report["cosine_matrix"][a][b] for b in names)) for a in names],
        "Cosines between the axes: 0 for diseases that change apart, 1 for the same direction.",
    )


def anomaly(page: Page, out: Path, report: dict) -> None:
    """Table 6, Figures 6, 14 and 15."""
    folder = out / "anomaly"
    healthy, where = report["healthy"], report["localisation"]
    normals, overall, supervised = report["normals"], report["overall"], report["supervised"]
    page.section("Anomaly detection by latent inversion (thesis, Results 3)")
    page.text(
        "Figure 6, in words: a GAN trained on normal images only is searched, by "
        f"{report['iterations']} iterations of gradient descent on the latent vector, for the image nearest to the "
        f"query; "
        f"what differs is the anomaly. {healthy['familiar']['n']} normals of the training split teach which "
        f"differences are "
        f"healthy, {healthy['n']} held-out normals calibrate maps and threshold.",
        f"An image is called abnormal where its score is above {overall['threshold']:.3f}, the threshold for a "
        f"specificity "
        f"of {healthy['specificity_aimed_at']:.0%}: where its conformal p-value, the share of held-out normals that "
        f"score "
        f"as high, is at most {1 - healthy['specificity_aimed_at']:.2g}. The supervised classifier (highest of its "
        f"five "
        f"findings; threshold {supervised['threshold']:.3f}) is calibrated on the same normals to the same "
        f"specificity. It "
        "was trained on five of the twelve classes; the GAN on none.",
    )
    rows = []
    for name in TABLE_6:
        count, detected = thesis.TABLE_6[name]
        ours, theirs = report["classes"][name], supervised["classes"][name]
        rows.append(
            (
                *(words(name), f"{detected} of {count} ({detected / count:.2f})"),
                *_detected(ours),
                *_detected(theirs),
            )
        )
    kinds = ("detected (sensitivity)", "95 % interval")
    header = ["Diagnosis", "Thesis: detected (sensitivity)"]
    header += [f"{method}: {kind}" for method in ("GAN", "Supervised") for kind in kinds]
    page.table(header, rows, "Table 6. Detection of each class; intervals are exact (Clopper-Pearson).")
    ill = sum(found["n"] for found in report["classes"].values())
    page.table(
        ["", "Thesis", "GAN, normals only", "95 % interval", "Supervised", "95 % interval"],
        [
            (f"Sensitivity, {ill} abnormal images", 0.90, overall["sensitivity"], overall["sensitivity_ci95"],
             supervised["sensitivity"], supervised["sensitivity_ci95"]),
            (f"Specificity, {normals['n']} normal images", None, normals["specificity"], normals["ci95"],
             supervised["specificity"], supervised["normals"]["ci95"]),
            ("False alarms", None, normals["false_alarms"], None, supervised["normals"]["false_alarms"], None),
            ("AUROC", None, overall["auroc"], overall["auroc_ci95"], supervised["auroc"], supervised["auroc_ci95"]),
        ],
        "Both methods on the same test images. The thesis tested no normal image.",
    )  # fmt: skip
    compared, paired = report["mcnemar"], report["delong"]
    page.table(
        ["GAN against supervised", "p", "What it compares"],
        [
            ("McNemar", _p(compared["p"]), f"detections of abnormal images: {compared['b']} by the GAN alone, "
             f"{compared['c']} by the supervised classifier alone"),
            ("DeLong, paired", _p(paired["p"]), f"AUROC: difference {paired['difference']:.3f}, "
             f"{interval(paired['ci95'])}"),
        ],
    )  # fmt: skip
    if where["n"]:
        page.table(
            ["Localisation", "This run", "By chance", "Note"],
            [
                ("AUROC over pixels", where["pixel_auroc"], 0.5, "anomaly map against lesion masks, all pixels pooled"),
                ("Peak of the map in the lesion", where["hit_rate"], where["hit_rate_by_chance"],
                 f"or within 1/32 of the width of it; {where['n']} images"),
            ],
        )  # fmt: skip
        page.table(
            ["Diagnosis", "n", "Lesions, of the image", "Map inside : outside", "Peak in the lesion", "By chance"],
            [
                (words(name), seen["n"], percent(seen["area"]), seen["contrast"], seen["hit_rate"],
                 seen["hit_rate_by_chance"])
                for name, seen in where["classes"].items()
            ],
            "How large the lesions are (all of an image, of whatever class) and how far the anomaly map stands out in "
            "them; medians. At 1 a lesion differs from its reconstruction no more than its surroundings do.",
        )  # fmt: skip
    page.figure(
        folder / "roc.png", "ROC curves of the anomaly score and of the supervised classifier; dots: thresholds."
    )
    page.figure(folder / "scores.png", "Anomaly scores of the test images, and the threshold from held-out normals.")
    legend = (
        "Columns: the query (green: border of the true lesion); the nearest normal image that the GAN makes; the "
        "positive "
        "part of query minus nearest normal, where the query is brighter; the whole difference (red: query brighter, "
        "blue: darker); the anomaly map, which is that difference in units of what is usual in healthy images; "
        "Grad-CAM of "
        "the supervised classifier for its likeliest finding. p: conformal p-value; "
        f"alarm at {1 - healthy['specificity_aimed_at']:.2g} or less."
    )
    seen = [words(name).lower() for name, found in report["classes"].items() if found["n"]]
    page.figure(
        folder / "abnormal.png",
        f"Figure 14. Abnormal images, of each class ({listed(seen)}) the one of median score. {legend}",
    )
    page.figure(folder / "normal.png", f"Figure 15. Normal images, from the lowest score to the highest. {legend}")


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def _detected(found: dict) -> tuple:
    """Detected of all, the share and its interval; dashes for a class without images."""
    if not found["n"]:
        return None, None
    return f"{found['detected']} of {found['n']} ({found['sensitivity']:.2f})", found["ci95"]

"""The chapter on anomaly detection from normal images alone."""

from pathlib import Path

from evaluate import common, thesis
from evaluate.anomaly.comparison_section import comparison_section
from evaluate.anomaly.scheme import scheme
from evaluate.protocol import Result
from evaluate.thesis import interval, listed, p_value, percent, words
from pgcxr.anomaly.regions import FALSE_PIXELS
from pgcxr.cohort.findings import TABLE_6
from pgcxr.metrics.proportions import clopper_pearson
from pgcxr.plots.page import Page


class AnomalyResult(Result):
    """What was detected and where, and its chapter."""

    command = "evaluate.anomaly"
    float_format = "%.5f"
    line_terminator = "\r\n"

    def chapter(self, page: Page) -> None:
        """Table 6, Figures 6, 14 and 15."""
        how = "by latent inversion" if _inverted(self.figures) else "from normal images alone"
        page.section(f"Anomaly detection {how} (thesis, Results 3)")
        _method(page, self.figures)
        for note in self.figures.get("notes", ()):
            page.verdict(None, note)
        common.tell_confounders(page, self.figures)
        _table_6(page, self.figures)
        _methods_compared(page, self.figures)
        if self.figures["localisation"]["n"]:
            _localization(page, self.figures["localisation"])
        if "comparison" in self.figures:  # not in earlier versions
            comparison_section(page, self.figures["comparison"])
        _figures(page, self.folder, self.figures)


def _method(page: Page, report: dict) -> None:
    """Figure 6."""
    healthy, overall, supervised = report["healthy"], report["overall"], report["supervised"]
    if not _inverted(report):
        page.text(
            "Without a GAN: the score is the fusion of a network that learned, from normal images "
            "alone, to find artificial anomalies, and of the gradients of the image aligned to the "
            f"mean of {healthy['familiar']['n']} normals; see below. {healthy['n']} held-out "
            "normals set the threshold.",
        )
    else:
        page.text(_inversion(report, healthy))
        page.drawing(scheme(report), "Figure 6. How an anomaly is found, with this run's numbers.")
    page.text(
        f"An image is called abnormal where its score is above {overall['threshold']:.3f}, the "
        f"threshold for a specificity of {healthy['specificity_aimed_at']:.0%}: where its "
        "conformal p-value, the share of held-out normals that score as high, is at most "
        f"{1 - healthy['specificity_aimed_at']:.2g}. The supervised classifier (highest of its "
        f"five findings; threshold {supervised['threshold']:.3f}) is calibrated on the same "
        "normals to the same specificity. It was trained on five of the twelve classes; "
        f"{_who(report)} on none.",
    )


_STARTS = {
    "bank": "the nearest of random images or a linear guess",
    "random": "a random one",
    "encoder": "the guess of an encoder",
}


def _inversion(report: dict, healthy: dict) -> str:
    freed = report.get("freed", 0)
    return (
        "A GAN trained on normal images only is searched, by "
        f"{report['iterations']} iterations of gradient descent on the latent vector, from "
        f"{_STARTS[report.get('start', 'bank')]}, for the image nearest to the query"
        + (f", then with the features of {freed} levels free" if freed else "")
        + f"; what differs is the anomaly. {healthy['familiar']['n']} "
        f"normals of the training split teach which differences are healthy, {healthy['n']} "
        "held-out normals calibrate maps and threshold."
    )


def _inverted(report: dict) -> bool:
    """Whether the chapter is about a GAN's inversion, as those of earlier versions are."""
    return report.get("method", "inversion") == "inversion"


def _who(report: dict) -> str:
    return "the GAN" if _inverted(report) else "the fusion"


def _short(report: dict) -> str:
    return "GAN" if _inverted(report) else "Fusion"


def _table_6(page: Page, report: dict) -> None:
    rows = []
    for name in TABLE_6:
        count, detected = thesis.TABLE_6[name]
        ours, theirs = report["classes"][name], report["supervised"]["classes"][name]
        rows.append(
            (
                *(words(name), f"{detected} of {count} ({detected / count:.2f})"),
                *_detected(ours),
                *_detected(theirs),
            )
        )
    rows.append(_total(report))
    kinds = ("detected (sensitivity)", "95 % interval")
    header = ["Diagnosis", "Thesis: detected (sensitivity)"]
    header += [f"{method}: {kind}" for method in (_short(report), "Supervised") for kind in kinds]
    page.table(
        header,
        rows,
        "Table 6. Detection of each class; intervals are exact (Clopper-Pearson). The thesis "
        "prints a total of 90; its rows add up to 89.",
    )


def _total(report: dict) -> tuple:
    """The last row of Table 6; an image is read under one class."""
    cells: list = ["Total", "89 of 100 (0.89)"]
    for classes in (report["classes"], report["supervised"]["classes"]):
        detected, n = (sum(row[key] for row in classes.values()) for key in ("detected", "n"))
        cells += [f"{detected} of {n} ({detected / n:.2f})" if n else None]
        cells.append(clopper_pearson(detected, n) if n else None)
    return tuple(cells)


def _methods_compared(page: Page, report: dict) -> None:
    page.table(
        [
            "",
            "Thesis",
            f"{_short(report)}, normals only",
            "95 % interval",
            "Supervised",
            "95 % interval",
        ],
        _overall(report),
        "Both methods on the same test images. The thesis tested no normal image. By patient: the "
        "interval allows for several images of one.",
    )
    only, paired = report["mcnemar"], report["delong"]
    page.table(
        [f"{_short(report)} against supervised", "p", "What it compares"],
        [
            (
                "McNemar",
                p_value(only["p"]),
                f"detections of abnormal images: {only['b']} by {_who(report)} alone, "
                f"{only['c']} by the supervised classifier alone",
            ),
            (
                "DeLong, paired",
                p_value(paired["p"]),
                f"AUROC: difference {paired['difference']:.3f}, {interval(paired['ci95'])}",
            ),
        ],
    )


def _figures(page: Page, folder: Path, report: dict) -> None:
    """Figures 14 and 15, ROC curves and scores."""
    alarm = f"{1 - report['healthy']['specificity_aimed_at']:.2g}"
    page.figures(
        [
            (
                folder / "roc.png",
                "ROC curves of the anomaly score and of the supervised classifier; dots: "
                "thresholds.",
            ),
            (
                folder / "scores.png",
                "Anomaly scores of the test images, and the threshold from held-out normals.",
            ),
        ]
    )
    maker, heat = (
        ("the GAN makes", "that difference in units of what is usual in healthy images")
        if _inverted(report)
        else ("principal components of normals make", "how likely the network calls each place")
    )
    legend = (
        "Columns: the query (green: border of the true lesion); the nearest normal image that "
        f"{maker}; the positive part of query minus nearest normal, where the query is brighter; "
        "the whole difference (red: query brighter, blue: darker); the anomaly map, which is "
        f"{heat}; Grad-CAM of the supervised "
        "classifier for its likeliest finding. p: conformal p-value; alarm at "
        f"{alarm} or less."
    )
    shown = [words(name).lower() for name, row in report["classes"].items() if row["n"]]
    page.figure(
        folder / "abnormal.png",
        f"Figure 14. Abnormal images, of each class ({listed(shown)}) the one of median score. "
        f"{legend}",
    )
    page.figure(
        folder / "normal.png",
        f"Figure 15. Normal images, from the lowest score to the highest. {legend}",
    )


def _overall(report: dict) -> list[tuple]:
    """Rows of the table of both methods, the GAN's number and interval before the supervised
    one's."""
    ours, theirs = report["overall"], report["supervised"]
    normals, rival_normals = report["normals"], theirs["normals"]
    abnormal = sum(row["n"] for row in report["classes"].values())

    def both(key: str, ours: dict = ours, theirs: dict = theirs) -> tuple:
        return (
            *(report["overall"][key], ours[f"{key}_ci95"]),
            *(report["supervised"][key], theirs[f"{key}_ci95"]),
        )

    alarms = (normals["false_alarms"], None, rival_normals["false_alarms"], None)
    return [
        (f"Sensitivity, {abnormal} abnormal images", 0.90, *both("sensitivity")),
        (
            f"Specificity, {normals['n']} normal images",
            None,
            *(normals["specificity"], normals["ci95"]),
            *(theirs["specificity"], rival_normals["ci95"]),
        ),
        ("False alarms", None, *alarms),
        ("AUROC", None, *both("auroc")),
        (
            "AUROC, by patient (Obuchowski)",
            None,
            *both("auroc", ours["clustered"], theirs["clustered"]),
        ),
    ]


def _localization(page: Page, where: dict) -> None:
    page.table(
        ["Localisation", "This run", "By chance", "Note"],
        [
            (
                "AUROC over pixels",
                where["pixel_auroc"],
                0.5,
                "anomaly map against lesion masks, all pixels pooled",
            ),
            (
                "Peak of the map in the lesion",
                where["hit_rate"],
                where["hit_rate_by_chance"],
                f"or within 1/32 of the width of it; {where['n']} images",
            ),
            *_by_region(where),
        ],
    )
    page.table(
        [
            "Diagnosis",
            "n",
            "Lesions, of the image",
            "Map inside : outside",
            "Peak in the lesion",
            "By chance",
        ],
        [
            (
                *(words(name), row["n"], percent(row["area"]), row["contrast"]),
                *(row["hit_rate"], row["hit_rate_by_chance"]),
            )
            for name, row in where["classes"].items()
        ],
        "How large the lesions are (all of an image, of whatever class) and how far the "
        "anomaly map stands out in them; medians. At 1 a lesion differs from its "
        "reconstruction no more than its surroundings do.",
    )


def _by_region(where: dict) -> list[tuple]:
    if where.get("froc") is None:
        return []
    marks = ", ".join(f"{count:g}" for count in where["froc"]["false_marks"])
    return [
        (
            "AUPRO",
            where["aupro"],
            FALSE_PIXELS / 2,
            "mean overlap with lesions, however large each is, up to "
            f"{FALSE_PIXELS:.0%} false pixels",
        ),
        (
            "FROC: lesions found",
            where["froc"]["mean"],
            None,
            f"mean at {marks} false marks in a normal image; {where['froc']['lesions']} lesions",
        ),
    ]


def _detected(row: dict) -> tuple:
    """Detected of all, the share and its interval; dashes for a class without images."""
    if not row["n"]:
        return None, None
    return f"{row['detected']} of {row['n']} ({row['sensitivity']:.2f})", row["ci95"]

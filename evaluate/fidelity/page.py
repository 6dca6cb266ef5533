"""report.html: the evaluation of fidelity to read and print, each figure and table with the number
of the thesis's."""

from pathlib import Path

from evaluate.fidelity import arms, explain, statistics
from evaluate.fidelity.figures import ARMS
from pgcxr.plots.page import Page

TABLES = {
    "real_on_real": "Table 3. ",
    "synthetic_on_synthetic": "Table 4. ",
    "synthetic_on_real": "Table 5. ",
}
RATES = {
    "auroc": "AUROC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}


def write(folder: Path, report: dict, chosen: dict) -> None:
    """Writes folder/report.html from the figures that are in `folder` and the report."""
    page = Page("How real are the synthetic images?")
    page.text(
        f"A classifier ({report['architecture']}, {report['size']} px) learned from real images "
        "and labelled synthetic ones; a second, trained in the same way on those, reads the real "
        "test set (thesis 2.2 to 2.4). The data behind every figure is the CSV file of its name "
        "beside this page; each figure is there as PNG and SVG, too."
    )
    page.figure(
        folder / "scheme.png",
        "Figure 3. The three steps, and a control arm that the thesis does not have.",
    )
    _labels(page, folder, report, chosen)
    _readings(page, folder, report)
    statistics.chapter(page, folder, report)
    _comparison(page, report)
    if "seeds" in report:
        _seeds(page, report["seeds"])
    _explained(page, folder, report["explain"])
    page.write(folder / "report.html")


def _labels(page: Page, folder: Path, report: dict, chosen: dict) -> None:
    found, control, sampling = (
        report["pseudo_labels"],
        report["pseudo_labels_control"],
        report["sampling"],
    )
    page.section("Pseudo-labels (thesis 2.3)")
    page.text(
        f"P(abnormal) above {chosen['abnormal_above']:g} is called abnormal, below "
        f"{chosen['normal_below']:g} normal, the rest is dropped: of {found['generated']:,} "
        f"synthetic images {found['normal']:,} were called normal, {found['abnormal']:,} abnormal, "
        f"{found['rejected']:,} dropped."
    )
    names = ("normal", "abnormal")
    asked = "as was asked for" if chosen["per_class"] else "as many as there are real ones"
    kinds = {f"Wanted: {asked}": "wanted", "Labelled": "labelled", "Used": "used"}
    page.table(
        ["Synthetic images", *names],
        [(head, *(sampling[key][name] for name in names)) for head, key in kinds.items()],
        "Sampling by rejection, until both classes have enough.",
    )
    if sampling["bound_hit"]:
        page.verdict(
            False,
            f"as many synthetic images as real ones. {chosen['most_generated']:g} were generated "
            "for each wanted, the most allowed, and both classes were reduced to "
            f"{sampling['share']:.0%}, in the same ratio.",
        )
    elif not report["same_numbers"]:
        page.verdict(
            None, "fewer or more synthetic images than real ones, as was asked for (--per-class)."
        )
    page.figure(
        folder / "acceptance.png",
        "How many images get a label at other thresholds; dots: this run's. Classifier (real) has "
        "not learned from the test set.",
    )
    page.figure(
        folder / "acceptance-right.png",
        "How many labels of real images are right at other thresholds, where there are at least "
        "20 labels. Classifier (real) has learned from the control arm's images and their true "
        "labels, so there it is right more often.",
    )
    page.table(
        [
            "Control arm: real images",
            "Images",
            "Called normal",
            "Called abnormal",
            "Dropped",
            "Labels wrong, share",
        ],
        [
            (
                name,
                part["images"],
                part["normal"],
                part["abnormal"],
                part["rejected"],
                part["wrong_share"],
            )
            for name, part in (*control["splits"].items(), ("both", control))
        ],
        "The control arm learns from fewer images, as those in doubt are dropped and there are no "
        "others.",
    )
    page.figure(
        folder / "synthetic.png",
        "Figure 13. Synthetic images by what classifier (real) called them.",
    )


def _readings(page: Page, folder: Path, report: dict) -> None:
    page.section("Results (thesis, Results 1)")
    for arm, title in ARMS.items():
        part = report[arm]
        normal, abnormal = (
            ("Labelled", "labelled") if arm == "synthetic_on_synthetic" else ("Truly", "truly")
        )
        counts = part["confusion"]
        rows = [
            ("Predicted normal", counts["tn"], counts["fn"], counts["tn"] + counts["fn"]),
            ("Predicted abnormal", counts["fp"], counts["tp"], counts["fp"] + counts["tp"]),
            (
                "Total",
                counts["tn"] + counts["fp"],
                counts["fn"] + counts["tp"],
                sum(counts.values()),
            ),
        ]
        page.table(
            ["", f"{normal} normal", f"{normal} abnormal", "Total"],
            rows,
            f"{TABLES.get(arm, '')}{title}, threshold {part['threshold']:g}.",
        )
    rows = []
    for arm, title in ARMS.items():
        limits = {"auroc": report[arm]["auroc_ci95"], **report[arm]["ci95"]}
        rows += [
            (title if rate == "auroc" else "", name, report[arm][rate], limits[rate])
            for rate, name in RATES.items()
        ]
    page.table(
        ["", "Measure", "Value", "95 % interval"],
        rows,
        "AUROC: DeLong; the others: Clopper-Pearson.",
    )
    page.figure(
        folder / "roc.png", "Figures 7 to 9. ROC curves with AUROC and 95 % interval (DeLong)."
    )


def _comparison(page: Page, report: dict) -> None:
    page.section("Is the classifier trained on synthetic images worse?")
    rows = []
    for title, key in (
        ("synthetic", "comparison"),
        ("pseudo-labelled real (control)", "comparison_control"),
    ):
        part = report[key]
        rows += [
            (
                f"AUROC: real \N{MINUS SIGN} {title}",
                part["delong"]["difference"],
                part["delong"]["ci95"],
            ),
            ("DeLong, paired: z, p", part["delong"]["z"], _p(part["delong"])),
            (
                "Hanley-McNeil 1982: z, p",
                part["hanley_mcneil_1982"]["z"],
                _p(part["hanley_mcneil_1982"]),
            ),
            (
                "Hanley-McNeil 1983: z, p",
                part["hanley_mcneil_1983"]["z"],
                _p(part["hanley_mcneil_1983"]),
            ),
        ]
    page.table(["Same real test images", "Value", "95 % interval or p"], rows)
    for title, key in (("synthetic", "comparison"), ("control", "comparison_control")):
        found = report[key]["non_inferiority"]
        bound = f"{found['lower_bound']:.3f}".replace("-", "\N{MINUS SIGN}")
        page.verdict(
            found["passed"],
            f"non-inferiority ({title}) with a margin of {found['margin']:g} in AUROC: {title} "
            f"\N{MINUS SIGN} real is at least {bound} (one-sided 97.5 %, {found['method']}, "
            f"{_p(found)}).",
        )
    page.text(
        "What the control arm loses is lost by the labels of an imperfect classifier (and by the "
        "images that it dropped); what classifier (synthetic) loses beyond that is lost by the "
        "images of the GAN"
        + (
            "."
            if report["same_numbers"]
            else ", or by their other number, which is not that of the real ones."
        )
    )


def _seeds(page: Page, found: dict) -> None:
    page.section("Other seeds of the trainings")
    columns = ("mean", "sd", "min", "max")
    names = {key: ARMS[key] for key in arms.KEYS.values()}
    rows = [
        (f"AUROC: {names[key]}", *(part[name] for name in columns))
        for key, part in found["auroc"].items()
    ]
    for title, key in (("synthetic", "difference"), ("control", "difference_control")):
        rows.append(
            (f"Difference: real \N{MINUS SIGN} {title}", *(found[key][name] for name in columns))
        )
    page.table(
        ["", "Mean", "SD", "Least", "Greatest"],
        rows,
        f"{found['count']} trainings of each classifier with other seeds, on the same images and "
        "labels. Two trainings on the real images differ by an SD of "
        f"{found['training_noise']:.4f} in AUROC by their seeds alone. The tables above are of "
        "the first seed.",
    )


def _explained(page: Page, folder: Path, found: dict) -> None:
    page.section("Where both classifiers look (thesis, Discussion)")
    page.figure(
        folder / "gradcam.png",
        "Figure 11. Grad-CAM and CAM of both classifiers on the same real test images: the surest "
        f"true and the worst false calls of classifier (synthetic) at {explain.THRESHOLD}. "
        "Grad-CAM: yellow speaks strongly for abnormal. CAM: red speaks for abnormal, blue "
        "against; an empty map is 0 everywhere. One scale for each column. Green: border of the "
        "true lesion.",
    )
    rows = []
    for name, part in found["groups"].items():
        measures = [
            part[kind][measure] for kind in ("gradcam", "cam") for measure in explain.MEASURES
        ]
        rows.append((name, part["n"], *map(_mean, measures)))
    chance = [
        found["chance"][kind][measure]
        for kind in ("gradcam", "cam")
        for measure in explain.MEASURES
    ]
    rows.append(("Maps of different images", found["images"], *map(_mean, chance)))
    heads = [
        f"{kind}: {name}"
        for kind in ("Grad-CAM", "CAM")
        for name in ("Pearson", "Spearman", "IoU, top 10 %")
    ]
    page.table(
        ["Group", "Images", *heads],
        rows,
        f"Agreement of classifier (real) and (synthetic) on {found['images']:,} of "
        f"{found['of']:,} real test images: mean and 95 % interval (bootstrap over patients). "
        "Groups: calls of classifier (synthetic). Where a Grad-CAM is 0 everywhere there is no "
        "agreement to measure. Last row: what the maps of any two images have in common.",
    )
    rows = [
        (
            name,
            part["hits"]["real"]["n"],
            *(_mean(part["hits"][arm]) for arm in ("real", "synthetic")),
            part["hits"]["by_chance"],
        )
        for name, part in found["groups"].items()
        if part["hits"]["real"]["n"]
    ]
    if rows:
        page.table(
            [
                "Group",
                "Images with a lesion mask",
                "Classifier (real)",
                "Classifier (synthetic)",
                "By chance",
            ],
            rows,
            "Share of images whose hottest pixel lies in the true lesion; by chance: the lesion's "
            "share of the image.",
        )


def _mean(part: dict) -> str:
    if part["mean"] is None:
        return "\N{EN DASH}"
    low, high = part["ci95"]
    shown = (
        f"{part['mean']:.2f}" if low is None else f"{part['mean']:.2f} ({low:.2f} to {high:.2f})"
    )
    return shown.replace("-", "\N{MINUS SIGN}")


def _p(part: dict) -> str:
    return "p < 0.0001" if part["p"] < 1e-4 else f"p = {part['p']:.2g}"

"""report.html: the evaluation of fidelity to read and print, each figure and table with the number
of the thesis's."""

from pathlib import Path

from evaluate import common
from evaluate.fidelity import arms, chapter, explanations
from evaluate.fidelity.arms import ARMS
from evaluate.fidelity.chapter import FidelityResult
from pgcxr.plots.page import MISSING, Page


def write(folder: Path, result: FidelityResult) -> None:
    """Writes folder/report.html from the figures that are in `folder` and the result."""
    report, options = result.figures, result.made_by["config"]
    page = Page("How real are the synthetic images?")
    page.text(
        f"A classifier ({report['architecture']}, {report['size']} px) learned from real images "
        "and labeled synthetic ones; a second, trained in the same way on those, reads the real "
        "test set (thesis 2.2 to 2.4). The data behind every figure is the CSV file of its name "
        "beside this page; each figure is there as PNG and SVG, too."
    )
    page.figure(
        folder / "scheme.png",
        "Figure 3. The three steps, and a control arm that the thesis does not have.",
    )
    _labels(page, folder, report, options)
    page.section("Results (thesis, Results 1)")
    common.tell_confounders(page, report)
    chapter.readings(page, folder, report)
    chapter.operating_points(page, folder, report)
    page.section("Is the classifier trained on synthetic images worse?")
    chapter.comparison(page, report)
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
    if "seeds" in report:
        _seeds(page, report["seeds"])
    page.section("Where both classifiers look (thesis, Discussion)")
    chapter.explained(page, folder)
    _agreement(page, report["explain"])
    page.write(folder / "report.html")


def _labels(page: Page, folder: Path, report: dict, options: dict) -> None:
    counts, sampling = report["pseudo_labels"], report["sampling"]
    page.section("Pseudo-labels (thesis 2.3)")
    page.text(
        f"P(abnormal) above {options['abnormal_above']:g} is called abnormal, below "
        f"{options['normal_below']:g} normal, the rest is dropped: of {counts['generated']:,} "
        f"synthetic images {counts['normal']:,} were called normal, {counts['abnormal']:,} "
        f"abnormal, {counts['rejected']:,} dropped."
    )
    names = ("normal", "abnormal")
    asked = "as was asked for" if options["per_class"] else "as many as there are real ones"
    kinds = {f"Wanted: {asked}": "wanted", "Labeled": "labelled", "Used": "used"}
    page.table(
        ["Synthetic images", *names],
        [(head, *(sampling[key][name] for name in names)) for head, key in kinds.items()],
        "Sampling by rejection, until both classes have enough.",
    )
    if sampling["bound_hit"]:
        page.verdict(
            False,
            f"as many synthetic images as real ones. {options['most_generated']:g} were generated "
            "for each wanted, the most allowed, and both classes were reduced to "
            f"{sampling['share']:.0%}, in the same ratio.",
        )
    elif not report["same_numbers"]:
        page.verdict(
            None,
            "fewer or more synthetic images than real ones, as was asked for "
            f"({options['per_class']:,} of each class).",
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
    _control_labels(page, report["pseudo_labels_control"])
    chapter.synthetic_images(page, folder)


def _control_labels(page: Page, control: dict) -> None:
    header = ["Images", "Called normal", "Called abnormal", "Dropped", "Labels wrong, share"]
    keys = ("images", "normal", "abnormal", "rejected", "wrong_share")
    parts = (*control["splits"].items(), ("both", control))
    page.table(
        ["Control arm: real images", *header],
        [(name, *(part[key] for key in keys)) for name, part in parts],
        "The control arm learns from fewer images, as those in doubt are dropped and there are no "
        "others.",
    )


def _seeds(page: Page, spreads: dict) -> None:
    page.section("Other seeds of the trainings")
    columns = ("mean", "sd", "min", "max")
    rows = [
        (f"AUROC: {ARMS[key]}", *(spreads["auroc"][key][name] for name in columns))
        for key in arms.KEYS.values()
    ]
    for title, key in (("synthetic", "difference"), ("control", "difference_control")):
        rows.append(
            (f"Difference: real \N{MINUS SIGN} {title}", *(spreads[key][name] for name in columns))
        )
    page.table(
        ["", "Mean", "SD", "Least", "Greatest"],
        rows,
        f"{spreads['count']} trainings of each classifier with other seeds, on the same images and "
        "labels. Two trainings on the real images differ by an SD of "
        f"{spreads['training_noise']:.4f} in AUROC by their seeds alone. The tables above are of "
        "the first seed.",
    )


def _agreement(page: Page, report: dict) -> None:
    kinds = {"gradcam": "Grad-CAM", "cam": "CAM"}
    names = {"pearson": "Pearson", "spearman": "Spearman", "iou": "IoU, top 10 %"}
    pairs = [(kind, measure) for kind in kinds for measure in explanations.MEASURES]
    rows = [
        (name, part["n"], *(_mean(part[kind][measure]) for kind, measure in pairs))
        for name, part in report["groups"].items()
    ]
    chance = [_mean(report["chance"][kind][measure]) for kind, measure in pairs]
    rows.append(("Maps of different images", report["images"], *chance))
    page.table(
        ["Group", "Images", *(f"{kinds[kind]}: {names[measure]}" for kind, measure in pairs)],
        rows,
        f"Agreement of classifier (real) and (synthetic) on {report['images']:,} of "
        f"{report['of']:,} real test images: mean and 95 % interval (bootstrap over patients). "
        "Groups: calls of classifier (synthetic). Where a Grad-CAM is 0 everywhere there is no "
        "agreement to measure. Last row: what the maps of any two images have in common.",
    )
    rows = []
    for name, part in report["groups"].items():
        hits = part["hits"]
        if hits["real"]["n"]:
            shares = [_mean(hits[arm]) for arm in ("real", "synthetic")]
            rows.append((name, hits["real"]["n"], *shares, hits["by_chance"]))
    if rows:
        header = ["Images with a lesion mask", "Classifier (real)", "Classifier (synthetic)"]
        page.table(
            ["Group", *header, "By chance"],
            rows,
            "Share of images whose hottest pixel lies in the true lesion; by chance: the lesion's "
            "share of the image.",
        )


def _mean(part: dict) -> str:
    if part["mean"] is None:
        return MISSING
    low, high = part["ci95"]
    shown = (
        f"{part['mean']:.2f}" if low is None else f"{part['mean']:.2f} ({low:.2f} to {high:.2f})"
    )
    return shown.replace("-", "\N{MINUS SIGN}")

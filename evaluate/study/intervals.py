"""Which interval and which test is which: one glossary for all chapters."""

from evaluate.anomaly.comparison import RESAMPLES as OF_CLASSES
from evaluate.axes.criterion import RESAMPLES as OF_STARTS
from evaluate.study.reader_studies import named
from pgcxr.plots.page import Page


def glossary(page: Page, steps: dict) -> None:
    """Adds the section, with the numbers of draws of this run."""
    page.section("Which interval is which")
    page.text(
        "A 95 % interval holds the true value in 95 of 100 studies like this one. None of them "
        "covers what another training with another seed would change, and none another hospital. "
        "What differs between them is what they take as independent."
    )
    page.table(["Interval or test", "Of", "What it is"], _rows(steps))


def _rows(steps: dict) -> list[tuple[str, str, str]]:
    fidelity, config = steps["fidelity"], steps["distribution"]["made_by"]["config"]
    axes = steps["axes"]["made_by"]["config"]
    margin = fidelity["comparison"]["non_inferiority"]["margin"]
    clustered = fidelity["real_on_real"].get("clustered")  # where patients have several images
    rows = [
        (
            "DeLong",
            "AUROC; difference of two AUROCs of the same images",
            "From the ranks of the scores, every image independent; paired where two classifiers "
            "read the same images (DeLong 1988; Sun & Xu 2014).",
        ),
        (
            "Obuchowski, by patient",
            "AUROC",
            "As DeLong, but images of one patient may be alike (Obuchowski 1997). Where it differs "
            "from DeLong's, it is the right one.",
        ),
        (
            "Bootstrap, by patient in classes",
            "mean AUROC of the classes, anomaly detection",
            f"Patients are drawn again within each class, {OF_CLASSES:,} times.",
        ),
        (
            "Clopper-Pearson (exact)",
            "sensitivity, specificity, PPV and NPV of Tables 3 to 6; accuracy of one reader",
            "From the binomial distribution, every image independent; never too short, rather too "
            "long.",
        ),
        (
            "Wilson, by patient",
            "sensitivity and specificity at the operating points, calibration",
            "From the score test, with a number of images that is made smaller for patients with "
            "several.",
        ),
        (
            "Hanley-McNeil 1982 and 1983",
            "difference of two AUROCs",
            "What the thesis used: from the AUROC and the numbers alone; 1982 takes the two as "
            "read on different images, which these are not, so DeLong's paired test decides.",
        ),
        (
            "MOVER, one-sided 97.5 %",
            "non-inferiority",
            "From the intervals of both AUROCs by patient (Zou 2008); decides whether drawn "
            f"images are worse by more than the margin of {margin:g}.",
        ),
        (
            "McNemar",
            "detections of two methods on the same images",
            "Exact, from the images that one alone detected.",
        ),
        (
            "Halves by patient",
            "FID, KID and the other distances of sets",
            f"From {config['replicates']} random halves; wide where a set is small.",
        ),
        (
            "Permutation test",
            "p of ECS and tails, of the axes",
            f"{config['permutations']:,} and {axes['permutations']:,} random exchanges: the "
            "smallest p there can be is shown as ≤.",
        ),
        (
            "Bootstrap over starts",
            "what judges say of the axes",
            f"The images that walks begin with are drawn again, {OF_STARTS} times.",
        ),
        (
            "Conformal p",
            "one image, anomaly detection",
            "The share of held-out normal images that score as high; alarm where it is at most one "
            "less the specificity.",
        ),
    ]
    if clustered:
        drawn = clustered["bootstrap"]["resamples"]
        text = f"Whole patients are drawn again, {drawn:,} times, bias-corrected (BCa)."
        rows.insert(2, ("Bootstrap, by patient", "AUROC of the classifiers", text))
    if named(steps):
        rows += [
            (
                "Obuchowski-Rockette",
                "means over readers: areas, accuracy",
                "Covariances by the jackknife over cases, degrees of freedom by Hillis; holds for "
                "other readers and cases where two readers or more have read.",
            ),
            (
                "TOST",
                "readers against chance",
                "Two one-sided tests: a small p shows that accuracy is within the margin of 0.5. "
                "No difference found is not the same.",
            ),
            (
                "Bootstrap by reader and start",
                "rank correlation of grade and angle",
                "Readers are drawn again, and for each the walks.",
            ),
        ]
    return rows

"""What the comparison of sets found, and the chapter on it."""

from pathlib import Path

from evaluate.protocol import Result
from evaluate.thesis import p_value
from pgcxr.plots.page import Page

NAMES = {
    "fid": "FID",
    "kid": "KID",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "ecs": "ECS x 1000",
    "tails": "Tails x 1000",
    "frd": "FRD, radiomic",
    "radiomic_ecs": "ECS x 1000, radiomic",
    "radiomic_tails": "Tails x 1000, radiomic",
    "swd": "SWD x 1000, mean of levels",
    "ms_ssim": "MS-SSIM",
}


SOURCES = {"gan": "GAN", "floor": "Real (floor)", "baseline": "PCA-Gaussian"}
TESTED = ("ecs", "tails", "radiomic_ecs", "radiomic_tails")
SHOWN = 8  # radiomic features


class DistributionResult(Result):
    """How near the images are to real ones as a set, and its chapter."""

    command = "evaluate.distribution"

    def chapter(self, page: Page) -> None:
        draws = self.made_by.get("config", {}).get("permutations", 0)
        _write(page, self.folder, self.figures, draws)


def _write(page: Page, folder: Path, report: dict, draws: int) -> None:
    """FID, KID, PRDC, ECS, FRD, SWD and MS-SSIM beside floor and baseline."""
    page.section("How near are the images as a set? (not in the thesis)")
    page.text(
        f"{report['n']:,} synthetic images against as many held-out real ones, which neither GAN "
        "nor classifier has seen. Beside the GAN stand the floor, real images of other held-out "
        "patients, which no generator can be expected to beat, and a baseline, Gaussian principal "
        "components of the GAN's training images: what a GAN must beat to be worth its training. "
        "FID, KID, PRDC and ECS are of features of the project's own binary classifier; numbers of "
        "other networks, resolutions or numbers of images are not to be compared with them. What "
        "is called radiomic is of intensity, texture and structure counted in the pixels, with no "
        "network: it sees blur, noise and contrast, where a classifier may look past them.",
    )
    rows = []
    for name, title in NAMES.items():
        if name in report["metrics"]:
            entry = report["metrics"][name]
            entry = entry["mean"] if name == "swd" else entry
            unit = 1000 if name in TESTED else 1
            numbers = [each for source in SOURCES for each in _with_interval(entry[source], unit)]
            rows.append((title, *numbers, _ahead(entry)))
    header = [each for name in SOURCES.values() for each in (name, "95 % interval")]
    page.table(
        ["Measure", *header, "GAN ahead"],
        rows,
        "Lower is better for FID, KID, ECS, tails, FRD and SWD, nearer to the floor for MS-SSIM, "
        "higher for the others. FRD is a logarithm. GAN ahead: of the PCA-Gaussian. Intervals are "
        "of random halves by patient; a lead is uncertain where the interval of the paired "
        "difference holds 0.",
    )
    _tests(page, report, draws)
    _differences(page, report)
    for warning in report.get("warnings", ()):
        page.verdict(None, warning)
    page.figure(
        folder / "samples.png",
        "Images of each set: real, real of other patients, the GAN's, the baseline's.",
    )


def _tests(page: Page, report: dict, draws: int) -> None:
    """p of the permutation tests."""
    rows = [
        (
            NAMES[name].replace(" x 1000", ""),
            *(p_value(entry["p"][source], draws) for source in SOURCES),
        )
        for name, entry in report["metrics"].items()
        if name in TESTED and entry["p"]["gan"] is not None
    ]
    if rows:
        page.table(
            ["p of the permutation test", *SOURCES.values()],
            rows,
            "How often a random split of both sets together, by patient, is as far apart. ECS "
            "compares the distributions along the principal axes of the features by their "
            "characteristic functions; tails does after mean and spread were made alike, so what "
            "is left are skewness, tails that are cut off or heavy, a rare kind that is missing, "
            "which FID hardly sees.",
        )


def _differences(page: Page, report: dict) -> None:
    """The radiomic features in which the GAN's images are farthest from real ones."""
    if "radiomics" not in report:  # of an earlier version
        return
    known = [
        (feature, each)
        for feature, each in report["radiomics"]["differences"].items()
        if each["gan"]["shift"] is not None
    ]
    known.sort(key=lambda pair: -abs(pair[1]["gan"]["shift"]))
    rows = [
        (feature, *(each[name][key] for name in SOURCES for key in ("shift", "spread")))
        for feature, each in known[:SHOWN]
    ]
    header = [part for title in SOURCES.values() for part in (f"{title}: shift", "spread")]
    page.table(
        ["Radiomic feature", *header],
        rows,
        f"The {len(rows)} of {report['radiomics']['used']} radiomic features in which the GAN's "
        "images are shifted most: difference of means in standard deviations of the real images, "
        "and ratio of standard deviations. All are in radiomics.csv.",
    )


def _with_interval(estimate: dict, unit: int) -> tuple:
    """(value, interval), each times `unit`; None stays."""
    value, *limits = (
        None if each is None else each * unit for each in (estimate["value"], *estimate["ci95"])
    )
    return value, limits


def _ahead(entry: dict) -> str:
    return ("yes" if entry["gan_wins"] else "no") + ("" if entry["certain"] else ", uncertain")

"""What the comparison of sets found, and the chapter on it."""

from pathlib import Path

from evaluate.protocol import Result
from pgcxr.plots.page import Page

NAMES = {
    "fid": "FID",
    "kid": "KID",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "swd": "SWD x 1000, mean of levels",
    "ms_ssim": "MS-SSIM",
}


class DistributionResult(Result):
    """How near the images are to real ones as a set, and its chapter."""

    command = "evaluate.distribution"

    def chapter(self, page: Page) -> None:
        _write(page, self.folder, self.figures)


def _write(page: Page, folder: Path, report: dict) -> None:
    """FID, KID, PRDC, SWD and MS-SSIM beside floor and baseline."""
    page.section("How near are the images as a set? (not in the thesis)")
    page.text(
        f"{report['n']:,} synthetic images against as many held-out real ones, which neither GAN "
        "nor classifier has seen. Beside the GAN stand the floor, real images of other held-out "
        "patients, which no generator can be expected to beat, and a baseline, Gaussian principal "
        "components of the GAN's training images: what a GAN must beat to be worth its training. "
        "FID, KID and PRDC are of features of the project's own binary classifier; numbers of "
        "other networks, resolutions or numbers of images are not to be compared with them.",
    )
    rows = []
    for name, title in NAMES.items():
        if name in report["metrics"]:
            entry = report["metrics"][name]
            entry = entry["mean"] if name == "swd" else entry
            numbers = [
                each
                for source in ("gan", "floor", "baseline")
                for each in _with_interval(entry[source])
            ]
            rows.append((title, *numbers, _ahead(entry)))
    sources = ("GAN", "Real (floor)", "PCA-Gaussian")
    header = [each for name in sources for each in (name, "95 % interval")]
    page.table(
        ["Measure", *header, "GAN ahead"],
        rows,
        "Lower is better for FID, KID and SWD, nearer to the floor for MS-SSIM, higher for the "
        "others. GAN ahead: of the PCA-Gaussian. Intervals are of random halves by patient; a "
        "lead is uncertain where the interval of the paired difference holds 0.",
    )
    for warning in report.get("warnings", ()):
        page.verdict(None, warning)
    page.figure(
        folder / "samples.png",
        "Images of each set: real, real of other patients, the GAN's, the baseline's.",
    )


def _with_interval(estimate: dict) -> tuple:
    return estimate["value"], estimate["ci95"]


def _ahead(entry: dict) -> str:
    return ("yes" if entry["gan_wins"] else "no") + ("" if entry["certain"] else ", uncertain")

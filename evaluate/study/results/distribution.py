"""The chapter on the synthetic images as a set: how near to real ones, and whether they repeat the
training images."""

from pathlib import Path

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
SPACES = {"features": "the classifier's features", "pixels": "pixels"}


def distribution(page: Page, out: Path, report: dict) -> None:
    """FID, KID, PRDC, SWD and MS-SSIM beside floor and baseline."""
    folder = out / "distribution"
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


def privacy(page: Page, out: Path, report: dict) -> None:
    """The gate on release."""
    folder = out / "privacy"
    page.section("Does the GAN repeat its training images? (not in the thesis)")
    page.text(
        f"The training image nearest to each of {report['n']:,} synthetic images is looked for in "
        f"the classifier's features and in pixels, among {report['training_images']:,}; and to "
        f"each real image of {report['held_out_patients']:,} held-out patients as well, which are "
        "no copies. An image is below the cut-off where it is nearer than other patients' images, "
        "or images of the same patient, usually are."
    )
    rows = []
    for space, title in SPACES.items():
        found = report["spaces"][space]
        copies, other, nearest = (
            found["near_copies"],
            found["near_copies"]["held_out"],
            found["nearer_than_all"],
        )
        rows.append(
            (
                title,
                f"{copies['count']} of {copies['n']:,}",
                f"{other['count']} of {other['n']:,}",
                f"{nearest['count']} of {nearest['n']:,}",
                found["c_t"]["z"],
                found["not_authentic"]["share"],
                found["not_authentic"]["held_out"]["share"],
            )
        )
    page.table(
        [
            *("Distance in", "Below the cut-off: synthetic", "Below the cut-off: held-out"),
            *(
                "Nearer than any held-out image",
                "C_T",
                "Not authentic: synthetic",
                "Not authentic: held-out",
            ),
        ],
        rows,
        "C_T far below 0 speaks for copies (Meehan 2020). Not authentic: nearer to a training "
        "image than that is to its own nearest one (Alaa 2022).",
    )
    if report["passed"]:
        page.verdict(
            None,
            "Passed: no test of the gate found copies. `pgcxr generate --release` takes this "
            "report.",
        )
    else:
        page.verdict(False, f"The gate did not let the GAN pass: {'; '.join(report['reasons'])}.")
    page.figure(
        folder / "distances.png",
        "Distances to the nearest training image; the dotted line is the cut-off.",
    )
    page.text(
        "The nearest pairs side by side are in privacy/pairs.png. This page and that folder show "
        "images of patients where the export is a hospital's: they are not for release, whatever "
        "the gate says of the generator."
    )


def _with_interval(estimate: dict) -> tuple:
    return estimate["value"], estimate["ci95"]


def _ahead(entry: dict) -> str:
    return ("yes" if entry["gan_wins"] else "no") + ("" if entry["certain"] else ", uncertain")

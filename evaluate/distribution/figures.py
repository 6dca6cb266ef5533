"""The table and pictures of the comparison."""

from pathlib import Path

import numpy as np
import pandas as pd

from pgcxr.plots.grids import enlarged, labeled_grid
from pgcxr.plots.intervals import interval_plot

SHOWN = 8  # images of each set
CELL = 128  # px: images are shown at this size at least
TITLES = {"gan": "GAN", "floor": "Real (floor)", "baseline": "PCA-Gaussian"}
NEIGHBORS = ("precision", "recall", "density", "coverage")


def write(folder: Path, report: dict, images: dict[str, np.ndarray]) -> None:
    """samples.png, swd.png, frd.png, tails.png and, where there are features, prdc.png, fid.png and
    kid.png.

    Args:
        images: {"reference", "gan", "floor", "baseline"}: uint8 [SHOWN, R, R, 1].
    """
    titles = {
        "reference": "Real",
        "floor": "Real, other\npatients (floor)",
        "gan": "GAN",
        "baseline": "PCA-Gaussian",
    }
    sheet = [
        (title, np.stack([enlarged(image[..., 0], CELL) for image in images[name]]))
        for name, title in titles.items()
    ]
    labeled_grid(sheet, folder / "samples.png")
    metrics = report["metrics"]
    levels = list(metrics["swd"])
    names = [level if level == "mean" else f"{level} px" for level in levels]
    what = f"Sliced Wasserstein distance x 1000\n({report['swd_images']:,} images each)"
    interval_plot(
        _series([metrics["swd"][level] for level in levels]), names, folder / "swd.png", what
    )
    n = f"(n = {report['n']:,})"
    interval_plot(
        _series([metrics["frd"]]), ["radiomic"], folder / "frd.png", f"FRD, log of d² {n}"
    )
    kinds = {"tails": "network", "radiomic_tails": "radiomic"}
    kinds = {name: title for name, title in kinds.items() if name in metrics}
    what = f"Tails: characteristic functions,\nmean and spread alike {n}"
    interval_plot(
        _series([metrics[name] for name in kinds]), list(kinds.values()), folder / "tails.png", what
    )
    if "fid" not in metrics:
        return
    entries = [metrics[name] for name in NEIGHBORS]
    names = [name.capitalize() for name in NEIGHBORS]
    interval_plot(_series(entries), names, folder / "prdc.png", f"Higher is better {n}")
    for name in ("fid", "kid"):
        what = f"{name.upper()} {n}"
        interval_plot(
            _series([metrics[name]]), ["against held-out real images"], folder / f"{name}.png", what
        )


def table(report: dict) -> pd.DataFrame:
    """One row for each measure and source: measure, source, value, low, high, n (images of each set
    that are compared at a time), better, gan_wins, certain."""
    rows = []
    for name, entry in report["metrics"].items():
        entries = (
            {f"swd_{level}": each for level, each in entry.items()}
            if name == "swd"
            else {name: entry}
        )
        for measure, each in entries.items():
            for source in TITLES:
                low, high = each[source]["ci95"]
                row = {
                    "measure": measure,
                    "source": source,
                    "value": each[source]["value"],
                    "low": low,
                    "high": high,
                }
                n = report["swd_images"] if name == "swd" else report["n"]
                rows.append(
                    row | {"n": n} | {key: each[key] for key in ("better", "gan_wins", "certain")}
                )
    return pd.DataFrame(rows)


def radiomics_table(report: dict) -> pd.DataFrame:
    """One row for each radiomic feature and source: feature, source, shift, spread."""
    return pd.DataFrame(
        [
            {"feature": feature, "source": source} | each[source]
            for feature, each in report["radiomics"]["differences"].items()
            for source in TITLES
        ]
    )


def _series(entries: list[dict]) -> dict:
    return {
        title: (
            [entry[source]["value"] for entry in entries],
            [entry[source]["ci95"][0] for entry in entries],
            [entry[source]["ci95"][1] for entry in entries],
        )
        for source, title in TITLES.items()
    }

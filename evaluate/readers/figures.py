"""Pictures of a reader study."""

from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.readers.kinds import ANOMALY, SEVERITY, TURING
from pgcxr.plots.intervals import interval_plot
from pgcxr.plots.roc import roc_plot

MOST = 6  # readers of one plot


def draw(folder: Path, kind: str, first: pd.DataFrame, report: dict) -> None:
    """The files that the chapter shows."""
    if kind == TURING:
        _roc(folder / "roc.png", first, "")
    elif kind == ANOMALY:
        for phase, own in first.groupby("phase"):
            _roc(folder / f"roc_{phase}.png", own, f"{str(phase).capitalize()} the map")
        _areas(folder / "areas.png", report)
    elif kind == SEVERITY:
        _grades(folder / "grades.png", report)


def _roc(path: Path, own: pd.DataFrame, title: str) -> None:
    curves = {}
    for reader, one in own.groupby("reader"):
        positive = one["positive"].astype(bool)
        if min(positive.sum(), (~positive).sum()) >= 2 and len(curves) < MOST:
            curves[str(reader)] = (positive.astype(int), one["rating"].astype(float))
    if curves:
        roc_plot(curves, path, title)


def _areas(path: Path, report: dict) -> None:
    """The area of each reader without and with the map."""
    readers = [
        name
        for name, of in report["each"].items()
        if all("auroc" in of.get(phase, {}) for phase in ("without", "with"))
    ]
    if readers:
        series = {}
        for phase in ("without", "with"):
            found = [report["each"][name][phase]["auroc"] for name in readers]
            lows, highs = np.array([each["ci95"] for each in found], float).T
            series[f"{phase} the map"] = ([each["value"] for each in found], lows, highs)
        interval_plot(series, readers, path, "Area under the ROC curve", "Reader")


def _grades(path: Path, report: dict) -> None:
    """The mean grade at each position along each axis."""
    steps = sorted({int(step) for axis in report["axes"].values() for step in axis["mean_grade"]})
    series = {}
    for name, axis in report["axes"].items():
        found = [axis["mean_grade"].get(str(step), {}) for step in steps]
        ends = np.array([each.get("ci95", [None, None]) for each in found], float)
        values = np.array([each.get("mean") for each in found], float)
        series[name.replace("_", " ")] = (values, ends[:, 0], ends[:, 1])
    interval_plot(
        series,
        [str(step) for step in steps],
        path,
        "Mean grade (0 normal to 3 severe)",
        "Position along the axis, from its start",
    )

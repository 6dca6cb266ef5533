"""Reliability diagrams: what share of the images with a score of about 0.8 is abnormal, and how
many there are."""

import os
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pgcxr.metrics.calibration import BINS, bin_edges, ece, reliability_curve
from pgcxr.plots.figure import COLORS, save, styled

LOW = 0.38  # height of the histogram, of its width


@styled
def reliability_plot(readings: dict, path: str | os.PathLike, bins: int = BINS) -> Path:
    """Draws each reading beside the others: its reliability curve above, the histogram of its
    scores below.

    Points lie at the mean score of each bin (equal width); bars are Wilson's 95 % intervals, images
    taken as independent. Below the diagonal the scores are too high. The histogram is split by the
    truth.

    Args:
        readings: {name: (labels [N], probabilities [N])}.
        path: .png or .svg.
    """
    if not readings:
        raise ValueError("no readings to draw")
    figure = Figure(figsize=(0.5 + 2.5 * len(readings), 4.4), layout="constrained")
    grid = figure.subplots(2, len(readings), squeeze=False, height_ratios=(1, LOW))
    for column, (name, (labels, scores)) in enumerate(readings.items()):
        upper, lower = grid[:, column]
        _curve(upper, labels, scores, bin_edges(np.asarray(scores), bins))
        _histogram(
            lower,
            np.asarray(labels),
            np.asarray(scores, float),
            bin_edges(np.asarray(scores), 2 * bins),
        )
        upper.set_title(textwrap.fill(name, 30), loc="left", fontsize=9)
        lower.set_xlabel("P(abnormal)")
    grid[0, 0].set_ylabel("Share that is abnormal")
    grid[1, 0].set_ylabel("Images")
    figure.legend(
        *grid[1, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        handlelength=1.2,
    )
    return save(figure, path)


def _curve(axes, labels, scores, edges: np.ndarray) -> None:
    curve = reliability_curve(labels, scores, edges)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    reach = np.abs(curve["wilson95"] - curve["share"][:, None]).T
    axes.errorbar(
        curve["score"],
        curve["share"],
        yerr=reach,
        color=COLORS[0],
        marker="o",
        markersize=4,
        elinewidth=1.0,
        capsize=2,
        zorder=3,
        clip_on=False,
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=1)
    said = f"ECE {ece(labels, scores, edges):.3f}"
    axes.text(0.03, 0.97, said, transform=axes.transAxes, va="top", fontsize=8)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)


def _histogram(axes, labels: np.ndarray, scores: np.ndarray, edges: np.ndarray) -> None:
    for value, name, color, style in (
        (0, "normal", COLORS[0], "-"),
        (1, "abnormal", COLORS[1], "--"),
    ):
        counts = np.histogram(scores[labels == value], edges)[0]
        axes.stairs(counts, edges, fill=True, color=color, alpha=0.16)
        axes.stairs(counts, edges, color=color, linestyle=style, linewidth=1.3, label=name)
    axes.set(xlim=(0, 1), box_aspect=LOW)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4, integer=True)

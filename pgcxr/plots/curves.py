"""Line plots: likelihood against the position on an axis (no figure of the thesis; its Results
2 give both ends), losses, histograms of scores."""

import os
from pathlib import Path

import numpy as np

from pgcxr.plots.figure import COLORS, line_style, new_figure, save, styled


@styled
def line_plot(
    x,
    series: dict,
    path: str | os.PathLike,
    labels: tuple[str, str],
    title: str = "",
    ylim: tuple[float, float] | None = None,
    bands: dict | None = None,
    marks: dict | None = None,
) -> Path:
    """Draws y against x for each series.

    Args:
        x: [N], shared by every series, or {name: [N_i]}.
        series: {name: [N]}; NaN leaves a gap.
        path: .png or .svg.
        labels: of the x and the y axis.
        title: above the plot.
        bands: {name: (low [N], high [N])}: a shaded interval around those series.
        marks: {name: x}: a large dot on those series, at the nearest of their points.
        ylim: limits of y, e.g. (0, 1) for a likelihood.
    """
    figure, axes = new_figure(5.6, 3.6)
    for index, (name, y) in enumerate(series.items()):
        at = np.asarray(x[name] if isinstance(x, dict) else x, float)
        style = line_style(index, name)
        if bands and name in bands:
            axes.fill_between(at, *bands[name], color=style["color"], alpha=0.18, linewidth=0)
        # Points only where a reader can count them.
        marker = {"marker": "o", "markersize": 3.5} if len(at) <= 25 else {}
        axes.plot(
            at, np.asarray(y, float), **style, **marker, label=name, clip_on=ylim is None, zorder=3
        )
        if marks and name in marks:
            nearest = int(np.argmin(np.abs(at - marks[name])))
            place = [at[nearest]], [np.asarray(y, float)[nearest]]
            axes.plot(
                *place,
                "o",
                color=style["color"],
                markersize=8,
                markeredgecolor="white",
                zorder=4,
                clip_on=False,
            )
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if ylim:
        axes.set_ylim(*ylim)
    axes.margins(x=0.02)
    axes.locator_params(axis="x", nbins=6)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left")
    if len(series) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.6)
    return save(figure, path)


@styled
def histogram_plot(
    groups: dict,
    path: str | os.PathLike,
    xlabel: str,
    threshold: float | None = None,
    title: str = "",
    bins: int = 30,
) -> Path:
    """Draws the distribution of a score in each group, on common bins, as the share of the group
    per bin.

    Args:
        groups: {name: scores [N_i]}.
        path: .png or .svg.
        threshold: a vertical line.
    """
    figure, axes = new_figure(5.6, 3.4)
    edges = np.histogram_bin_edges(
        np.concatenate([np.asarray(scores, float) for scores in groups.values()]), bins
    )
    for index, (name, scores) in enumerate(groups.items()):
        scores = np.asarray(scores, float)
        share = np.histogram(scores, edges)[0] / max(len(scores), 1)
        style = line_style(index, name)
        axes.stairs(share, edges, fill=True, color=style["color"], alpha=0.16)
        axes.stairs(share, edges, **style, linewidth=1.5, label=f"{name} (n = {len(scores):,})")
    if threshold is not None:
        axes.axvline(threshold, color=COLORS[4], linewidth=1.0, label=f"threshold {threshold:.3g}")
    axes.set(xlabel=xlabel, ylabel="Share of the group")
    axes.set_ylim(bottom=0)
    if title:
        axes.set_title(title, loc="left")
    axes.legend(loc="best")
    return save(figure, path)

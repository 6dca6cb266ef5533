"""Values with their intervals, side by side for each of a few things."""

import os
from pathlib import Path

import numpy as np

from pgcxr.plots.figure import line_style, new_figure, save, styled

MARKERS = ("o", "s", "D", "^")


@styled
def interval_plot(
    series: dict,
    names: list[str],
    path: str | os.PathLike,
    ylabel: str,
    xlabel: str = "",
    title: str = "",
) -> Path:
    """Draws a point and a bar for each value.

    Args:
        series: {name: (values [K], lows [K], highs [K])}; NaN limits leave the bar out.
        names: of the K places on the x axis.
        path: .png or .svg.
    """
    figure, axes = new_figure(1.6 + max(1.1 * len(names), 2.6), 3.4)
    for index, (name, (values, lows, highs)) in enumerate(series.items()):
        # Beside each other, so that no bar hides another.
        at = np.arange(len(names)) + 0.18 * (index - (len(series) - 1) / 2)
        values = np.asarray(values, float)
        reach = np.abs(np.stack([np.asarray(lows, float), np.asarray(highs, float)]) - values)
        color = line_style(index, name)["color"]
        axes.errorbar(
            at,
            values,
            np.nan_to_num(reach),
            fmt=MARKERS[index % len(MARKERS)],
            color=color,
            markersize=5,
            capsize=3,
            elinewidth=1.2,
            label=name,
            clip_on=False,
        )
    axes.set_xticks(range(len(names)), names)
    axes.set(xlim=(-0.5, len(names) - 0.5), xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(figure, path)

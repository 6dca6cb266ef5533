"""Confusion matrices and matrices of cosines, with every number written in its cell."""

import os
import textwrap
from pathlib import Path

import numpy as np
from matplotlib import colormaps

from pgcxr.plots.figure import new_figure, save, styled


@styled
def confusion_plot(
    confusion: dict, path: str | os.PathLike, title: str = "", known: str = "Ground truth"
) -> Path:
    """Draws {tn, fp, fn, tp} in the layout of thesis Tables 3 to 5: rows are calls, columns what is
    `known`.

    The shade and the percentage are the share of the column, so the diagonal reads specificity and
    sensitivity.

    Example:

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from pgcxr.plots.confusion import confusion_plot
        >>> counts = {'tn': 90, 'fp': 10, 'fn': 5, 'tp': 95}
        >>> with TemporaryDirectory() as folder:
        ...     print(confusion_plot(counts, Path(folder) / 'confusion.svg').name)
        confusion.svg
    """
    counts = np.array(
        [[confusion["tn"], confusion["fn"]], [confusion["fp"], confusion["tp"]]], float
    )
    columns = counts.sum(axis=0)
    share = np.divide(counts, columns, out=np.zeros_like(counts), where=columns > 0)
    text = [
        [f"{int(counts[i, j]):,}\n{100 * share[i, j]:.1f} %" for j in range(2)] for i in range(2)
    ]
    truth = [f"Normal\nn = {int(columns[0]):,}", f"Abnormal\nn = {int(columns[1]):,}"]
    figure, axes = new_figure(3.4, 3.4)
    _matrix(axes, share, text, "Blues", (0, 1), truth, ["Normal", "Abnormal"], 11)
    axes.set(xlabel=known, ylabel="Predicted")
    axes.tick_params(axis="y", rotation=90)
    for label in axes.get_yticklabels():
        label.set_verticalalignment("center")
    if title:
        axes.set_title(textwrap.fill(title, 36), loc="left")
    return save(figure, path)


@styled
def matrix_plot(values, names: list[str], path: str | os.PathLike, title: str = "") -> Path:
    """Draws a square matrix of values in [-1, 1], e.g. the cosines between latent directions; NaN
    cells hold a dash."""
    values = np.asarray(values, float)
    text = [
        ["\N{EN DASH}" if np.isnan(x) else f"{x:.2f}".replace("-", "\N{MINUS SIGN}") for x in row]
        for row in values
    ]
    side = 1.6 + 0.62 * len(names)
    figure, axes = new_figure(side, side)
    _matrix(axes, values, text, "PuOr", (-1, 1), names, names, 8)
    for label in axes.get_xticklabels():
        label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")
    if title:
        axes.set_title(title, loc="left")
    return save(figure, path)


def _matrix(axes, values, text, colors, limits, columns, rows, size) -> None:
    image = axes.imshow(
        values, cmap=colormaps[colors].with_extremes(bad="#EEEEEE"), vmin=limits[0], vmax=limits[1]
    )
    colors = image.to_rgba(np.ma.masked_invalid(values))
    for i, j in np.ndindex(values.shape):
        red, green, blue = colors[i, j, :3]
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        axes.text(
            j,
            i,
            text[i][j],
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark else "black",
        )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)

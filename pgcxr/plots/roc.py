"""ROC curves (thesis Figures 7 to 9); colors are those of pgcxr/plots/figure.py."""

import os
from pathlib import Path

from pgcxr.metrics.auroc import delong_ci
from pgcxr.metrics.roc import roc_curve
from pgcxr.plots.figure import line_style, new_figure, save, styled

# More curves than that have their legend below, a line each.
MANY, NEW_LINE = 4, "\n"


@styled
def roc_plot(
    curves: dict, path: str | os.PathLike, title: str = "", thresholds: dict | None = None
) -> Path:
    """Draws one or more ROC curves with their areas and 95 % intervals (DeLong) in the legend.

    Args:
        curves: {name: (labels [N], scores [N])}.
        path: .png or .svg.
        title: above the plot.
        thresholds: {name: threshold}: marks the working point of those curves.

    Example:

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from pgcxr.plots.roc import roc_plot
        >>> readings = {'ResNet-50': ([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.4, 0.8, 0.9])}
        >>> with TemporaryDirectory() as folder:
        ...     print(roc_plot(readings, Path(folder) / 'roc.svg').name)
        roc.svg
    """
    many = len(curves) > MANY
    figure, axes = new_figure(4.6, 4.3 + 0.2 * len(curves) if many else 4.7)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    for index, (name, (labels, scores)) in enumerate(curves.items()):
        curve = roc_curve(labels, scores)
        area, low, high = delong_ci(labels, scores)
        style = line_style(index, name)
        axes.plot(
            curve["false_positive_rate"],
            curve["true_positive_rate"],
            **style,
            label=f"{name}{': ' if many else NEW_LINE}AUROC {area:.3f} "
            f"(95 % CI {low:.3f} to {high:.3f})",
            zorder=3,
            clip_on=False,
        )
        if thresholds and name in thresholds:
            # The last point whose threshold is not below the working point: every case at or above
            # it is called.
            at = int((curve["threshold"] >= thresholds[name]).sum()) - 1
            axes.plot(
                curve["false_positive_rate"][at],
                curve["true_positive_rate"][at],
                "o",
                color=style["color"],
                markeredgecolor="white",
                markersize=6,
                zorder=4,
                clip_on=False,
            )
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="1 \N{MINUS SIGN} specificity",
        ylabel="Sensitivity",
        aspect="equal",
    )
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left")
    if many:  # they would cover the curves
        figure.legend(loc="outside lower left", handlelength=2.6, labelspacing=0.3)
    else:
        axes.legend(loc="lower right", handlelength=2.6, labelspacing=0.8)
    return save(figure, path)

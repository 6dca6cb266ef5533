"""A matplotlib figure of its own (no pyplot, no global state), written as the same bytes each time.

Colors are Okabe and Ito's: told apart by color-blind readers and, in this order, by lightness in
gray print.
"""

import io
import os
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pgcxr.io.artifacts import atomic_path

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#8C6D1F")
DASHES = ("-", "--", "-.", ":")
# One color for each class in all figures. The five findings have Okabe and Ito's; those of the
# seven more of thesis Table 6 come from there and from Paul Tol's "muted" scheme.
CLASSES = {
    "normal": "#7F7F7F",
    "nodule": "#0072B2",
    "consolidation": "#D55E00",
    "interstitial_opacity": "#009E73",
    "pleural_effusion": "#CC79A7",
    "pneumothorax": "#E69F00",
    "calcification": "#56B4E9",
    "atelectasis": "#8C6D1F",
    "mediastinal_widening": "#332288",
    "rib_fracture": "#882255",
    "pneumomediastinum": "#44AA99",
    "subcutaneous_emphysema": "#999933",
    "pneumoperitoneum": "#000000",
}
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "axes.linewidth": 0.8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # The ids in an SVG are hashes salted at random unless told otherwise.
    "svg.hashsalt": "pgcxr",
}
# For print: journals ask for 300 and more.
DPI = 300
# Neither the date nor the version of matplotlib belongs into a file, nor addresses of vocabularies.
NO_METADATA = {
    "png": {"Software": None},
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
}


# A decorator for functions that draw: matplotlib reads its settings when a thing is made, not when
# it is saved.
styled = matplotlib.rc_context(STYLE)


def new_figure(width: float = 4.6, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure of `width` x `height` inches with one pair of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def save(figure: Figure, path: str | os.PathLike, tight: bool = False) -> Path:
    """Writes the figure atomically as PNG or SVG, by the suffix of `path`; returns `path`.

    `tight`: the picture is as large as what is on it, so that a long label widens it instead of
    being cut off.
    """
    path = Path(path)
    kind = path.suffix.lstrip(".").lower()
    if kind not in ("png", "svg"):
        raise ValueError(f"{path.name}: plots are written as .png or .svg")
    buffer = io.BytesIO()
    fit = {"bbox_inches": "tight", "pad_inches": 0.05} if tight else {}
    figure.savefig(buffer, format=kind, dpi=DPI, metadata=NO_METADATA[kind], **fit)
    with atomic_path(path) as beside:
        beside.write_bytes(buffer.getvalue())
    return path


def line_style(index: int, name: str = "") -> dict:
    """Color and dashes of the `index`-th curve of a plot; those of its own where `name` is that of
    a class, in the first line and however it is spelled.

    Example:

        >>> line_style(0, "Pleural effusion\\n(not found)")
        {'color': '#CC79A7', 'linestyle': ':'}
    """
    known = name.partition("\n")[0].strip().lower().replace(" ", "_")
    if known in CLASSES:
        place = list(CLASSES).index(known)
        return {"color": CLASSES[known], "linestyle": DASHES[(place - 1) % len(DASHES)]}
    return {"color": COLORS[index % len(COLORS)], "linestyle": DASHES[index % len(DASHES)]}

"""Tables and figures of the axes: thesis Figures 5, 10 and 12, and the likelihood along each walk
(thesis 3.5)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.axes.ways import PATHS
from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing import sheets
from pgcxr.latent import walks
from pgcxr.latent.axes import Axes
from pgcxr.metrics import saliency
from pgcxr.plots import curves as line_plots
from pgcxr.plots import grids, overlay

STRIP = 7  # images in a strip
PLANE = 5  # images along each side of the plane of two axes


@dataclass(frozen=True)
class Walks:
    """Walks along every axis from the normal-looking images that are reported.

    Attributes:
        starts: [N, L] latents.
        angles: [S] in radians.
        curves: {disease: likelihoods [S, N, 6] along its axis}.
    """

    starts: np.ndarray
    angles: np.ndarray
    curves: dict[str, np.ndarray]


def counts_table(outputs: tuple[str, ...], before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """counts.csv, thesis Figure 5: images of each class before and after the filter."""
    return pd.DataFrame({"class": outputs, "before": before, "after": after})


def curves_table(outputs: tuple[str, ...], walked: Walks) -> pd.DataFrame:
    """curves.csv: mean and quartiles of every output along every walk, angles in radians."""
    parts = []
    for axis, curve in walked.curves.items():  # [S, N, 6]
        low, high = np.percentile(curve, (25, 75), axis=1)
        part = {
            "axis": axis,
            "angle": np.repeat(walked.angles, len(outputs)),
            "output": np.tile(outputs, len(walked.angles)),
            "mean": curve.mean(axis=1).ravel(),
            "quartile_1": low.ravel(),
            "quartile_3": high.ravel(),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def draw(folder: Path, reader, axes: Axes, walked: Walks, examples: int) -> dict[str, dict]:
    """All figures of one experiment, as PNG in `folder`. Every mean is over the N starts, as in the
    report.

    Args:
        reader: a reader.Reader.
        examples: how many of the starts the strips show.

    Returns:
        {disease: whether Grad-CAM lies where the images of its strip have changed, as
        `saliency.on_change` says}.
    """
    starts, angles, curves = walked.starts, walked.angles, walked.curves
    degrees = np.rad2deg(angles)
    own = {name: curves[name][:, :, 1 + index] for index, name in enumerate(FINDINGS)}
    legend = {
        name: _words(name) + ("" if found else "\n(not found)")
        for name, found in zip(FINDINGS, axes.found, strict=True)
    }
    line_plots.line_plot(
        degrees,
        {legend[name]: curve.mean(axis=1) for name, curve in own.items()},
        folder / "likelihood.png",
        ("Angle along the axis (degrees)", "Likelihood by the guides"),
        f"Each disease along its own axis, mean of {len(starts)} images\nLarge dot: where its "
        "walk ends",
        ylim=(0, 1),
        marks={
            legend[name]: np.rad2deg(end) for name, end in zip(FINDINGS, axes.ends, strict=True)
        },
        bands={
            legend[name]: tuple(np.percentile(curve, (25, 75), axis=1))
            for name, curve in own.items()
        },
    )
    looks = {}
    for index, name in enumerate(FINDINGS):
        reach = np.linspace(0, axes.ends[index], STRIP)
        heads = [f"{np.rad2deg(angle):.0f}°" for angle in reach]
        along = walks.walk(starts, axes.vectors[index], reach)
        words = (heads, _title(axes, index), examples)
        looks[name] = _draw_strip(folder / f"walk_{name}.png", reader, along, index, words)
        end = np.rad2deg(axes.ends[index])
        line_plots.line_plot(
            degrees,
            {
                _words(other): curves[name][:, :, 1 + place].mean(axis=1)
                for place, other in enumerate(FINDINGS)
            },
            folder / f"likelihood_{name}.png",
            ("Angle along the axis (degrees)", "Likelihood by the guides"),
            f"{_title(axes, index)}, mean of {len(starts)} images",
            ylim=(0, 1),
            marks={_words(other): end for other in FINDINGS},
        )
    _draw_plane(folder / "two_axes.png", reader, starts[:1], axes, curves)
    return looks


def draw_paths(folder: Path, reader, compared, examples: int) -> None:
    """paths_DISEASE.png: images along paths of their own, as far as the table reads them.

    Args:
        reader: a reader.Reader.
        compared: a comparison.Compared with paths.
        examples: how many of the starts are shown.
    """
    for index, name in enumerate(FINDINGS):
        row, path = compared.rows[PATHS][name], compared.followed[name][:, 1::2]
        steps = np.linspace(0, row["step_end"], STRIP).round().astype(int)
        heads = [f"step {step}" for step in steps]
        found = "" if row["found"] else " (not found)"
        title = f"Paths toward {_words(name)}{found}"
        _draw_strip(
            folder / f"paths_{name}.png", reader, path[steps], index, (heads, title, examples)
        )


def _draw_strip(path: Path, reader, latents: np.ndarray, index: int, words: tuple) -> dict:
    """Figure 10: images from normal to the end of the walk, under each what has changed, and what
    the first guide looks at.

    Args:
        latents: [S, N, L].
        index: the disease's place.
        words: (what stands above each column, title, how many of the N are shown). The mean
            likelihood over all N is added to the first.

    Returns:
        `saliency.on_change` of the last images.
    """
    heads, title, examples = words
    steps, total, size = latents.shape
    likelihood = reader.likelihoods(latents.reshape(-1, size))[:, index + 1]
    likelihood = likelihood.reshape(steps, total).mean(axis=1)
    shown = min(examples, total)
    images = reader.images(latents[:, :shown].reshape(-1, size))
    heat = reader.activation(images, index + 1)
    pictures = images.reshape(steps, shown, *images.shape[1:])
    maps = heat.reshape(steps, shown, *heat.shape[1:])
    # One scale: what grows along the walk is seen to grow.
    rows, scale = [], (0.0, float(heat.max()))
    for start in range(shown):
        rows.append((f"image {start + 1}", np.repeat(pictures[:, start], 3, axis=-1)))
        rows.append(("change", sheets.changed(pictures[:, start])))
        laid = [
            overlay.overlay(pictures[step, start], maps[step, start], limits=scale)
            for step in range(steps)
        ]
        rows.append(("Grad-CAM", np.stack(laid)))
    columns = [f"{head}: {mean:.2f}" for head, mean in zip(heads, likelihood, strict=True)]
    said = f"{title}\nAbove each column: mean likelihood of {total} images, {shown} of them shown"
    grids.labeled_grid(rows, path, columns, said)
    change = (pictures[-1].astype(np.float64) - pictures[0])[..., 0]
    return saliency.on_change(maps[-1], change)


def _draw_plane(path: Path, reader, start: np.ndarray, axes: Axes, curves: dict) -> None:
    """Figure 12: one image moved along two axes at once, the two that reach the highest
    likelihood, and what has changed since it was not moved."""
    reached = [
        curves[name][:, :, 1 + index].mean(axis=1).max() for index, name in enumerate(FINDINGS)
    ]
    across, down = np.argsort(reached)[::-1][:2]
    rows: list[tuple[str, np.ndarray]] = []
    for share in np.linspace(0, 1, PLANE):
        latents = [
            walks.move(
                start,
                axes.vectors[[across, down]],
                [axes.ends[across] * other, axes.ends[down] * share],
            )
            for other in np.linspace(0, 1, PLANE)
        ]
        rows.append((f"{100 * share:.0f} %", reader.images(np.concatenate(latents))))
    # The first image is that which was not moved.
    changes = sheets.changed(np.concatenate([images for _, images in rows]))
    rows = [
        (label, np.concatenate([np.repeat(images, 3, axis=-1), own]))
        for (label, images), own in zip(rows, np.split(changes, PLANE), strict=True)
    ]
    columns = [f"{100 * share:.0f} %" for share in np.linspace(0, 1, PLANE)]
    columns += [f"change,\n{share}" for share in columns]
    ends = [
        f"{_words(FINDINGS[place])} (100 % = {np.rad2deg(axes.ends[place]):.0f}°)"
        for place in (across, down)
    ]
    title = f"Right: {ends[0]}; down: {ends[1]}"
    grids.labeled_grid(rows, path, columns, title)


def _title(axes: Axes, index: int) -> str:
    found = "" if axes.found[index] else " (axis not found)"
    return f"Walk along {_words(FINDINGS[index])}{found}"


def _words(name: str) -> str:
    return name.replace("_", " ")

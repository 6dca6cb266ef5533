"""Tables and figures of the axes: thesis Figures 5, 10 and 12, and the likelihood along each walk
(thesis 3.5)."""

import csv
from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.io import artifacts
from pgcxr.latent import walks
from pgcxr.latent.axes import Axes
from pgcxr.plots import curves as line_plots
from pgcxr.plots import grids, overlay

STRIP = 7  # images in a strip
PLANE = 5  # images along each side of the plane of two axes


def write_tables(folder: Path, outputs, before, after, angles, curves: dict) -> None:
    """counts.csv (thesis Figure 5) and curves.csv (mean and quartiles of every output along every
    walk, in radians)."""
    rows = [("class", "before", "after"), *zip(outputs, before, after, strict=True)]
    _write(folder / "counts.csv", rows)
    rows = [("axis", "angle", "output", "mean", "quartile_1", "quartile_3")]
    for axis, seen in curves.items():
        low, high = np.percentile(seen, (25, 75), axis=1)
        for step, angle in enumerate(angles):
            for index, output in enumerate(outputs):
                numbers = (seen[step, :, index].mean(), low[step, index], high[step, index])
                rows.append(
                    (axis, f"{angle:.4f}", output, *(f"{number:.4f}" for number in numbers))
                )
    _write(folder / "curves.csv", rows)


def draw(
    folder: Path,
    read,
    starts: np.ndarray,
    axes: Axes,
    angles: np.ndarray,
    curves: dict,
    examples: int,
) -> None:
    """All figures of one experiment, as PNG in `folder`. Every mean is over the N starts, as in the
    report.

    Args:
        read: an experiment.Reader.
        starts: [N, L] latents of the normal-looking images that are reported.
        curves: {disease: likelihoods [S, N, 6]}.
        examples: how many of the starts the strips show.
    """
    degrees = np.rad2deg(angles)
    own = {name: curves[name][:, :, 1 + index] for index, name in enumerate(FINDINGS)}
    legend = {
        name: _words(name) + ("" if ok else "\n(not found)")
        for name, ok in zip(FINDINGS, axes.found, strict=True)
    }
    line_plots.line_plot(
        degrees,
        {legend[name]: seen.mean(axis=1) for name, seen in own.items()},
        folder / "likelihood.png",
        "Angle along the axis (degrees)",
        "Likelihood by the classifier",
        f"Each disease along its own axis, mean of {len(starts)} images\nLarge dot: where its "
        "walk ends",
        ylim=(0, 1),
        marks={
            legend[name]: np.rad2deg(end) for name, end in zip(FINDINGS, axes.ends, strict=True)
        },
        bands={
            legend[name]: tuple(np.percentile(seen, (25, 75), axis=1)) for name, seen in own.items()
        },
    )
    for index, name in enumerate(FINDINGS):
        _draw_strip(folder / f"walk_{name}.png", read, starts, axes, index, examples)
        end = np.rad2deg(axes.ends[index])
        line_plots.line_plot(
            degrees,
            {
                _words(other): curves[name][:, :, 1 + place].mean(axis=1)
                for place, other in enumerate(FINDINGS)
            },
            folder / f"likelihood_{name}.png",
            "Angle along the axis (degrees)",
            "Likelihood by the classifier",
            f"{_title(axes, index)}, mean of {len(starts)} images",
            ylim=(0, 1),
            marks={_words(other): end for other in FINDINGS},
        )
    _draw_plane(folder / "two_axes.png", read, starts[:1], axes, curves)


def _draw_strip(path: Path, read, starts, axes: Axes, index: int, examples: int) -> None:
    """Figure 10: images from normal to the end of the walk, and under each what the classifier
    looks at.

    The heading of a column is the mean likelihood over all starts, not only those shown.
    """
    angles = np.linspace(0, axes.ends[index], STRIP)
    latents = walks.walk(starts, axes.vectors[index], angles)
    everywhere = read.opinions(read.images(latents.reshape(-1, read.latent_size)))
    likelihood = everywhere[:, index + 1].reshape(STRIP, len(starts)).mean(axis=1)
    total, starts = len(starts), starts[:examples]
    images = read.images(latents[:, :examples].reshape(-1, read.latent_size))
    heat = read.activation(images, index + 1)
    pictures = images.reshape(STRIP, len(starts), *images.shape[1:])
    maps = heat.reshape(STRIP, len(starts), *heat.shape[1:])
    rows, scale = (
        [],
        (0.0, float(heat.max())),
    )  # one scale: what grows along the walk is seen to grow
    for start in range(len(starts)):
        rows.append((f"image {start + 1}", np.repeat(pictures[:, start], 3, axis=-1)))
        laid = [
            overlay.overlay(pictures[step, start], maps[step, start], limits=scale)
            for step in range(STRIP)
        ]
        rows.append(("Grad-CAM", np.stack(laid)))
    columns = [
        f"{np.rad2deg(angle):.0f}°: {mean:.2f}"
        for angle, mean in zip(angles, likelihood, strict=True)
    ]
    title = (
        f"{_title(axes, index)}\nAngle: mean likelihood of {total} images, {len(starts)} of them "
        "shown"
    )
    grids.labeled_grid(rows, path, columns, title)


def _draw_plane(path: Path, read, start: np.ndarray, axes: Axes, curves: dict) -> None:
    """Figure 12: one image moved along two axes at once, the two that reach the highest
    likelihood."""
    reached = [
        curves[name][:, :, 1 + index].mean(axis=1).max() for index, name in enumerate(FINDINGS)
    ]
    across, down = np.argsort(reached)[::-1][:2]
    rows = []
    for share in np.linspace(0, 1, PLANE):
        latents = [
            walks.move(
                start,
                axes.vectors[[across, down]],
                [axes.ends[across] * other, axes.ends[down] * share],
            )
            for other in np.linspace(0, 1, PLANE)
        ]
        rows.append((f"{share:.0%}", read.images(np.concatenate(latents))))
    columns = [f"{share:.0%}" for share in np.linspace(0, 1, PLANE)]
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


def _write(path: Path, rows) -> None:
    with (
        artifacts.atomic_path(path) as beside,
        open(beside, "w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows(rows)

"""Pictures of the gate: the nearest pairs side by side, and the distances."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from pgcxr.cohort.image_files import load_images
from pgcxr.cohort.manifest import Cohort
from pgcxr.metrics.privacy import Distances
from pgcxr.plots.figure import COLORS, save, styled
from pgcxr.plots.grids import enlarged, labeled_grid

SHOWN = 6  # pairs of each space
CELL = 128  # px: images are shown at this size at least
BINS = 40


def pairs(
    measured: dict[str, Distances],
    limits: dict[str, float],
    training: Cohort,
    size: int,
    forms: list,
    draw: Callable[[np.ndarray], np.ndarray],
    path: Path,
) -> None:
    """The SHOWN synthetic images that are nearest to a training image in each space: synthetic,
    training, difference.

    A training image is mirrored where its mirror image is the nearest. The difference is absolute,
    black where equal.

    Args:
        forms: of `spaces.forms`.
        draw: numbers of synthetic images -> uint8 [n, size, size, 1].
    """
    rows = []
    files = training.paths()
    for space, each in measured.items():
        worst = np.argsort(each.generated, kind="stable")[:SHOWN]
        synthetic = draw(worst)
        real = load_images([files[index] for index in each.of_generated[worst]], size)
        for place, number in enumerate(worst):
            one, other = synthetic[place, ..., 0], real[place, ..., 0]
            other = other[:, ::-1] if forms[each.twin[number]][0] else other
            found = [
                enlarged(image, CELL)
                for image in (one, other, cv2.absdiff(one, np.ascontiguousarray(other)))
            ]
            distance = each.generated[number]
            mark = "\nbelow cut-off" if distance <= limits[space] else ""
            rows.append((f"{space}, no. {number}\n{distance:.3f}{mark}", np.stack(found)))
    labeled_grid(rows, path, ["Synthetic", "Training", "Difference"])


@styled
def histograms(measured: dict[str, Distances], limits: dict[str, float], path: Path) -> None:
    """Distances to the nearest training image, and of pairs of one patient as far as the axis goes;
    line: cut-off."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    for axes, (space, each) in zip(
        figure.subplots(1, len(measured)), measured.items(), strict=True
    ):
        shown = {"Synthetic to training": each.generated, "Held-out to training": each.held_out}
        shown["Two of one patient"] = each.same_patient
        shown = {name: values for name, values in shown.items() if len(values)}
        # Pairs of one patient may be far apart; the others would be one bar.
        far = max(float(np.quantile(values, 0.95)) for values in shown.values())
        edges = np.linspace(0, max(far, float(each.generated.max()), 1e-9), BINS + 1)
        for index, (name, values) in enumerate(shown.items()):
            counts, _ = np.histogram(values, edges)
            style = {"fill": True, "alpha": 0.35} if index == 0 else {"linewidth": 1.4}
            axes.stairs(
                counts / len(values),
                edges,
                color=COLORS[index],
                label=f"{name} ({len(values):,})",
                **style,
            )
        axes.axvline(limits[space], color=COLORS[4], linestyle=":", linewidth=1, label="Cut-off")
        axes.set(title=space.capitalize(), xlabel="Distance", ylabel="Share of images")
        axes.set(xlim=(0, edges[-1]), ylim=(0, None))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save(figure, path)

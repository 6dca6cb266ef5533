"""The tables and pictures of the evaluation of fidelity (thesis Tables 3 to 5, Figures 3, 7 to 9,
11 and 13).

Each figure is a PNG of 300 dpi and an SVG; the data behind it is the CSV file of its name.
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from evaluate import common
from evaluate.fidelity import acceptance, explanations
from evaluate.fidelity.arms import ARMS
from evaluate.fidelity.explanations import HeldOut
from evaluate.fidelity.pseudo import Synthetic
from evaluate.fidelity.statistics import Reading
from pgcxr.metrics.roc import roc_curve
from pgcxr.plots.confusion import confusion_plot
from pgcxr.plots.curves import line_plot
from pgcxr.plots.grids import enlarged, labeled_grid
from pgcxr.plots.overlay import diff_overlay, outline, overlay
from pgcxr.plots.roc import roc_plot

FEWEST = 20
CELL = 128  # px: images are shown at this size at least
KINDS = (".png", ".svg")


def write(folder: Path, report: dict, readings: dict[str, Reading]) -> None:
    """roc and confusion-*."""
    curves = {
        ARMS[arm].removesuffix(" test set"): (readings[arm].labels, readings[arm].scores)
        for arm in ARMS
    }
    for kind in KINDS:
        roc_plot(curves, folder / f"roc{kind}")
        for arm, title in ARMS.items():
            # Nobody knows the truth of a synthetic image.
            pseudo = arm == "synthetic_on_synthetic"
            known = "Pseudo-label by classifier (real)" if pseudo else "Ground truth"
            path = folder / f"confusion-{arm}{kind}"
            confusion_plot(report[arm]["confusion"], path, title, known)


def tables(report: dict, readings: dict[str, Reading], test: HeldOut) -> dict[str, pd.DataFrame]:
    """roc.csv, confusion-*.csv and predictions.csv (no patient identifiers)."""
    points = [
        pd.DataFrame({"arm": arm, **roc_curve(readings[arm].labels, readings[arm].scores)})
        for arm in ARMS
    ]
    files = {"roc.csv": pd.concat(points, ignore_index=True)}
    for arm in ARMS:
        known = "pseudo" if arm == "synthetic_on_synthetic" else "truth"
        files[f"confusion-{arm}.csv"] = confusion_table(report[arm]["confusion"], known)
    files["predictions.csv"] = pd.DataFrame(
        {
            "image_id": test.rows.manifest["image_id"],
            "label": test.rows.manifest["label"],
            "score_real": test.scores["real"],
            "score_synthetic": test.scores["synthetic"],
            "score_pseudolabelled_real": test.scores["control"],
        }
    )
    return files


def confusion_table(confusion: dict, known: str = "truth") -> pd.DataFrame:
    """The layout of thesis Tables 3 to 5: rows are predictions, columns what is `known`, with
    totals."""
    table = pd.DataFrame(
        {
            f"{known}_normal": [confusion["tn"], confusion["fp"]],
            f"{known}_abnormal": [confusion["fn"], confusion["tp"]],
        },
        index=pd.Index(["predicted_normal", "predicted_abnormal"], name="confusion"),
    )
    table["total"] = table.sum(axis=1)
    table.loc["total"] = table.sum()
    return table


def acceptance_plots(folder: Path, table: pd.DataFrame, above: float, below: float) -> None:
    """acceptance: the share of images that get a label; acceptance-right: the share of labels that
    are right.

    Args:
        table: of `acceptance.curves`.
        above: threshold t of the abnormal label in this run, marked by dots.
        below: that of the normal label.
    """
    synthetic, control, test = (
        table.loc[name] for name in (acceptance.SYNTHETIC, acceptance.CONTROL, acceptance.TEST)
    )
    shares = {
        "synthetic, either label": synthetic["accepted"],
        "synthetic, called normal": synthetic["called_normal"],
        "synthetic, called abnormal": synthetic["called_abnormal"],
        "real test set, either label": test["accepted"],
    }
    right = {
        "real test set, either label": _of_enough(test, "right", "accepted"),
        "real test set, called normal": _of_enough(test, "right_normal", "called_normal"),
        "real test set, called abnormal": _of_enough(test, "right_abnormal", "called_abnormal"),
        "real, control arm, either label": _of_enough(control, "right", "accepted"),
    }
    lowest = np.floor(10 * min(np.nanmin(share, initial=0.95) for share in right.values())) / 10
    x = synthetic["threshold"]
    label = "Threshold t: abnormal above t, normal below 1 \N{MINUS SIGN} t"
    for name, curves, of, y_label, limits in (
        ("acceptance", shares, "synthetic", "Share of the images that get a label", (0, 1)),
        (
            "acceptance-right",
            right,
            "real test set",
            "Share of the labels that are right",
            (lowest, 1),
        ),
    ):
        marks = {f"{of}, called normal": below, f"{of}, called abnormal": above}
        if np.isclose(above, below):
            marks |= {curve: above for curve in curves}
        for kind in KINDS:
            path = folder / f"{name}{kind}"
            line_plot(x, curves, path, (label, y_label), ylim=limits, marks=marks)


def _of_enough(table: pd.DataFrame, share: str, of: str) -> np.ndarray:
    """The column `share`, NaN where fewer than FEWEST images stand behind it: it would jump."""
    return table[share].where(table[of] * table["images"] >= FEWEST).to_numpy()


def explained(folder: Path, real, synthetic, test: HeldOut) -> None:
    """gradcam: thesis Figure 11, cases of the real test set under both classifiers, the lesion
    outlined.

    Args:
        real, synthetic: the two classifiers.
        test: with the scores of both.
    """
    from pgcxr.classifier.gradcam import cam, gradcam

    chosen = cases(test.truth, test.scores["synthetic"])
    places = list(chosen.values())
    pixels, masks = common.from_uint8(test.images[places]), test.masks(places)
    columns = []
    for make in (gradcam, cam):
        for model in (real, synthetic):
            maps = make(model, pixels)
            # One scale for each column, so that the maps of its four cases can be compared.
            columns.append((make is cam, maps, max(float(np.abs(maps).max()), 1e-6)))
    sheet = []
    for row, (name, index) in enumerate(chosen.items()):
        shown = enlarged(test.images[index, ..., 0], CELL)
        cells = [np.repeat(shown[..., None], 3, axis=-1)]
        for signed, maps, most in columns:
            large = explanations.enlarged(maps[row : row + 1], shown.shape[0])[0]
            cells.append(
                diff_overlay(shown, large, most)
                if signed
                else overlay(shown, large, limits=(0.0, most))
            )
        if np.nan_to_num(masks[row]).any():
            cells = [outline(cell, cv2.resize(masks[row], cell.shape[1::-1])) for cell in cells]
        real_score, synthetic_score = (test.scores[arm][index] for arm in ("real", "synthetic"))
        called = f"{real_score:.2f} by (real)\n{synthetic_score:.2f} by (synthetic)"
        sheet.append((f"{name}\nP(abnormal):\n{called}", np.stack(cells)))
    heads = [
        "Image",
        *(f"{kind}\n({name})" for kind in ("Grad-CAM", "CAM") for name in ("real", "synthetic")),
    ]
    for kind in KINDS:
        labeled_grid(sheet, folder / f"gradcam{kind}", heads)


def cases(
    truth: np.ndarray, scores: np.ndarray, threshold: float = explanations.THRESHOLD
) -> dict[str, int]:
    """{kind: index of its clearest case}: the surest true and the worst false calls; absent kinds
    are left out."""
    group = explanations.group_of(truth, scores, threshold)
    sure = np.where(scores >= threshold, scores, -scores)
    return {
        name: int(np.flatnonzero(group == name)[np.argmax(sure[group == name])])
        for name in explanations.GROUPS
        if (group == name).any()
    }


def examples(folder: Path, synthetic: Synthetic, count: int = 8) -> None:
    """synthetic: the first synthetic images of each pseudo-label (thesis Figure 13)."""
    images, labels = synthetic.images["train"], synthetic.labels["train"][:, 0]
    sheet = []
    for name, label in (("Called\nnormal", 0), ("Called\nabnormal", 1)):
        sheet.append(
            (
                name,
                np.stack(
                    [enlarged(image[..., 0], CELL) for image in images[labels == label][:count]]
                ),
            )
        )
    for kind in KINDS:
        labeled_grid(sheet, folder / f"synthetic{kind}")

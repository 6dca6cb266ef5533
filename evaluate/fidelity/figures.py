"""The tables and pictures of the evaluation of fidelity (thesis Tables 3 to 5, Figures 3, 7 to 9,
11 and 13).

Each figure is a PNG of 300 dpi and an SVG; the data behind it is the CSV file of its name.
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from evaluate import common
from evaluate.fidelity import acceptance, explain
from evaluate.fidelity.pseudo import Synthetic
from pgcxr.cohort.manifest import Cohort
from pgcxr.io import artifacts
from pgcxr.metrics.auroc import roc_curve
from pgcxr.plots.confusion import confusion_plot
from pgcxr.plots.curves import line_plot
from pgcxr.plots.grids import labeled_grid
from pgcxr.plots.overlay import diff_overlay, outline, overlay
from pgcxr.plots.roc import roc_plot

ARMS = {
    "real_on_real": "Classifier (real) on real test set",
    "synthetic_on_synthetic": "Classifier (synthetic) on synthetic test set",
    "synthetic_on_real": "Classifier (synthetic) on real test set",
    "pseudolabelled_real_on_real": "Classifier (pseudo-labelled real) on real test set",
}
FEWEST = 20
CELL = 128  # px: images are shown at this size at least
KINDS = (".png", ".svg")


def write(folder: Path, report: dict, curves: dict, rows: Cohort, scores: dict) -> None:
    """roc and confusion-* as CSV and figures, predictions.csv (no patient identifiers).

    Args:
        curves: {arm: (truth [N], scores [N])}.
    """
    for kind in KINDS:
        roc_plot(
            {ARMS[arm].removesuffix(" test set"): curves[arm] for arm in ARMS},
            folder / f"roc{kind}",
        )
    points = [pd.DataFrame({"arm": arm, **roc_curve(*curves[arm])}) for arm in ARMS]
    _csv(pd.concat(points), folder / "roc.csv", index=False)
    for arm, title in ARMS.items():
        own = arm == "synthetic_on_synthetic"  # nobody knows the truth of a synthetic image
        truth = "Pseudo-label by classifier (real)" if own else "Ground truth"
        for kind in KINDS:
            confusion_plot(
                report[arm]["confusion"], folder / f"confusion-{arm}{kind}", title, truth
            )
        table = confusion_table(report[arm]["confusion"], "pseudo" if own else "truth")
        artifacts.write_text(folder / f"confusion-{arm}.csv", table.to_csv())
    table = pd.DataFrame(
        {
            "image_id": rows.manifest["image_id"],
            "label": rows.manifest["label"],
            "score_real": scores["real"],
            "score_synthetic": scores["synthetic"],
            "score_pseudolabelled_real": scores["control"],
        }
    )
    _csv(table, folder / "predictions.csv", index=False)


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


def acceptance_plots(folder: Path, table: pd.DataFrame, chosen: dict) -> None:
    """acceptance: the share of images that get a label; acceptance-right: the share of labels that
    are right.

    Args:
        table: of `acceptance.curves`.
        chosen: the thresholds of this run, marked by dots: abnormal above, normal below.
    """
    _csv(table, folder / "acceptance.csv")
    synthetic, control, test = (
        table.loc[name] for name in (acceptance.SYNTHETIC, acceptance.CONTROL, acceptance.TEST)
    )
    above, below = chosen["abnormal_above"], 1 - chosen["normal_below"]
    x, label = (
        synthetic["threshold"],
        "Threshold t: abnormal above t, normal below 1 \N{MINUS SIGN} t",
    )
    shares = {
        "synthetic, either label": synthetic["accepted"],
        "synthetic, called normal": synthetic["called_normal"],
        "synthetic, called abnormal": synthetic["called_abnormal"],
        "real test set, either label": test["accepted"],
    }
    marks = {"synthetic, called normal": below, "synthetic, called abnormal": above}
    if np.isclose(above, below):
        marks |= {name: above for name in shares}
    right = {
        "real test set, either label": _of_enough(test, "right", "accepted"),
        "real test set, called normal": _of_enough(test, "right_normal", "called_normal"),
        "real test set, called abnormal": _of_enough(test, "right_abnormal", "called_abnormal"),
        "real, control arm, either label": _of_enough(control, "right", "accepted"),
    }
    lowest = np.floor(10 * min(np.nanmin(share, initial=1.0) for share in right.values())) / 10
    for kind in KINDS:
        path = folder / f"acceptance{kind}"
        line_plot(
            x, shares, path, label, "Share of the images that get a label", ylim=(0, 1), marks=marks
        )
        path = folder / f"acceptance-right{kind}"
        known = {"real test set, called normal": below, "real test set, called abnormal": above}
        if np.isclose(above, below):
            known |= {name: above for name in right}
        line_plot(
            x,
            right,
            path,
            label,
            "Share of the labels that are right",
            ylim=(lowest, 1),
            marks=known,
        )


def _of_enough(table: pd.DataFrame, share: str, of: str) -> np.ndarray:
    """The column `share`, NaN where fewer than FEWEST images stand behind it: it would jump."""
    return table[share].where(table[of] * table["images"] >= FEWEST).to_numpy()


def explained(
    folder: Path, real, synthetic, rows: Cohort, images: np.ndarray, truth: np.ndarray, scores: dict
) -> None:
    """gradcam: thesis Figure 11, cases of the real test set under both classifiers, the lesion
    outlined.

    Args:
        real, synthetic: the two classifiers.
        images: uint8 [N, H, W, 1], of `rows`; truth [N]; scores {"real": [N], "synthetic": [N]}.
    """
    from pgcxr.classifier.gradcam import cam, gradcam

    chosen = cases(truth, scores["synthetic"])
    picked = list(chosen.values())
    pixels = common.from_uint8(images[picked])
    masks = Cohort(rows.folder, rows.manifest.iloc[picked].reset_index(drop=True)).masks(
        images.shape[1]
    )
    columns = []
    for make in (gradcam, cam):
        for model in (real, synthetic):
            maps = make(model, pixels)
            # One scale for each column, so that the maps of its four cases can be compared.
            columns.append((make is cam, maps, max(float(np.abs(maps).max()), 1e-6)))
    sheet = []
    for row, (name, index) in enumerate(chosen.items()):
        shown = enlarged(images[index, ..., 0])
        cells = [np.repeat(shown[..., None], 3, axis=-1)]
        for signed, maps, most in columns:
            large = explain.enlarged(maps[row : row + 1], shown.shape[0])[0]
            cells.append(
                diff_overlay(shown, large, most)
                if signed
                else overlay(shown, large, limits=(0.0, most))
            )
        if np.nan_to_num(masks[row]).any():
            cells = [outline(cell, cv2.resize(masks[row], cell.shape[1::-1])) for cell in cells]
        real_score, synthetic_score = scores["real"][index], scores["synthetic"][index]
        called = f"{real_score:.2f} by (real)\n{synthetic_score:.2f} by (synthetic)"
        sheet.append((f"{name}\nP(abnormal):\n{called}", np.stack(cells)))
    heads = [
        "Image",
        *(f"{kind}\n({name})" for kind in ("Grad-CAM", "CAM") for name in ("real", "synthetic")),
    ]
    for kind in KINDS:
        labeled_grid(sheet, folder / f"gradcam{kind}", heads)


def cases(
    truth: np.ndarray, scores: np.ndarray, threshold: float = explain.THRESHOLD
) -> dict[str, int]:
    """{kind: index of its clearest case}: the surest true and the worst false calls; absent kinds
    are left out."""
    group = explain.group_of(truth, scores, threshold)
    sure = np.where(scores >= threshold, scores, -scores)
    return {
        name: int(np.flatnonzero(group == name)[np.argmax(sure[group == name])])
        for name in explain.GROUPS
        if (group == name).any()
    }


def examples(folder: Path, synthetic: Synthetic, count: int = 8) -> None:
    """synthetic: the first synthetic images of each pseudo-label (thesis Figure 13)."""
    images, labels = synthetic.images["train"], synthetic.labels["train"][:, 0]
    sheet = []
    for name, label in (("Called\nnormal", 0), ("Called\nabnormal", 1)):
        sheet.append(
            (name, np.stack([enlarged(image[..., 0]) for image in images[labels == label][:count]]))
        )
    for kind in KINDS:
        labeled_grid(sheet, folder / f"synthetic{kind}")


def enlarged(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W] -> at least CELL px wide, interpolated."""
    if image.shape[0] >= CELL:
        return image
    return cv2.resize(image, (CELL, CELL), interpolation=cv2.INTER_CUBIC)


def _csv(table: pd.DataFrame, path: Path, **how) -> None:
    artifacts.write_text(path, table.to_csv(float_format="%.6f", **how))

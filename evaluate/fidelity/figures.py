"""The tables and pictures of the evaluation of fidelity (thesis Tables 3 to 5, Figures 7 to 9 and 11)."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from evaluate import common
from evaluate.fidelity.pseudo import Synthetic
from pgcxr import artefacts
from pgcxr.data.cohort import Cohort
from pgcxr.plots.confusion import confusion_plot
from pgcxr.plots.grids import labelled_grid
from pgcxr.plots.overlay import outline, overlay
from pgcxr.plots.roc import roc_plot

ARMS = {
    "real_on_real": "Classifier (real) on real test set",
    "synthetic_on_synthetic": "Classifier (synthetic) on synthetic test set",
    "synthetic_on_real": "Classifier (synthetic) on real test set",
    "pseudolabelled_real_on_real": "Classifier (pseudo-labelled real) on real test set",
}
CELL = 128  # px: images are shown at this size at least


def write(folder: Path, report: dict, curves: dict, rows: Cohort, scores: dict) -> None:
    """roc.png, confusion-*.csv and .png, predictions.csv (no patient identifiers)."""
    roc_plot(curves, folder / "roc.png")
    for arm, title in ARMS.items():
        own = arm == "synthetic_on_synthetic"  # nobody knows the truth of a synthetic image
        truth = "Pseudo-label by classifier (real)" if own else "Ground truth"
        confusion_plot(report[arm]["confusion"], folder / f"confusion-{arm}.png", title, truth)
        table = confusion_table(report[arm]["confusion"], "pseudo" if own else "truth")
        artefacts.write_text(folder / f"confusion-{arm}.csv", table.to_csv())
    table = pd.DataFrame(
        {
            "image_id": rows.manifest["image_id"],
            "label": rows.manifest["label"],
            "score_real": scores["real"],
            "score_synthetic": scores["synthetic"],
            "score_pseudolabelled_real": scores["control"],
        }
    )
    artefacts.write_text(folder / "predictions.csv", table.to_csv(index=False, float_format="%.6f"))


def confusion_table(confusion: dict, known: str = "truth") -> pd.DataFrame:
    """The layout of thesis Tables 3 to 5: rows are predictions, columns what is `known`, with totals."""
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


def gradcam_sheet(path: Path, real, synthetic, rows: Cohort, images: np.ndarray, truth: np.ndarray, scores: dict):
    """Thesis Figure 11: cases of the real test set under both classifiers' Grad-CAM, the lesion outlined.

    Args:
        real, synthetic: the two classifiers.
        images: uint8 [N, H, W, 1], of `rows`; truth [N]; scores {"real": [N], "synthetic": [N]}.
    """
    from pgcxr.training.gradcam import gradcam

    chosen = cases(truth, scores["synthetic"])
    picked = list(chosen.values())
    pixels = common.from_uint8(images[picked])
    maps = [gradcam(model, pixels) for model in (real, synthetic)]
    masks = Cohort(rows.folder, rows.manifest.iloc[picked].reset_index(drop=True)).masks(images.shape[1])
    # One scale for each classifier, so that the maps of its four cases can be compared.
    limits = [(0.0, max(float(found.max()), 1e-6)) for found in maps]
    sheet = []
    for row, (name, index) in enumerate(chosen.items()):
        shown = enlarged(images[index, ..., 0])
        cells = [np.repeat(shown[..., None], 3, axis=-1)]
        cells += [overlay(shown, found[row], limits=limit) for found, limit in zip(maps, limits, strict=True)]
        if np.nan_to_num(masks[row]).any():
            cells = [outline(cell, cv2.resize(masks[row], cell.shape[1::-1])) for cell in cells]
        called = f"{scores['real'][index]:.2f} by (real)\n{scores['synthetic'][index]:.2f} by (synthetic)"
        sheet.append((f"{name}\nP(abnormal):\n{called}", np.stack(cells)))
    labelled_grid(sheet, path, ["Image", "Classifier\n(real)", "Classifier\n(synthetic)"])


def cases(truth: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> dict[str, int]:
    """{kind: index of its clearest case}: the surest true and the worst false calls; absent kinds are left out."""
    called = scores >= threshold
    kinds = {
        "True negative": ((truth == 0) & ~called, -scores),
        "True positive": ((truth == 1) & called, scores),
        "False positive": ((truth == 0) & called, scores),
        "False negative": ((truth == 1) & ~called, -scores),
    }
    return {
        name: int(np.flatnonzero(member)[np.argmax(order[member])])
        for name, (member, order) in kinds.items()
        if member.any()
    }


def examples(path: Path, synthetic: Synthetic, count: int = 8) -> None:
    """The first synthetic images of each pseudo-label (thesis Figure 13)."""
    images, labels = synthetic.images["train"], synthetic.labels["train"][:, 0]
    sheet = []
    for name, label in (("Called\nnormal", 0), ("Called\nabnormal", 1)):
        sheet.append((name, np.stack([enlarged(image[..., 0]) for image in images[labels == label][:count]])))
    labelled_grid(sheet, path)


def enlarged(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W] -> at least CELL px wide, interpolated."""
    if image.shape[0] >= CELL:
        return image
    return cv2.resize(image, (CELL, CELL), interpolation=cv2.INTER_CUBIC)

"""ROC curves by class, drawn of the scores that the steps keep: thesis Figures 7 to 9 and Table 6
say only how all classes together do."""

from pathlib import Path

import pandas as pd

from evaluate.thesis import words
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import FINDINGS, NORMAL, TABLE_6
from pgcxr.plots.page import Page
from pgcxr.plots.roc import roc_plot

FOLDER = "figures"
FEWEST = 5  # images of a class behind a curve
CLASSIFIERS = {"score_real": "real", "score_synthetic": "synthetic"}


def of_classifiers(page: Page, out: Path, cohort: Path) -> None:
    """Each finding against normal images, as the classifiers of the fidelity study score them."""
    scores = pd.read_csv(out / "fidelity" / "predictions.csv", dtype={"image_id": str})
    rows = cohorts.load(cohort).manifest.astype({"image_id": str})
    rows = scores.merge(rows[["image_id", *FINDINGS]], on="image_id")
    normal = rows["label"] == NORMAL
    has = {name: rows[name].astype(str) == "1" for name in FINDINGS}
    pictures = []
    for column, name in CLASSIFIERS.items():
        curves = {
            words(finding): _against(rows.loc[normal, column], rows.loc[has[finding], column])
            for finding in FINDINGS
        }
        path = out / FOLDER / f"roc-{name}.png"
        caption = f"Classifier ({name}) on the real test set: each finding against normal images."
        pictures += _drawn(path, curves, caption)
    _add(page, pictures, "An image may have several findings.")


def of_anomalies(page: Page, out: Path, cohort: Path) -> None:
    """Each class of Table 6 against normal images, by the anomaly score of the chapter."""
    scores = pd.read_csv(out / "anomaly" / "scores.csv")
    of = {name: own["score"] for name, own in scores.groupby("class")}
    pictures = []
    for names, title in ((FINDINGS, "five findings"), (_others(), "other classes")):
        curves = {words(name): _against(of[NORMAL], of[name]) for name in names if name in of}
        path = out / FOLDER / f"roc-anomaly-{title.replace(' ', '-')}.png"
        pictures += _drawn(path, curves, f"Anomaly score: the {title} against normal images.")
    _add(page, pictures, "Of a dozen images a curve is a staircase, and its interval wide.")


def _others() -> list[str]:
    return [name for name in TABLE_6 if name not in FINDINGS]


def _against(normal: pd.Series, abnormal: pd.Series) -> tuple[list, list]:
    """(labels, scores)."""
    return [0] * len(normal) + [1] * len(abnormal), [*normal, *abnormal]


def _drawn(path: Path, curves: dict, caption: str) -> list[tuple]:
    """[(picture, caption)]; nothing where no class has images enough."""
    kept = {
        name: (labels, scores)
        for name, (labels, scores) in curves.items()
        if sum(labels) >= FEWEST and len(labels) - sum(labels) >= FEWEST
    }
    if not kept:
        return []
    roc_plot(kept, path)
    left = [name.lower() for name in curves if name not in kept]
    said = f" Left out, with fewer than {FEWEST} images: {', '.join(left)}." if left else ""
    return [(path, caption + said)]


def _add(page: Page, pictures: list[tuple], note: str) -> None:
    if pictures:
        page.heading("ROC curves by class").figures(pictures, across=2).text(note)

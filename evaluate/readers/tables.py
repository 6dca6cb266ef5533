"""Answers with their truth, one row a reading: what is exported and what is analyzed."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from evaluate.readers import study as studies
from evaluate.readers.kinds import ANOMALY, TURING
from evaluate.readers.store import Store
from evaluate.readers.study import Case, Study

NEAR = 0.05  # of the image's width; see `AnalysisOptions.near`


def answers(study: Study, store: Store) -> pd.DataFrame:
    """The last answer of each reader to each position and phase.

    Columns: reader, position, phase, case, training, repeat (the case was read before), those of
    the truth and of the answer, `positive` and `rating` (turing: synthetic, anomaly: abnormal, with
    a rating that is higher for it), `lesions` (their number; NaN where not known), `marks` (as
    text) and `marks_list`, seconds, at, and `window_...` of the first image.
    """
    cases = {case.name: case for case in study.cases}
    counts = {case.name: _lesions(study, case) for case in study.cases}
    rows = []
    for reader in store.readers():
        last = {(one.position, one.phase): one for one in store.answers(reader)}
        seen: set[tuple] = set()
        for (position, phase), one in sorted(last.items(), key=_order(study)):
            case = cases[one.case_name]
            marks = one.answer.get("marks", [])
            pane = study.kind.panes(phase)[0]
            shown = one.display.get(pane, {})
            rows.append(
                {
                    "reader": reader,
                    "position": position,
                    "phase": phase,
                    "case": case.name,
                    "training": case.training,
                    "repeat": (case.name, phase) in seen,
                    **{f"truth_{name}": value for name, value in case.truth.items()},
                    **{name: value for name, value in one.answer.items() if name != "marks"},
                    "positive": _positive(study, case),
                    "rating": _rating(study, one.answer),
                    "lesions": counts[case.name],
                    "marks": "; ".join(
                        f"{mark['x']:.4f} {mark['y']:.4f} {mark['confidence']}" for mark in marks
                    ),
                    "marks_list": marks,
                    "seconds": one.seconds,
                    "at": one.at,
                    **{f"window_{name}": value for name, value in shown.items()},
                }
            )
            seen.add((case.name, phase))
    columns = ["reader", "position", "phase", "case", "training", "repeat", "marks_list"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def marks(study: Study, rows: pd.DataFrame, near: float = NEAR) -> pd.DataFrame:
    """One row a mark: reader, phase, case, confidence, and the lesion that it hits (0: none).

    A mark hits the nearest lesion within `near` of the image's width; of several marks on one
    lesion, the surest counts, and the others are neither hits nor false.
    """
    cases = {case.name: case for case in study.cases}
    distances: dict[str, np.ndarray] = {}
    found = []
    for row in rows.itertuples():
        case = cases[row.case]
        if case.name not in distances:
            distances[case.name] = _distances(study.folder, case)
        best: dict[int, int] = {}
        for mark in row.marks_list:
            lesion = _hit(distances[case.name], mark, near)
            if lesion:
                best[lesion] = max(best.get(lesion, 0), mark["confidence"])
            else:
                found.append((row.reader, row.phase, row.case, mark["confidence"], 0))
        found += [(row.reader, row.phase, row.case, sure, lesion) for lesion, sure in best.items()]
    return pd.DataFrame(found, columns=["reader", "phase", "case", "confidence", "lesion"])


def _order(study: Study):
    names = study.kind.phase_names()
    return lambda item: (item[0][0], names.index(item[0][1]))


def _positive(study: Study, case: Case) -> bool | None:
    if study.kind.name == TURING:
        return case.truth["label"] == "synthetic"
    return case.truth["class"] != "normal" if study.kind.name == ANOMALY else None


def _rating(study: Study, answer: dict) -> float | None:
    """Higher for synthetic, or abnormal: the confidence with its sign; with marks, that of the
    surest one."""
    if study.kind.name == TURING:
        return answer["confidence"] * (1 if answer["label"] == "synthetic" else -1)
    if study.kind.name == ANOMALY:
        if answer["detected"] == "yes":
            return max(mark["confidence"] for mark in answer["marks"])
        return -answer["confidence"]
    return None


def _lesions(study: Study, case: Case) -> float:
    """How many lesions a case has; NaN where their places are not known."""
    if case.lesions:
        return float(_numbered(study.folder, case).max())
    return 0.0 if study.kind.name == ANOMALY and case.truth["class"] == "normal" else np.nan


def _numbered(folder: Path, case: Case) -> np.ndarray:
    return cv2.imread(str(folder / studies.TRUTH / case.lesions), cv2.IMREAD_UNCHANGED)


def _distances(folder: Path, case: Case) -> np.ndarray:
    """[L, H, W]: how far each pixel is from each lesion, in shares of the width."""
    if not case.lesions:
        return np.zeros((0, 1, 1))
    numbered = _numbered(folder, case)
    return (
        np.stack(
            [
                cv2.distanceTransform((numbered != lesion).astype(np.uint8), cv2.DIST_L2, 5)
                for lesion in range(1, int(numbered.max()) + 1)
            ]
        )
        / numbered.shape[1]
    )


def _hit(distances: np.ndarray, mark: dict, near: float) -> int:
    """The number of the lesion that a mark hits, 0 for none."""
    if not len(distances):
        return 0
    _, height, width = distances.shape
    y, x = min(int(mark["y"] * height), height - 1), min(int(mark["x"] * width), width - 1)
    nearest = int(np.argmin(distances[:, y, x]))
    return nearest + 1 if distances[nearest, y, x] <= near else 0

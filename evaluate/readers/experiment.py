"""Analyzes the answers of a study."""

from pathlib import Path

import pandas as pd

from evaluate.readers import analyses, figures, tables
from evaluate.readers.chapter import ReadersResult
from evaluate.readers.options import AnalysisOptions
from evaluate.readers.session import prepared
from evaluate.readers.store import Store
from evaluate.readers.study import Study
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.plots.page import Page


def run(
    folder: str | Path, out: str | Path, options: AnalysisOptions | None = None, seed: int = 0
) -> ReadersResult:
    """Writes the folder `out`: report.json, report.html, readings.csv and figures.

    Args:
        folder: of the study.
        out: new folder.
        options: `AnalysisOptions()` where left out.
        seed: of the bootstrap.

    Raises:
        InputError: no study, or nobody has answered anything that counts.
    """
    options = options or AnalysisOptions()
    study, store = prepared(folder)
    places.refuse_existing(Path(out))
    rows = tables.answers(study, store)
    first = rows[~(rows["training"].astype(bool) | rows["repeat"].astype(bool))]
    if first.empty:
        raise InputError(f"{study.folder}: no answers yet that count; serve it to readers first")
    progress, joint, warnings = _readers(study, store, rows, first)
    report = {
        "title": study.title,
        "kind": study.kind.name,
        "cases": sum(not case.training for case in study.cases),
        "readers": progress,
        "joint_readers": joint,
        "warnings": warnings,
        "source": study.source,
    }
    report |= analyses.ANALYSES[study.kind.name](study, rows, first, joint, options, seed)
    with artifacts.new_folder(out) as beside:
        table = rows.drop(columns="marks_list")
        result = ReadersResult(Path(out), report, {"readings.csv": table}).made_with(options, seed)
        result.write(beside)
        figures.draw(beside, study.kind.name, first, result.figures)
        page = Page(f"Reader study: {study.title}")
        ReadersResult(beside, result.figures, {}, result.made_by).chapter(page)
        page.write(beside / "report.html")
    return result


def _readers(
    study: Study, store: Store, rows: pd.DataFrame, first: pd.DataFrame
) -> tuple[dict, list[str], list[str]]:
    """({reader: progress}, those whose answers are analyzed together, what is said of it)."""
    phases = len(study.kind.phases)
    progress, warnings = {}, []
    for reader in store.readers():
        own = rows[rows["reader"] == reader]
        wanted = len(study.order(reader)) * phases
        progress[reader] = {
            "answered": len(own),
            "of": wanted,
            "changed": len(store.answers(reader)) - len(own),
            "median_seconds": float(own["seconds"].median()) if len(own) else None,
        }
    began = [name for name in progress if (first["reader"] == name).any()]
    finished = [name for name in began if progress[name]["answered"] == progress[name]["of"]]
    for name, each in progress.items():
        if each["answered"] < each["of"]:
            what = "is left out of figures of all readers" if finished else "has not finished"
            warnings.append(f"{name} answered {each['answered']} of {each['of']}, and {what}")
    if not finished:
        warnings.append("nobody has finished: figures of all readers are of cases that all read")
    joint = finished or began
    if len(joint) == 1:
        warnings.append("one reader: nothing is said of other readers")
    return progress, joint, warnings

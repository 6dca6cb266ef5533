"""Writes the phantom's clinic as a PACS export: DICOM files, studies.csv, truth/, report.json."""

import collections
import csv
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort.findings import TABLE_6
from pgcxr.errors import InputError
from pgcxr.io import artifacts, worker_process
from pgcxr.phantom.clinic import Attendance, attend
from pgcxr.phantom.messy import spoil
from pgcxr.phantom.options import PhantomOptions
from pgcxr.phantom.study_files import study_row, write_image

STUDY_COLUMNS = (
    "accession_number",
    "patient_id",
    "study_date",
    "modality",
    "diagnosis_codes",
    "report",
)
TRUTH_COLUMNS = ("file", "patient_id", "view", "findings", "devices")
_BATCH = 16


@dataclass(frozen=True)
class Written:
    """The table rows of one patient."""

    studies: list[dict[str, str]]
    truth: list[dict[str, str]]


def write_export(
    out: str | os.PathLike,
    options: PhantomOptions,
    advance: Callable[[int], None] | None = None,
) -> dict:
    """Writes a fake PACS export with known truth into a new folder.

    Args:
        out: folder to make.
        options: on all of them but `workers` the bytes depend.
        advance: called with the number of patients finished since the last call.

    Returns:
        The body of report.json: patients, studies, images, size, and images by view and finding.

    Example:

        >>> import tempfile
        >>> from pathlib import Path
        >>> out = Path(tempfile.mkdtemp()) / "export"
        >>> report = write_export(out, PhantomOptions(patients=2, seed=1, size=64, workers=1))
        >>> report["patients"], (out / "studies.csv").is_file(), (out / "truth").is_dir()
        (2, True, True)
    """
    patients, seed, size = options.patients, options.seed, options.size
    with artifacts.new_folder(out) as folder:
        (folder / "truth" / "masks").mkdir(parents=True)
        written = []
        for done in _all(folder, options):
            written += done
            if advance:
                advance(len(done))
        studies = [row for one in written for row in one.studies]
        truth = [row for one in written for row in one.truth]
        body = {"patients": patients, "studies": len(studies), "images": len(truth), "size": size}
        body |= _counts(truth)
        if options.messy:
            body["messy"] = spoil(folder, patients, seed, size, studies, truth)
        _table(folder / "studies.csv", STUDY_COLUMNS, studies)
        _table(folder / "truth" / "truth.csv", TRUTH_COLUMNS, truth)
        config = {"patients": patients, "size": size, "messy": options.messy}
        artifacts.write_report(folder, body, command="pgcxr phantom", seed=seed, config=config)
    return body


def seed_of(export: str | os.PathLike) -> int | None:
    """The seed that an export was drawn from, which makes its patients; None where it is no
    phantom."""
    path = Path(export) / "report.json"
    try:
        made_by = artifacts.read_json(path)["made_by"]
        return int(made_by["seed"]) if made_by["command"] == "pgcxr phantom" else None
    except (InputError, OSError, KeyError, TypeError, ValueError):
        return None


def write_patient(folder: Path, attendance: Attendance, seed: int, size: int) -> Written:
    """Renders and writes all images of one patient."""
    studies, truth = [], []
    for study in attendance.studies:
        studies.append(study_row(attendance, study, seed))
        for image, view in enumerate(study.views):
            truth.append(write_image(folder, attendance, study, image, view, seed, size))
    return Written(studies, truth)


def _all(folder: Path, options: PhantomOptions) -> Iterator[list[Written]]:
    starts = range(0, options.patients, _BATCH)
    batches = [range(start, min(start + _BATCH, options.patients)) for start in starts]
    tasks = [(folder, batch, options.seed, options.size) for batch in batches]
    workers = options.workers or os.cpu_count() or 1
    if workers == 1 or len(tasks) == 1:
        yield from map(_batch, tasks)
        return
    # Not forked: the caller may have TensorFlow's threads running.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), context, worker_process.start, (os.getpid(),)
    )
    try:
        # Not pool.map: it cancels what is waiting, and the pool's own thread then fails where
        # workers are ended.
        with worker_process.deaf():
            waiting = [pool.submit(_batch, task) for task in tasks]
        for done in waiting:
            yield done.result()
    except BaseException:
        # An interrupt is answered now, not after the patients that are under way.
        worker_process.end_all()
        raise
    finally:
        pool.shutdown()


def _batch(task: tuple[Path, range, int, int]) -> list[Written]:
    folder, batch, seed, size = task
    return [write_patient(folder, attend(seed, index), seed, size) for index in batch]


def _counts(truth: list[dict[str, str]]) -> dict:
    names = [[item.split(":")[0] for item in row["findings"].split(";") if item] for row in truth]
    by_finding = collections.Counter(name for found in names for name in found)
    return {
        "images_by_view": dict(sorted(collections.Counter(row["view"] for row in truth).items())),
        "images_by_finding": {name: by_finding[name] for name in TABLE_6},
        "images_without_finding": sum(not found for found in names),
        "images_with_two_findings": sum(len(found) > 1 for found in names),
        "images_with_device": sum(bool(row["devices"]) for row in truth),
    }


def _table(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with (
        artifacts.atomic_path(path) as beside,
        open(beside, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

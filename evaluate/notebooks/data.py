"""What curation made of an export: kept, lost, and taken away."""

from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.display import HTML

from evaluate.notebooks.showing import Study, shown
from pgcxr.cohort import manifest as cohorts
from pgcxr.curation import losses, overview, summary
from pgcxr.dicom import normalization
from pgcxr.io import artifacts
from pgcxr.plots import grids
from pgcxr.plots.page import Page

SIDE = 256  # px: smaller images are enlarged


def kept(study: Study) -> HTML:
    """Flow chart, exclusions, composition, and the lines and warnings of `pgcxr curate`."""
    folder, report = study.step("cohort"), study.report("cohort")
    page = Page("")
    page.commands(losses.lines(report, folder.name))
    for warning in report["warnings"]:
        page.verdict(None, warning)
    summary.chapter(page, folder, report, artifacts.read_json(folder / "flowchart.json"))
    return shown(page)


def montage(study: Study, seed: int = 0) -> HTML:
    """Images of each class."""
    page, cohort = Page(""), cohorts.load(study.step("cohort"))
    with TemporaryDirectory() as scratch:
        sheet = overview.montage(cohort, Path(scratch) / "montage.png", seed=seed)
        page.figure(sheet, "Random images of each class, those with one disease alone first.")
    return shown(page)


def people(study: Study) -> HTML:
    """Who is in the cohort."""
    page = Page("")
    for title, rows in overview.people(cohorts.load(study.step("cohort")).manifest).items():
        page.table([title, "Normal", "Abnormal", "All images"], rows)
    return shown(page)


def one_file(study: Study) -> HTML:
    """One DICOM file of the export, step by step."""
    report, page = study.report("cohort"), Page("")
    how = normalization.parse(report["normalise"])
    images = overview.steps(overview.a_file(study.step("export")), report["size"], how)
    with TemporaryDirectory() as scratch:
        page.figures(
            [
                (
                    grids.write_png(Path(scratch) / f"{place}.png", grids.enlarged(image, SIDE)),
                    f"{name}, {image.shape[1]} x {image.shape[0]} px",
                )
                for place, (name, image) in enumerate(images.items())
            ]
        )
    return shown(page)


def identity(study: Study) -> HTML:
    """What becomes of a header, and what the audit looked for."""
    page, audit = Page(""), study.report("cohort").get("privacy_audit")
    page.table(
        ["Element of the header", "In a de-identified export", "In the cohort"],
        overview.header(overview.a_file(study.step("export"))),
        "Elements of one file that Table E.1-1 of DICOM PS3.15 names, or of which the cohort keeps "
        "something.",
    )
    if audit is None:
        page.verdict(None, "no privacy audit was made of this cohort: `pgcxr privacy-audit`")
    else:
        page.verdict(
            audit["found"] == 0,
            f"{audit['identifiers']:,} identifiers of {audit['files']:,} files were looked for in "
            f"{audit['outputs']:,} files of the cohort: {audit['found']} found.",
            "Audit",
        )
    return shown(page)

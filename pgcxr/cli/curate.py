"""`pgcxr curate` and `pgcxr records` for the command line."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.curation.options import CurationOptions


@takes_options
def curate(
    export: Annotated[
        Path, typer.Argument(help="A PACS export (DICOM and studies.csv) or a public set.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="The cohort's folder, new, or what this command made of the same export."
        ),
    ],
    options: CurationOptions,
) -> None:
    """Turns an export into a cohort: rules, flow chart, splits by patient, de-identified 8-bit
    images."""
    from pgcxr.curation import losses
    from pgcxr.curation.run import curate as run

    report = run(export, out, options, say=lambda line: typer.echo(line, err=True))
    for line in losses.lines(report, out):
        typer.echo(line)
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning}", err=True)


def records(
    cohort: Annotated[Path, typer.Argument(help="A cohort written by `pgcxr curate`.")],
    format: Annotated[
        str, typer.Option(help="png or nvidia (the original's multi-resolution TFRecords).")
    ] = "png",
    out: Annotated[
        Path | None, typer.Option(help="Folder; by default records/FORMAT in the cohort.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels; by default the cohort's.")
    ] = None,
) -> None:
    """Writes a cohort as TFRecords, one set for each split."""
    from pgcxr.cohort.records import write

    report = write(cohort, format, out=out, size=size)
    typer.echo(
        f"{report['folder']}: {sum(report['images'].values())} images at {report['size']} px as "
        f"{format}"
    )

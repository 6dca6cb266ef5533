"""`pgcxr export-deidentified` for the command line."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.privacy.deidentified.options import DeidentificationOptions


@takes_options
def export_deidentified(
    export: Annotated[Path, typer.Argument(help="A folder of DICOM files, in any tree.")],
    out: Annotated[Path, typer.Option(help="The new folder.")],
    options: DeidentificationOptions,
) -> None:
    """De-identifies the images of an export by DICOM's basic profile (PS3.15 Annex E), as DICOM."""
    from pgcxr.privacy.deidentified.export import export_deidentified as run

    report = run(export, out, options)
    black = report["made_black"]
    typer.echo(
        f"{out}: {report['images']} de-identified images of {report['files']} files; no identifier "
        f"found in them{f', {black} of them partly made black' if black else ''}"
    )
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning}", err=True)

"""`pgcxr export-deidentified` for the command line."""

from pathlib import Path
from typing import Annotated

import typer


def export_deidentified(
    export: Annotated[Path, typer.Argument(help="A folder of DICOM files, in any tree.")],
    out: Annotated[Path, typer.Option(help="The new folder.")],
    dates: Annotated[
        str, typer.Option(help="remove, or shift by a secret number of days for each patient.")
    ] = "remove",
    keep_characteristics: Annotated[
        bool,
        typer.Option(
            "--keep-characteristics", help="Keep age (90 and above as 90), sex, size and weight."
        ),
    ] = False,
    black_out: Annotated[
        list[str] | None,
        typer.Option(help="x,y,w,h: a region to make black, as fractions; may be repeated."),
    ] = None,
    black_out_text: Annotated[
        bool,
        typer.Option("--black-out-text", help="Make text that is found near the borders black."),
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Key of the hashes and UIDs, made on first use; by default "
                "~/.config/pgcxr/patient_key."
            )
        ),
    ] = None,
    findings: Annotated[
        Path | None,
        typer.Option(
            help=(
                "PRIVATE table of what the audit found; by default privacy_findings.csv beside the "
                "key."
            )
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes; 0: none but this one; by default one for each core."),
    ] = None,
) -> None:
    """De-identifies the images of an export by DICOM's basic profile (PS3.15 Annex E), as DICOM."""
    from pgcxr.privacy.deidentified.export import export_deidentified as run

    report = run(
        export,
        out,
        dates=dates,
        characteristics=keep_characteristics,
        black_out=black_out or (),
        black_out_text=black_out_text,
        key_file=key_file,
        findings=findings,
        processes=workers,
    )
    typer.echo(
        f"{out}: {report['images']} de-identified images of {report['files']} files; no identifier "
        "found in them"
        f"{', ' + str(report['made_black']) + ' of them partly made black' if report['made_black'] else ''}"
    )
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning}", err=True)

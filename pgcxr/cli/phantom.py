"""The `pgcxr phantom` command."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.command import SEED


def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the export.")],
    patients: Annotated[int, typer.Option(help="Number of patients; about 1.25 images each.")],
    seed: Annotated[int, typer.Option(**SEED, help="Same seed, same bytes.")] = 0,
    size: Annotated[int, typer.Option(help="Pixels on a side, 64 to 4096.")] = 512,
    messy: Annotated[
        bool, typer.Option("--messy", help="Add broken, duplicate and mislabelled files.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one per core by default.", min=1, max=256)
    ] = None,
) -> None:
    """Makes a fake PACS export of chest radiographs with known truth."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from pgcxr.io import places
    from pgcxr.phantom.export import write_export

    places.refuse_existing(out)
    columns = (TextColumn("patients"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("patients", total=max(patients, 1))
        body = write_export(
            out, patients, seed, size, messy, workers, lambda done: progress.advance(task, done)
        )
    print(
        f"{out}: {body['images']} images of {body['patients']} patients in {body['studies']} "
        "studies"
    )

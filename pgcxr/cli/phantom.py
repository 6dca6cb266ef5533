"""The `pgcxr phantom` command."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.phantom.options import PhantomOptions


@takes_options
def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the export.")],
    options: PhantomOptions,
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
        task = progress.add_task("patients", total=options.patients)
        body = write_export(out, options, lambda done: progress.advance(task, done))
    print(
        f"{out}: {body['images']} images of {body['patients']} patients in {body['studies']} "
        "studies"
    )

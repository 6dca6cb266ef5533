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
    from pgcxr.io import places
    from pgcxr.io.progress import COUNT, Bars
    from pgcxr.phantom.export import write_export

    places.refuse_existing(out)
    with Bars(amount=COUNT) as bars:
        bars.update("patients", 0, options.patients)
        body = write_export(out, options, lambda done: bars.advance("patients", done))
    print(
        f"{out}: {body['images']} images of {body['patients']} patients in {body['studies']} "
        "studies"
    )

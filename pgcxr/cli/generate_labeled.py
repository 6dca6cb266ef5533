"""`pgcxr generate-labeled` for the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import edit
from pgcxr.cli.options import takes_options
from pgcxr.editing.options import MixOptions


@takes_options
def generate_labeled(
    run: Annotated[Path, typer.Argument(help="RUN: a finished `python -m train.gan`")],
    axes: Annotated[Path, edit.AXES],
    out: Annotated[Path, typer.Option(help="folder for the images; must not exist")],
    options: MixOptions,
    guide: Annotated[list[Path], edit.GUIDE] = [],  # noqa: B006
    judge: Annotated[list[Path], edit.JUDGE] = [],  # noqa: B006
) -> None:
    """Makes synthetic radiographs whose labels judges confirm, so many of each.

    Guides propose, judges that took no part confirm. Writes images/NNNNNN.png, labels.csv (a line
    for each try: what was asked for, what guides and judges say, whether it was accepted),
    latents.npz, samples.png and report.json. Fewer than asked for are never delivered: where a
    finding cannot be shown often enough, nothing is written.
    """
    edit.refuse(run, axes, out)
    from pgcxr.editing.edit import Networks
    from pgcxr.editing.labeled import generate_labeled as make
    from pgcxr.io.progress import Bars
    from pgcxr.sampling import output

    output.deterministic()
    with Bars() as bars:
        report = make(run, axes, out, options, bars.update, Networks(guide, judge))
    for note in report["notes"]:
        print(f"note: {note}", file=sys.stderr)
    print(f"{out}: {report['images']} synthetic images, labels.csv")

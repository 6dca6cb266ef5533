"""`pgcxr edit` for the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.editing.options import EditOptions

AXES = typer.Option(help="folder of `python -m evaluate.axes RUN ...`")
GUIDE = typer.Option(
    help="RUN of a guide of the axes, where it is not where the folder says; may be repeated"
)
JUDGE = typer.Option(help="RUN of a judge of the axes, likewise; may be repeated")


@takes_options
def edit(
    run: Annotated[Path, typer.Argument(help="RUN: a finished `python -m train.gan`")],
    axes: Annotated[Path, AXES],
    out: Annotated[Path, typer.Option(help="folder for the images; must not exist")],
    options: EditOptions,
    guide: Annotated[list[Path], GUIDE] = [],  # noqa: B006
    judge: Annotated[list[Path], JUDGE] = [],  # noqa: B006
) -> None:
    """Moves images along disease axes, from as they are to severe.

    Writes strips.png and, of each image, strips/NAME.png with what has changed and where a
    classifier looks; animation.gif and animation.mp4; likelihoods.csv, what guides and judges say
    of every image; images/NNNNNN.png, latents.npz (for `pgcxr generate --latents`) and report.json.
    An axis that did not count as found is refused unless --unproven is given.
    """
    from pgcxr.editing import axes_folder
    from pgcxr.editing.options import axes as named

    refuse(run, axes, out)
    axes_folder.checked(axes, list(named(options.axis)), options.unproven)
    from pgcxr.editing import edit as editing
    from pgcxr.io.progress import Bars
    from pgcxr.sampling import output

    output.deterministic()
    networks = editing.Networks(guide, judge)
    with Bars() as bars:
        report = editing.edit(run, axes, out, options, bars.update, networks)
    for note in report["notes"]:
        print(f"note: {note}", file=sys.stderr)
    print(f"{out}: {report['images']} images of {len(report['starts'])} starts; strips.png")


def refuse(run: Path, axes: Path, out: Path) -> None:
    """Raises InputError for what can be told of the places before TensorFlow is loaded."""
    from pgcxr.io import folders, places
    from pgcxr.sampling import runs

    places.refuse_existing(out)
    runs.existing_network(run, runs.GENERATOR, folders.GAN)
    places.existing_folder(axes, "a folder written by `python -m evaluate.axes`")

"""`pgcxr import-nvidia` and `pgcxr export-nvidia` for the command line."""

from pathlib import Path
from typing import Annotated

import typer


def import_nvidia(
    file: Annotated[
        Path, typer.Argument(help="official network pickle (G, D, Gs), gzipped or not")
    ],
    out: Annotated[
        Path, typer.Option(help="RUN: new folder with generator-ema.keras and discriminator.keras")
    ],
) -> None:
    """Makes a RUN of an official network pickle, which is read as data and never run."""
    from pgcxr.sampling import exchange

    average = exchange.import_pickle(file, out)
    print(
        f"{out}: {average.resolution} px, {average.channels} channels, {average.label_size} labels"
    )


def export_nvidia(
    run: Annotated[
        Path,
        typer.Argument(help="RUN: a finished `python -m train.gan`, or what import-nvidia made"),
    ],
    out: Annotated[Path, typer.Option(help="FILE.pkl, in the official format; must not exist")],
    networks_py: Annotated[
        Path | None,
        typer.Option(
            help=(
                "your own copy of the original's networks.py, put into the file so that it loads "
                "outside the original's folder, too"
            )
        ),
    ] = None,
) -> None:
    """Writes a RUN's networks as an official pickle (G, D, Gs), which the original's own code, in
    its own folder, loads, evaluates and trains on.

    A RUN of train.gan keeps the average alone: there G is Gs. What the original then trains comes
    back by `pgcxr import-nvidia`.
    """
    from pgcxr.sampling import exchange

    average = exchange.export_pickle(run, out, networks_py)
    print(f"{out}: G, D, Gs of {average.resolution} px")

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
            help="your own copy of the original's networks.py, which its loader needs inside"
        ),
    ] = None,
) -> None:
    """Writes a RUN's networks as an official pickle (G, D, Gs), so that the original code can check
    them.

    A RUN of train.gan keeps the average alone: there G is Gs. Without --networks-py the original's
    loader stops at the empty source; its `Network.set_vars` takes the arrays all the same.
    """
    from pgcxr.sampling import exchange

    average = exchange.export_pickle(run, out, networks_py)
    print(f"{out}: G, D, Gs of {average.resolution} px")

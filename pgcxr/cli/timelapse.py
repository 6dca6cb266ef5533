"""`pgcxr timelapse` for the command line."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.errors import InputError


def timelapse(
    run: Annotated[Path, typer.Argument(help="RUN: of `python -m train.gan`, ended or not")],
) -> None:
    """Makes RUN/training.gif again, the training as its fixed latents saw it, from the sheets in
    RUN/samples."""
    from pgcxr.gan.config import GanConfig
    from pgcxr.io import folders

    folders.existing_run(run, (folders.GAN,))
    config = GanConfig.of_run(run)
    from pgcxr.gan import timelapse as timelapses  # draws, so it takes its time to load

    if (written := timelapses.write(run, config)) is None:
        raise InputError(
            f"{run / 'samples'}: no sheets kimg*.png; let the training come to its first tick"
        )
    print(written)

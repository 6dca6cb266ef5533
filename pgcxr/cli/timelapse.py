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
    from pgcxr.gan import settings_check
    from pgcxr.gan import timelapse as timelapses
    from pgcxr.io import artifacts, places

    places.existing_folder(run, "a RUN written by `python -m train.gan`")
    file = run / "config.json"
    config = artifacts.read_json(file)
    # Tables by resolution have texts for keys in JSON: only what is plain is checked.
    plain = {key: value for key, value in config.items() if not isinstance(value, dict)}
    settings_check.check(
        settings_check.GAN, plain, where=f"{file}: ", needed=("resolution", "total_kimg")
    )
    if (written := timelapses.write(run, config)) is None:
        raise InputError(
            f"{run / 'samples'}: no sheets kimg*.png; let the training come to its first tick"
        )
    print(written)

"""Trains an encoder that guesses, for a GAN of normal images, the latent of an image."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m train.encoder runs/gan_normal runs/cohort --config small "
    "--out runs/encoder"
)
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan --label normal")],
    cohort: Annotated[Path, typer.Argument(help="folder written by `pgcxr curate`")],
    out: Annotated[
        Path, typer.Option(help="RUN: a new folder, or one where this very training is finished")
    ],
    config: Annotated[str, typer.Option(help="demo or small (train/configs)")] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(**command.SEED, help="of weights, images and latents")] = 0,
) -> None:
    """Trains on images that the GAN makes of known latents, and on the normal images of split
    train; reports on those of split val. No abnormal image is read. An interrupted training goes
    on, after its last whole epoch, when the same command is given again."""
    from train.common import load_config

    settings = load_config("encoder", config, set_)
    from train.encoder.training import train

    train(gan_run, cohort, out, settings, seed)


if __name__ == "__main__":
    command.run(app, name="python -m train.encoder")

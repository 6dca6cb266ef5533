"""Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m train.gan runs/cohort --config small --out runs/gan --set "
        "total_kimg=100"
    )
)
def main(
    cohort: Annotated[
        Path, typer.Argument(help="folder written by `pgcxr curate` or `pgcxr records`")
    ],
    out: Annotated[
        Path, typer.Option(help="RUN: new folder of this training; an interrupted one goes on")
    ],
    config: Annotated[
        str,
        typer.Option(help="demo, small, thesis, nvidia:gpus=4,fp16 or nvidia:v1 (train/configs)"),
    ] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    label: Annotated[str, typer.Option(help="all, normal or abnormal images")] = "",
    seed: Annotated[int | None, typer.Option(help="of weights, latents and image order")] = None,
    preflight: Annotated[
        bool,
        typer.Option(
            "--preflight", help="only tell the parameters, memory and time of every level here"
        ),
    ] = False,
) -> None:
    """Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""
    from train.common import load_config
    from train.gan import training

    changes = ({"label": label} if label else {}) | ({} if seed is None else {"seed": seed})
    settings = load_config("gan", config, set_).replace(**changes)
    (training.preflight if preflight else training.train)(cohort, out, settings)


if __name__ == "__main__":
    command.run(app, name="python -m train.gan")

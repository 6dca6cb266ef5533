"""Trains a classifier on the real images of a cohort (thesis 2.2 and 3.2)."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m train.classifier runs/cohort --labels binary --config small --out "
        "runs/binary"
    )
)
def main(
    cohort: Annotated[Path, typer.Argument(help="folder written by `pgcxr curate`")],
    labels: Annotated[
        str, typer.Option(help="binary (abnormal or not), findings (normal and the five) or device")
    ],
    out: Annotated[
        Path, typer.Option(help="RUN: a new folder, or one where this very training is finished")
    ],
    config: Annotated[str, typer.Option(help="demo, small or thesis (train/configs)")] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of weights, image order and augmentation")
    ] = 0,
) -> None:
    """Trains on split train, stops early by split val and reports on split test."""
    from train.common import load_config

    settings = load_config("classifier", config, set_)
    from train.classifier.training import train

    train(cohort, labels, out, settings, seed)


if __name__ == "__main__":
    command.run(app, name="python -m train.classifier")

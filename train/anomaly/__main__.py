"""Trains an anomaly segmentation network on a cohort's normal images, with artificial anomalies in
them."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m train.anomaly runs/cohort --config small --out runs/anomaly_network"
)
def main(
    cohort: Annotated[Path, typer.Argument(help="folder written by `pgcxr curate`")],
    out: Annotated[
        Path, typer.Option(help="RUN: a new folder, or one where this very training is finished")
    ],
    config: Annotated[str, typer.Option(help="demo or small (train/configs)")] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    init: Annotated[
        str,
        typer.Option(
            help="begin with the weights of a RUN, or of phantom-64-normal (config small, quick)"
        ),
    ] = "",
    supervised: Annotated[
        bool,
        typer.Option(
            "--supervised",
            help="learn from the abnormal images of split train in the place of artificial "
            "anomalies: what evaluate.anomaly names as the bound",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of weights, images and artificial anomalies")
    ] = 0,
) -> None:
    """Trains on the normal images of split train; reports on those of split val. No abnormal image
    is read, unless told so. An interrupted training begins anew: it takes minutes."""
    from train.common import load_config

    settings = load_config("anomaly", config, set_)
    from train.anomaly.training import train

    train(cohort, out, settings, seed, init, supervised)


if __name__ == "__main__":
    command.run(app, name="python -m train.anomaly")

"""Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command
from pgcxr.cli.options import takes_options
from pgcxr.errors import InputError
from pgcxr.gan.stated import PreflightOptions
from pgcxr.options import TEXT, Options, option, or_none, whole

app = command.new_app(__doc__)


@dataclass(frozen=True)
class InitOptions(Options):
    """Whose weights a training begins with."""

    init: str = option(
        "",
        TEXT,
        "begin with the networks of another RUN, of an official .pkl, or of one that comes with "
        "pgcxr, such as phantom-64",
    )
    freeze_d: int | None = option(
        None,
        or_none(whole(0, 9)),
        "with --init: levels of D nearest to the image that stay as they are",
    )


@app.command(
    epilog=(
        "Example: python -m train.gan runs/cohort --config small --out runs/gan --set "
        "total_kimg=100"
    )
)
@takes_options
def main(
    cohort: Annotated[
        Path | None, typer.Argument(help="folder written by `pgcxr curate` or `pgcxr records`")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="RUN: new folder of this training; an interrupted one goes on"),
    ] = None,
    config: Annotated[
        str,
        typer.Option(help="demo, small, thesis, nvidia:gpus=4,fp16 or nvidia:v1 (train/configs)"),
    ] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    label: Annotated[str, typer.Option(help="all, normal or abnormal images")] = "",
    begin: InitOptions = InitOptions(),
    seed: Annotated[int | None, typer.Option(help="of weights, latents and image order")] = None,
    options: PreflightOptions = PreflightOptions(),
) -> None:
    """Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""
    from train.common import load_config

    given = {"label": label or None, "seed": seed, "freeze_d": begin.freeze_d}
    given["replicas"] = options.replicas
    changes = {name: value for name, value in given.items() if value is not None}
    settings = load_config("gan", config, set_).replace(**changes)
    if not options.preflight and (cohort is None or out is None):
        missing = "argument 'COHORT'" if cohort is None else "option '--out'"
        raise InputError(f"Missing {missing}. See --help.")
    from train.gan import training

    if options.preflight:
        training.preflight(cohort, out, settings, options)
    else:
        training.train(cohort, out, settings, begin.init)


if __name__ == "__main__":
    command.run(app, name="python -m train.gan")

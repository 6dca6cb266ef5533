"""The installed command. Each body imports what it needs, so that `pgcxr --help` is instant."""

from typing import Annotated

import typer

import pgcxr
from pgcxr.cli import command
from pgcxr.cli.curate import curate, records
from pgcxr.cli.edit import edit
from pgcxr.cli.export_deidentified import export_deidentified
from pgcxr.cli.generate import generate
from pgcxr.cli.generate_labeled import generate_labeled
from pgcxr.cli.nvidia import export_nvidia, import_nvidia
from pgcxr.cli.phantom import phantom
from pgcxr.cli.privacy_audit import privacy_audit
from pgcxr.cli.screen import screen
from pgcxr.cli.timelapse import timelapse
from pgcxr.errors import InputError

app = command.new_app(
    "Progressive GANs on chest radiographs: phantom, curation, records, generation, editing "
    "along disease axes, screening, timelapse of a training, exchange with the original.",
    "Example: pgcxr phantom runs/export --patients 200 --seed 1 --size 256; then `pgcxr COMMAND "
    "--help`. Training and evaluation are scripts of the checkout: `python -m train.gan --help`.",
)
app.command(epilog="Example: pgcxr phantom runs/export --patients 200 --seed 1 --size 256")(phantom)
app.command(epilog="Example: pgcxr curate runs/export --out runs/cohort --size 128")(curate)
app.command(epilog="Example: pgcxr records runs/cohort --format png")(records)
app.command(epilog="Example: pgcxr privacy-audit runs/export runs/cohort runs/gan")(privacy_audit)
app.command(epilog="Example: pgcxr export-deidentified runs/export --out runs/deidentified")(
    export_deidentified
)
app.command(epilog="Example: pgcxr generate runs/gan --n 64 --seed 1 --out runs/synthetic")(
    generate
)
app.command(
    epilog="Example: pgcxr edit runs/gan --axes runs/axes --axis pleural_effusion --seeds 1-8 "
    "--out runs/edited"
)(edit)
app.command(
    epilog="Example: pgcxr generate-labeled runs/gan --axes runs/axes "
    "--mix pneumothorax=500,pleural_effusion=500,normal=500 --out runs/labeled"
)(generate_labeled)
app.command(epilog="Example: pgcxr screen runs/anomaly /data/new --out runs/screening")(screen)
app.command(epilog="Example: pgcxr timelapse runs/gan")(timelapse)
app.command(epilog="Example: pgcxr import-nvidia karras2018iclr.pkl --out runs/imported")(
    import_nvidia
)
app.command(epilog="Example: pgcxr export-nvidia runs/gan --out runs/gan.pkl")(export_nvidia)


@app.command("evaluate", hidden=True, context_settings={"ignore_unknown_options": True})
@app.command("train", hidden=True, context_settings={"ignore_unknown_options": True})
def _of_the_checkout(words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Says where training and evaluation are."""
    raise InputError(
        "training and evaluation are scripts of the checkout, not of this command: in it, "
        "`pip install -e .` once, then `python -m train.gan` or `python -m evaluate.study` from "
        "any folder"
    )


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"pgcxr {pgcxr.__version__}")
        raise typer.Exit


@app.callback()
def _of_all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the `pgcxr` command."""
    command.run(app, name="pgcxr")

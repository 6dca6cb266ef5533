"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis
2.2 to 2.4)."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.fidelity.options import FidelityOptions, preset
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m evaluate.fidelity runs/gan runs/binary --out runs/fidelity --config "
        "small"
    )
)
@takes_options
def main(
    context: typer.Context,
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan on normal and abnormal images")],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels binary: classifier (real)")
    ],
    out: Annotated[
        Path, typer.Option(help="new folder for report.html, report.json, tables and figures")
    ],
    options: FidelityOptions,
    config: Annotated[
        str, typer.Option(help="demo, small or thesis: what the other options begin with")
    ] = "thesis",
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of the latents and of the first trainings")
    ] = 0,
) -> None:
    """Pseudo-labels synthetic images, trains on them, and compares on the real test set with
    DeLong's test."""
    names = [field.name for field in dataclasses.fields(options)]
    typed = [name for name in names if context.get_parameter_source(name).name != "DEFAULT"]
    chosen = preset(config).replace(**{name: getattr(options, name) for name in typed})
    common.refuse_places(out, gan_run, classifier_run)
    from evaluate.fidelity.experiment import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        run(gan_run, classifier_run, out, chosen, seed, progress)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.fidelity")

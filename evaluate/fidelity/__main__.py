"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis 2.2 to 2.4)."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr import command

app = command.new_app(__doc__)


@app.command(epilog="Example: python -m evaluate.fidelity runs/gan runs/binary --out runs/fidelity --config small")
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan on normal and abnormal images")],
    classifier_run: Annotated[Path, typer.Argument(help="RUN of train.classifier --labels binary: classifier (real)")],
    out: Annotated[Path, typer.Option(help="new folder for report.json, tables and plots")],
    config: Annotated[str, typer.Option(help="demo, small or thesis (evaluate/fidelity/settings.py)")] = "thesis",
    per_class: Annotated[
        int, typer.Option(help="synthetic images of each class; 0: as many as there are real ones")
    ] = 0,
    seed: Annotated[int, typer.Option(**command.SEED, help="of the latents and of the two trainings")] = 0,
) -> None:
    """Pseudo-labels synthetic images, trains on them, and compares on the real test set with DeLong's test."""
    from evaluate.fidelity.settings import settings
    from evaluate.fidelity.steps import run

    run(gan_run, classifier_run, out, settings(config) | {"per_class": per_class}, seed)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.fidelity")

"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis
2.2 to 2.4)."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m evaluate.fidelity runs/gan runs/binary --out runs/fidelity --config "
        "small"
    )
)
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan on normal and abnormal images")],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels binary: classifier (real)")
    ],
    out: Annotated[
        Path, typer.Option(help="new folder for report.html, report.json, tables and figures")
    ],
    config: Annotated[
        str, typer.Option(help="demo, small or thesis (evaluate/fidelity/settings.py)")
    ] = "thesis",
    abnormal_above: Annotated[
        float | None,
        typer.Option(help="pseudo-label abnormal where P(abnormal) is above this  [default: 0.7]"),
    ] = None,
    normal_below: Annotated[
        float | None,
        typer.Option(help="pseudo-label normal where P(abnormal) is below this  [default: 0.3]"),
    ] = None,
    per_class: Annotated[
        int, typer.Option(help="synthetic images of each class; 0: as many as there are real ones")
    ] = 0,
    most_generated: Annotated[
        float | None,
        typer.Option(
            help="generate at most so many images for each that is wanted  [default: config]"
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="train each classifier so often, for mean and spread  [default: 1]"),
    ] = None,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of the latents and of the first trainings")
    ] = 0,
) -> None:
    """Pseudo-labels synthetic images, trains on them, and compares on the real test set with
    DeLong's test."""
    from evaluate.fidelity.settings import settings
    from evaluate.fidelity.steps import run

    given = {
        "abnormal_above": abnormal_above,
        "normal_below": normal_below,
        "most_generated": most_generated,
        "seeds": seeds,
    }
    changes = {"per_class": per_class} | {
        key: value for key, value in given.items() if value is not None
    }
    run(gan_run, classifier_run, out, settings(config) | changes, seed)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.fidelity")

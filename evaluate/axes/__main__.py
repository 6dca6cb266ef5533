"""Finds the latent axis of each disease and judges it (thesis 3)."""

import math
from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.axes.experiment import CONFIG, run
from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m evaluate.axes runs/gan runs/classifier --out runs/axes --samples 30000"
    )
)
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan, normal and abnormal images")],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels findings")
    ],
    out: Annotated[Path, typer.Option(help="new folder for report.json, axes.npz and the figures")],
    samples: Annotated[int, typer.Option(help="synthetic images to classify")] = CONFIG["samples"],
    variant: Annotated[
        str, typer.Option(help="regress on all images, or on exclusive patterns")
    ] = CONFIG["variant"],
    orthogonal: Annotated[
        bool, typer.Option(help="free each axis of its part in the others")
    ] = False,
    starts: Annotated[
        int, typer.Option(help="normal-looking images that walks begin with")
    ] = CONFIG["starts"],
    max_angle: Annotated[float, typer.Option(help="how far to walk, degrees")] = round(
        math.degrees(CONFIG["max_angle"])
    ),
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of latents, permutations and bootstraps")
    ] = 0,
) -> None:
    """Finds the latent axis of each disease and judges it (thesis 3)."""
    config = {
        "samples": samples,
        "variant": variant,
        "orthogonal": orthogonal,
        "starts": starts,
        "max_angle": math.radians(max_angle),
    }
    with common.progress_bars() as advance:
        report = run(gan_run, classifier_run, out, config, seed, advance)
    print(f"{out}: {report['axes_found']} of {len(report['axes'])} axes found; see report.json")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.axes")

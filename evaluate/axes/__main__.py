"""Finds the latent axis of each disease and judges it (thesis 3)."""

from pathlib import Path
from typing import Annotated

import typer

from evaluate import common, patients
from evaluate.axes.options import AxesOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m evaluate.axes runs/gan runs/classifier --judge runs/classifier2 "
        "--out runs/axes --samples 30000; "
        "phantom-64 runs/classifier --cohort cohort --out runs/axes"
    )
)
@takes_options
def main(
    gan_run: Annotated[
        Path, typer.Argument(help="RUN of train.gan, normal and abnormal images, or phantom-64")
    ],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels findings")
    ],
    out: Annotated[Path, typer.Option(help="new folder for report.json, axes.npz and the figures")],
    options: AxesOptions,
    guide: Annotated[
        list[Path],
        typer.Option(help="another RUN of train.classifier that guides; may be repeated"),
    ] = [],  # noqa: B006
    judge: Annotated[
        list[Path],
        typer.Option(
            help="RUN of train.classifier that only judges, of its own seed; may be repeated"
        ),
    ] = [],  # noqa: B006
    cohort: Annotated[
        Path | None,
        typer.Option(
            help="COHORT whose real images calibrate, judge and test, in place of the first "
            "classifier's"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of latents, permutations and bootstraps")
    ] = 0,
) -> None:
    """Finds the latent axis of each disease and judges it (thesis 3)."""
    for name in (classifier_run, *guide, *judge):
        common.refuse_places(out, gan_run, name)
    patients.refuse_missing(cohort, classifier_run)
    from evaluate.axes.experiment import Runs, run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        figures = run(
            gan_run, classifier_run, out, options, seed, progress, Runs(guide, judge, cohort)
        ).figures
    print(f"{out}: {figures['axes_found']} of {len(figures['axes'])} axes found; see report.json")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.axes")

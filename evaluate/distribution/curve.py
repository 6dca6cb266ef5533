"""When was the training at its best? FID, KID, precision and recall of a RUN's snapshots, against
validation images."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.classifier import feature_source
from pgcxr.cli import command
from pgcxr.io import places

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.distribution.curve runs/gan --features runs/binary "
    "--out runs/curve"
)
def main(
    gan_run: Annotated[
        Path, typer.Argument(help="RUN of train.gan with snapshots (--set snapshot_kimg=20)")
    ],
    features: Annotated[
        str, typer.Option(help="RUN of train.classifier, FILE.keras or inception:WEIGHTS.h5")
    ],
    out: Annotated[Path, typer.Option(help="new folder for report.json, curve.csv and plots")],
    n: Annotated[int, typer.Option(min=0, help="images; 0: all of split val, 2,000 at most")] = 0,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of latents, choice of images and halves")
    ] = 0,
) -> None:
    """Compares the images of every snapshot, and of the finished RUN, with real ones of split val.

    The test set is not looked at, so that an end that is chosen here can still be judged there.
    """
    places.refuse_existing(out)
    feature_source.refuse_missing(features)
    from evaluate.distribution.snapshots import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        report = run(gan_run, out, features, n, seed, progress)
    for warning in report["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    best = ", ".join(f"{name.upper()} at {kimg:g} kimg" for name, kimg in report["best"].items())
    print(f"best: {best}")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.distribution.curve")

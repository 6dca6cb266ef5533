"""How near are synthetic images to real ones, as sets? FID, KID, PRDC, ECS,
FRD, SWD and MS-SSIM beside floor and baseline."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.distribution.options import DistributionOptions
from pgcxr.classifier import feature_source
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.distribution runs/gan --features runs/binary "
    "--out runs/distribution"
)
@takes_options
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan")],
    out: Annotated[
        Path, typer.Option(help="new folder for report.json, distribution.csv and pictures")
    ],
    options: DistributionOptions,
    features: Annotated[
        str,
        typer.Option(
            help="the network of FID, KID, PRDC and ECS: a RUN of train.classifier, any FILE.keras "
            "that reads images in [-1, 1], or inception:WEIGHTS.h5; without, what is counted in "
            "pixels alone"
        ),
    ] = "",
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of latents, choices of images and halves")
    ] = 0,
) -> None:
    """Compares as many synthetic images with held-out real ones, which neither the GAN nor the
    classifier has seen.

    Beside the GAN stand the floor, real images of other held-out patients, and a baseline, Gaussian
    principal components of the GAN's training images. All are compared with the same real images,
    at the same number.
    """
    common.refuse_places(out, gan_run)
    if features:
        feature_source.refuse_missing(features)
    from evaluate.distribution.experiment import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        result = run(gan_run, out, features, options, seed, progress)
    for warning in result.figures.get("warnings", ()):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.distribution")

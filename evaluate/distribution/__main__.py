"""How near are synthetic images to real ones, as sets? FID, KID, PRDC, SWD and MS-SSIM beside floor
and baseline."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.distribution runs/gan --features runs/binary --out runs/distribution"
)
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan")],
    out: Annotated[
        Path, typer.Option(help="new folder for report.json, distribution.csv and pictures")
    ],
    features: Annotated[
        str,
        typer.Option(
            help="the network of FID, KID and PRDC: a RUN of train.classifier, any FILE.keras that reads images in "
            "[-1, 1], or inception:WEIGHTS.h5; without, SWD and MS-SSIM alone"
        ),
    ] = "",
    n: Annotated[
        int, typer.Option(help="images of each set; 0: half of the held-out ones, 5,000 at most")
    ] = 0,
    replicates: Annotated[
        int, typer.Option(help="random halves behind each interval; 0: no intervals")
    ] = 100,
    explained: Annotated[
        float, typer.Option(help="share of the variance that the baseline's components keep")
    ] = 0.95,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of latents, choices of images and halves")
    ] = 0,
) -> None:
    """Compares as many synthetic images with held-out real ones, which neither the GAN nor the classifier has seen.

    Beside the GAN stand the floor, real images of other held-out patients, and a baseline, Gaussian principal
    components of the GAN's training images. All are compared with the same real images, at the same number.
    """
    from evaluate.distribution.experiment import run

    report = run(
        gan_run, out, features, {"n": n, "replicates": replicates, "explained": explained}, seed
    )
    for warning in report.get("warnings", ()):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.distribution")

"""May images of a generator be released? A gate: does it repeat the images that it was trained
on?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command

app = command.new_app(__doc__)
FAILED = 1


@app.command(epilog="Example: python -m evaluate.privacy runs/gan runs/binary --out runs/privacy")
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan")],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier, whose features are compared")
    ],
    out: Annotated[
        Path,
        typer.Option(help="new folder for report.json, nearest.csv and pictures; keep it in house"),
    ],
    n: Annotated[int, typer.Option(help="synthetic images, 200 or more")] = 2000,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of the latents, as in pgcxr generate")
    ] = 0,
) -> None:
    """Looks for the training image nearest to each synthetic one: are real images of other patients
    as near?

    Exit code 0: passed, and `pgcxr generate --release OUT` will take it. 1: failed; OUT/report.json
    says why. OUT shows patients' images side by side with synthetic ones: it is not for release.
    """
    from evaluate.privacy.experiment import run

    report = run(gan_run, classifier_run, out, {"n": n}, seed)
    if not report["passed"]:
        print(
            f"failed: {'; '.join(report['reasons'])}; see {out / 'report.json'} and pairs.png",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)
    print(f"{out}: passed")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.privacy")

"""May images of a generator be released? A gate: does it repeat the images that it was trained
on?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.privacy.options import PrivacyOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)
FAILED = 1


@app.command(epilog="Example: python -m evaluate.privacy runs/gan runs/binary --out runs/privacy")
@takes_options
def main(
    gan_run: Annotated[Path, typer.Argument(help="RUN of train.gan")],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier, whose features are compared")
    ],
    out: Annotated[
        Path,
        typer.Option(help="new folder for report.json, nearest.csv and pictures; keep it in house"),
    ],
    options: PrivacyOptions,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of the latents, as in pgcxr generate")
    ] = 0,
) -> None:
    """Looks for the training image nearest to each synthetic one: are real images of other patients
    as near?

    Exit code 0: passed, and `pgcxr generate --release OUT` will take it. 1: failed; OUT/report.json
    says why. OUT shows patients' images side by side with synthetic ones: it is not for release.
    """
    common.refuse_places(out, gan_run, classifier_run)
    from evaluate.privacy.chapter import lineage_note
    from evaluate.privacy.experiment import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        figures = run(gan_run, classifier_run, out, options, seed, progress).figures
    if not figures["passed"]:
        print(
            f"failed: {'; '.join(figures['reasons'])}; see {out / 'report.json'} and pairs.png",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)
    if note := lineage_note(figures["lineage"]):
        print(f"note: {note}", file=sys.stderr)
    print(f"{out}: passed")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.privacy")

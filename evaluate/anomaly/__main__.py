"""Finds anomalies with a GAN trained on normals only, beside a supervised classifier (thesis 4)."""

from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.anomaly.options import AnomalyOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.anomaly runs/gan_normal runs/classifier --out runs/anomaly"
)
@takes_options
def main(
    gan_run: Annotated[
        Path, typer.Argument(help="RUN of train.gan --label normal; its cohort is read")
    ],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels findings")
    ],
    out: Annotated[
        Path, typer.Option(help="new folder for report.json, scores.csv, maps.npz and the figures")
    ],
    options: AnomalyOptions,
    seed: Annotated[int, typer.Option(**command.SEED, help="of the draws and of the bank")] = 0,
) -> None:
    """Finds anomalies with a GAN trained on normals only, beside a supervised classifier (thesis
    4)."""
    common.refuse_places(out, gan_run, classifier_run)
    from evaluate.anomaly.experiment import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        overall = run(gan_run, classifier_run, out, options, seed, progress).figures["overall"]
    print(
        f"{out}: AUROC {overall['auroc']:.3f}, sensitivity {overall['sensitivity']:.1%} "
        f"at specificity {overall['specificity']:.1%}; see report.json"
    )


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.anomaly")

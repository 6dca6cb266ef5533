"""Finds anomalies from normal images alone: by a GAN of normals (thesis 4), by a network that
learned on artificial anomalies, and by baselines, beside a supervised classifier."""

from pathlib import Path
from typing import Annotated

import typer

from evaluate.anomaly.options import AnomalyOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m evaluate.anomaly runs/gan_normal runs/classifier --out runs/anomaly; "
        "phantom-64-normal runs/classifier --cohort cohort --out runs/anomaly"
    )
)
@takes_options
def main(
    gan_run: Annotated[
        Path,
        typer.Argument(
            help="RUN of train.gan --label normal, or phantom-64-normal. Or one of train.anomaly: "
            "then there is no inversion, and all is done in minutes",
        ),
    ],
    classifier_run: Annotated[
        Path, typer.Argument(help="RUN of train.classifier --labels findings")
    ],
    out: Annotated[
        Path, typer.Option(help="new folder for report.json, scores, maps and the figures")
    ],
    options: AnomalyOptions,
    network: Annotated[
        list[Path],
        typer.Option(
            help="RUN of train.anomaly to ask, too; may be repeated; one of --supervised tells "
            "what could be found if the diseases were known"
        ),
    ] = [],  # noqa: B006
    encoder: Annotated[
        Path | None,
        typer.Option(help="RUN of train.encoder for this GAN: the inversion starts from its guess"),
    ] = None,
    cohort: Annotated[
        Path | None,
        typer.Option(help="COHORT whose real images are read, in place of the first RUN's"),
    ] = None,
    seed: Annotated[int, typer.Option(**command.SEED, help="of the draws and of the bank")] = 0,
) -> None:
    """Finds anomalies from normal images alone, beside a supervised classifier that saw abnormal
    ones (thesis 4). The inversion reads some test images, every other method all of them."""
    from evaluate.anomaly.runs import Others, refuse_missing, sorted_runs

    gan, networks = sorted_runs(gan_run, network)
    refuse_missing(out, gan, classifier_run, networks, encoder, cohort)
    from evaluate.anomaly.experiment import run
    from evaluate.protocol import progress_bars

    with progress_bars() as progress:
        others = Others(network, encoder, cohort)
        found = run(gan_run, classifier_run, out, options, seed, progress, others).figures
    overall = found["overall"]
    print(
        f"{out}: {found['method']}: AUROC {overall['auroc']:.3f}, sensitivity "
        f"{overall['sensitivity']:.1%} at specificity {overall['specificity']:.1%}; see report.json"
    )


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.anomaly")

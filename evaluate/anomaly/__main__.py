"""Finds anomalies with a GAN trained on normals only, beside a supervised classifier (thesis 4)."""

from pathlib import Path
from typing import Annotated

import typer

from evaluate import common
from evaluate.anomaly.experiment import CONFIG, run
from pgcxr.cli import command

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.anomaly runs/gan_normal runs/classifier --out runs/anomaly"
)
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
    iterations: Annotated[int, typer.Option(help="steps of each search")] = CONFIG["iterations"],
    starts: Annotated[int, typer.Option(help="searches per image; their mean counts")] = CONFIG[
        "starts"
    ],
    loss: Annotated[str, typer.Option(help="mpse (the thesis's) or mse")] = CONFIG["loss"],
    per_class: Annotated[
        int, typer.Option(help="test images of each abnormal class, at most")
    ] = CONFIG["per_class"],
    normals: Annotated[int, typer.Option(help="normal test images, at most")] = CONFIG["normals"],
    familiar: Annotated[
        int, typer.Option(help="training normals that teach healthy differences")
    ] = CONFIG["familiar"],
    healthy: Annotated[int, typer.Option(help="held-out normals that set the threshold")] = CONFIG[
        "healthy"
    ],
    specificity: Annotated[
        float, typer.Option(help="on normals, that the threshold aims at")
    ] = CONFIG["specificity"],
    seed: Annotated[int, typer.Option(**command.SEED, help="of the draws and of the bank")] = 0,
) -> None:
    """Finds anomalies with a GAN trained on normals only, beside a supervised classifier (thesis
    4)."""
    config = {
        "iterations": iterations,
        "starts": starts,
        "loss": loss,
        "per_class": per_class,
        "normals": normals,
        "familiar": familiar,
        "healthy": healthy,
        "specificity": specificity,
    }
    with common.progress_bars() as advance:
        overall = run(gan_run, classifier_run, out, config, seed, advance)["overall"]
    print(
        f"{out}: AUROC {overall['auroc']:.3f}, sensitivity {overall['sensitivity']:.1%} "
        f"at specificity {overall['specificity']:.1%}; see report.json"
    )


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.anomaly")

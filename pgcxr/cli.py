"""The installed command. Each body imports what it needs, so that `pgcxr --help` is instant."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr import command
from pgcxr.data.curation.cli import curate, records
from pgcxr.data.phantom.cli import phantom

app = command.new_app("Progressive GANs on chest radiographs: phantom, curation, records, generation.")
app.command(epilog="Example: pgcxr phantom runs/export --patients 200 --seed 1 --size 256")(phantom)
app.command(epilog="Example: pgcxr curate runs/export --out runs/cohort --size 128")(curate)
app.command(epilog="Example: pgcxr records runs/cohort --format png")(records)


@app.command(epilog="Example: pgcxr generate runs/gan --n 64 --seed 1 --out runs/synthetic")
def generate(
    run: Annotated[Path, typer.Argument(help="RUN: a finished `python -m train.gan`")],
    n: Annotated[int, typer.Option(min=1, help="how many images")],
    out: Annotated[Path, typer.Option(help="folder for the images; must not exist")],
    seed: Annotated[int, typer.Option(min=0, help="of the latents; one seed, the same images")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="images at a time")] = 32,
    label: Annotated[str | None, typer.Option(help="of a conditioned RUN: abnormal, nodule+pneumothorax, ...")] = None,
) -> None:
    """Makes synthetic radiographs with a trained generator: PNG images and their latents."""
    from rich.progress import Progress

    from pgcxr import artefacts, generation

    artefacts.refuse_existing(out)
    with Progress() as bar:
        task = bar.add_task("images", total=n)
        advance = lambda done: bar.update(task, completed=done)  # noqa: E731
        generation.save_images(run, out, n, seed, min(batch, n), advance, label)
    print(f"{out}: {n} synthetic images, latents.npz")


def main() -> None:
    """Entry point of the `pgcxr` command."""
    command.run(app, name="pgcxr")


if __name__ == "__main__":
    main()

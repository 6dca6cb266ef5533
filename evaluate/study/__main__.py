"""The whole study, in order and resumable: from an export, or a phantom, to one report."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command
from pgcxr.errors import InputError
from pgcxr.io import locks, places

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.study --preset small --data /data/export --out runs/study"
)
def main(
    out: Annotated[
        Path,
        typer.Option(
            help="folder of the study: one folder for each step, report.html, report.json"
        ),
    ],
    preset: Annotated[str, typer.Option(help="demo, small or thesis")] = "demo",
    data: Annotated[
        Path | None, typer.Option(help="a PACS export or public set; without it, a phantom is made")
    ] = None,
    seed: Annotated[int, typer.Option(**command.SEED, help="of every step")] = 2026,
) -> None:
    """Brings every step up to date and writes the report; a second run makes only what changed."""
    from evaluate.study import presets, report
    from evaluate.study.steps import Runner

    steps = presets.steps(preset, data, seed)
    places.refuse_place(out)
    if data is not None:
        places.refuse_overlap(out, data, "the --data")
    if out.exists() and not (out / "steps").is_dir():
        places.refuse_existing(out)
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with open(out / ".lock", "w") as lock:
        _wait_for(lock, out)
        runner = Runner(
            out.resolve(),
            presets.environment(preset, out.resolve()),
            presets.PRESETS[preset]["jobs"],
            _say,
        )
        seconds = runner.run(steps)
        summary = report.write(
            out, preset, seed, seconds, runner.elapsed(steps), phantom=data is None
        )
    _say(f"{out / 'report.html'}: written; this run took {time.monotonic() - begun:.0f} s")
    for line in summary:
        _say(line)


def _wait_for(file, out: Path) -> None:
    """One study at a time in a folder; a second one waits, and then finds the steps done."""
    try:
        if not locks.lock(file):
            _say(f"{out}: another run is going on here; waiting for it to end")
            locks.lock(file, wait=True)
    except OSError as error:
        raise InputError(
            f"{out}: cannot be locked ({os.strerror(error.errno)}); use a local folder"
        ) from None


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.study")

"""The whole study, in order and resumable: from an export, or a phantom, to one report."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from evaluate.study.options import PRESETS, StudyOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options
from pgcxr.errors import InputError
from pgcxr.io import locks, places

app = command.new_app(__doc__)


@app.command(
    epilog="Example: python -m evaluate.study --preset small --data /data/export --out runs/study "
    "--set gan.total_kimg=400"
)
@takes_options
def main(
    out: Annotated[
        Path,
        typer.Option(
            help="folder of the study: one folder for each step, report.html, report.json"
        ),
    ],
    options: StudyOptions,
) -> None:
    """Brings every step up to date and writes the report; a second run makes only what changed.

    Options of single steps are looked at before the first begins, and a cohort before the first
    training.
    """
    from evaluate.study import plan, readiness, report
    from evaluate.study.steps import Runner

    study = plan.plan(options)
    places.refuse_place(out)
    if options.data is not None:
        places.refuse_overlap(out, options.data, "the --data")
    if out.exists() and not (out / "steps").is_dir():
        places.refuse_existing(out)
    settings = study.settings()
    if options.carried_out != options.preset:
        _say(
            f"preset {options.preset} goes on from networks that have seen phantoms only: your "
            f"images are studied with preset {options.carried_out}, which trains everything"
        )
    if study.cohort is not None:
        readiness.check(study.cohort, settings)
    else:
        readiness.check_export(options)
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with open(out / ".lock", "w") as lock:
        _wait_for(lock, out)
        runner = Runner(
            out.resolve(),
            plan.environment(options.carried_out, out.resolve()),
            PRESETS[options.carried_out]["jobs"],
            _say,
        )

        def check_cohort(folder: Path) -> None:
            report_losses(folder)
            readiness.check(folder, settings)

        checks = {"cohort": check_cohort}
        seconds = runner.run(study.steps, checks)
        summary = report.write(out, options, study, seconds, runner.elapsed(study.steps))
    _say(f"{out / 'report.html'}: written; this run took {time.monotonic() - begun:.0f} s")
    for line in summary:
        _say(line)


def report_losses(cohort: Path) -> None:
    """What `pgcxr curate` says on the screen, which a step's log would hide."""
    from pgcxr.curation import losses
    from pgcxr.io import artifacts

    made = artifacts.read_json(cohort / "report.json")
    if "losses" in made:  # not in those of earlier versions
        for line in losses.lines(made, cohort):
            _say(line)
    for warning in made.get("warnings", ()):
        _say(f"warning: {warning}")


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

"""Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""

import contextlib
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli import command
from pgcxr.errors import InputError
from pgcxr.gan import settings_check
from pgcxr.io import artifacts
from train import gan_images
from train.common import load_config

app = command.new_app(__doc__)


@app.command(
    epilog=(
        "Example: python -m train.gan runs/cohort --config small --out runs/gan --set "
        "total_kimg=100"
    )
)
def main(
    cohort: Annotated[
        Path, typer.Argument(help="folder written by `pgcxr curate` or `pgcxr records`")
    ],
    out: Annotated[
        Path, typer.Option(help="RUN: new folder of this training; an interrupted one goes on")
    ],
    config: Annotated[
        str, typer.Option(help="demo, small, thesis or nvidia_* (train/configs/gan_*.py)")
    ] = "small",
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value, changes the config; may be repeated")
    ] = [],  # noqa: B006
    label: Annotated[str, typer.Option(help="all, normal or abnormal images")] = "",
    seed: Annotated[int | None, typer.Option(help="of weights, latents and image order")] = None,
    preflight: Annotated[
        bool,
        typer.Option(
            "--preflight", help="only tell the parameters, memory and time of every level here"
        ),
    ] = False,
) -> None:
    """Trains a Progressive GAN on a cohort or its TFRecords, or goes on where a run stopped."""
    settings = load_config("gan", config, set_)
    settings |= {"label": label or settings["label"]} | ({} if seed is None else {"seed": seed})
    gan_images.check(settings)
    settings_check.check_gan(settings)
    images = gan_images.choose(cohort, settings)
    settings["cohort"] = _seen_from(out, images.cohort) if images.cohort else ""
    if images.cohort:
        settings["manifest_sha256"] = artifacts.sha256(images.cohort / "manifest.csv")
    if images.records:
        settings["records"] = _seen_from(out, images.records)
    if preflight:
        _preflight(out, settings)
    else:
        _train(images, out, settings)


def _seen_from(out: Path, folder: Path) -> str:
    return os.path.relpath(folder.resolve(), out.resolve())


def _preflight(out: Path, settings: dict) -> None:
    from pgcxr.gan import devices, loop, run_dir
    from pgcxr.gan import preflight as preflights

    strategy = devices.strategy(settings["replicas"])
    if devices.hosts(strategy) > 1:
        raise InputError(f"--preflight: looks at one machine; run it without {devices.TF_CONFIG}")
    run = run_dir.RunDir(out)
    with devices.deterministic():
        found = loop.preflight(settings, strategy, out, print)
    with run.locked():
        preflights.write(run.preflight, found, settings)
    print("\n".join(preflights.table(found)))


def _train(images: gan_images.Images, out: Path, settings: dict) -> None:
    import tensorflow as tf

    from pgcxr.cohort.pipeline import ImageDataset
    from pgcxr.gan import devices, loop, resume, run_dir

    strategy = devices.strategy(settings["replicas"])
    resume.check_minibatches(
        loop.settings_of(settings, strategy.num_replicas_in_sync), settings["mbstd_group_size"]
    )
    run = run_dir.RunDir(out)

    def begin() -> bool:
        stack.enter_context(run.locked())
        run.claim(settings)
        return run.report.exists()

    with contextlib.ExitStack() as stack:
        stack.enter_context(devices.deterministic())
        try:
            finished = devices.chief_does(strategy, begin)
            if any(devices.every(strategy, int(bool(finished)))):
                print(f"{out}: this training is finished; see {run.report}")
                return
            reals = ImageDataset(images.chosen, settings["resolution"], images.labels)
            alike = {
                key: value for key, value in settings.items() if key not in ("cohort", "records")
            }
            devices.same_everywhere(strategy, f"{sorted(alike.items())} {reals.fingerprint}")
            report = _with_bar(
                settings, lambda *shown: loop.train(reals, run, settings, strategy, *shown)
            )
        except loop.Interrupted:
            raise KeyboardInterrupt from None
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError):
            if devices.hosts(strategy) == 1:
                raise
            raise InputError(
                f"{out}: another of the {devices.hosts(strategy)} workers was lost or has stopped; "
                "start all of them again: they go on from the last saved state"
            ) from None
        if devices.is_chief(strategy):
            artifacts.write_report(
                out, report, command="train.gan", seed=settings["seed"], config=settings
            )
            _say_end(out, report, loop.settings_of(settings, strategy.num_replicas_in_sync))


def _with_bar(settings: dict, train: Callable) -> dict:
    """train(advance, say), with a progress bar above which `say` prints."""
    from pgcxr.io.progress import Bars

    before = "{task.fields[kimg]:.1f} kimg, lod {task.fields[lod]:.2f}"
    with Bars(before, "{task.fields[rate]:.1f} images/s") as bars:
        total = settings["total_kimg"] * 1000
        bars.update("gan", 0, total, kimg=0.0, lod=0.0, rate=0.0)

        def advance(nimg: int, lod: float) -> None:
            bars.update("gan", nimg, total, kimg=nimg / 1000, lod=lod, rate=bars.speed("gan"))

        return train(advance, bars.print)


def _say_end(out: Path, report: dict, settings) -> None:
    """One line of what was trained, and a warning where the schedule ended before the full
    resolution."""
    from pgcxr.gan import schedule

    shown, full = report["kimg"], settings.resolution
    speed = f", {report['images_per_second']:.0f} images/s" if report["images_per_second"] else ""
    print(
        f"{out}: {full} px, {shown:g} kimg (thousand images shown){speed}; see report.json and "
        "samples/"
    )
    lod = schedule.at(settings, int(shown * 1000)).lod
    if lod > 0.05:
        grown = full >> math.ceil(lod)
        levels = math.log2(full / settings.lod_initial_resolution)
        need = levels * (settings.lod_training_kimg + settings.lod_transition_kimg)
        print(
            f"warning: {out}: ended at {grown} px of {full}: the images are {grown} px blown up; "
            f"the full resolution is reached after {need:g} kimg: raise total_kimg, or lower "
            "lod_training_kimg and lod_transition_kimg",
            file=sys.stderr,
        )


if __name__ == "__main__":
    command.run(app, name="python -m train.gan")

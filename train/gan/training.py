"""From a cohort, TFRecords or DICOM files to a finished RUN of a Progressive GAN."""

import contextlib
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.gan import run_dir, schedule
from pgcxr.gan.config import GanConfig
from pgcxr.gan.stated import PreflightOptions
from pgcxr.io import artifacts
from pgcxr.sampling import runs
from train.gan import images as gan_images

TF_CONFIG = "TF_CONFIG"  # pgcxr.gan.devices.TF_CONFIG, which needs Keras


def preflight(
    folder: Path | None, out: Path | None, config: GanConfig, asked: PreflightOptions
) -> None:
    """Prints what each level will take, and writes it to RUN/preflight.json where RUN is named.

    Args:
        folder: the images; None: any.
        out: RUN.
        config: what would be trained.
        asked: of which devices; without a memory those of this machine.

    Raises:
        InputError: it will not fit, or can't run here.
    """
    run = None if out is None else run_dir.RunDir(out)
    if run is not None:
        run.refuse(config)
    images = None if folder is None else gan_images.choose(folder, config)
    from pgcxr.gan import devices, preflight

    if asked.memory is not None:
        report = preflight.stated(config, config.replicas or 1, asked)
    else:
        _look_at_cards(config)
        strategy = devices.strategy(config.replicas)
        if devices.hosts(strategy) > 1:
            raise InputError(f"--preflight: looks at one machine; run it without {TF_CONFIG}")
        with devices.deterministic():
            report = preflight.plan(config, strategy, print, asked.images_per_second)
    print("\n".join([*preflight.table(report), *preflight.notes(report)]))
    preflight.refuse(report, Path() if out is None else out)
    if run is not None:
        beside = {} if images is None else source(images, out)
        with run.locked():
            preflight.write(run.preflight, report, config.to_dict() | beside)


def _look_at_cards(config: GanConfig) -> None:
    """Refuses GPUs that the installed TensorFlow can't drive, and says what it leaves out."""
    from pgcxr.gan import cards

    alone = TF_CONFIG not in os.environ  # else it is the number of all hosts together
    for line in cards.check(config.replicas if alone else 0):
        print(f"warning: {line}", file=sys.stderr)


def train(folder: Path, out: Path, config: GanConfig, init: str = "") -> None:
    """Trains RUN to its end, or goes on where it was stopped; does nothing where it is finished.

    `init` names the networks that it begins with, see `transfer.load`.
    """
    run = run_dir.RunDir(out)
    if TF_CONFIG not in os.environ:  # only the chief of several hosts looks into RUN
        run.refuse(config)
    if init:
        runs.refuse_missing(init)
    images = gan_images.choose(folder, config)
    import tensorflow as tf  # after what can be told without it

    from pgcxr.cohort.pipeline import ImageDataset
    from pgcxr.gan import devices, trainer, transfer

    _look_at_cards(config)
    ancestor = transfer.load(init, out) if init else None
    strategy = devices.strategy(config.replicas)
    settings = config.schedule(strategy.num_replicas_in_sync)
    beside = source(images, out)

    def begin() -> bool:
        stack.enter_context(run.locked())
        if lineage := transfer.lineage_of(run, config, ancestor):
            beside["init"] = lineage
        run.claim(config, beside)
        return run.report.exists()

    with contextlib.ExitStack() as stack:
        stack.enter_context(devices.deterministic())
        try:
            finished = devices.chief_does(strategy, begin)
            if any(devices.every(strategy, int(bool(finished)))):
                print(f"{out}: this training is finished; see {run.report}")
                return
            dataset = ImageDataset(images.chosen, config.resolution, images.labels, images.repeats)
            held_out = gan_images.validation(images, config)
            validation = ImageDataset(*held_out) if held_out else None
            alike = config.to_dict() | {"manifest_sha256": beside.get("manifest_sha256")}
            devices.same_everywhere(strategy, f"{sorted(alike.items())} {dataset.fingerprint}")
            report = _with_bar(
                config,
                lambda progress, say: trainer.train(
                    dataset, run, config, strategy, progress, say, ancestor, validation
                ),
            )
        except trainer.Interrupted:
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
                out,
                report,
                command="train.gan",
                seed=config.seed,
                config=config.to_dict() | beside,
            )
            _say_end(out, report, settings)


def source(images: gan_images.Images, out: Path) -> dict:
    """What config.json says of the images: {"cohort", "manifest_sha256", "records"}, folders as
    seen from RUN."""

    def seen_from_run(folder: Path) -> str:
        return os.path.relpath(folder.resolve(), out.resolve())

    values = {"cohort": seen_from_run(images.cohort) if images.cohort else ""}
    if images.cohort:
        values["manifest_sha256"] = artifacts.sha256(images.cohort / "manifest.csv")
    if images.records:
        values["records"] = seen_from_run(images.records)
    return values


def _with_bar(config: GanConfig, train: Callable) -> dict:
    """train(advance, say), with a progress bar above which `say` prints."""
    from pgcxr.io.progress import Bars

    before = "{task.fields[kimg]:.1f} kimg, lod {task.fields[lod]:.2f}"
    with Bars(before, "{task.fields[rate]:.1f} images/s") as bars:
        total = config.total_kimg * 1000
        bars.update("gan", 0, total, kimg=0.0, lod=0.0, rate=0.0)

        def advance(cur_nimg: int, lod: float) -> None:
            kimg, rate = cur_nimg / 1000, bars.speed("gan")
            bars.update("gan", cur_nimg, total, kimg=kimg, lod=lod, rate=rate)

        return train(advance, bars.print)


def _say_end(out: Path, report: dict, settings: schedule.Settings) -> None:
    """One line of what was trained, and a warning where the schedule ended before the full
    resolution."""
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

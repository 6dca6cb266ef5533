"""One training from its first image, or its last saved state, to its end."""

import contextlib
import errno
import functools
import os
import time
from collections.abc import Callable

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import InputError
from pgcxr.gan import (
    averaging,
    devices,
    footprint,
    loss_scale,
    resume,
    samples,
    schedule,
    tick_swd,
    timelapse,
)
from pgcxr.gan import preflight as preflights
from pgcxr.gan.alarm import Alarm, Diverged, diversity
from pgcxr.gan.callbacks import FollowSchedule, Ticks
from pgcxr.gan.interruption import Interrupted, signals
from pgcxr.gan.precision import PRECISIONS
from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.gan.run_dir import RunDir, state_variables
from pgcxr.gan.schedule import settings_of
from pgcxr.gan.watch import Watch
from pgcxr.io import artifacts
from pgcxr.networks import Discriminator, Generator

# Images after the last ones trained on among which a file that cannot be read is looked for: what
# is read ahead.
AHEAD = 64
NETWORK_KEYS = ("resolution", "channels", "fmap_base", "fmap_max", "fused_scale")


def build(config: dict, strategy) -> ProgressiveGAN:
    """Networks and optimizers of a config, on the strategy's devices; initial weights depend on the
    seed alone."""
    import keras

    networks = {key: config[key] for key in NETWORK_KEYS}
    networks |= {
        "label_size": len(label_kinds.names(config["labels"])),
        "dtype": PRECISIONS[config["precision"]],
    }
    with strategy.scope():
        keras.utils.set_random_seed(config["seed"])
        generator = Generator(
            **networks,
            latent_size=config["latent_size"],
            pixelnorm_epsilon=config["pixelnorm_epsilon"],
            name="generator",
        )
        discriminator = Discriminator(
            **networks, mbstd_group_size=config["mbstd_group_size"], name="discriminator"
        )
        gan = ProgressiveGAN(
            generator,
            discriminator,
            config["seed"],
            weight=config["gradient_penalty"],
            target=config["gradient_target"],
            drift=config["drift"],
            label_weight=config["label_weight"],
            exclusive_labels=label_kinds.exclusive(config["labels"]),
            mirror=config["mirror"],
        )
        gan.compile(
            jit_compile=config["jit_compile"],
            minimal_filtering=_minimal_filtering(config, strategy),
        )
    return gan


def _minimal_filtering(config: dict, strategy) -> bool:
    """Whether wide convolutions are computed with fewer multiplications: as told, or (None) where
    it was measured."""
    import tensorflow as tf

    if config["minimal_filtering"] is not None:
        return config["minimal_filtering"]
    on_cpu = not tf.config.list_physical_devices("GPU") and strategy.num_replicas_in_sync == 1
    return on_cpu and config["precision"] == "float32"


def _begin(
    watch: Watch, gan: ProgressiveGAN, config: dict, settings, reals: ImageDataset, level: int
) -> Alarm | None:
    """Gives the watch the real images of a half-phase; returns its alarm, that knows how much they
    differ."""
    import tensorflow as tf

    shown = samples.side(config["resolution"]) ** 2
    compared = tick_swd.count(
        settings, int(np.asarray(gan.seen)), config["swd_images"], reals.count
    )
    needed = max(shown, 2 * compared)
    try:
        batch = next(iter(reals.dataset(level, 0, 1, needed, config["seed"])))
    except tf.errors.OpError:
        reals.name_damaged(0, needed, config["seed"])
        raise
    found, labels = map(np.asarray, batch) if gan.labeled else (np.asarray(batch), None)
    swd = None
    if compared:
        some = slice(2 * compared)
        labels = None if labels is None else labels[some]
        swd = tick_swd.TickSWD(
            found[some], labels, gan.generator.latent_size, config["seed"], config["mirror"]
        )
    watch.begin(found[:shown], swd)
    if not config["alarm"]:
        return None
    return Alarm(
        diversity(found[:shown]), loss_scale.INITIAL if config["precision"] == "float16" else 0.0
    )


def levels(gan: ProgressiveGAN, config: dict, settings: schedule.Settings) -> list[dict]:
    """What each level of the schedule needs, see `footprint.levels`."""
    return footprint.levels(
        config, settings, gan.generator.label_size, gan.convolutions is not None
    )


def preflight(config: dict, strategy, folder, say: Callable) -> dict:
    """What the training into `folder` would take here, see `preflight.look`.

    Raises:
        InputError: it will not fit.
    """
    settings = settings_of(config, strategy.num_replicas_in_sync)
    resume.check_minibatches(settings, config["mbstd_group_size"])
    gan = build(config, strategy)
    found = levels(gan, config, settings)
    for line in footprint.doubts(found, footprint.memory(), folder):
        raise InputError(line)
    return preflights.look(gan, found, strategy, say=say)


def train(
    reals: ImageDataset, run: RunDir, config: dict, strategy, progress: Callable, say: Callable
) -> dict:
    """Trains to `total_kimg`, going on from RUN's newest state; exports the networks and returns
    the report.

    Arguments:
        progress: called with (nimg, lod) every few steps.
        say: called with a line for the user.

    Where several hosts train together, each calls this; only the chief touches RUN.

    Raises:
        Interrupted: SIGTERM or SIGINT came (to any host); everything needed to go on is saved.
        Diverged: the alarm went off.
    """
    import tensorflow as tf

    settings = settings_of(config, strategy.num_replicas_in_sync)
    resume.check_minibatches(settings, config["mbstd_group_size"])
    gan = build(config, strategy)
    for line in footprint.doubts(levels(gan, config, settings), footprint.memory(), run.folder):
        say(f"warning: {line}")
    run.identity |= {
        "config": artifacts.plain(config),
        "images": reals.fingerprint,
        "replicas": settings.replicas,
    }
    on = functools.partial(settings_of, config)
    devices.chief_does(strategy, lambda: resume.restore(run, gan, on, settings.replicas, say))
    devices.from_chief(strategy, state_variables(gan).values())
    begun, chief = int(np.asarray(gan.seen)), devices.is_chief(strategy)
    shown = samples.side(config["resolution"]) ** 2
    latents = np.random.default_rng(config["seed"]).standard_normal(
        (shown, gan.generator.latent_size)
    )
    latents, labels, described = latents.astype(np.float32), None, None
    if gan.labeled:
        rows, counts = label_kinds.patterns(reals.labels)
        gan.draw_labels_from(rows, counts)
        latents, labels = samples.rows_by_label(latents, rows[np.argsort(-counts, kind="stable")])
        described = {"names": label_kinds.names(config["labels"]), "rows": rows, "counts": counts}
        described["exclusive"] = gan.exclusive_labels
    watch = Watch(run, settings, latents, labels, begun) if chief else None
    before, started, nimg = run.restored.get("seconds", 0.0), time.perf_counter(), begun
    run.clock = lambda: before + time.perf_counter() - started
    with _filmed(run, config, chief), signals() as came:
        stop_asked = lambda: any(devices.every(strategy, int(came())))  # noqa: E731
        for half_phase in schedule.half_phases(settings):
            if half_phase.end <= nimg:
                continue
            decay = averaging.decay_per_step(
                half_phase.minibatch,
                beta=config["ema_beta"],
                halflife_kimg=config["ema_halflife_kimg"],
            )
            gan.grow_to(half_phase.level, half_phase.fading, half_phase.minibatch, decay)
            if nimg == half_phase.start:
                gan.forget_moments()
            # What is left of it, with the image count that the resumed state has.
            done = (nimg - half_phase.start) // half_phase.minibatch
            rest = schedule.HalfPhase(
                nimg,
                half_phase.steps - done,
                half_phase.level,
                half_phase.fading,
                half_phase.minibatch,
            )
            gan.seen.assign(nimg)
            reals.hold(rest.level, say)
            what = (rest.level, rest.start, rest.steps, rest.minibatch, config["seed"])
            if chief:
                alarm = _begin(watch, gan, config, settings, reals, rest.level)
                watching = Ticks(run, settings, rest, watch, progress, stop_asked, alarm)
            else:
                watching = devices.FollowChief(rest, progress, stop_asked)
            try:
                gan.fit(
                    devices.batches(strategy, functools.partial(reals.dataset, *what)),
                    steps_per_epoch=rest.steps,
                    epochs=1,
                    verbose=0,
                    shuffle=False,
                    callbacks=[FollowSchedule(settings, rest), watching],
                )
            except tf.errors.OpError as error:
                if any(
                    os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT)
                ):
                    raise OSError(
                        errno.ENOSPC, "a log could not be written", str(run.logs)
                    ) from None
                reals.name_damaged(
                    int(np.asarray(gan.seen)), AHEAD * rest.minibatch, config["seed"]
                )
                raise
            nimg = int(np.asarray(gan.seen))
            if stop_asked():
                raise Interrupted
            if nimg != half_phase.end:
                # TensorFlow calls a log that may not grow "out of range", which to Keras is the end
                # of the data.
                raise OSError(errno.EFBIG, "a log could not be written", str(run.logs))

    def finish():
        run.export(gan)
        _film(run, config)

    devices.chief_does(strategy, finish)
    seconds = run.clock()
    return {
        "resolution": config["resolution"],
        "kimg": nimg / 1000,
        "images": reals.count,
        "labels": described,
        "images_per_second": nimg / seconds,
        "seconds_per_kimg": 1000 * seconds / nimg,
        "seconds": seconds,
        "generator_parameters": gan.generator.count_params(),
        "discriminator_parameters": gan.discriminator.count_params(),
        "replicas": strategy.num_replicas_in_sync,
        "finished": True,
    }


@contextlib.contextmanager
def _filmed(run: RunDir, config: dict, chief: bool):
    """Leaves training.gif where the training is broken off; its state is saved before."""
    try:
        yield
    except (Interrupted, Diverged):
        if chief:
            _film(run, config)
        raise


def _film(run: RunDir, config: dict) -> None:
    with contextlib.suppress(InputError):  # `pgcxr timelapse` is writing it right now
        timelapse.write(run.folder, config)

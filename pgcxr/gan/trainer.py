"""A training from its first image, or its last saved state, to its end."""

import contextlib
import errno
import functools
import os
import time
from collections.abc import Callable

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import (
    devices,
    footprint,
    optimizer,
    overfitting,
    resume,
    run_dir,
    samples,
    schedule,
    tick_swd,
    timelapse,
    transfer,
)
from pgcxr.gan.alarm import Alarm, Diverged, diversity
from pgcxr.gan.callbacks import FollowSchedule, Interrupted, Ticks, signals
from pgcxr.gan.config import PRECISIONS, GanConfig
from pgcxr.gan.logger import Logger
from pgcxr.gan.progressive_gan import LossTerms, ProgressiveGAN
from pgcxr.gan.run_dir import RunDir
from pgcxr.networks import Discriminator, Generator

# Images after the last ones trained on among which a file that cannot be read is looked for: what
# is read ahead.
AHEAD = 64
NETWORK_KEYS = ("resolution", "channels", "fmap_base", "fmap_max", "fused_scale")


def build(config: GanConfig, strategy) -> ProgressiveGAN:
    """Networks and optimizers of a config, on the strategy's devices; initial weights depend on the
    seed alone."""
    import keras

    networks = {key: getattr(config, key) for key in NETWORK_KEYS}
    networks |= {
        "label_size": len(label_kinds.names(config.labels)),
        "dtype": PRECISIONS[config.precision],
    }
    with strategy.scope():
        keras.utils.set_random_seed(config.seed)
        generator = Generator(
            **networks,
            latent_size=config.latent_size,
            pixelnorm_epsilon=config.pixelnorm_epsilon,
            label_scale=config.label_scale,
            name="generator",
        )
        discriminator = Discriminator(
            **networks, mbstd_group_size=config.mbstd_group_size, name="discriminator"
        )
        loss_terms = LossTerms(
            gradient_penalty=config.gradient_penalty,
            gradient_target=config.gradient_target,
            drift=config.drift,
            label_weight=config.label_weight,
            exclusive_labels=label_kinds.exclusive(config.labels),
        )
        gan = ProgressiveGAN(
            generator, discriminator, config.seed, loss_terms, mirror=config.mirror
        )
        if config.augment:
            gan.augment(config.augment_p)
        gan.compile(
            jit_compile=config.jit_compile,
            minimal_filtering=_minimal_filtering(config, strategy),
        )
    return gan


def _minimal_filtering(config: GanConfig, strategy) -> bool:
    """Whether wide convolutions are computed with fewer multiplications: as told, or (None) where
    it was measured."""
    import tensorflow as tf

    if config.minimal_filtering is not None:
        return config.minimal_filtering
    on_cpu = not tf.config.list_physical_devices("GPU") and strategy.num_replicas_in_sync == 1
    return on_cpu and config.precision == "float32"


def levels(gan: ProgressiveGAN, config: GanConfig, settings: schedule.Settings) -> list[dict]:
    """What each level of the schedule needs here, see `footprint.levels`."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        way = footprint.XLA if config.jit_compile else footprint.GPU
    else:
        way = footprint.MINIMAL if gan.convolutions is not None else footprint.DIRECT
    return footprint.levels(config, settings, gan.generator.label_size, way)


def train(
    dataset: ImageDataset,
    run: RunDir,
    config: GanConfig,
    strategy,
    progress: Callable,
    say: Callable,
    ancestor: transfer.Source | None = None,
    validation: ImageDataset | None = None,
) -> dict:
    """Trains to `total_kimg`, going on from RUN's newest state; exports the networks and returns
    the report.

    Args:
        dataset: the real images, at `config.resolution`.
        run: claimed for `config` on the chief.
        config: what is trained, and how long.
        strategy: see `devices.strategy`.
        progress: called with (cur_nimg, lod) every few steps.
        say: called with a line for the user.
        ancestor: networks that a new run begins with.
        validation: images of other patients, by which it is told how far D overfits.

    Where several hosts train together, each calls this; only the chief touches RUN.

    Raises:
        Interrupted: SIGTERM or SIGINT came (to any host); everything needed to go on is saved.
        Diverged: the alarm went off.
    """
    settings = config.schedule(strategy.num_replicas_in_sync)
    gan = build(config, strategy)
    for line in footprint.doubts(levels(gan, config, settings), footprint.memory(), run.folder):
        say(f"warning: {line}")
    run.identity |= {"images": dataset.fingerprint, "replicas": settings.replicas}

    def begin() -> None:
        resume.resume(run, gan, config.schedule, settings.replicas, say)
        if ancestor is not None and not int(np.asarray(gan.cur_nimg)):
            transfer.take_over(gan, ancestor, say)

    devices.chief_does(strategy, begin)
    # As a number, whose bits are levels: what the chief read is what every host freezes.
    bits = devices.every(strategy, sum(1 << level for level in transfer.frozen(run, config)))[0]
    gan.freeze([level for level in range(bits.bit_length()) if bits >> level & 1])
    devices.from_chief(strategy, run_dir.state_variables(gan).values())
    latents, labels, run.labels = _samples_of(gan, dataset, config)
    begun, chief = int(np.asarray(gan.cur_nimg)), devices.is_chief(strategy)
    logger = Logger(run, settings, latents, labels, begun) if chief else None
    before, started = run.restored.get("seconds", 0.0), time.perf_counter()
    run.clock = lambda: before + time.perf_counter() - started
    with _filmed(run, config, chief), signals() as came:

        def callback_of(half_phase: schedule.HalfPhase):
            if not chief:
                return devices.FollowChief(half_phase, progress, stop_asked)
            alarm = _begin(logger, gan, config, dataset, half_phase.level)
            kept = config.snapshot_kimg
            return Ticks(run, half_phase, logger, progress, stop_asked, alarm, kept)

        def adapting(half_phase: schedule.HalfPhase) -> list:
            measure = _overfitting(gan, config, dataset, validation, half_phase.level)
            if chief:
                logger.overfitting = measure
            if config.augment != "adaptive":
                return []
            if measure is None or devices.hosts(strategy) > 1:
                raise ArgumentError(
                    "augment",
                    f"adaptive needs {overfitting.FEWEST} held-out images of the same label (split "
                    "val of a cohort), and one host; give fixed with augment_p",
                    config.augment,
                )
            aim = (config.augment_target, config.augment_kimg)
            return [overfitting.Adapt(measure, half_phase, *aim)]

        def stop_asked() -> bool:
            return any(devices.every(strategy, int(came())))

        for half_phase in schedule.half_phases(settings):
            cur_nimg = int(np.asarray(gan.cur_nimg))
            if half_phase.end <= cur_nimg:
                continue
            gan.grow_to(
                half_phase.level,
                half_phase.fading,
                half_phase.minibatch,
                config.ema_decay(half_phase.minibatch),
            )
            if cur_nimg == half_phase.start:
                gan.reset_optimizers()
            rest = half_phase.after(cur_nimg)
            dataset.hold(rest.level, say)
            what = (rest.level, rest.start, rest.steps, rest.minibatch, config.seed)
            batches = devices.batches(strategy, functools.partial(dataset.dataset, *what))
            with _named_errors(run, gan, dataset, rest, config.seed):
                follow = FollowSchedule(settings, rest)
                # What adapts comes before what saves.
                _fit(gan, batches, rest, [follow, *adapting(rest), callback_of(rest)])
            if stop_asked():
                raise Interrupted
            if int(np.asarray(gan.cur_nimg)) != half_phase.end:
                # TensorFlow calls a log that may not grow "out of range", which to Keras is the end
                # of the data.
                raise OSError(errno.EFBIG, "a log could not be written", str(run.logs))

    def finish():
        run.export(gan)
        _film(run, config)

    devices.chief_does(strategy, finish)
    return _report(run, gan, settings, dataset.count)


def _samples_of(gan: ProgressiveGAN, dataset: ImageDataset, config: GanConfig) -> tuple:
    """Latents [S * S, L] and labels [S * S, K] of the sample sheets, and the report's description
    of the labels; None for both of a GAN without labels."""
    shown = samples.side(config.resolution) ** 2
    latents = np.random.default_rng(config.seed).standard_normal((shown, gan.generator.latent_size))
    latents = latents.astype(np.float32)
    if not gan.labeled:
        return latents, None, None
    rows, counts = label_kinds.patterns(dataset.labels)
    # G is asked for what D is shown; the report says what there is.
    shown = (
        counts if dataset.repeats is None else label_kinds.shares(dataset.labels, dataset.repeats)
    )
    gan.draw_labels_from(rows, shown)
    latents, labels = samples.rows_by_label(latents, rows[np.argsort(-counts, kind="stable")])
    described = {"names": label_kinds.names(config.labels), "rows": rows, "counts": counts}
    return latents, labels, described | {"exclusive": gan.loss_terms.exclusive_labels}


def _begin(
    logger: Logger, gan: ProgressiveGAN, config: GanConfig, dataset: ImageDataset, level: int
) -> Alarm | None:
    """Gives the logger the real images of a half-phase; returns its alarm, that knows how much they
    differ."""
    import tensorflow as tf

    shown = samples.side(config.resolution) ** 2
    compared = tick_swd.count(
        logger.settings, int(np.asarray(gan.cur_nimg)), config.swd_images, dataset.count
    )
    needed = max(shown, 2 * compared)
    try:
        batch = next(iter(dataset.dataset(level, 0, 1, needed, config.seed)))
    except tf.errors.OpError:
        dataset.name_damaged(0, needed, config.seed)
        raise
    reals, labels = map(np.asarray, batch) if gan.labeled else (np.asarray(batch), None)
    swd = None
    if compared:
        some = slice(2 * compared)
        labels = None if labels is None else labels[some]
        swd = tick_swd.TickSWD(
            reals[some], labels, gan.generator.latent_size, config.seed, config.mirror
        )
    logger.begin(reals[:shown], swd)
    if not config.alarm:
        return None
    scale = optimizer.INITIAL if config.precision == "float16" else 0.0
    return Alarm(diversity(reals[:shown]), scale)


def _overfitting(
    gan: ProgressiveGAN,
    config: GanConfig,
    dataset: ImageDataset,
    validation: ImageDataset | None,
    level: int,
) -> overfitting.Overfitting | None:
    """The measure of a half-phase; None where too few images are held out."""
    n = min(overfitting.IMAGES, dataset.count, validation.count if validation else 0)
    if n < overfitting.FEWEST:
        return None
    batches = [next(iter(d.dataset(level, 0, 1, n, config.seed))) for d in (dataset, validation)]
    seen, held_out = (np.asarray(batch[0] if gan.labeled else batch) for batch in batches)
    labels = np.asarray(batches[0][1]) if gan.labeled else None
    return overfitting.Overfitting(seen, held_out, labels, gan.generator.latent_size, config.seed)


def _fit(gan: ProgressiveGAN, batches, half_phase: schedule.HalfPhase, callbacks: list) -> None:
    gan.cur_nimg.assign(half_phase.start)
    gan.fit(
        batches,
        steps_per_epoch=half_phase.steps,
        epochs=1,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )


@contextlib.contextmanager
def _named_errors(
    run: RunDir, gan: ProgressiveGAN, dataset: ImageDataset, half_phase: schedule.HalfPhase, seed
):
    """Has TensorFlow's errors say which file could not be written or read."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        if any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT)):
            raise OSError(errno.ENOSPC, "a log could not be written", str(run.logs)) from None
        dataset.name_damaged(int(np.asarray(gan.cur_nimg)), AHEAD * half_phase.minibatch, seed)
        raise


def _report(run: RunDir, gan: ProgressiveGAN, settings: schedule.Settings, images: int) -> dict:
    seconds, cur_nimg = run.clock(), int(np.asarray(gan.cur_nimg))
    return {
        "resolution": settings.resolution,
        "kimg": cur_nimg / 1000,
        "images": images,
        "labels": run.labels,
        "images_per_second": cur_nimg / seconds,
        "seconds_per_kimg": 1000 * seconds / cur_nimg,
        "seconds": seconds,
        "generator_parameters": gan.generator.count_params(),
        "discriminator_parameters": gan.discriminator.count_params(),
        "replicas": settings.replicas,
        # How probable each change of what D sees was at the end; None: nothing is changed.
        "augment_p": None if gan.augment_p is None else float(np.asarray(gan.augment_p)),
        "finished": True,
    }


@contextlib.contextmanager
def _filmed(run: RunDir, config: GanConfig, chief: bool):
    """Leaves training.gif where the training is broken off; its state is saved before."""
    try:
        yield
    except (Interrupted, Diverged):
        if chief:
            _film(run, config)
        raise


def _film(run: RunDir, config: GanConfig) -> None:
    with contextlib.suppress(InputError):  # `pgcxr timelapse` is writing it right now
        timelapse.write(run.folder, config)

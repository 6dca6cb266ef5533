"""One training from its first image, or its last saved state, to its end."""

import contextlib
import signal
import time
from collections.abc import Callable

import numpy as np

from pgcxr.data import labels as label_kinds
from pgcxr.data.pipeline import Reals
from pgcxr.networks import Discriminator, Generator
from pgcxr.training import averaging, schedule
from pgcxr.training.callbacks import GRID, FollowSchedule, Ticks, rows_by_label
from pgcxr.training.precision import PRECISIONS
from pgcxr.training.progressive_gan import ProgressiveGAN
from pgcxr.training.run_dir import RunDir

SCHEDULE_KEYS = tuple(name for name in schedule.Settings.__dataclass_fields__ if name != "replicas")
NETWORK_KEYS = ("resolution", "channels", "fmap_base", "fmap_max", "fused_scale")


class Interrupted(Exception):
    """A signal asked the training to stop; its state is saved."""


def settings_of(config: dict, replicas: int = 1) -> schedule.Settings:
    """The schedule of a config; keys of its per-resolution tables may be strings, as JSON has them."""
    values = {key: config[key] for key in SCHEDULE_KEYS if key in config}
    for key, value in values.items():
        if isinstance(value, dict):
            values[key] = {int(resolution): item for resolution, item in value.items()}
    return schedule.Settings(**values, replicas=replicas)


def build(config: dict, strategy) -> ProgressiveGAN:
    """Networks and optimizers of a config, on the strategy's devices; initial weights depend on the seed alone."""
    import keras

    networks = {key: config[key] for key in NETWORK_KEYS}
    networks |= {"label_size": len(label_kinds.names(config["labels"])), "dtype": PRECISIONS[config["precision"]]}
    with strategy.scope():
        keras.utils.set_random_seed(config["seed"])
        generator = Generator(
            **networks,
            latent_size=config["latent_size"],
            pixelnorm_epsilon=config["pixelnorm_epsilon"],
            name="generator",
        )
        discriminator = Discriminator(**networks, mbstd_group_size=config["mbstd_group_size"], name="discriminator")
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
        gan.compile(jit_compile=config["jit_compile"], minimal_filtering=_minimal_filtering(config, strategy))
    return gan


def _minimal_filtering(config: dict, strategy) -> bool:
    """Whether wide convolutions are computed with fewer multiplications: as told, or (None) where it was measured."""
    import tensorflow as tf

    if config["minimal_filtering"] is not None:
        return config["minimal_filtering"]
    on_cpu = not tf.config.list_physical_devices("GPU") and strategy.num_replicas_in_sync == 1
    return on_cpu and config["precision"] == "float32"


def train(reals: Reals, run: RunDir, config: dict, strategy, progress: Callable, say: Callable) -> dict:
    """Trains to `total_kimg`, going on from RUN's newest state; exports the networks and returns the report.

    Arguments:
        progress: called with (nimg, lod) every few steps.
        say: called with a line for the user.

    Raises:
        Interrupted: SIGTERM or SIGINT came; everything needed to go on is saved.
    """
    import tensorflow as tf

    settings = settings_of(config, strategy.num_replicas_in_sync)
    gan = build(config, strategy)
    begun = run.restore(gan, say)
    if begun:
        say(f"going on after {begun / 1000:.1f} kimg")
    latents = np.random.default_rng(config["seed"]).standard_normal((GRID * GRID, gan.generator.latent_size))
    latents, labels, described = latents.astype(np.float32), None, None
    if gan.labelled:
        rows, counts = label_kinds.patterns(reals.labels)
        gan.draw_labels_from(rows, counts)
        latents, labels = rows_by_label(latents, rows[np.argsort(-counts, kind="stable")])
        described = {"names": label_kinds.names(config["labels"]), "rows": rows, "counts": counts}
        described["exclusive"] = gan.exclusive_labels
    writer = tf.summary.create_file_writer(str(run.logs))
    started, nimg = time.perf_counter(), begun
    with _signals() as stop_asked:
        for half_phase in schedule.half_phases(settings):
            if half_phase.end <= nimg:
                continue
            decay = averaging.decay_per_step(
                half_phase.minibatch, beta=config["ema_beta"], halflife_kimg=config["ema_halflife_kimg"]
            )
            gan.grow_to(half_phase.level, half_phase.fading, half_phase.minibatch, decay)
            if nimg == half_phase.start:
                gan.forget_moments()
            # What is left of it, with the image count that the resumed state has.
            done = (nimg - half_phase.start) // half_phase.minibatch
            rest = schedule.HalfPhase(
                nimg, half_phase.steps - done, half_phase.level, half_phase.fading, half_phase.minibatch
            )
            gan.seen.assign(nimg)
            gan.fit(
                reals.dataset(rest.level, rest.start, rest.steps, rest.minibatch, config["seed"]),
                steps_per_epoch=rest.steps,
                epochs=1,
                verbose=0,
                shuffle=False,
                callbacks=[
                    FollowSchedule(settings, rest),
                    Ticks(run, settings, rest, writer, latents, progress, stop_asked, labels),
                ],
            )
            nimg = int(np.asarray(gan.seen))
            if stop_asked():
                raise Interrupted
    run.export(gan)
    seconds = time.perf_counter() - started
    return {
        "resolution": config["resolution"],
        "kimg": nimg / 1000,
        "images": reals.count,
        "labels": described,
        "images_per_second": (nimg - begun) / seconds if nimg > begun else None,
        "seconds_per_kimg": 1000 * seconds / (nimg - begun) if nimg > begun else None,
        "seconds": seconds,
        "generator_parameters": gan.generator.count_params(),
        "discriminator_parameters": gan.discriminator.count_params(),
        "replicas": strategy.num_replicas_in_sync,
        "finished": True,
    }


@contextlib.contextmanager
def _signals():
    """Yields a function that says whether SIGTERM or SIGINT has come; a second one acts at once."""
    came = []
    handlers = {}

    def note(number, frame):
        came.append(number)
        signal.signal(number, handlers[number])

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError):  # not in the main thread: nothing to catch there
            handlers[number] = signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

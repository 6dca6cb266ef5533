"""What a training will take on this machine, told before its first image: parameters, memory and
time of every level.

Levels are tried from the smallest up, with a few steps on random images, until `BUDGET` seconds are
over; those after are estimated: time from their arithmetic and the rate of the last level that was
tried, memory from `footprint`.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.gan import footprint, trainer
from pgcxr.gan.config import GanConfig
from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.io import artifacts

BUDGET = 120.0
STEPS = 3  # of which the fastest counts; the one before them traces the graph


def plan(config: GanConfig, strategy, folder: Path, say: Callable) -> dict:
    """What the training into `folder` would take here, see `look`.

    Raises:
        InputError: it will not fit.
    """
    settings = config.schedule(strategy.num_replicas_in_sync)
    gan = trainer.build(config, strategy)
    levels = trainer.levels(gan, config, settings)
    for line in footprint.doubts(levels, footprint.memory(), folder):
        raise InputError(line)
    return look(gan, levels, strategy, say=say)


def look(
    gan: ProgressiveGAN, found: list[dict], strategy, budget: float = BUDGET, say: Callable = print
) -> dict:
    """The levels of `footprint.levels`, each with seconds_per_kimg, hours, `measured` (True where
    it was tried; then memory_bytes is the peak that was seen) and compile_seconds; and the sums.
    `gan` is trained on noise by it.

    Raises:
        InputError: a level was tried and did not fit into the memory.
    """
    begun, rate = time.perf_counter(), 0.0
    for each in found:
        each["measured"] = not rate or time.perf_counter() - begun < budget
        if each["measured"]:
            say(f"trying {each['resolution']} px with a minibatch of {each['minibatch']}")
            each |= _tried(gan, each, strategy)
            rate = each["gflop_per_kimg"] / each["seconds_per_kimg"]
        else:
            each |= {"seconds_per_kimg": each["gflop_per_kimg"] / rate, "compile_seconds": None}
        each["hours"] = each["kimg"] * each["seconds_per_kimg"] / 3600
    return {
        "levels": found,
        "hours": sum(each["hours"] for each in found),
        "memory_bytes": max(each["memory_bytes"] for each in found),
        "disk_bytes": footprint.disk_bytes(found),
        "replicas": strategy.num_replicas_in_sync,
    }


def _tried(gan: ProgressiveGAN, each: dict, strategy) -> dict:
    import tensorflow as tf

    size, minibatch = each["resolution"], each["minibatch"]
    pixels = np.random.default_rng(0).integers(
        0, 256, (minibatch, size, size, gan.generator.channels), np.uint8
    )
    batch = (pixels, gan.label_rows[np.zeros(minibatch, int)]) if gan.labeled else pixels
    noise = tf.data.Dataset.from_tensors(batch).repeat()
    gan.grow_to(size.bit_length() - 1, False, minibatch, 0.999)
    batches = iter(strategy.experimental_distribute_dataset(noise))
    try:
        begun = time.perf_counter()
        gan.train_function(batches)["g_loss"].numpy()
        compiling, seconds = time.perf_counter() - begun, []
        for _ in range(STEPS):
            begun = time.perf_counter()
            gan.train_function(batches)["g_loss"].numpy()
            seconds.append(time.perf_counter() - begun)
    except (tf.errors.ResourceExhaustedError, MemoryError):
        raise InputError(
            f"at {size} px a minibatch of {minibatch} does not fit into the memory of each device; "
            f"lower max_minibatch_per_replica at {size} px, fmap_max or the resolution"
        ) from None
    return {
        "seconds_per_kimg": 1000 * min(seconds) / minibatch,
        "memory_bytes": peak_memory(),
        "compile_seconds": compiling,
    }


def peak_memory() -> int:
    """Most bytes that a device has held so far: the fullest GPU, or this process."""
    import tensorflow as tf

    if gpus := tf.config.list_logical_devices("GPU"):
        return max(
            tf.config.experimental.get_memory_info(f"GPU:{index}")["peak"]
            for index, _ in enumerate(gpus)
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(found: dict) -> list[str]:
    """The lines to print."""
    lines = ["    px   G param.   D param.  minibatch      memory  s per kimg      kimg     hours"]
    for each in found["levels"]:
        lines.append(
            f"{each['resolution']:6d} {each['generator_parameters']:10,d} "
            f"{each['discriminator_parameters']:10,d} {each['minibatch']:10d} "
            f"{footprint.shown(each['memory_bytes']):>11} {each['seconds_per_kimg']:11.2f} "
            f"{each['kimg']:9.1f} {each['hours']:9.2f}{'' if each['measured'] else '  estimated'}"
        )
    lines.append(
        f"about {found['hours']:.1f} hours, {footprint.shown(found['memory_bytes'])} of memory on "
        f"each device, {footprint.shown(found['disk_bytes'])} of disk for saved states"
    )
    return lines


def write(path: Path, found: dict, config: dict) -> None:
    """Writes preflight.json, which a training that follows leaves where it is."""
    artifacts.write_json(path, {**found, "config": config})

"""What a training will take, told before its first image: parameters, memory and time of each
level.

On this machine levels that fit are tried from the smallest up, with a few steps on random images,
until `BUDGET` seconds are over; those after are estimated: time from what they compute and move and
the rate of the last level that was tried, memory from `footprint`. For cards that are stated, and
where a rate is, nothing is tried.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import footprint, schedule, trainer
from pgcxr.gan.config import GanConfig
from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.gan.stated import PreflightOptions, Rate
from pgcxr.io import artifacts

BUDGET = 120.0
STEPS = 3  # of which the fastest counts; the one before them traces the graph


def stated(config: GanConfig, replicas: int, asked: PreflightOptions) -> dict:
    """What a training would take on `replicas` GPUs of the memory that is `asked` for, see `look`;
    without a rate no hours."""
    way = footprint.XLA if config.jit_compile else footprint.GPU
    labels = len(label_kinds.names(config.labels))
    settings = config.schedule(replicas)
    found = footprint.levels(config, settings, labels, way)
    footprint.compare(found, asked.memory)
    return _summed(_timed(found, asked.images_per_second), settings, asked.memory)


def plan(config: GanConfig, strategy, say: Callable, rate: Rate | None = None) -> dict:
    """What a training would take here, see `look`; with a stated `rate` nothing is tried."""
    settings, available = config.schedule(strategy.num_replicas_in_sync), footprint.memory()
    gan = trainer.build(config, strategy)
    found = trainer.levels(gan, config, settings)
    footprint.compare(found, available)
    found = look(gan, found, strategy, say=say) if rate is None else _timed(found, rate)
    return _summed(found, settings, available)


def look(
    gan: ProgressiveGAN, found: list[dict], strategy, budget: float = BUDGET, say: Callable = print
) -> list[dict]:
    """The levels of `footprint.levels`, each with seconds_per_kimg, hours, `measured` (True where
    it was tried; then memory_bytes is the peak that was seen) and compile_seconds. `gan` is trained
    on noise by it.

    Raises:
        InputError: a level was tried and did not fit into the memory.
    """
    begun, tried = time.perf_counter(), None
    for each in found:
        each |= {"measured": False, "compile_seconds": None}
        if each["fits"] != "no" and (not tried or time.perf_counter() - begun < budget):
            say(f"trying {each['resolution']} px with a minibatch of {each['minibatch']}")
            each |= {"measured": True, **_tried(gan, each, strategy)}
            tried = each
    rate = tried and Rate(1000 / tried["seconds_per_kimg"], tried["resolution"])
    return _timed(found, rate)


def _timed(found: list[dict], rate: Rate | None) -> list[dict]:
    """The levels with seconds_per_kimg and hours, by `rate` where they were not measured; None
    without."""
    unit = None
    if rate is not None:
        if rate.resolution is None:
            whole = sum(each["kimg"] * each["cost_per_kimg"] for each in found)
            unit = sum(each["kimg"] for each in found) * 1000 / rate.images / whole
        else:
            costs = {each["resolution"]: each["cost_per_kimg"] for each in found}
            if rate.resolution not in costs:
                raise ArgumentError(
                    "images_per_second",
                    f"this training comes to {', '.join(map(str, costs))} px",
                    f"{rate.images:g}@{rate.resolution}",
                )
            unit = 1000 / rate.images / costs[rate.resolution]
    for each in found:
        each.setdefault("measured", False)
        each.setdefault("seconds_per_kimg", unit and unit * each["cost_per_kimg"])
        seconds = each["seconds_per_kimg"]
        each["hours"] = None if seconds is None else each["kimg"] * seconds / 3600
    return found


def _summed(found: list[dict], settings: schedule.Settings, available: int | None) -> dict:
    """preflight.json, but for the config."""
    hours = [each["hours"] for each in found]
    return {
        "levels": found,
        "hours": None if None in hours else sum(hours),
        "memory_bytes": max(each["memory_bytes"] for each in found),
        "available_bytes": available,
        "disk_bytes": footprint.disk_bytes(found),
        "replicas": settings.replicas,
        "resolution": settings.resolution,
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
    lines = [
        "    px   G param.   D param.  minibatch  per device      memory   fits  at most"
        "  s per kimg      kimg     hours"
    ]
    for each in found["levels"]:
        seconds, hours = (each[key] for key in ("seconds_per_kimg", "hours"))
        most = "-" if each["most_per_replica"] is None else f"{each['most_per_replica']:,d}"
        lines.append(
            f"{each['resolution']:6d} {each['generator_parameters']:10,d} "
            f"{each['discriminator_parameters']:10,d} {each['minibatch']:10d} "
            f"{each['minibatch_per_replica']:11d} {footprint.shown(each['memory_bytes']):>11} "
            f"{each['fits'] or '-':>6} {most:>8} {_shown(seconds, 11)} {each['kimg']:9.1f} "
            f"{_shown(hours, 9)}{'' if each['measured'] else '  estimated'}"
        )
    time_taken = "hours unknown" if found["hours"] is None else f"about {found['hours']:.1f} hours"
    lines.append(
        f"{time_taken} on {found['replicas']} device{'s' if found['replicas'] > 1 else ''}, "
        f"{footprint.shown(found['memory_bytes'])} of memory on each"
        + (f" of {footprint.shown(available)}" if (available := found["available_bytes"]) else "")
        + f", {footprint.shown(found['disk_bytes'])} of disk for saved states"
    )
    return lines


def _shown(value: float | None, width: int) -> str:
    return f"{'-' if value is None else format(value, '.2f'):>{width}}"


def notes(found: dict) -> list[str]:
    """What the table does not say by itself."""
    lines = []
    if found["hours"] is None:
        lines.append(
            "for hours, state images_per_second: 13.7 of the whole training (the thesis's two "
            "Titan RTX), or of one level as 5.2@1024; or run this on the machine itself"
        )
    if (last := found["levels"][-1]["resolution"]) < found["resolution"]:
        lines.append(
            f"this training ends at {last} px of {found['resolution']}: raise total_kimg, or lower "
            "lod_training_kimg and lod_transition_kimg"
        )
    if any(each["fits"] == "close" for each in found["levels"]):
        lines.append(
            f"close: above {footprint.CLOSE:.0%} of the memory; the estimate may be off by a "
            "quarter"
        )
    return lines


def refuse(found: dict, folder: Path) -> None:
    """Raises InputError where a level will not fit into the memory, or the states onto the disk of
    `folder`."""
    for line in footprint.doubts(found["levels"], found["available_bytes"], folder):
        raise InputError(line)


def write(path: Path, found: dict, config: dict) -> None:
    """Writes preflight.json, which a training that follows leaves where it is."""
    artifacts.write_json(path, {**found, "config": config})

"""What a training needs, from the shapes of its layers alone: parameters, memory of a device, disk,
arithmetic.

Memory is that of one device: TensorFlow itself, `COPIES` of the weights (both networks, Gs, Adam's
moments, gradients, and what the convolutions make of them), and `FEATURES` times the features of
one minibatch, as the gradients hold them. Against the peak of whole processes with full-size
networks (fmap_base 8192, fmap_max 512; 4 to 128 px, two CPU cores) it is 0.99 to 1.22 times what
was measured.
"""

import os
import subprocess
from pathlib import Path

from pgcxr.gan import schedule
from pgcxr.gan.config import GanConfig
from pgcxr.networks import flops

BASE = 700 << 20
COPIES = 16
FEATURES = {False: 4, True: 12}  # by whether wide convolutions are computed with minimal filtering
STATES = 3  # saved ones: two kept, and the one being written
NETWORKS_IN_STATE = 4  # G, D, Gs and the moments
BYTES = 4


def levels(
    config: GanConfig, settings: schedule.Settings, label_size: int, minimal_filtering: bool
) -> list[dict]:
    """One entry for each resolution that the schedule comes to: resolution, kimg, minibatch,
    generator_parameters, discriminator_parameters, memory_bytes (of one device), gflop_per_kimg (of
    all devices together).
    """
    sizes = {
        key: getattr(config, key)
        for key in ("channels", "latent_size", "fmap_base", "fmap_max", "fused_scale")
    }
    sizes |= {"mbstd_group_size": config.mbstd_group_size, "label_size": label_size}
    # All levels are built at the start, whichever trains.
    weights = sum(flops.parameters(sizes, settings.resolution.bit_length() - 1))
    width = BYTES if config.precision == "float32" else BYTES // 2
    kimg: dict[int, float] = {}
    for half_phase in schedule.half_phases(settings):
        shown = half_phase.steps * half_phase.minibatch / 1000
        kimg[half_phase.level] = kimg.get(half_phase.level, 0.0) + shown
    found = []
    for level, shown in kimg.items():
        minibatch = schedule.minibatch_at(settings, 2**level)
        features = minibatch // settings.replicas * flops.features(sizes, level)
        g, d = flops.parameters(sizes, level)
        found.append(
            {
                "resolution": 2**level,
                "kimg": shown,
                "minibatch": minibatch,
                "generator_parameters": g,
                "discriminator_parameters": d,
                "memory_bytes": BASE
                + BYTES * COPIES * weights
                + width * FEATURES[minimal_filtering] * features,
                "gflop_per_kimg": flops.FLOP * flops.iteration(sizes, level) / 1e6,
            }
        )
    return found


def disk_bytes(found: list[dict]) -> int:
    """What saved states take."""
    weights = found[-1]["generator_parameters"] + found[-1]["discriminator_parameters"]
    return STATES * NETWORKS_IN_STATE * BYTES * weights


def doubts(found: list[dict], available: int | None, out: Path) -> list[str]:
    """One line for what will not fit: a level into `available` bytes of memory, the states onto the
    disk of `out`."""
    lines = []
    if available is not None and (
        too_large := [each for each in found if each["memory_bytes"] > available]
    ):
        size, minibatch = too_large[0]["resolution"], too_large[0]["minibatch"]
        lines.append(
            f"{size} px with a minibatch of {minibatch} needs about "
            f"{shown(too_large[0]['memory_bytes'])} of memory on each device, and "
            f"{shown(available)} are free; lower max_minibatch_per_replica "
            f"at {size} px, fmap_max or the resolution"
        )
    there = next(folder for folder in (out.resolve(), *out.resolve().parents) if folder.is_dir())
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    if disk_bytes(found) > free:
        lines.append(
            f"{out}: saved states need about {shown(disk_bytes(found))}, and {shown(free)} are "
            "free; free space, or choose another folder"
        )
    return lines


def memory() -> int | None:
    """Bytes that one device can give: all of the smallest GPU, or what is free here; None where
    nobody says."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return _gpu_memory()
    found = []
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    limit, used = (
        _read("/sys/fs/cgroup/memory.max").strip(),
        _read("/sys/fs/cgroup/memory.current").strip(),
    )
    if limit.isdigit() and used.isdigit():
        found.append(int(limit) - int(used))
    return min(found, default=None)


def _gpu_memory() -> int | None:
    """As the driver's own tool says: TensorFlow tells only what it has taken itself."""
    asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout
        return min(int(line) << 20 for line in told.splitlines() if line.strip())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def shown(size: float) -> str:
    """`size` bytes as "1.5 GiB" or "20 MiB"."""
    return f"{size / 2**30:.1f} GiB" if size >= 1 << 30 else f"{size / 2**20:.0f} MiB"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""

"""What a training needs, from the shapes of its layers alone: parameters, memory of a device, disk,
arithmetic.

Memory is that of one device: TensorFlow itself, `COPIES` of the weights (both networks, Gs, Adam's
moments, gradients, and what the convolutions make of them), and `FEATURES` times the features of
one minibatch, as the gradients hold them. benchmarks/README.md has what it is compared with,
full-size networks (fmap_base 8192, fmap_max 512):

- two CPU cores, whole processes, 4 to 128 px: 0.99 to 1.22 times what was measured.
- GPUs: not measured with TensorFlow. The original's presets hold 16, 8 and 4 images of 256, 512 and
  1024 px in float32 on a card of 16 GB, and twice as many of 512 and 1024 px in float16: 13.3 to
  14.0 GiB here. The same gradients on JAX with XLA, which had 139 GiB to spare, took 17.9 GiB for 4
  images of 1024 px (21.0 here) and 22.2 for 16 of 128 or 256 px (11.0 and 19.7 here: convolutions
  that may take more memory do).
"""

import os
import subprocess
from pathlib import Path

from pgcxr.gan import schedule
from pgcxr.gan.config import GanConfig
from pgcxr.networks import flops

BASE = 700 << 20
COPIES = 16
DIRECT, MINIMAL, GPU, XLA = "direct", "minimal filtering", "GPU", "GPU with XLA"
# By how convolutions are computed: on CPUs directly or with minimal filtering, or on a GPU.
FEATURES = {DIRECT: 4, MINIMAL: 12, GPU: 6, XLA: 10}
# How long an image takes beside its arithmetic: so many GFLOP for a million features that are
# written and read. On CPUs arithmetic is all (187 to 274 GFLOP/s from 4 to 128 px); of the GPU's
# times in benchmarks/README.md this fits those of 128 and 256 px, and gives a third of 1024 px's.
MOVING = {DIRECT: 0.0, MINIMAL: 0.0, GPU: 51.0, XLA: 51.0}
CLOSE = 0.8  # above this share of the memory an estimate may not fit after all
STATES = 3  # saved ones: two kept, and the one being written
NETWORKS_IN_STATE = 4  # G, D, Gs and the moments
BYTES = 4


def levels(config: GanConfig, settings: schedule.Settings, label_size: int, way: str) -> list[dict]:
    """One entry for each resolution that the schedule comes to.

    Args:
        config: what is trained.
        settings: its schedule on the devices.
        label_size: columns of its labels.
        way: how convolutions are computed, of FEATURES.

    Returns:
        {resolution, kimg, minibatch, minibatch_per_replica, generator_parameters,
        discriminator_parameters, memory_bytes (of one device), bytes_per_image (in it),
        gflop_per_kimg (of all devices together), cost_per_kimg (the same with what moving takes)}.
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
        share, features = minibatch // settings.replicas, flops.features(sizes, level)
        each = width * FEATURES[way] * features
        gflop = flops.FLOP * flops.iteration(sizes, level) / 1e6
        g, d = flops.parameters(sizes, level)
        found.append(
            {
                "resolution": 2**level,
                "kimg": shown,
                "minibatch": minibatch,
                "minibatch_per_replica": share,
                "generator_parameters": g,
                "discriminator_parameters": d,
                "memory_bytes": BASE + BYTES * COPIES * weights + share * each,
                "bytes_per_image": each,
                "gflop_per_kimg": gflop,
                "cost_per_kimg": gflop + MOVING[way] * features / 1e3,
            }
        )
    return found


def disk_bytes(found: list[dict]) -> int:
    """What saved states take."""
    weights = found[-1]["generator_parameters"] + found[-1]["discriminator_parameters"]
    return STATES * NETWORKS_IN_STATE * BYTES * weights


def compare(found: list[dict], available: int | None) -> None:
    """Adds to each level how it fits into `available` bytes: fits ("yes", "close", "no", or None
    where that is unknown), most_per_replica, the largest share of a minibatch that would."""
    for each in found:
        each["fits"] = each["most_per_replica"] = None
        if available is not None:
            rest = each["memory_bytes"] - each["minibatch_per_replica"] * each["bytes_per_image"]
            each["most_per_replica"] = max(0, (available - rest) // each["bytes_per_image"])
            close = "close" if each["memory_bytes"] > CLOSE * available else "yes"
            each["fits"] = "no" if each["memory_bytes"] > available else close


def doubts(found: list[dict], available: int | None, out: Path) -> list[str]:
    """One line for what will not fit: a level into `available` bytes of memory, the states onto the
    disk of `out`."""
    lines = []
    if available is not None and (
        too_large := [each for each in found if each["memory_bytes"] > available]
    ):
        size, minibatch = too_large[0]["resolution"], too_large[0]["minibatch"]
        compare(too_large[:1], available)
        most = too_large[0]["most_per_replica"]
        lines.append(
            f"{size} px with a minibatch of {minibatch} needs about "
            f"{shown(too_large[0]['memory_bytes'])} of memory on each device, and "
            f"{shown(available)} are free; lower max_minibatch_per_replica "
            f"at {size} px ({most} would fit), fmap_max or the resolution"
        )
    return lines + disk_doubts(found, out)


def disk_doubts(found: list[dict], out: Path) -> list[str]:
    """The line of `doubts` on the disk, where there is one."""
    there = next(folder for folder in (out.resolve(), *out.resolve().parents) if folder.is_dir())
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    if disk_bytes(found) <= free:
        return []
    return [
        f"{out}: saved states need about {shown(disk_bytes(found))}, and {shown(free)} are free; "
        "free space, or choose another folder"
    ]


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
    """As the driver says: TensorFlow tells only what it has taken itself."""
    try:
        return min((int(line) << 20 for line in driver("memory.total")), default=None)
    except ValueError:
        return None


def driver(query: str) -> list[str]:
    """What the driver's own tool says of each GPU, such as its "name"; none where there is no
    tool."""
    asked = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return [line.strip() for line in told.splitlines() if line.strip()]


def shown(size: float) -> str:
    """`size` bytes as "1.5 GiB" or "20 MiB"."""
    return f"{size / 2**30:.1f} GiB" if size >= 1 << 30 else f"{size / 2**20:.0f} MiB"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""

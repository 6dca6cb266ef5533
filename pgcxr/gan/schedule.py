"""What a growing network does at each image: a pure function of the real images shown (arXiv
1710.10196, A.1).

No imports of networks or TensorFlow: everything else stands on this file.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

# Iterations between two looks at the schedule; lod stays constant within.
MINIBATCH_REPEATS = 4


@dataclass(frozen=True)
class Settings:
    """The growing schedule. Dictionaries are keyed by resolution in pixels; kimg are thousands of
    real images.

    Attributes:
        resolution: of the finished network.
        total_kimg: length of the whole training.
        lod_initial_resolution: where growing begins.
        lod_training_kimg, lod_transition_kimg: stable and fading part of each level.
        minibatch_base, minibatch_dict: global batch (over all replicas).
        max_minibatch_per_replica: {resolution: most that one device holds}.
        lrate_base, lrate_dict: Adam's learning rate, for both networks.
        d_warmup_kimg: at the beginning, in which that of G is 0.
        tick_kimg_base, tick_kimg_dict: between two reports and saved states.
    """

    resolution: int
    total_kimg: float
    lod_initial_resolution: int = 4
    lod_training_kimg: float = 600
    lod_transition_kimg: float = 600
    minibatch_base: int = 16
    minibatch_dict: dict = field(default_factory=dict)
    max_minibatch_per_replica: dict = field(default_factory=dict)
    lrate_base: float = 0.001
    lrate_dict: dict = field(default_factory=dict)
    d_warmup_kimg: float = 0
    tick_kimg_base: float = 160
    tick_kimg_dict: dict = field(default_factory=dict)
    replicas: int = 1


@dataclass(frozen=True)
class Point:
    """The schedule at one number of images; `lod` counts levels still missing, fractional while
    fading. `lrate` is D's learning rate, and G's but for D's warm-up."""

    lod: float
    resolution: int
    minibatch: int
    lrate: float
    g_lrate: float
    tick_kimg: float


@dataclass(frozen=True)
class HalfPhase:
    """A stretch in which the graph does not change: one `fit`. Optimizer state is reset at its
    start.

    Attributes:
        start: images shown before it.
        steps: iterations in it, a multiple of MINIBATCH_REPEATS.
        level: log2 of the resolution.
        fading: whether the level below is blended in.
        minibatch: global batch.
    """

    start: int
    steps: int
    level: int
    fading: bool
    minibatch: int

    @property
    def end(self) -> int:
        return self.start + self.steps * self.minibatch

    def after(self, cur_nimg: int) -> "HalfPhase":
        """What is left of it after `cur_nimg` images of the training."""
        done = (cur_nimg - self.start) // self.minibatch
        return replace(self, start=cur_nimg, steps=self.steps - done)


def at(settings: Settings, cur_nimg: int) -> Point:
    """The schedule after `cur_nimg` real images.

    Example:

        >>> settings = Settings(16, 60, lod_training_kimg=10, lod_transition_kimg=10)
        >>> point = at(settings, 15_000)
        >>> point.lod, point.resolution, point.minibatch
        (1.5, 8, 16)
    """
    kimg = cur_nimg / 1000.0
    length = settings.lod_training_kimg + settings.lod_transition_kimg
    index = math.floor(kimg / length) if length > 0 else 0
    into = kimg - index * length

    full = int(math.log2(settings.resolution))
    lod = full - math.log2(settings.lod_initial_resolution) - index
    if settings.lod_transition_kimg > 0:
        lod -= max(into - settings.lod_training_kimg, 0.0) / settings.lod_transition_kimg
    lod = max(lod, 0.0)
    resolution = 2 ** (full - math.floor(lod))

    minibatch = minibatch_at(settings, resolution)
    if minibatch < 1:  # the loop would stand still
        raise ValueError(
            f"at {resolution} px, a minibatch without an image for each of {settings.replicas} "
            "replicas"
        )
    lrate = settings.lrate_dict.get(resolution, settings.lrate_base)
    return Point(
        lod=lod,
        resolution=resolution,
        minibatch=minibatch,
        lrate=lrate,
        g_lrate=0.0 if kimg < settings.d_warmup_kimg else lrate,
        tick_kimg=settings.tick_kimg_dict.get(resolution, settings.tick_kimg_base),
    )


def minibatch_at(settings: Settings, resolution: int) -> int:
    """Images per step over all replicas: a multiple of their number, 0 where there is not one for
    each."""
    minibatch = settings.minibatch_dict.get(resolution, settings.minibatch_base)
    minibatch -= minibatch % settings.replicas
    if resolution in settings.max_minibatch_per_replica:
        minibatch = min(
            minibatch, settings.max_minibatch_per_replica[resolution] * settings.replicas
        )
    return minibatch


def half_phases(settings: Settings) -> Iterator[HalfPhase]:
    """Every half-phase from the first image to `total_kimg`, as the loop walks it MINIBATCH_REPEATS
    steps at a time."""
    full = int(math.log2(settings.resolution))
    cur_nimg, start, steps, current = 0, 0, 0, None
    while cur_nimg < settings.total_kimg * 1000:
        point = at(settings, cur_nimg)
        key = (full - math.floor(point.lod), point.lod != math.floor(point.lod), point.minibatch)
        if current is not None and key != current:
            yield HalfPhase(start, steps, *current)
            start, steps = cur_nimg, 0
        current = key
        steps += MINIBATCH_REPEATS
        cur_nimg += MINIBATCH_REPEATS * point.minibatch
    if current is not None:
        yield HalfPhase(start, steps, *current)

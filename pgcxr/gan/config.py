"""How a Progressive GAN is trained: one schema for presets, commands, config.json and resume."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import ArgumentError
from pgcxr.gan import schedule
from pgcxr.io import artifacts
from pgcxr.options import (
    SEED,
    SWITCH,
    Options,
    Rule,
    by_resolution,
    number,
    one_of,
    option,
    or_none,
    power_of_two,
    whole,
)

# What the networks compute in -> Keras dtype policy. Weights, losses, moments and Gs are float32.
PRECISIONS = {"float32": "float32", "float16": "mixed_float16", "bfloat16": "mixed_bfloat16"}
# Columns of `pgcxr.cohort.labels` that a conditioned GAN may be told; "" for none.
LABELS = Rule('binary, findings, or "" for none', lambda value: value in ("", "binary", "findings"))
MINIBATCH, KIMG = whole(1, 65_536), number(0, 1e7, above=True)
RATE, WEIGHT = number(0, 10, above=True), number(0, 1e6)
DECAY = Rule("a number above 0 and below 1", lambda value: type(value) is float and 0 < value < 1)
_SIDE = power_of_two(1024)
BEGINNING = Rule(f"0 or {_SIDE.text}", lambda value: value == 0 or _SIDE.holds(value))


@dataclass(frozen=True)
class GanConfig(Options):
    """Networks, schedule, losses and machine; the defaults are the thesis's (2.1).

    They are the original's preset for two GPUs (arXiv 1710.10196, table 2 and A.1) with one
    channel. Tables are keyed by resolution in pixels, and kimg are thousands of real images shown.

    Example:

        >>> config = GanConfig(resolution=64, fmap_base=1024, fmap_max=64)
        >>> config.replace(total_kimg=240.0).with_text(["mirror=True"]).total_kimg
        240.0
        >>> config.replace(label_weight=-5)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: label_weight: must be a number from 0 to 1e+06. Received: label_weight=-5
        >>> config.schedule(replicas=2).minibatch_dict[16]
        128
    """  # noqa: E501

    # Networks
    resolution: int = option(1024, power_of_two(1024), "of the finished network, px")
    channels: int = option(1, whole(1, 1), "radiographs are gray")
    latent_size: int = option(512, whole(1, 65_536), "numbers in a latent")
    fmap_base: int = option(8192, whole(2, 65_536), "feature maps: fmap_base / 2^stage ...")
    fmap_max: int = option(512, whole(1, 65_536), "... and at most so many")
    fused_scale: bool = option(True, SWITCH, "scale and convolve in one operation")
    mbstd_group_size: int = option(
        4, whole(0, 65_536), "images in a group of the minibatch standard deviation, 0 for none"
    )
    pixelnorm_epsilon: float = option(
        1e-8, number(0, 1, above=True), "added to the mean square of a pixel's features"
    )
    # Schedule
    total_kimg: float = option(14451.0, KIMG, "length of the training, kimg")
    lod_initial_resolution: int = option(
        4, BEGINNING, "where growing begins, px; 0: at full resolution, nothing grows"
    )
    lod_training_kimg: float = option(600.0, number(0, 1e7), "stable part of each level, kimg")
    lod_transition_kimg: float = option(600.0, number(0, 1e7), "fading part of each level, kimg")
    minibatch_base: int = option(8, MINIBATCH, "images a step over all replicas")
    minibatch_dict: dict = option(
        {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
        by_resolution(MINIBATCH),
        "minibatch_base at resolutions of their own",
    )
    max_minibatch_per_replica: dict = option(
        {}, by_resolution(MINIBATCH), "most images that one device holds, by resolution"
    )
    lrate_base: float = option(0.001, RATE, "Adam's learning rate, of both networks")
    lrate_dict: dict = option(
        {512: 0.0015, 1024: 0.002}, by_resolution(RATE), "lrate_base at resolutions of their own"
    )
    tick_kimg_base: float = option(20.0, KIMG, "between two reports and saved states, kimg")
    tick_kimg_dict: dict = option(
        {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10},
        by_resolution(KIMG),
        "tick_kimg_base at resolutions of their own",
    )
    # Losses
    gradient_penalty: float = option(10.0, WEIGHT, "weight of WGAN-GP's penalty")
    gradient_target: float = option(
        1.0, number(0, 1e6, above=True), "gradient norm at which there is none"
    )
    drift: float = option(0.001, WEIGHT, "weight of the squared score of reals")
    labels: str = option("", LABELS, "what G and D are told (AC-GAN)")
    label_weight: float = option(1.0, WEIGHT, "of the AC-GAN term, where there are labels")
    label_scale: float = option(
        1.0,
        number(0, 1000, above=True),
        "G is told labels times this, beside latents of variance 1; more is heeded sooner",
    )
    ema_beta: float | None = option(0.999, or_none(DECAY), "decay of Gs at each step")
    ema_halflife_kimg: float | None = option(
        None, or_none(KIMG), "half-life of what Gs averages, kimg; in place of ema_beta"
    )
    # Data
    label: str = option("all", one_of("all", NORMAL, ABNORMAL), "which images are trained on")
    split: str = option("train", one_of("train", "val", "test"), "of the cohort")
    mirror: bool = option(
        False, SWITCH, "flip reals left to right at random: not for chests, the heart has a side"
    )
    oversample_threshold: float = option(
        0.0,
        number(0, 1),
        "images of a finding that a smaller share than this has are shown more often: the square "
        "root of threshold / share (repeat factor sampling); 0: all alike",
    )
    # Little data
    augment: str = option(
        "",
        one_of("", "fixed", "adaptive"),
        'change what D sees: "", fixed (with augment_p) or adaptive (as much as it overfits)',
    )
    augment_p: float = option(
        0.0, number(0, 1), "probability of each change; where adaptive, at the beginning"
    )
    augment_target: float = option(
        0.5, number(0, 1, above=True), "adaptive: share of overfitting that is aimed at"
    )
    augment_kimg: float = option(
        100.0, KIMG, "adaptive: kimg in which the probability goes from 0 to 1"
    )
    # Transfer
    d_warmup_kimg: float = option(
        0.0,
        number(0, 1e7),
        "kimg at the beginning in which D alone learns: where none was there to begin with",
    )
    freeze_d: int = option(
        0,
        whole(0, 9),
        "levels of D nearest to the image that keep the weights that they began with (FreezeD)",
    )
    # Machine
    precision: str = option(
        "float32", one_of(*PRECISIONS), "float16 with loss scaling; weights are float32 in all"
    )
    replicas: int = option(2, whole(0, 1024), "devices, 0 for all there are", of_the_run=True)
    jit_compile: bool = option(False, SWITCH, "compile gradients with XLA")
    minimal_filtering: bool | None = option(
        None,
        or_none(SWITCH),
        "wide convolutions with fewer multiplications; None: on one CPU in float32, where it is "
        "twice as fast",
    )
    alarm: bool = option(
        True, SWITCH, "stop a training that diverges, with its last good state", of_the_run=True
    )
    swd_images: int = option(
        256,
        whole(0, 65_536),
        "most images of Gs that are compared with reals at a tick, 0 for none",
        of_the_run=True,
    )
    snapshot_kimg: float = option(
        0.0,
        number(0, 1e7),
        "kimg between ticks whose networks are kept in snapshots/, each a RUN of its own; 0: none",
        of_the_run=True,
    )
    seed: int = option(1000, SEED, "of weights, latents and image order")

    def check(self) -> None:
        if self.lod_initial_resolution > self.resolution:
            raise ArgumentError(
                "lod_initial_resolution",
                f"must not exceed the resolution of {self.resolution}",
                self.lod_initial_resolution,
            )
        grows = self.first_resolution < self.resolution
        if grows and not (self.lod_training_kimg or self.lod_transition_kimg):
            raise ArgumentError(
                "lod_training_kimg",
                "this or lod_transition_kimg must be above 0, or nothing ever grows",
                self.lod_training_kimg,
            )
        if self.fmap_base < self.resolution // 2:
            raise ArgumentError(
                "fmap_base",
                f"must be {self.resolution // 2} or more at {self.resolution} px, or its last "
                "level has no feature maps",
                self.fmap_base,
            )
        if (self.ema_beta is None) == (self.ema_halflife_kimg is None):
            raise ArgumentError(
                "ema_beta",
                "give exactly one of ema_beta and ema_halflife_kimg, and None for the other",
                "None" if self.ema_beta is None else self.ema_beta,
            )
        if self.augment == "fixed" and not self.augment_p:
            raise ArgumentError("augment_p", "augment=fixed needs one above 0", self.augment_p)
        if not self.augment and self.augment_p:
            raise ArgumentError(
                "augment_p", "does nothing without augment=fixed or adaptive", self.augment_p
            )
        if self.labels and self.label != "all":
            raise ArgumentError(
                "label",
                f"labels={self.labels} needs images of all labels; leave one out",
                self.label,
            )
        # 0 stands for all devices, however many they are.
        self.schedule(self.replicas or 1)

    @property
    def first_resolution(self) -> int:
        """Where growing begins, px."""
        return self.lod_initial_resolution or self.resolution

    def schedule(self, replicas: int) -> schedule.Settings:
        """The growing schedule on a number of devices.

        Raises:
            ArgumentError: a minibatch cannot be shared by them, or by the groups of the minibatch
                standard deviation.
        """
        names = [field.name for field in fields(schedule.Settings) if field.name != "replicas"]
        told = {name: getattr(self, name) for name in names}
        settings = schedule.Settings(
            **told | {"lod_initial_resolution": self.first_resolution}, replicas=replicas
        )
        first, last = int(math.log2(self.first_resolution)), int(math.log2(self.resolution))
        sizes = [2**level for level in range(first, last + 1)]
        minibatches = {size: self.minibatch_dict.get(size, self.minibatch_base) for size in sizes}
        for size in sizes:
            share = schedule.minibatch_at(settings, size) // replicas
            if share < 1 and replicas > max(minibatches.values()):
                raise ArgumentError(
                    "replicas",
                    f"is more devices than the {minibatches[size]} images of a step at {size} px; "
                    "ask for fewer devices, or a larger minibatch",
                    replicas,
                )
            if share < 1:
                table = "dict" if size in self.minibatch_dict else "base"
                raise ArgumentError(
                    f"minibatch_{table}",
                    f"at {size} px not one image for each of {replicas} devices",
                    minibatches[size],
                )
            group = min(self.mbstd_group_size, share)
            if group > 1 and share % group:
                raise ArgumentError(
                    "mbstd_group_size",
                    f"does not divide the minibatch of {share} on each of {replicas} devices at "
                    f"{size} px; change one of them",
                    self.mbstd_group_size,
                )
        return settings

    def ema_decay(self, minibatch: int) -> float:
        """Of Gs at one step: `ema_beta` (the original's 0.999), or from the half-life."""
        if self.ema_halflife_kimg is None:
            return self.ema_beta
        return 0.5 ** (minibatch / (1000.0 * self.ema_halflife_kimg))

    @classmethod
    def of_run(cls, folder: Path) -> Self:
        """That of RUN/config.json; of keys that were added since, the defaults.

        Raises:
            InputError: the file is not that of a training.
        """
        file = folder / "config.json"
        return cls.from_saved(artifacts.read_json(file), f"{file}", ("resolution", "total_kimg"))

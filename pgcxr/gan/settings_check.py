"""What the settings of a training may be: a table for each kind, checked before anything is
written.

Keys that a table does not hold pass: whoever adds one may check it elsewhere.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pgcxr.cohort.labels import KINDS
from pgcxr.errors import InputError
from pgcxr.gan import schedule
from pgcxr.gan.precision import PRECISIONS
from pgcxr.options import LARGEST_SEED

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Rule:
    """`holds(value)`, and how to say it after "must be"."""

    text: str
    holds: Callable[[object], bool]


def whole(least: int, most: int) -> Rule:
    """A whole number within limits."""
    text = f"a whole number from {least} to {most}" if least < most else str(least)
    return Rule(text, lambda value: type(value) is int and least <= value <= most)


def number(least: float, most: float, *, above: bool = False) -> Rule:
    """A number within limits, `least` itself excluded where `above`."""
    text = (
        f"a number above {least:g} and at most {most:g}"
        if above
        else f"a number from {least:g} to {most:g}"
    )

    def holds(value) -> bool:
        return (
            type(value) in (int, float)
            and least <= value <= most
            and not (above and value == least)
        )

    return Rule(text, holds)


def below(least: float, most: float) -> Rule:
    """A number of at least `least` and less than `most`."""
    text = f"a number from {least:g} to below {most:g}"
    return Rule(text, lambda value: type(value) in (int, float) and least <= value < most)


def by_resolution(rule: Rule) -> Rule:
    """{resolution: value}."""

    def holds(value) -> bool:
        return isinstance(value, dict) and all(
            is_size(key) and rule.holds(item) for key, item in value.items()
        )

    return Rule(
        f"a dictionary of resolutions (powers of two, 4 or more), each with {rule.text}", holds
    )


def or_none(rule: Rule) -> Rule:
    """What `rule` says, or None."""
    return Rule(f"{rule.text}, or None", lambda value: value is None or rule.holds(value))


def one_of(*words: str) -> Rule:
    """One of the words."""
    return Rule(
        f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words
    )


def is_size(value) -> bool:
    """Whether `value` is a power of two, 4 or more."""
    return type(value) is int and value >= 4 and value & (value - 1) == 0


SIZE = Rule("a power of two from 4 to 1024", lambda value: is_size(value) and value <= 1024)
SWITCH = Rule("True or False", lambda value: isinstance(value, bool))
TEXT = Rule("a text", lambda value: isinstance(value, str))
BLOCKS = Rule(
    "one block or more per stage, for example 3,4,6,3",
    lambda value: (
        isinstance(value, (tuple, list))
        and 0 < len(value) <= 8
        and all(map(whole(1, 100).holds, value))
    ),
)
SEED = whole(0, LARGEST_SEED)
MINIBATCH, KIMG, RATE, WEIGHT = (
    whole(1, 65_536),
    number(0, 1e7, above=True),
    number(0, 10, above=True),
    number(0, 1e6),
)

GAN = {
    "precision": one_of(*PRECISIONS),
    "labels": one_of("", *KINDS),
    "mirror": SWITCH,
    "resolution": SIZE,
    "channels": whole(1, 1),  # radiographs are gray
    "latent_size": whole(1, 65_536),
    "fmap_base": whole(2, 65_536),
    "fmap_max": whole(1, 65_536),
    "fused_scale": SWITCH,
    "mbstd_group_size": whole(0, 65_536),
    "total_kimg": KIMG,
    "lod_initial_resolution": SIZE,
    "lod_training_kimg": number(0, 1e7),
    "lod_transition_kimg": number(0, 1e7),
    "minibatch_base": MINIBATCH,
    "minibatch_dict": by_resolution(MINIBATCH),
    "max_minibatch_per_replica": by_resolution(MINIBATCH),
    "lrate_base": RATE,
    "lrate_dict": by_resolution(RATE),
    "tick_kimg_base": KIMG,
    "tick_kimg_dict": by_resolution(KIMG),
    "gradient_penalty": WEIGHT,
    "gradient_target": number(0, 1e6, above=True),
    "drift": WEIGHT,
    "ema_beta": or_none(
        Rule("a number above 0 and below 1", lambda value: type(value) is float and 0 < value < 1)
    ),
    "ema_halflife_kimg": or_none(KIMG),
    "label": one_of("all", "normal", "abnormal"),
    "split": one_of("train", "val", "test"),
    "replicas": whole(0, 1024),
    "jit_compile": SWITCH,
    "minimal_filtering": or_none(SWITCH),
    "alarm": SWITCH,
    "swd_images": whole(0, 65_536),
    "seed": SEED,
}
CLASSIFIER = {
    "size": whole(4, 8192),
    "blocks": BLOCKS,
    "width": whole(1, 4096),
    "stem": TEXT,
    "momentum": below(0, 1),
    "weights_file": TEXT,
    "batch_size": MINIBATCH,
    "epochs": whole(1, 1_000_000),
    "learning_rate": RATE,
    "warmup_epochs": number(0, 1_000_000),
    "weight_decay": number(0, 1),
    "patience": whole(1, 1_000_000),
    "balance": SWITCH,
    "shift": number(0, 1),
    "rotation": number(0, 360),
    "brightness": number(0, 1),
    "precision": one_of(*PRECISIONS),
    "curriculum": whole(0, 1_000_000),
    "seed": SEED,
}
# What a RUN was trained with whose config.json does not say it.
CLASSIFIER_ADDED = {"precision": "float32", "curriculum": 0}


def check(
    rules: dict[str, Rule], settings: dict, where: str = "--set ", needed: Iterable[str] = ()
) -> None:
    """Raises InputError for the first of `settings` that breaks its rule; `where` is put before its
    name."""
    for key in needed:
        if key not in settings:
            raise InputError(f"{where}{key}: is missing; train the run again")
    for key, rule in rules.items():
        if key in settings and not rule.holds(settings[key]):
            raise InputError(f"{where}{key}={shown(settings[key])}: must be {rule.text}")


def check_gan(settings: dict) -> None:
    """Raises InputError for settings that no Progressive GAN can be trained with."""
    check(GAN, settings)
    resolution = settings["resolution"]
    if settings["lod_initial_resolution"] > resolution:
        raise InputError(
            f"--set lod_initial_resolution: must not exceed the resolution of {resolution}"
        )
    if settings["lod_initial_resolution"] < resolution and not (
        settings["lod_training_kimg"] or settings["lod_transition_kimg"]
    ):
        raise InputError(
            "--set lod_training_kimg, lod_transition_kimg: one must be above 0, or nothing ever "
            "grows"
        )
    if settings["fmap_base"] < resolution // 2:
        raise InputError(
            f"--set fmap_base={settings['fmap_base']}: must be {resolution // 2} or more at "
            f"{resolution} px, or its last level has no feature maps"
        )
    if (settings["ema_beta"] is None) == (settings["ema_halflife_kimg"] is None):
        raise InputError(
            "--set ema_beta, ema_halflife_kimg: give exactly one of the two, and None for the other"
        )
    _check_minibatches(settings)


def _check_minibatches(settings: dict) -> None:
    """Every replica needs an image, and whole groups for the minibatch standard deviation."""
    # 0 stands for all devices, however many they are.
    names = ("minibatch_base", "minibatch_dict", "max_minibatch_per_replica")
    planned = schedule.Settings(
        resolution=settings["resolution"],
        total_kimg=settings["total_kimg"],
        replicas=settings["replicas"] or 1,
        **{name: settings[name] for name in names},
    )
    first, last = (
        int(math.log2(settings[name])) for name in ("lod_initial_resolution", "resolution")
    )
    for size in (2**level for level in range(first, last + 1)):
        each = schedule.minibatch_at(planned, size) // planned.replicas
        if each < 1:
            raise InputError(
                f"--set minibatch_base, minibatch_dict: at {size} px not one image for each replica"
            )
        group = min(settings["mbstd_group_size"], each)
        if group > 1 and each % group:
            raise InputError(
                f"--set mbstd_group_size={group}: does not divide the minibatch of {each} on each "
                f"replica at {size} px"
            )


def shown(value) -> str:
    """`value` as text that fits into a line."""
    try:
        text = f"{value}"
    except ValueError:  # more digits than Python prints
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."

"""Whether the installed TensorFlow can drive the GPUs of this machine.

A TensorFlow brings machine code for some compute capabilities ("sm_80") and intermediate code for
the newest ("compute_90"). Machine code runs on cards of the same major number and the same minor
one or a higher. Intermediate code should run on anything newer, too, but TensorFlow's own kernels
don't: on cards of 12.0 all versions from 2.16 to 2.21 end in CUDA_ERROR_INVALID_PTX at the first
operation (tensorflow/tensorflow issues 89272, 97387 and 101746).
"""

import os
import re
from dataclasses import dataclass

from pgcxr.errors import InputError
from pgcxr.gan import footprint

TARGET = re.compile(r"(?:sm|compute)_(\d+)(\d)([a-z]?)")
HIDING = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Card:
    """A GPU as TensorFlow describes it; `capability` is (major, minor), None where it doesn't
    say."""

    name: str
    capability: tuple[int, int] | None


def found() -> list[Card]:
    """The GPUs that TensorFlow sees."""
    import tensorflow as tf

    described = [
        tf.config.experimental.get_device_details(device)
        for device in tf.config.get_visible_devices("GPU")
    ]
    return [
        Card(each.get("device_name", "a GPU"), each.get("compute_capability")) for each in described
    ]


def targets() -> tuple[str, ...]:
    """What the installed TensorFlow was built for, such as ("sm_80", "compute_90")."""
    import tensorflow as tf

    return tuple(tf.sysconfig.get_build_info().get("cuda_compute_capabilities", ()))


def drives(built_for: tuple[str, ...], capability: tuple[int, int] | None) -> bool:
    """Whether what was `built_for` some cards runs on one of this capability; yes where nobody
    knows.

    Example:

        >>> built = ("sm_60", "sm_80", "compute_90")
        >>> [drives(built, each) for each in ((3, 7), (6, 1), (8, 9), (9, 0), (12, 0))]
        [False, True, True, True, False]
    """
    known = [match for target in built_for if (match := TARGET.fullmatch(target))]
    if capability is None or not known:
        return True
    major, minor = capability
    return any(
        int(match[1]) == major
        and (int(match[2]) == minor or int(match[2]) < minor and not match[3])
        for match in known
    )


def check(replicas: int) -> list[str]:
    """What to warn of before a training on `replicas` cards (0: all there are): cards that are left
    out, which TensorFlow no longer sees then.

    Raises:
        InputError: too few are left.
    """
    import tensorflow as tf

    cards, built = found(), targets()
    if not cards:
        return [line] if (line := _unseen()) else []
    good = [drives(built, card.capability) for card in cards]
    if all(good):
        return []
    bad = next(card for card, fine in zip(cards, good, strict=True) if not fine)
    line = _refusal(bad, built, tf.__version__)
    if sum(good) < max(replicas, 1):
        raise InputError(line)
    devices = tf.config.get_visible_devices("GPU")
    tf.config.set_visible_devices(
        [device for device, fine in zip(devices, good, strict=True) if fine], "GPU"
    )
    return [f"trains without a card. {line}"]


def _refusal(card: Card, built_for: tuple[str, ...], version: str) -> str:
    built = sorted(
        (int(match[1]), int(match[2])) for each in built_for if (match := TARGET.fullmatch(each))
    )
    if card.capability > built[-1]:
        way = (
            "install a TensorFlow that was built for it (NVIDIA's container of TensorFlow is, "
            "where the index has none yet)"
        )
    else:
        way = f"it is too old: use one of {built[0][0]}.{built[0][1]} or above"
    known, own = ", ".join(f"{a}.{b}" for a, b in built), ".".join(map(str, card.capability))
    return (
        f"{card.name}: has compute capability {own}, and TensorFlow {version} was built for "
        f"{known}, so it can't compute there; {way}, or train on the CPU ({HIDING}=-1) or on "
        "another machine"
    )


def _unseen() -> str | None:
    """A line where the driver has cards of which TensorFlow sees none, and nobody hid them."""
    if HIDING in os.environ or not (names := footprint.driver("name")):
        return None
    return (
        f"TensorFlow sees none of this machine's GPUs ({', '.join(names)}), so this runs on the "
        "CPU, many times slower; install TensorFlow with CUDA: pip install 'pgcxr[gpu]'"
    )

"""What is said of the devices of a preflight, as it is written on the command line; free of heavy
imports."""

import re
from dataclasses import dataclass
from typing import Self

from pgcxr.errors import ArgumentError
from pgcxr.options import SWITCH, Options, Rule, option, or_none, whole

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
DECIMAL = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def memory_of(text: str) -> int:
    """Bytes of a memory as it is written, such as "24GiB" or "24 GB".

    Raises:
        ArgumentError: it is none.

    Example:

        >>> memory_of("1.5GiB"), memory_of("24 GB")
        (1610612736, 24000000000)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])(i?)B\s*", text, re.IGNORECASE)
    if not match or not float(match[1]):
        raise ArgumentError("memory", "must be a size with its unit, such as 24GiB", text)
    return int(float(match[1]) * (UNITS if match[3] else DECIMAL)[match[2].upper()])


@dataclass(frozen=True)
class Rate:
    """Images a second over all devices: of the whole training, or of the level of `resolution`."""

    images: float
    resolution: int | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """As it is written: "13.7", or "5.2@1024" of the level of 1024 px.

        Raises:
            ArgumentError: it is none.

        Example:

            >>> Rate.of("5.2@1024")
            Rate(images=5.2, resolution=1024)
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:@(\d+))?", text.strip())
        if not match or not float(match[1]):
            raise ArgumentError(
                "images_per_second",
                "must be a number of the whole training, such as 13.7, or of one level, such as "
                "5.2@1024",
                text,
            )
        return cls(float(match[1]), int(match[2]) if match[2] else None)


@dataclass(frozen=True)
class PreflightOptions(Options):
    """What can be told of the devices, most of it for a preflight.

    Example:

        >>> PreflightOptions(preflight=True, memory=memory_of("24GiB")).memory
        25769803776
        >>> PreflightOptions(memory=memory_of("24GiB"))
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: memory: is for a preflight; ask for one, too
    """

    preflight: bool = option(
        False,
        SWITCH,
        "only tell the parameters, memory and time of every level; cohort and RUN may be left out",
    )
    replicas: int | None = option(
        None, or_none(whole(0, 1024)), "devices, 0 for all there are; as replicas of the config"
    )
    memory: int | None = option(
        None,
        or_none(whole(1, 2**60)),
        "of a preflight: for GPUs with this memory each, such as 24GiB, in place of this machine's",
        parse=memory_of,
    )
    images_per_second: Rate | None = option(
        None,
        Rule("a rate, or None", lambda value: value is None or isinstance(value, Rate)),
        "of a preflight: rate of all devices, 13.7 of the whole training or 5.2@1024 of one level; "
        "without, this machine is tried",
        parse=Rate.of,
    )

    def check(self) -> None:
        for name in ("memory", "images_per_second"):
            if getattr(self, name) is not None and not self.preflight:
                raise ArgumentError(name, "is for a preflight; ask for one, too")

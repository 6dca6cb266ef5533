"""Every option of the phantom, with what it may be; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.options import SEED, SWITCH, Options, option, or_none, whole

SMALLEST, LARGEST = 64, 4096


@dataclass(frozen=True)
class PhantomOptions(Options):
    """How large the fake export is, and what lies in it.

    Example:

        >>> PhantomOptions(patients=100).size
        512
        >>> PhantomOptions(patients=0)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: patients: must be a whole number from 1 to 1000000000. \
Received: patients=0
    """

    patients: int = option(rule=whole(1, 10**9), help="Number of patients; about 1.25 images each.")
    seed: int = option(0, SEED, "Same seed, same bytes.")
    size: int = option(512, whole(SMALLEST, LARGEST), "Pixels on a side, 64 to 4096.")
    messy: bool = option(False, SWITCH, "Add broken, duplicate and mislabeled files.")
    workers: int | None = option(
        None, or_none(whole(1, 256)), "Processes; one per core by default.", of_the_run=True
    )

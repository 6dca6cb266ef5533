"""Goes on with a RUN: its newest state, from as many devices or others with the same schedule."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from pgcxr.errors import InputError
from pgcxr.gan import schedule
from pgcxr.gan.run_dir import RunDir

if TYPE_CHECKING:
    from pgcxr.gan.progressive_gan import ProgressiveGAN


def resume(
    run: RunDir, gan: "ProgressiveGAN", settings_on: Callable, replicas: int, say: Callable
) -> None:
    """Loads RUN's newest state; it may come from another number of devices if the schedule is the
    same.

    Args:
        settings_on: the schedule on any number of devices.
        replicas: how many there are now.
        say: called with a line for the user.

    Raises:
        InputError: RUN's states are all damaged, another run's, or on a schedule that cannot be
            followed here.
    """
    cur_nimg = run.restore(gan, say)
    if not cur_nimg:
        return
    say(f"going on after {cur_nimg / 1000:.1f} kimg")
    then = run.restored.get("replicas", replicas)
    if then == replicas:
        return
    if _walked(settings_on(then), cur_nimg) != _walked(settings_on(replicas), cur_nimg):
        raise InputError(
            f"{run.folder}: was begun on {then} devices, with other minibatches than {replicas} "
            f"have; train on {then}, or choose another folder"
        )
    say(
        f"begun on {then} devices, goes on with {replicas}: the same images and random numbers, "
        "but sums in another order, and minibatch statistics over other groups"
    )


def _walked(settings: schedule.Settings, cur_nimg: int) -> list[schedule.HalfPhase]:
    """The half-phases up to `cur_nimg`, the last one as if it ended there."""
    walked = itertools.takewhile(
        lambda half_phase: half_phase.start < cur_nimg, schedule.half_phases(settings)
    )
    return [
        dataclasses.replace(each, steps=min(each.steps, (cur_nimg - each.start) // each.minibatch))
        for each in walked
    ]

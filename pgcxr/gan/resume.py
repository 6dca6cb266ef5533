"""What must hold for a run to begin, or to go on, on the devices of now."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

from pgcxr.errors import InputError
from pgcxr.gan import schedule
from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.gan.run_dir import RunDir


def check_minibatches(settings: schedule.Settings, group: int) -> None:
    """Raises InputError where a minibatch of the schedule cannot be shared by its devices and
    statistics' groups."""
    level, full = int(np.log2(settings.lod_initial_resolution)), int(np.log2(settings.resolution))
    for resolution in (2**v for v in range(level, full + 1)):
        each = schedule.minibatch_at(settings, resolution) // settings.replicas
        if each < 1 or (group > 1 and each % min(group, each)):
            asked = settings.minibatch_dict.get(resolution, settings.minibatch_base)
            raise InputError(
                f"--set minibatch_dict: {asked} images at {resolution} px leave {each} to each of "
                f"{settings.replicas} devices, where a multiple of mbstd_group_size = {group} (or "
                "fewer) is needed; change the minibatch or the number of replicas"
            )


def restore(
    run: RunDir, gan: ProgressiveGAN, settings_on: Callable, replicas: int, say: Callable
) -> None:
    """Loads RUN's newest state; it may come from another number of devices if the schedule is the
    same.

    Arguments:
        settings_on: the schedule on any number of devices.
        replicas: how many there are now.
        say: called with a line for the user.

    Raises:
        InputError: RUN's states are all damaged, another run's, or on a schedule that cannot be
            followed here.
    """
    nimg = run.restore(gan, say)
    if not nimg:
        return
    say(f"going on after {nimg / 1000:.1f} kimg")
    then = run.restored.get("replicas", replicas)
    if then == replicas:
        return
    if _walked(settings_on(then), nimg) != _walked(settings_on(replicas), nimg):
        raise InputError(
            f"{run.folder}: was begun on {then} devices, with other minibatches than {replicas} "
            f"have; train on {then}, or name another --out"
        )
    say(
        f"begun on {then} devices, goes on with {replicas}: the same images and random numbers, "
        "but sums in another order, and minibatch statistics over other groups"
    )


def _walked(settings: schedule.Settings, nimg: int) -> list[schedule.HalfPhase]:
    """The half-phases up to `nimg`, the last one as if it ended there."""
    walked = itertools.takewhile(
        lambda half_phase: half_phase.start < nimg, schedule.half_phases(settings)
    )
    return [
        dataclasses.replace(each, steps=min(each.steps, (nimg - each.start) // each.minibatch))
        for each in walked
    ]

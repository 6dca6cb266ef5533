"""Trainings of one config share what TensorFlow traced for the first of them: tracing takes most of
the time of a tiny training, and a test of resume trains three times.

A life gets a new GAN's values in the variables of the first one, and from `grow_to` the function
that was traced for whatever the step reads of Python: a life that read anything else (another
level, decay, seed, frozen layer) traces its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pgcxr.gan import trainer
from pgcxr.gan.progressive_gan import ProgressiveGAN

# What a step reads of the GAN beside its variables.
READ = ("seed", "loss_terms", "mirror", "label_rows", "label_ends", "level", "fading", "minibatch")
READ += ("decay", "frozen")
_kept: dict[tuple, tuple[ProgressiveGAN, dict]] = {}


@contextmanager
def shared() -> Iterator[None]:
    """Meanwhile `trainer.build` gives GANs of one device that share their traces."""
    really = trainer.build

    def build(config, strategy):
        gan = really(config, strategy)
        if strategy.num_replicas_in_sync > 1:
            return gan
        networks = (gan.generator, gan.discriminator)
        key = tuple(_text(network.get_config()) for network in networks)
        key += (gan.jit_compile, gan.convolutions is None, gan.augment_p is None)
        if key not in _kept:
            _kept[key] = gan, {}
        return _like(gan, *_kept[key])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trainer, "build", build)
        yield


def _like(new: ProgressiveGAN, kept: ProgressiveGAN, traced: dict) -> ProgressiveGAN:
    """`kept` with all that `new` has."""
    if new is not kept:
        for theirs, ours in zip(_variables(new), _variables(kept), strict=True):
            ours.assign(theirs)
        for name in READ:
            if hasattr(new, name):
                setattr(kept, name, getattr(new, name))

    def make_train_function(force=False):
        if kept.train_function is not None and not force:
            return
        key = tuple(_text(getattr(kept, name, None)) for name in READ)
        if key not in traced:
            ProgressiveGAN.make_train_function(kept, force=True)
            traced[key] = kept.train_function
        kept.train_function = traced[key]

    kept.make_train_function = make_train_function
    return kept


def _variables(gan: ProgressiveGAN) -> list:
    optimizers = [*gan.g_optimizer.variables, *gan.d_optimizer.variables]
    return [*gan.variables, *optimizers, *([] if gan.augment_p is None else [gan.augment_p])]


def _text(value) -> str:
    return str(value.tolist()) if hasattr(value, "tolist") else str(value)

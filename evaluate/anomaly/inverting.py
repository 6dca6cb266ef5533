"""The nearest images that the GAN makes of all images that the inversion reads."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from evaluate import common
from evaluate.anomaly.options import AnomalyOptions
from evaluate.anomaly.runs import Loaded
from evaluate.protocol import Progress
from pgcxr.errors import ArgumentError
from pgcxr.latent.encoder import EncoderStart
from pgcxr.latent.features import FeatureSearch, generator_with_offsets
from pgcxr.latent.inversion import Inversion, Inverter
from pgcxr.latent.starts import RandomStart, Start, make_bank
from pgcxr.losses.residuals import LOSSES
from pgcxr.networks import level_at


def refuse(loaded: Loaded, options: AnomalyOptions) -> None:
    """Raises ArgumentError where the options don't go with the networks."""
    if loaded.encoder is not None and options.start != "bank":
        raise ArgumentError(
            "start", "says where searches start without an encoder, but one is named", options.start
        )
    level, _, _ = level_at(loaded.generator.max_level, float(np.asarray(loaded.generator.lod)))
    if options.freed > level - 1:
        raise ArgumentError(
            "freed", f"must be at most the {level - 1} levels that the GAN has", options.freed
        )


def invert(
    loaded: Loaded, queries: np.ndarray, options: AnomalyOptions, seed: int, progress: Progress
) -> Inversion:
    """The inversion of uint8 images [N, R, R, 1] on the part of the generator that has grown, and
    the features that are freed after it."""
    with_offsets, loss = generator_with_offsets(loaded.generator), LOSSES[options.loss]
    images = common.from_uint8(queries)
    inverter = make_inverter(loaded, options, seed, with_offsets)
    found = inverter.invert(
        images,
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        progress=_counter("finding the nearest normal images", len(images), progress),
    )
    if not options.freed:
        return found
    shapes = loaded.generator.feature_shapes()[: options.freed]
    search = FeatureSearch(with_offsets, shapes, loss, options.penalty, options.batch)
    beyond = search.search(
        images,
        found.latents,
        iterations=options.freed_iterations,
        learning_rate=options.freed_learning_rate,
        progress=_counter("freeing the generator's features", len(images), progress),
    )
    nearest = beyond.images[-1]
    return replace(
        found,
        latents=beyond.latents,
        images=nearest,
        means=nearest,
        losses=np.asarray(loss(images, nearest)),
        iterations=options.iterations + len(shapes) * options.freed_iterations,
        seconds=found.seconds + float(beyond.seconds[-1]),
    )


def make_inverter(
    loaded: Loaded,
    options: AnomalyOptions,
    seed: int,
    with_offsets: Callable | None = None,
    batch: int | None = None,
) -> Inverter:
    """What inverts images as the options say.

    Args:
        loaded: with the generator and, where one is used, its encoder.
        options: how.
        seed: of the start.
        with_offsets: of `generator_with_offsets`; made where left out.
        batch: searches at once, where not those of the options.
    """
    with_offsets = with_offsets or generator_with_offsets(loaded.generator)

    def generate(z):
        return with_offsets(z, ())

    start = _start(loaded, generate, options, seed)
    return Inverter(generate, start, LOSSES[options.loss], options.starts, batch or options.batch)


def _start(loaded: Loaded, generate, options: AnomalyOptions, seed: int) -> Start:
    size = loaded.generator.latent_size
    if loaded.encoder is not None:
        return EncoderStart(loaded.encoder.network, generate, loaded.encoder.passes)
    if options.start == "random":
        return RandomStart(size, seed)
    return make_bank(generate, common.latents(seed, options.bank, size, purpose=4), options.batch)


def _counter(what: str, total: int, progress: Progress):
    done = 0

    def advance(images: int) -> None:
        nonlocal done
        done += images
        progress(what, done, total)

    return advance

"""A training that begins with the weights of another: transfer learning.

What every user of a GAN with a few thousand images does (Karras 2020, arXiv 2006.06676, section
4.2): both networks begin with those of a larger set, moments and schedule are those of the new
config. Levels may differ; what fits is taken over, and what was is said.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan.config import GanConfig
from pgcxr.gan.run_dir import RunDir
from pgcxr.io import artifacts
from pgcxr.networks import original_weights
from pgcxr.networks.generator import feature_maps
from pgcxr.sampling import exchange, runs
from pgcxr.sampling.generation import load_generator
from pgcxr.sampling.lineage import ancestry


@dataclass(frozen=True)
class Source:
    """Networks that a training begins with.

    Attributes:
        name: as a user calls them: a name of pgcxr's own, or that of a folder or file.
        average, generator: Gs and G; the same network where only Gs was kept.
        discriminator: None where there is none.
        lineage: of these networks, and after it of those that they began with in turn; what the
            run's config.json says under "init".
    """

    name: str
    average: Any
    generator: Any
    discriminator: Any | None
    lineage: list[dict] = field(default_factory=list)


def load(init: str, out: Path) -> Source:
    """The networks to begin with.

    Args:
        init: RUN of train.gan, or of pgcxr import-nvidia; or an official pickle; or the name of a
            network that comes with pgcxr.
        out: the new RUN, from which paths in the lineage are seen.

    Raises:
        ArgumentError: it is none of these.
        InputError: a network is missing or damaged.
    """
    runs.refuse_missing(init)
    path = Path(init)
    if path.is_file():
        return _of_pickle(path)
    if path.is_dir():
        return _of_run(path, path.resolve().name, out)
    return _of_run(runs.pretrained_run(init), init, None)


def _of_pickle(path: Path) -> Source:
    networks = original_weights.load_pickle(path)
    digest = artifacts.sha256(path)
    # Of what a pickle's networks have seen nothing is known.
    entry = {"name": path.name, "sha256": digest, "imported": True}
    return Source(path.name, networks["Gs"], networks["G"], networks["D"], [entry])


def _of_run(run: Path, name: str, out: Path | None) -> Source:
    average = load_generator(run)
    known = ancestry(run, name, runs.GENERATOR, out)
    report = run / "report.json"
    if report.is_file():
        known[0]["kimg"] = artifacts.read_json(report).get("kimg")
    generator, discriminator = average, None
    if (run / exchange.PLAIN_GENERATOR).is_file():
        generator = runs.load_network(run, exchange.PLAIN_GENERATOR, "train.gan")[1]
    if (run / runs.DISCRIMINATOR).is_file():
        discriminator = runs.load_network(run, runs.DISCRIMINATOR, "train.gan")[1]
    return Source(name, average, generator, discriminator, known)


def take_over(gan, source: Source, say: Callable[[str], None]) -> None:
    """Gives a new GAN the source's weights, of every layer that fits.

    Args:
        gan: a `ProgressiveGAN`, not yet trained.
        source: from `load`.
        say: called with one line for what was taken over, and what was not.

    Raises:
        InputError: nothing fits.
    """
    g_taken, g_new = _copy(source.generator, gan.generator)
    gan.generator_ema.set_weights(gan.generator.get_weights())
    _copy(source.average, gan.generator_ema)
    d_new = [key for key, _ in _layers(gan.discriminator)]
    if source.discriminator is not None:
        _, d_new = _copy(source.discriminator, gan.discriminator)
    if not g_taken:
        theirs, ours = source.generator.get_config(), gan.generator.get_config()
        keys = ("resolution", "latent_size", "fmap_base", "fmap_max")
        say_of = [", ".join(f"{key}={config[key]}" for key in keys) for config in (theirs, ours)]
        raise InputError(
            f"{source.name}: no layer of its generator ({say_of[0]}) fits one of {say_of[1]}; set "
            "these options as it has them"
        )
    for letter, new in (("G", g_new), ("D", d_new)):
        what = "all" if not new else "all but " + _named(new)
        if letter == "D" and source.discriminator is None:
            what = "nothing, as it holds no discriminator: D begins anew (d_warmup_kimg: alone)"
        say(f"init {source.name}: {letter} takes over {what}")
    if source.generator.channels != gan.generator.channels:
        say(f"init {source.name}: its {source.generator.channels} channels are averaged")
    if source.generator.label_size != gan.generator.label_size:
        say(f"init {source.name}: it knows other labels; those of this training begin unknown")
    elif source.generator.label_scale != gan.generator.label_scale:
        times = gan.generator.label_scale / source.generator.label_scale
        say(f"init {source.name}: its labels count {times:g} times as much in this training")


def lineage_of(run: RunDir, config: GanConfig, ancestor: Source | None) -> list[dict]:
    """What config.json says under "init": the networks that a run began with, the nearest first;
    [] for one from scratch.

    A run that goes on needs no `ancestor`: its weights are in its state.

    Raises:
        ArgumentError: the run was begun otherwise, or what is to be frozen was not taken over.
    """
    lineage: list[dict] = []
    if ancestor is not None:
        nearest, *earlier = ancestor.lineage
        lineage = artifacts.plain([nearest | {"levels": _levels(ancestor, config)}, *earlier])
    if run.config_file.exists():
        begun = artifacts.read_json(run.config_file).get("init", [])
        if ancestor is not None and _digests(begun) != _digests(lineage):
            with_what = f"with {begun[0]['name']}" if begun else "without another's weights"
            expected = f"{run.folder} was begun {with_what}; go on with that, or choose another out"
            raise ArgumentError("init", expected, ancestor.name)
        if begun and ancestor is None and not run.has_state():
            expected = f"{run.folder} began with {begun[0]['name']} and has no state yet; name it"
            raise ArgumentError("init", expected)
        lineage = begun
    most = len(lineage[0]["levels"]) if lineage else 0
    if config.freeze_d > most:
        expected = (
            f"the weights that it began with fit {most} levels of D above 4 px; freeze no more"
            if lineage
            else "needs weights to begin with (init): fresh ones know nothing worth keeping"
        )
        raise ArgumentError("freeze_d", expected, config.freeze_d)
    return lineage


def frozen(run: RunDir, config: GanConfig) -> list[int]:
    """Levels of D (log2 of the resolution) that keep what they began with: `freeze_d` of those
    taken over, from the image's side."""
    lineage = run.identity.get("config", {}).get("init", [])
    levels = lineage[0]["levels"] if lineage else []
    return [size.bit_length() - 1 for size in levels[: config.freeze_d]]


def _levels(source: Source, config: GanConfig) -> list[int]:
    """Resolutions above 4 px, the largest first, at which all of the source's D fits the
    config's."""
    network = source.discriminator
    if network is None:
        return []

    def maps(level: int) -> list[tuple[int, int]]:
        theirs = (network.fmap_base, network.fmap_max, network.fmap_decay)
        ours = (config.fmap_base, config.fmap_max)
        return [
            (feature_maps(stage, *theirs), feature_maps(stage, *ours))
            for stage in (level - 1, level - 2)
        ]

    most = min(network.max_level, config.resolution.bit_length() - 1)
    fitting = [v for v in range(3, most + 1) if all(a == b for a, b in maps(v))]
    return [2**level for level in reversed(fitting)]


def _digests(lineage: list[dict]) -> list[str]:
    return [entry["sha256"] for entry in lineage]


def _copy(source, target) -> tuple[set, list]:
    """Copies layer by layer; returns ((level, kind) of those copied, of those that stay new)."""
    theirs, ours = dict(_layers(source)), dict(_layers(target))
    taken: set = set()
    new: list = []
    for key, layer in ours.items():
        weights = None
        if key in theirs:
            weights = _fitted(key[1], theirs[key], layer, source, target)
        if weights is None:
            new.append(key)
            continue
        layer.set_weights(weights)
        taken.add(key)
    return taken, new


def _layers(network) -> Iterator[tuple[tuple[int, str], Any]]:
    """((log2 of the resolution, what it does), layer) of every layer with weights."""
    levels = range(2, network.max_level + 1)
    if hasattr(network, "to_rgb"):
        yield (2, "dense"), network.dense
        yield (2, "dense_bias"), network.dense_bias
        yield (2, "conv"), network.first_conv
        kinds = {"up": network.ups, "conv": network.convs}
        rgb = {"to_rgb": network.to_rgb}
    else:
        yield (2, "conv"), network.last_conv
        yield (2, "dense0"), network.dense0
        yield (2, "dense1"), network.dense1
        kinds = {"conv": network.convs, "down": network.downs}
        rgb = {"from_rgb": network.from_rgb}
    for kind, layers in kinds.items():
        for level, layer in zip(levels[1:], layers, strict=True):
            yield (level, kind), layer
    for kind, layers in rgb.items():
        for level, layer in zip(levels, layers, strict=True):
            yield (level, kind), layer


def _fitted(kind: str, theirs, ours, source, target) -> list[np.ndarray] | None:
    """Weights of `ours` that compute what `theirs` did; None where there are none.

    The scales of an equalized learning rate are no part of them: where the fan-in changes, the
    weights make up for it.
    """
    given = [np.asarray(weights) for weights in theirs.get_weights()]
    wanted = [tuple(weights.shape) for weights in ours.get_weights()]
    if kind == "up" and source.fused_scale != target.fused_scale:
        # The fused kernel is the other's turned by 180 degrees, outputs before inputs.
        given[0] = np.ascontiguousarray(given[0][::-1, ::-1].transpose(0, 1, 3, 2))
    if kind == "to_rgb" and source.channels != target.channels:
        given = [_channels(weights, -1, target.channels) for weights in given]
    if kind == "from_rgb" and source.channels != target.channels:
        # Gray in all channels gives what it gave: of the scales 1 / sqrt(C), one is left.
        sum_of = given[0].sum(axis=2, keepdims=True) / np.sqrt(source.channels)
        given[0] = np.repeat(sum_of, target.channels, axis=2) / np.sqrt(target.channels)
    if kind == "dense" and (source.latent_size, source.label_size) != (
        target.latent_size,
        target.label_size,
    ):
        if source.latent_size != target.latent_size:
            return None
        # No label speaks yet. PixelNorm over latents and labels and the scale by the fan-in cancel.
        of_latents = given[0][: source.latent_size]
        given[0] = np.pad(of_latents, ((0, target.label_size), (0, 0)))
    if kind == "dense1" and source.label_size != target.label_size:
        fresh = [np.array(weights) for weights in ours.get_weights()]
        if fresh[0].shape[0] != given[0].shape[0]:
            return None
        fresh[0][:, 0], fresh[1][0] = given[0][:, 0], given[1][0]
        given = fresh
    return given if [weights.shape for weights in given] == wanted else None


def _channels(weights: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Color as gray, gray in every channel."""
    return np.repeat(weights.mean(axis=axis, keepdims=True), count, axis=axis)


def _named(keys: list[tuple[int, str]]) -> str:
    """ "8x8 (up, conv), 16x16", for a line on the screen."""
    levels: dict[int, list[str]] = {}
    for level, kind in keys:
        levels.setdefault(level, []).append(kind)
    return ", ".join(
        f"{2**level}x{2**level} ({', '.join(kinds)})" for level, kinds in sorted(levels.items())
    )

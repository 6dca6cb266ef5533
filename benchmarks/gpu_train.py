"""A whole Progressive GAN in minutes, on a GPU that TensorFlow has no wheel for: the same networks
and losses on Keras's JAX backend.

`pack` writes a cohort's images into one .npz; `train` needs no more than that file, this checkout,
JAX, Keras and NumPy. It grows from 4 px to the images' size in a given number of minutes, and
writes a RUN that `pgcxr generate` and the evaluations read: networks are the same on every backend.
The schedule counts minutes rather than images: each level gets twice the time of the one below,
half of it fading. What differs from train.gan: no resume, no alarm, JAX's random numbers.

Example: python -m benchmarks.gpu_train pack runs/cohort images.npz --size 64 --label normal
         KERAS_BACKEND=jax python -m benchmarks.gpu_train train images.npz runs/gan --minutes 8
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np

BATCHES = {4: 256, 8: 256, 16: 128, 32: 64, 64: 64, 128: 32}
STEPS = 8  # of one call: fewer round trips
LRATE, BETA2, EPSILON = 1e-3, 0.99, 1e-8  # Adam with beta1 = 0 (arXiv 1710.10196, A.1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("cohort", type=Path)
    packing.add_argument("out", type=Path)
    packing.add_argument("--size", type=int, default=64)
    packing.add_argument("--label", choices=("all", "normal", "abnormal"), default="all")
    training = commands.add_parser("train")
    training.add_argument("images", type=Path)
    training.add_argument("out", type=Path)
    training.add_argument("--minutes", type=float, default=8.0)
    training.add_argument("--batch", type=int, help="the same at all levels (a try on a CPU)")
    training.add_argument("--fmap-base", type=int, default=8192)
    training.add_argument("--fmap-max", type=int, default=512)
    training.add_argument("--latent-size", type=int, default=512)
    training.add_argument("--ema-halflife-kimg", type=float, default=10.0)
    training.add_argument("--cohort", default="", help="its folder as seen from RUN")
    training.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    (pack if options.command == "pack" else train)(options)


def pack(options: argparse.Namespace) -> None:
    """Training images of a cohort, uint8 [N, R, R, 1], and of which cohort they are."""
    from pgcxr.cohort import manifest
    from pgcxr.io import artifacts

    label = None if options.label == "all" else options.label
    rows = manifest.load(options.cohort).select(split="train", label=label)
    digest = artifacts.sha256(options.cohort / "manifest.csv")
    source = {"manifest_sha256": digest, "split": "train", "label": options.label}
    with artifacts.atomic_path(options.out) as path, open(path, "wb") as file:
        np.savez_compressed(file, images=rows.images(options.size), source=json.dumps(source))
    print(f"{options.out}: {len(rows)} images")


def train(options: argparse.Namespace) -> None:
    """Writes the RUN, and one JSON line for each level."""
    if os.environ.get("KERAS_BACKEND") != "jax":
        raise SystemExit("error: KERAS_BACKEND=jax has to stand before the command")
    import jax
    import keras

    from pgcxr.gan.config import GanConfig
    from pgcxr.io import artifacts
    from pgcxr.networks import Discriminator, Generator

    with np.load(options.images) as packed:
        images, source = packed["images"], json.loads(str(packed["source"]))
    resolution = images.shape[1]
    batches = {size: options.batch for size in BATCHES} if options.batch else BATCHES
    config = GanConfig(
        resolution=resolution,
        latent_size=options.latent_size,
        fmap_base=options.fmap_base,
        fmap_max=options.fmap_max,
        minibatch_dict=batches,
        ema_beta=None,
        ema_halflife_kimg=options.ema_halflife_kimg,
        label=source["label"],
        replicas=1,
        seed=options.seed,
    )
    sizes = {"resolution": resolution, "fmap_base": config.fmap_base, "fmap_max": config.fmap_max}
    keras.utils.set_random_seed(options.seed)
    generator = Generator(**sizes, latent_size=config.latent_size, name="generator")
    discriminator = Discriminator(**sizes, name="discriminator")
    begin = time.perf_counter()
    with artifacts.new_folder(options.out) as folder:
        state = State(generator, discriminator, options.seed)
        levels = range(2, generator.max_level + 1)
        weights = {level: 2.0**level for level in levels}
        share = options.minutes * 60 / sum(weights.values())
        for level in levels:
            run_level(state, images, level, share * weights[level], config)
            write_samples(state, folder, level)
        average = Generator.from_config({**generator.get_config(), "name": "generator_ema"})
        for network, values in ((average, state.average), (discriminator, state.d)):
            for variable, value in zip(network.trainable_variables, values, strict=True):
                variable.assign(value)
        average.save(folder / "generator-ema.keras")
        discriminator.save(folder / "discriminator.keras")
        beside = source | {"cohort": options.cohort, "trained_by": "benchmarks.gpu_train"}
        artifacts.write_json(folder / "config.json", config.to_dict() | beside)
        seconds = time.perf_counter() - begin
        body = {
            "resolution": resolution,
            "kimg": state.cur_nimg / 1000,
            "images": len(images),
            "seconds": seconds,
            "images_per_second": state.cur_nimg / seconds,
            "device": jax.devices()[0].device_kind,
            "jax": jax.__version__,
            "generator_parameters": average.count_params(),
            "discriminator_parameters": discriminator.count_params(),
            "finished": True,
        }
        artifacts.write_report(
            folder, body, command="train.gan", seed=options.seed, config=config.to_dict() | beside
        )
    print(json.dumps({"kimg": body["kimg"], "seconds": round(seconds, 1)}))


class State:
    """Everything that a step changes, as tuples of arrays.

    Attributes:
        g, d, average: weights of both networks, and of Gs.
        moments: Adam's second moments of G and D, and the count of steps.
        key: of JAX's random numbers.
        cur_nimg: real images shown.
    """

    def __init__(self, generator, discriminator, seed: int):
        import jax
        import jax.numpy as jnp

        self.generator, self.discriminator = generator, discriminator
        self.g = tuple(v.value for v in generator.trainable_variables)
        self.d = tuple(v.value for v in discriminator.trainable_variables)
        # Buffers of its own: each step gives back those that it was given.
        self.average = tuple(jnp.array(w) for w in self.g)
        self.key, self.cur_nimg = jax.random.key(seed), 0
        self.fixed = [[v.value for v in n.non_trainable_variables] for n in networks(self)]
        self.reset()

    def reset(self) -> None:
        """The moments, as at every change of level."""
        import jax.numpy as jnp

        zeros = tuple(tuple(jnp.zeros_like(w) for w in weights) for weights in (self.g, self.d))
        self.moments = (*zeros, jnp.zeros((), jnp.float32))


def networks(state: State) -> tuple:
    return state.generator, state.discriminator


def run_level(state: State, images: np.ndarray, level: int, seconds: float, config) -> None:
    """Trains one level for so many seconds, of which the first half fades it in."""
    import jax
    import jax.numpy as jnp

    from pgcxr.images import reduce_by_factor

    size = 2**level
    batch = config.minibatch_dict.get(size, config.minibatch_base)
    factor = images.shape[1] // size
    reduced = images if factor == 1 else np.rint(reduce_by_factor(images, factor, np.float32))
    reals = jnp.asarray(reduced.astype(np.uint8))
    state.reset()
    steps = compiled(state, level, batch, config.ema_decay(batch))
    begin = time.perf_counter()
    values = (state.g, state.d, state.average, state.moments, state.key)
    values, _ = steps(values, reals, jnp.float32(1.0))  # compiles, too
    jax.block_until_ready(values)
    compiling, timed, shown = time.perf_counter() - begin, time.perf_counter(), STEPS * batch
    logs = {}
    # Half of the time is what is left of it after compiling.
    while (passed := time.perf_counter() - begin) < seconds:
        done = passed / seconds
        fade = max(1.0 - 2.0 * done, 0.0) if level > 2 else 0.0
        values, logs = steps(values, reals, jnp.float32(fade))
        jax.block_until_ready(logs)
        shown += STEPS * batch
    state.g, state.d, state.average, state.moments, state.key = values
    state.cur_nimg += shown
    line = {
        "benchmark": "gpu_train",
        "resolution": size,
        "kimg": state.cur_nimg / 1000,
        "batch": batch,
        "compile_seconds": round(compiling, 1),
        "images_per_second": round(
            (shown - STEPS * batch) / max(time.perf_counter() - timed, 1e-9), 1
        ),
        **{name: round(float(value), 4) for name, value in logs.items()},
    }
    print(json.dumps(line), flush=True)


def compiled(state: State, level: int, batch: int, decay: float):
    """(values, reals, fade) -> (values, logs) of STEPS training steps at one level."""
    import jax
    import jax.numpy as jnp

    from pgcxr.losses import wgan_gp
    from pgcxr.networks import pixels

    generator, discriminator = networks(state)
    g_fixed, d_fixed = state.fixed
    full_size = 2.0 ** (discriminator.max_level - level)
    fading = level > 2

    def make(g, z, fade):
        told = {"level": level, "fade": fade if fading else None}
        return generator.stateless_call(list(g), g_fixed, z, **told)[0]

    def score(d, images, fade, parts=1):
        told = {"level": level, "fade": fade if fading else None, "parts": parts}
        return discriminator.stateless_call(list(d), d_fixed, images, **told)[0][0]

    def d_loss(d, reals, fakes, mixing, fade):
        both = score(d, jnp.concatenate([reals, fakes]), fade, parts=2)
        mixed = pixels.lerp(reals, fakes, mixing)
        gradient = jax.grad(lambda images: score(d, images, fade).sum())(mixed)
        norms = jnp.sqrt(jnp.square(gradient).sum((1, 2, 3)) + 1e-12) / full_size
        losses = wgan_gp.discriminator_loss(both[:batch], both[batch:], norms)
        return losses["loss"].mean()

    def g_loss(g, d, z, fade):
        return wgan_gp.generator_loss(score(d, make(g, z, fade), fade)).mean()

    def adam(weights, gradients, moments, count):
        """beta1 = 0. Where a level takes no part its gradients are 0, and it stays."""
        moments = tuple(
            BETA2 * m + (1 - BETA2) * jnp.square(g) for m, g in zip(moments, gradients, strict=True)
        )
        rate = LRATE * jnp.sqrt(1 - BETA2**count)
        weights = tuple(
            w - rate * g / (jnp.sqrt(m) + EPSILON)
            for w, g, m in zip(weights, gradients, moments, strict=True)
        )
        return weights, moments

    def step(values, reals, fade):
        g, d, average, (g_moments, d_moments, count), key = values
        key, picking, for_d, for_g, mixing_key = jax.random.split(key, 5)
        chosen = jax.random.randint(picking, (batch,), 0, len(reals))
        real = pixels.from_uint8(reals[chosen])
        real = pixels.fade_reals(real, fade) if fading else real
        shape = (batch, generator.latent_size)
        fakes = jax.lax.stop_gradient(make(g, jax.random.normal(for_d, shape), fade))
        mixing = jax.random.uniform(mixing_key, (batch, 1, 1, 1))
        count += 1
        d_value, gradients = jax.value_and_grad(d_loss)(d, real, fakes, mixing, fade)
        d, d_moments = adam(d, gradients, d_moments, count)
        average = tuple(w + (a - w) * decay for a, w in zip(average, g, strict=True))
        g_value, gradients = jax.value_and_grad(g_loss)(g, d, jax.random.normal(for_g, shape), fade)
        g, g_moments = adam(g, gradients, g_moments, count)
        values = (g, d, average, (g_moments, d_moments, count), key)
        return values, {"d_loss": d_value, "g_loss": g_value}

    def steps(values, reals, fade):
        values, logs = jax.lax.scan(lambda v, _: step(v, reals, fade), values, None, length=STEPS)
        return values, {name: value[-1] for name, value in logs.items()}

    return jax.jit(steps, donate_argnums=0)


def write_samples(state: State, folder: Path, level: int) -> None:
    """samples/<resolution>px.png, 64 images of Gs."""
    from pgcxr.networks import pixels
    from pgcxr.plots import grids

    z = np.random.default_rng(0).standard_normal((64, state.generator.latent_size))
    made, _ = state.generator.stateless_call(
        list(state.average), state.fixed[0], z.astype(np.float32), level=level
    )
    sheet = grids.tile(np.asarray(pixels.to_uint8(made)), 8, math.ceil(64 / 2**level))
    grids.write_png(folder / f"samples/{2**level:04d}px.png", sheet)


if __name__ == "__main__":
    main()

"""Images from a trained generator: loading it, latents from a seed, batches of one size. Arrays are
NumPy, NHWC."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import to_uint8
from pgcxr.io import artifacts
from pgcxr.sampling.runs import GENERATOR, load_network, named


def load_generator(run: str | Path, resolution: int | None = None):
    """A RUN's averaged generator.

    Args:
        run: the folder of a finished `python -m train.gan`, or of an import.
        resolution: px that are needed; any where None.

    Returns:
        A `pgcxr.networks.Generator`.

    Raises:
        InputError: there is none, or it makes images of another size.

    Example:

        >>> from pgcxr.sampling.runs import pretrained_run
        >>> load_generator(pretrained_run("phantom-64"), resolution=64).latent_size
        128
    """
    from pgcxr.networks import Generator

    path, generator = load_network(run, GENERATOR, "train.gan")
    if not isinstance(generator, Generator):
        raise InputError(
            f"{path}: holds a {type(generator).__name__}, not a generator; name a RUN of train.gan"
        )
    if resolution is not None and generator.resolution != resolution:
        raise InputError(
            f"{path}: makes images of {generator.resolution} px where {resolution} px are needed; "
            "name a RUN of that resolution, or train one"
        )
    return generator


def latents(seed: int, n: int, size: int, purpose: int = 0) -> np.ndarray:
    """Standard normal latents of a seed; the first rows are the same for any n.

    Args:
        seed: 0 or more.
        n: rows.
        size: numbers in each, the generator's `latent_size`.
        purpose: of the same seed, another purpose has independent numbers.

    Returns:
        float32 [n, size].

    Example:

        >>> z = latents(seed=1, n=4, size=128)
        >>> z.shape, bool((latents(seed=1, n=2, size=128) == z[:2]).all())
        ((4, 128), True)
    """
    for name, value in (("seed", seed), ("n", n), ("size", size)):
        if not (hasattr(value, "__index__") and value >= 0):
            raise ArgumentError(name, "must be a whole number, 0 or more", received=value)
    return np.random.default_rng([seed, purpose]).standard_normal((n, size), np.float32)


def labels(run: str | Path, generator, label: str | None, n: int, seed: int) -> np.ndarray | None:
    """Labels for a RUN's conditioned generator.

    Args:
        run: the folder, whose report.json says which labels the training images had.
        generator: of that RUN.
        label: the same for all, such as "abnormal" or "nodule+pleural_effusion" (see
            `pgcxr.cohort.labels.row`); None: drawn as often as the training images had them.
        n: rows.
        seed: of the draw.

    Returns:
        float32 [n, K], None for a generator without labels.

    Raises:
        ArgumentError: no such label, or a label for a generator that knows none.
        InputError: a RUN that does not say which it knows.
    """
    if generator.label_size == 0:
        if label is not None:
            raise ArgumentError(
                "label",
                f"{run} was trained without labels; leave label out, or train one with "
                "labels=binary or labels=findings",
                received=label,
            )
        return None
    known = report_of(run).get("labels")
    columns = tuple(known["names"] if known else map(str, range(generator.label_size)))
    if label is not None:
        exclusive = known is None or known["exclusive"]
        return np.tile(label_kinds.row(columns, label, exclusive), (n, 1))
    if known is None:
        raise ArgumentError(
            "label", f"{run}: its report.json names no labels; choose {' or '.join(columns)}"
        )
    return label_kinds.draw(known["rows"], known["counts"], n, seed)


def report_of(run: str | Path) -> dict:
    """RUN's report.json, whose "labels" say with which it was trained; {} where there is none."""
    file = named(run) / "report.json"
    return artifacts.read_json(file) if file.is_file() else {}


def generate_batches(
    generator, z: np.ndarray, labels: np.ndarray | None = None, batch: int = 64
) -> Iterator[np.ndarray]:
    """uint8 [<= batch, R, R, C], for latents [N, L] (and labels [N, K]) in their order.

    Images are those of the generator's own `lod`: of a run that stopped while growing, what it had
    learned.
    """
    _check_latents(generator, z)
    if len(z):
        forward = synthesizer(generator, min(batch, len(z)))
        for start in range(0, len(z), batch):
            part = slice(start, start + batch)
            yield to_uint8(forward(z[part], None if labels is None else labels[part]))


def _check_latents(generator, z: np.ndarray) -> None:
    if np.ndim(z) != 2 or np.shape(z)[1] != generator.latent_size:
        expected = f"must be latents [N, {generator.latent_size}] of this generator"
        raise ArgumentError("z", expected, received=f"an array of shape {np.shape(z)}")


def generate(
    generator, z: np.ndarray, labels: np.ndarray | None = None, batch: int = 64
) -> np.ndarray:
    """Images of latents, all at once.

    Args:
        generator: a `pgcxr.networks.Generator`.
        z: latents [N, L], of which only the direction counts.
        labels: [N, K] for a generator with labels.
        batch: images that are made at a time.

    Returns:
        uint8 [N, R, R, C].

    Example:

        >>> from pgcxr.networks import Generator
        >>> generate(Generator(resolution=8, fmap_max=4), latents(seed=1, n=2, size=4)).shape
        (2, 8, 8, 1)
    """
    _check_latents(generator, z)
    images = np.empty(
        (len(z), generator.resolution, generator.resolution, generator.channels), np.uint8
    )
    start = 0
    for part in generate_batches(generator, z, labels, batch):
        images[start : start + len(part)] = part
        start += len(part)
    return images


def synthesizer(generator, batch: int) -> Callable[..., np.ndarray]:
    """`(latents [n, L], labels=None) -> float32 [n, R, R, C]` as one graph, for n up to `batch`."""
    import tensorflow as tf

    from pgcxr.networks import synthesize

    lod = float(np.asarray(generator.lod))
    labeled = generator.label_size > 0

    @tf.function(jit_compile=False)
    def graph(z, labels):
        return synthesize(generator, z, labels if labeled else None, lod=lod)

    def forward(z: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        n = len(z)
        if labeled and labels is None:
            expected = f"the generator was trained with {generator.label_size}; give [N, K]"
            raise ArgumentError("labels", expected)
        labels = np.zeros((n, 0), np.float32) if labels is None else np.asarray(labels, np.float32)
        # The last batch is filled up, so that the graph is traced once.
        fill = [(0, batch - n), (0, 0)]
        return graph(
            np.pad(np.asarray(z, np.float32), fill, mode="edge"), np.pad(labels, fill)
        ).numpy()[:n]

    return forward


def one_by_one(
    generator, z: np.ndarray, numbers: np.ndarray, labels: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Float32 images [R, R, C] of latents [N, L], in their order, each with the same bits in
    whatever company.

    A convolution sums in an order that depends on the size of the batch and on the place in it
    (measured: up to 3e-5 of an output of about 1). So every batch here has one size, `fixed_batch`,
    and an image's number [N] gives its place. Consecutive numbers fill the batches; a place that
    stays empty is computed and dropped. Another machine, number of threads or version of TensorFlow
    may still round otherwise.
    """
    size = fixed_batch(generator)
    forward = synthesizer(generator, size)
    places = np.asarray(numbers) % size
    start = 0
    while start < len(z):
        part = places[start : start + size]
        # Up to the first whose place is taken.
        taken = next((i for i in range(len(part)) if part[i] in part[:i]), len(part))
        at, rows = part[:taken], slice(start, start + taken)
        filled = np.repeat(z[start : start + 1], size, axis=0)
        filled[at] = z[rows]
        told = None
        if labels is not None:
            told = np.repeat(labels[start : start + 1], size, axis=0)
            told[at] = labels[rows]
        yield from forward(filled, told)[at]
        start += taken


def fixed_batch(generator) -> int:
    """Images in each batch of `one_by_one`: 8 up to 256 px, 2 at 512 px, 1 at 1024 px."""
    return max(1, min(8, 2**19 // generator.resolution**2))


def weights_sha256(generator) -> str:
    """The generator's identity: its architecture, weights and lod, whatever file they come from."""
    config = {key: value for key, value in generator.get_config().items() if key != "name"}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for variable in generator.weights:
        digest.update(np.ascontiguousarray(variable).tobytes())
    return digest.hexdigest()

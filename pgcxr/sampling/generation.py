"""Images from a trained generator: loading it, latents from a seed, batches of one size. Arrays are
NumPy, NHWC."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places

GENERATOR = "generator-ema.keras"


def load_generator(run: str | Path, resolution: int | None = None):
    """RUN's averaged generator (pgcxr.networks.Generator); InputError unless it makes images of
    `resolution`."""
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
    """float32 [n, size], standard normal. The first rows are the same for any n; purposes are
    independent."""
    return np.random.default_rng([seed, purpose]).standard_normal((n, size), np.float32)


def labels(run: str | Path, generator, wanted: str | None, n: int, seed: int) -> np.ndarray | None:
    """float32 [n, K] for RUN's conditioned generator, None for one without labels.

    Arguments:
        wanted: the same for all, such as "abnormal" or "nodule+pleural_effusion" (see
            `label_kinds.row`); None: drawn as often as the training images had them.

    Raises:
        InputError: no such label, a label for a generator that knows none, or a RUN that does not
            say which it knows.
    """
    if generator.label_size == 0:
        if wanted is not None:
            raise InputError(
                f"--label {wanted}: {run} was trained without labels; leave --label out"
            )
        return None
    report = Path(run) / "report.json"
    known = (artifacts.read_json(report) if report.is_file() else {}).get("labels")
    columns = tuple(known["names"] if known else map(str, range(generator.label_size)))
    if wanted is not None:
        return np.tile(
            label_kinds.row(columns, wanted, known is None or known["exclusive"]), (n, 1)
        )
    if known is None:
        raise InputError(
            f"{run}: its report.json names no labels; choose one with --label, "
            f"{' or '.join(columns)}"
        )
    return label_kinds.draw(known["rows"], known["counts"], n, seed)


def generate_batches(
    generator, z: np.ndarray, labels: np.ndarray | None = None, batch: int = 64
) -> Iterator[np.ndarray]:
    """uint8 [<= batch, R, R, C], for latents [N, L] (and labels [N, K]) in their order.

    Images are those of the generator's own `lod`: of a run that stopped while growing, what it had
    learned.
    """
    if len(z):
        forward = synthesizer(generator, min(batch, len(z)))
        for start in range(0, len(z), batch):
            part = slice(start, start + batch)
            yield to_uint8(forward(z[part], None if labels is None else labels[part]))


def generate(
    generator, z: np.ndarray, labels: np.ndarray | None = None, batch: int = 64
) -> np.ndarray:
    """uint8 [N, R, R, C]: all batches of `generate_batches`."""
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
            raise ValueError(
                f"the generator was trained with {generator.label_size} labels; give labels"
            )
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


def to_uint8(images: np.ndarray) -> np.ndarray:
    """float [-1, 1] -> uint8 [0, 255], rounded to nearest, cut at the ends; twin of
    pgcxr.networks.pixels.to_uint8."""
    return np.clip(
        np.floor(np.asarray(images, np.float32) * np.float32(127.5) + 128), 0, 255
    ).astype(np.uint8)


def to_uint16(images: np.ndarray) -> np.ndarray:
    """float [-1, 1] -> uint16 [0, 65535], rounded to nearest, cut at the ends."""
    # In float64: 24 bits leave too few behind the point.
    return np.clip(np.floor(np.asarray(images, np.float64) * 32767.5 + 32768), 0, 65535).astype(
        np.uint16
    )


def from_uint8(images: np.ndarray) -> np.ndarray:
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return np.asarray(images, np.float32) * np.float32(2 / 255) - 1


def weights_sha256(generator) -> str:
    """The generator's identity: its architecture, weights and lod, whatever file they come from."""
    config = {key: value for key, value in generator.get_config().items() if key != "name"}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for variable in generator.weights:
        digest.update(np.ascontiguousarray(variable).tobytes())
    return digest.hexdigest()


def load_network(run: str | Path, name: str, made_by: str) -> tuple[Path, object]:
    """(path, Keras model) of one of RUN's networks; InputError where it is missing, damaged or not
    finite."""
    run = places.existing_folder(run, f"a RUN written by `python -m {made_by}`")
    path = run / name
    if not path.is_file():
        raise InputError(f"{run}: no {name}; name a RUN of `python -m {made_by}` that has ended")
    model = load_model(path, "is damaged or of another version; train the run again")
    if not all(np.isfinite(np.asarray(weights)).all() for weights in model.weights):
        raise InputError(
            f"{path}: holds weights that are no finite numbers: the training diverged; train the "
            "run again"
        )
    return path, model


def load_model(path: Path, otherwise: str):
    """The Keras model of a .keras file, which can hold no code that runs; InputError
    `otherwise`."""
    import keras

    import pgcxr.networks  # noqa: F401  registers the classes

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras names a damaged archive in any of these ways.
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        ImportError,
        AttributeError,
        zipfile.BadZipFile,
    ):
        raise InputError(f"{path}: {otherwise}") from None

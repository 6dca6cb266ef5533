"""A folder of synthetic images, with everything beside the generator that it takes to make them
again."""

import collections
import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.plots import grids
from pgcxr.sampling import generation, latent_file, secondary_capture, truncation
from pgcxr.sampling.selection import Selection, as_text
from pgcxr.sampling.sheets import Samples, Strip

SUFFIX = {"png": "png", "dicom": "dcm"}
BITS = (8, 16)
# Compressing and writing is work for processors that the network leaves idle.
WRITERS = 4


@dataclass(frozen=True)
class Options:
    """`bits` a pixel and `format` of the images; `grid` (rows, columns) of samples.png; `steps`
    from image to image where they are frames of a path; at most `batch` images are held in memory
    while they are written."""

    bits: int = 8
    format: str = "png"
    grid: tuple[int, int] | None = None
    steps: int | None = None
    batch: int = 32


def check(generator, options: Options) -> None:
    """InputError where images of this generator cannot be written as asked."""
    for name, value, known in (
        ("--format", options.format, tuple(SUFFIX)),
        ("--bits", options.bits, BITS),
    ):
        if value not in known:
            raise InputError(f"{name} {value}: expected {' or '.join(map(str, known))}")
    channels = generator.channels
    if channels not in (1, 3):
        raise InputError(
            f"the generator makes images of {channels} channels; only 1 (grey) or 3 (RGB) can be "
            "written"
        )
    if channels == 3 and options.format == "dicom" and options.bits != 8:
        raise InputError("--bits 16: colour is written to DICOM with 8 bits; leave out --bits")


def truncate(
    generator, selection: Selection, psi: float, progress: Callable[[int, int], None]
) -> Selection:
    """The selection with its latents pulled toward the most typical image's
    (pgcxr.sampling.truncation)."""
    if selection.truncation != 1:
        raise InputError(
            f"--truncation: these latents were truncated by {selection.truncation:g}; leave it out"
        )
    if generator.label_size:
        raise InputError(
            "--truncation: a generator with labels has no one most typical image; leave it out"
        )
    return selection.pulled(truncation.center(generator, progress), psi)


def save(
    run: Path,
    generator,
    selection: Selection,
    out: Path,
    options: Options,
    progress: Callable[[int, int], None],
    release: dict | None = None,
) -> None:
    """Writes the images of a selection by RUN's generator; all of it or nothing.

    `out`/images/<number>.png or .dcm, latents.npz, samples.png or, of a path, strip.png and
    animation.gif, report.json. `progress` is called with (images written, images in all); `release`
    is what pgcxr.sampling.release says.
    """
    check(generator, options)
    given = 0 if selection.labels is None else selection.labels.shape[1]
    if given != generator.label_size:
        raise InputError(
            f"the generator takes {generator.label_size} labels; {given} are given with the latents"
        )
    selection = replace(selection, weights_sha256=generation.weights_sha256(generator))
    sheet = Strip(options.steps) if options.steps else Samples(len(selection), options.grid)
    with artifacts.new_folder(out) as folder:
        (folder / "images").mkdir()
        latent_file.write(folder / "latents.npz", selection)
        for done, image in enumerate(
            _written(generator, selection, folder / "images", options), start=1
        ):
            sheet.add(image)
            progress(done, len(selection))
        sheet.write(folder)
        body = {**_report(Path(run), generator, selection, options), "released": release or False}
        artifacts.write_report(
            folder, body, command="pgcxr generate", seed=selection.seed, config=asdict(options)
        )


def deterministic() -> None:
    """On a GPU, keeps TensorFlow to kernels that sum in the same order in every run."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


def _written(
    generator, selection: Selection, folder: Path, options: Options
) -> Iterator[np.ndarray]:
    """Yields each image as uint8 [R, R, C] once its file is written, in order."""
    source = secondary_capture.Source(
        selection.weights_sha256, selection.origin, selection.truncation
    )

    def write(number: int, image: np.ndarray) -> np.ndarray:
        eight = generation.to_uint8(image)
        pixels = eight if options.bits == 8 else generation.to_uint16(image)
        png = options.format == "png"
        data = grids.encode_png(pixels) if png else secondary_capture.encode(pixels, number, source)
        (folder / f"{number:06d}.{SUFFIX[options.format]}").write_bytes(data)
        return eight

    waiting: collections.deque[Future] = collections.deque()
    images = generation.one_by_one(
        generator, selection.latents, selection.numbers, selection.labels
    )
    with ThreadPoolExecutor(min(WRITERS, _cores())) as pool:
        for number, image in zip(selection.numbers.tolist(), images, strict=True):
            waiting.append(pool.submit(write, number, image))
            if len(waiting) >= options.batch:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _report(run: Path, generator, selection: Selection, options: Options) -> dict:
    return {
        "images": len(selection),
        "resolution": generator.resolution,
        "channels": generator.channels,
        "latent_size": generator.latent_size,
        "lod": float(np.asarray(generator.lod)),
        "synthetic": True,
        "format": options.format,
        "bits": options.bits,
        "origin": selection.origin,
        "numbers": as_text(selection.numbers),
        "truncation": selection.truncation,
        "generator_sha256": artifacts.sha256(run / generation.GENERATOR),
        "weights_sha256": selection.weights_sha256,
        "fixed_batch": generation.fixed_batch(generator),
        "machine": _machine(),
    }


def _machine() -> dict:
    """What else decides the last bits of an image."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return {
        "processor": platform.machine(),
        "cores": _cores(),
        "gpus": [
            tf.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in gpus
        ],
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

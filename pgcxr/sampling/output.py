"""A folder of synthetic images, with everything beside the generator that it takes to make them
again; and what lets such images out."""

import collections
import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import to_uint8, to_uint16
from pgcxr.io import artifacts, places
from pgcxr.plots import animation, grids
from pgcxr.sampling import generation, latent_file, secondary_capture, sphere
from pgcxr.sampling.options import OutputOptions
from pgcxr.sampling.runs import GENERATOR
from pgcxr.sampling.selection import Selection, as_text

SUFFIX = {"png": "png", "dicom": "dcm"}
# Compressing and writing is work for processors that the network leaves idle.
WRITERS = 4
GRID = (8, 8)  # rows and columns of samples.png unless told otherwise
LONGEST = 8192  # pixels a side of a sheet, or nearly
ANIMATED = 512  # pixels a side of animation.gif
SMALLEST = 4
MILLISECONDS = 80  # that each frame is shown for
PRIVACY = "python -m evaluate.privacy"


def check(generator, options: OutputOptions) -> None:
    """Raises InputError where images of this generator cannot be written as asked."""
    channels = generator.channels
    if channels not in (1, 3):
        raise InputError(
            f"the generator makes images of {channels} channels; only 1 (gray) or 3 (RGB) can be "
            "written"
        )
    if channels == 3 and options.format == "dicom" and options.bits != 8:
        raise ArgumentError("bits", "color is written to DICOM with 8 bits", options.bits)


def truncate(
    generator, selection: Selection, truncation: float, progress: Callable[[int, int], None]
) -> Selection:
    """The selection with its latents pulled toward the most typical image's (`sphere.center`)."""
    if selection.truncation != 1:
        expected = f"these latents were truncated by {selection.truncation:g}; leave it out"
        raise ArgumentError("truncation", expected, truncation)
    if generator.label_size:
        expected = "a generator with labels has no one most typical image; leave it out"
        raise ArgumentError("truncation", expected, truncation)
    return selection.pulled(sphere.center(generator, progress), truncation)


def released(release: str | Path, run: str | Path) -> dict:
    """What lets synthetic images out: that `python -m evaluate.privacy` passed their generator.

    Args:
        release: the folder that it wrote.
        run: the RUN of the generator.

    Returns:
        {privacy_report_sha256, n: synthetic images it looked at}, for the report of what is
        released.

    Raises:
        InputError: `release` is no folder of evaluate.privacy, its answer is no, or it is about
            another generator file.
    """
    folder = places.existing_folder(release, f"a folder written by `{PRIVACY}`")
    path = folder / "report.json"
    report = artifacts.read_json(path)
    made_by = report.get("made_by")
    if not isinstance(made_by, dict) or made_by.get("command") != "evaluate.privacy":
        expected = f"its report.json is none of `{PRIVACY}`; name a folder written by it"
    elif report.get("passed") is not True:
        expected = f"the generator did not pass, see {path}; its images must not be released"
    elif report.get("generator_sha256") != artifacts.sha256(Path(run) / GENERATOR):
        expected = f"is about another generator than {run}; run `{PRIVACY} {run} ...` again"
    else:
        return {"privacy_report_sha256": artifacts.sha256(path), "n": report.get("n")}
    raise ArgumentError("release", expected, received=folder)


def save(
    run: Path,
    generator,
    selection: Selection,
    out: Path,
    options: OutputOptions,
    progress: Callable[[int, int], None],
    release: dict | None = None,
) -> None:
    """Writes the images of a selection by RUN's generator; all of it or nothing.

    `out`/images/<number>.png or .dcm, latents.npz, samples.png or, of a path, strip.png and
    animation.gif, report.json.

    Args:
        run: the generator's RUN.
        generator: what `load_generator(run)` gives.
        selection: which images.
        out: a new folder.
        options: how they are written.
        progress: called with (images written, images in all).
        release: what `released` says, where they are for others.
    """
    check(generator, options)
    labels = 0 if selection.labels is None else selection.labels.shape[1]
    if labels != generator.label_size:
        raise InputError(
            f"the generator takes {generator.label_size} labels; {labels} come with the latents"
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
            folder, body, command="pgcxr generate", seed=selection.seed, config=options.to_dict()
        )


def deterministic() -> None:
    """On a GPU, keeps TensorFlow to kernels that sum in the same order in every run."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


class Samples:
    """samples.png: the first images row by row, reduced where the sheet would be too large."""

    def __init__(self, images: int, grid: tuple[int, int] | None):
        rows, columns = grid or GRID
        self.columns = min(columns, images)
        self.shown = min(images, rows * columns)
        self.longest = max(SMALLEST, LONGEST // max(self.columns, -(-self.shown // self.columns)))
        self.images: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """The next image, uint8 [R, R, C]."""
        if len(self.images) < self.shown:
            self.images.append(grids.shrink(image, self.longest))

    def write(self, folder: Path) -> None:
        """After the last image."""
        grids.image_grid(np.stack(self.images), self.columns, folder / "samples.png")


class Strip:
    """strip.png, a row from each image of a path to the next, and animation.gif."""

    def __init__(self, steps: int):
        self.steps = steps
        self.frames: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """The next frame, uint8 [R, R, C]."""
        self.frames.append(grids.shrink(image, ANIMATED))

    def write(self, folder: Path) -> None:
        """After the last frame."""
        starts = range(0, len(self.frames) - 1, self.steps)
        longest = max(SMALLEST, LONGEST // max(len(starts), self.steps + 1))
        strip = [
            grids.shrink(frame, longest)
            for at in starts
            for frame in self.frames[at : at + self.steps + 1]
        ]
        grids.image_grid(np.stack(strip), self.steps + 1, folder / "strip.png")
        animation.write_gif(folder / "animation.gif", self.frames, MILLISECONDS)


def _written(
    generator, selection: Selection, folder: Path, options: OutputOptions
) -> Iterator[np.ndarray]:
    """Yields each image as uint8 [R, R, C] once its file is written, in order."""
    source = secondary_capture.Source(
        selection.weights_sha256, selection.origin, selection.truncation
    )

    def write(number: int, image: np.ndarray) -> np.ndarray:
        eight = to_uint8(image)
        pixels = eight if options.bits == 8 else to_uint16(image)
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


def _report(run: Path, generator, selection: Selection, options: OutputOptions) -> dict:
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
        "generator_sha256": artifacts.sha256(run / GENERATOR),
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

"""`pgcxr generate` for the command line."""

import contextlib
import functools
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.errors import ArgumentError, InputError
from pgcxr.options import PATH, TEXT, Options, Rule, number, one_of, option, or_none, whole

STEPS = 16
# Of NumPy's generator, which takes more than the others.
SEED = whole(0, 2**63 - 1)
BITS = Rule("8 or 16", lambda value: value in (8, 16))


def _grid(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,3})[xX](\d{1,3})", text.strip())
    if not match or not int(match[1]) or not int(match[2]):
        raise ValueError
    return int(match[1]), int(match[2])


GRID = Rule("ROWSxCOLUMNS, such as 4x8", lambda value: isinstance(value, tuple))


@dataclass(frozen=True)
class GenerateOptions(Options):
    """Which images `pgcxr generate` makes, and how they are written."""

    pretrained: str | None = option(
        None, or_none(TEXT), "in place of RUN, a network that comes with pgcxr"
    )
    n: int | None = option(None, or_none(whole(1, 10**6)), "how many images of --seed")
    seed: int | None = option(None, or_none(SEED), "of the latents [default: 0]")
    seeds: str | None = option(
        None, or_none(TEXT), "one image of each of these seeds, such as 1-100,205"
    )
    latents: Path | None = option(
        None,
        or_none(PATH),
        "latents.npz of an earlier --out, or an .npy array [N, L]: those images again",
    )
    only: str | None = option(
        None, or_none(TEXT), "of --latents, the images with these numbers, such as 3,7-9"
    )
    label: str | None = option(
        None, or_none(TEXT), "of a conditioned RUN: abnormal, nodule+pneumothorax, ..."
    )
    truncation: float = option(
        1.0,
        number(0.01, 1.0),
        "below 1, toward the most typical image: fewer odd images, less variety",
    )
    interpolate: int | None = option(
        None, or_none(whole(2, 2**31)), "frames of a path through this many images"
    )
    steps: int | None = option(
        None, or_none(whole(1, 2**31)), "from image to image of --interpolate [default: 16]"
    )
    grid: tuple[int, int] | None = option(
        None, or_none(GRID), "ROWSxCOLUMNS of samples.png, such as 4x8", parse=_grid
    )
    bits: int = option(8, BITS, "8 or 16 bits a pixel")
    format: str = option(
        "png", one_of("png", "dicom"), "png, or dicom: Secondary Capture marked as synthetic"
    )
    batch: int = option(32, whole(1, 2**31), "images held in memory; changes no image")
    release: Path | None = option(
        None,
        or_none(PATH),
        "for others: the --out of `python -m evaluate.privacy RUN`, which must have passed",
    )

    @property
    def count(self) -> int | None:
        """Images of one seed: those of --n or --interpolate, or as many as --grid shows."""
        if self.n is None and self.grid and self.seeds is None and self.latents is None:
            return self.interpolate or self.grid[0] * self.grid[1]
        return self.interpolate or self.n

    def check(self) -> None:
        """Raises InputError where options do not go together."""
        sources = {"--n": self.n, "--seeds": self.seeds, "--latents": self.latents}
        named = [name for name, value in sources.items() if value is not None]
        if not named and self.count is None:
            raise InputError(
                "which images? name --n, --seeds, --latents, --grid or --interpolate; see --help"
            )
        if len(named) > 1:
            raise InputError(f"{' and '.join(named)} each say which images; leave one out")
        if self.seed is not None and named not in ([], ["--n"]):
            raise InputError(f"--seed: {named[0]} says which images already; leave --seed out")
        if self.only is not None and self.latents is None:
            raise InputError("--only: chooses from --latents FILE; name the file too")
        if self.interpolate and self.n is not None:
            raise InputError(
                "--n: --interpolate says how many images the path goes through; leave --n out"
            )
        if self.steps is not None and not self.interpolate:
            raise InputError("--steps: are those of --interpolate; name it too")
        if self.latents is not None and self.label is not None:
            raise InputError(
                "--label: --latents FILE holds the labels of its images; leave --label out"
            )
        if self.latents is not None and self.release is not None:
            raise InputError(
                "--release: is for images of random latents, as those that passed; --latents FILE "
                "may hold a patient's image found by inversion, so leave one of the two out"
            )


@takes_options
def generate(
    out: Annotated[Path, typer.Option(help="folder for the images; must not exist")],
    options: GenerateOptions,
    run: Annotated[
        Path | None, typer.Argument(help="RUN: a finished `python -m train.gan`")
    ] = None,
) -> None:
    """Makes synthetic radiographs with a trained generator.

    Writes images/NNNNNN.png (with --format dicom: .dcm), one for each number; latents.npz, which
    makes each of them again; samples.png, the first images on one sheet, or, with --interpolate,
    strip.png and animation.gif; and report.json, with what made them.
    """
    from pgcxr.io import places
    from pgcxr.sampling.selection import parse_numbers

    if (run is None) == (options.pretrained is None):
        raise InputError("which generator? name one RUN of train.gan, or --pretrained NAME")
    # All that can be told without TensorFlow, first.
    listed = {
        name: parse_numbers(text, name)
        for name, text in (("seeds", options.seeds), ("only", options.only))
        if text is not None
    }
    places.refuse_existing(out)

    from pgcxr.sampling import generation, output, runs

    if options.pretrained is not None:
        run = runs.pretrained_run(options.pretrained)
    release = None if options.release is None else output.released(options.release, run)
    written = output.OutputOptions(
        options.bits,
        options.format,
        options.grid,
        (options.steps or STEPS) if options.interpolate else None,
        options.batch,
    )
    output.deterministic()
    generator = generation.load_generator(run)
    output.check(generator, written)
    chosen = _chosen(run, generator, options, listed)
    _check_count(options, len(chosen), written.steps)
    with _bars() as bar:
        if options.truncation < 1:
            chosen = output.truncate(generator, chosen, options.truncation, bar("center"))
            _note(
                "truncated images vary less than the training images: not for training, nor for "
                "measures of fidelity"
            )
        if options.interpolate:
            chosen = chosen.path(written.steps)
        output.save(run, generator, chosen, out, written, bar("images"), release)
    print(f"{out}: {len(chosen)} synthetic images, latents.npz")


def _chosen(run: Path, generator, options: GenerateOptions, listed: dict):
    """The Selection that the options name, with its labels."""
    from pgcxr.sampling import generation, latent_file, selection

    if options.latents is not None:
        path = options.latents
        chosen = latent_file.read(path, generator.latent_size, generator.label_size)
        if chosen.weights_sha256 not in ("", generation.weights_sha256(generator)):
            _note(
                f"{path}: first used with another generator; the same latents are other images here"
            )
        return chosen.numbered(listed["only"]) if "only" in listed else chosen
    seed = options.seed or 0
    if "seeds" in listed:
        chosen = selection.of_seeds(listed["seeds"], generator.latent_size)
        if options.label is None and generator.label_size:
            raise InputError(
                "--seeds: of a conditioned RUN needs --label, so that each image can be made alone"
            )
    else:
        chosen = selection.of_seed(seed, options.count, generator.latent_size)
    labels = generation.labels(run, generator, options.label, len(chosen), seed)
    return replace(chosen, labels=labels)


def _check_count(options: GenerateOptions, images: int, steps: int | None) -> None:
    """Raises ArgumentError where the images are not as many as a path or a grid takes."""
    from pgcxr.sampling.selection import MOST_FRAMES

    if options.interpolate and images != options.interpolate:
        expected = f"{images} images are named; name as many"
        raise ArgumentError("interpolate", expected, options.interpolate)
    if options.interpolate and (images - 1) * steps >= MOST_FRAMES:
        raise InputError(f"--interpolate, --steps: more than {MOST_FRAMES} frames; lower one")
    if options.grid and not options.interpolate and images < options.grid[0] * options.grid[1]:
        expected = f"shows more images than the {images} that are made; make more"
        raise ArgumentError("grid", expected, "{}x{}".format(*options.grid))


def _note(line: str) -> None:
    print(f"note: {line}", file=sys.stderr)


@contextlib.contextmanager
def _bars():
    from pgcxr.io.progress import Bars

    with Bars() as bars:

        def bar(what: str):
            bars.update(what, 0, None)
            return functools.partial(bars.update, what)

        yield bar

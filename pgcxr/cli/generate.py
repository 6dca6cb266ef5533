"""`pgcxr generate` for the command line."""

import contextlib
import functools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.errors import ArgumentError, InputError
from pgcxr.sampling.options import STEPS, GenerateOptions


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
    from pgcxr.io import folders, places
    from pgcxr.sampling import generation, runs
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
    if options.pretrained is not None:
        run = runs.pretrained_run(options.pretrained)
    run = runs.named(run)
    runs.existing_network(run, runs.GENERATOR, folders.GAN)
    if options.label is not None:
        _check_label(run, options.label)
    from pgcxr.sampling import output

    release = None if options.release is None else output.released(options.release, run)
    if options.interpolate and options.steps is None:
        options = options.replace(steps=STEPS)
    output.deterministic()
    generator = generation.load_generator(run)
    output.check(generator, options)
    chosen = _chosen(run, generator, options, listed)
    _check_count(options, len(chosen))
    with _bars() as bar:
        if options.truncation < 1:
            chosen = output.truncate(generator, chosen, options.truncation, bar("center"))
            _note(
                "truncated images vary less than the training images: not for training, nor for "
                "measures of fidelity"
            )
        if options.interpolate:
            chosen = chosen.path(options.steps)
        output.save(run, generator, chosen, out, options, bar("images"), release)
    print(f"{out}: {len(chosen)} synthetic images, latents.npz")


def _check_label(run: Path, label: str) -> None:
    """Raises ArgumentError where RUN's report says that it knows no such label."""
    from pgcxr.cohort import labels
    from pgcxr.sampling import generation

    report = generation.report_of(run)
    if "labels" not in report:  # of an import; its network will tell
        return
    if (known := report["labels"]) is None:
        raise ArgumentError(
            "label",
            f"{run} was trained without labels; leave this out, or train one with them: `python -m "
            "train.gan COHORT --set labels=binary` (normal, abnormal) or `--set labels=findings`",
            label,
        )
    labels.row(tuple(known["names"]), label, known["exclusive"])


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


def _check_count(options: GenerateOptions, images: int) -> None:
    """Raises ArgumentError where the images are not as many as a path or a grid takes."""
    from pgcxr.sampling.selection import MOST_FRAMES

    if options.interpolate and images != options.interpolate:
        expected = f"{images} images are named; name as many"
        raise ArgumentError("interpolate", expected, options.interpolate)
    if options.interpolate and (images - 1) * options.steps >= MOST_FRAMES:
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

"""`pgcxr generate` for the command line."""

import contextlib
import functools
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.errors import InputError

STEPS = 16


def generate(
    out: Annotated[Path, typer.Option(help="folder for the images; must not exist")],
    run: Annotated[
        Path | None, typer.Argument(help="RUN: a finished `python -m train.gan`")
    ] = None,
    pretrained: Annotated[
        str | None, typer.Option(help="in place of RUN, a network that comes with pgcxr")
    ] = None,
    n: Annotated[
        int | None, typer.Option(min=1, max=10**6, help="how many images of --seed")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="of the latents [default: 0]")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="one image of each of these seeds, such as 1-100,205")
    ] = None,
    latents: Annotated[
        Path | None,
        typer.Option(
            help="latents.npz of an earlier --out, or an .npy array [N, L]: those images again"
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="of --latents, the images with these numbers, such as 3,7-9")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="of a conditioned RUN: abnormal, nodule+pneumothorax, ...")
    ] = None,
    truncation: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1.0,
            help="below 1, toward the most typical image: fewer odd images, less variety",
        ),
    ] = 1.0,
    interpolate: Annotated[
        int | None, typer.Option(min=2, help="frames of a path through this many images")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="from image to image of --interpolate [default: 16]")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="ROWSxCOLUMNS of samples.png, such as 4x8")
    ] = None,
    bits: Annotated[int, typer.Option(help="8 or 16 bits a pixel")] = 8,
    format: Annotated[
        str, typer.Option(help="png, or dicom: Secondary Capture marked as synthetic")
    ] = "png",
    batch: Annotated[int, typer.Option(min=1, help="images held in memory; changes no image")] = 32,
    release: Annotated[
        Path | None,
        typer.Option(
            help="for others: the --out of `python -m evaluate.privacy RUN`, which must have passed"
        ),
    ] = None,
) -> None:
    """Makes synthetic radiographs with a trained generator: images, and latents.npz that makes each
    of them again."""
    from pgcxr.io import places
    from pgcxr.sampling.selection import parse_numbers

    if (run is None) == (pretrained is None):
        raise InputError("which generator? name one RUN of train.gan, or --pretrained NAME")
    rows_columns = _grid(grid)
    if rows_columns and n is None and seeds is None and latents is None and not interpolate:
        n = rows_columns[0] * rows_columns[1]
    _check(n, seed, seeds, latents, only, interpolate, steps)
    if label is not None and latents is not None:
        raise InputError(
            "--label: --latents FILE holds the labels of its images; leave --label out"
        )
    listed = None if seeds is None else parse_numbers(seeds, "--seeds")
    wanted = None if only is None else parse_numbers(only, "--only")
    if latents is not None and release is not None:
        raise InputError(
            "--release: is for images of random latents, as those that passed; --latents FILE may "
            "hold a patient's image found by inversion, so leave one of the two out"
        )
    places.refuse_existing(out)

    from pgcxr.sampling import generation, output, selection
    from pgcxr.sampling import pretrained as networks
    from pgcxr.sampling import release as gate

    run = networks.run(pretrained) if pretrained is not None else run
    released = None if release is None else gate.passed(release, run)
    options = output.Options(
        bits, format, rows_columns, (steps or STEPS) if interpolate else None, batch
    )
    output.deterministic()
    generator = generation.load_generator(run)
    output.check(generator, options)
    if latents is not None:
        chosen = _of_file(latents, wanted, generator)
    elif listed is not None:
        chosen = selection.of_seeds(listed, generator.latent_size)
    else:
        chosen = selection.of_seed(seed or 0, interpolate or n, generator.latent_size)
    if latents is None:
        if listed is not None and label is None and generator.label_size:
            raise InputError(
                "--seeds: of a conditioned RUN needs --label, so that each image can be made alone"
            )
        chosen = replace(
            chosen, labels=generation.labels(run, generator, label, len(chosen), seed or 0)
        )
    if interpolate and len(chosen) != interpolate:
        raise InputError(
            f"--interpolate {interpolate}: {len(chosen)} images are named; name as many"
        )
    if interpolate and (interpolate - 1) * options.steps >= selection.MOST_FRAMES:
        raise InputError(
            f"--interpolate, --steps: more than {selection.MOST_FRAMES} frames; lower one of them"
        )
    if rows_columns and not interpolate and len(chosen) < rows_columns[0] * rows_columns[1]:
        raise InputError(
            f"--grid {grid}: shows more images than the {len(chosen)} that are made; make more"
        )
    with _bars() as bar:
        if truncation < 1:
            chosen = output.truncate(generator, chosen, truncation, bar("centre"))
            _note(
                "truncated images vary less than the training images: not for training, nor for "
                "measures of fidelity"
            )
        if interpolate:
            chosen = chosen.path(options.steps)
        output.save(run, generator, chosen, out, options, bar("images"), released)
    print(f"{out}: {len(chosen)} synthetic images, latents.npz")


def _of_file(path: Path, wanted, generator):
    from pgcxr.sampling import generation, latent_file

    found = latent_file.read(path, generator.latent_size, generator.label_size)
    if found.weights_sha256 not in ("", generation.weights_sha256(generator)):
        _note(f"{path}: first used with another generator; the same latents are other images here")
    return found if wanted is None else found.only(wanted)


def _check(n, seed, seeds, latents, only, interpolate, steps) -> None:
    sources = {"--n": n, "--seeds": seeds, "--latents": latents}
    given = [name for name, value in sources.items() if value is not None]
    if not given and not interpolate:
        raise InputError(
            "which images? name --n, --seeds, --latents, --grid or --interpolate; see --help"
        )
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} each say which images; leave one out")
    if seed is not None and given not in ([], ["--n"]):
        raise InputError(f"--seed: {given[0]} says which images already; leave --seed out")
    if only is not None and latents is None:
        raise InputError("--only: chooses from --latents FILE; name the file too")
    if interpolate and n is not None:
        raise InputError(
            "--n: --interpolate says how many images the path goes through; leave --n out"
        )
    if steps is not None and not interpolate:
        raise InputError("--steps: are those of --interpolate; name it too")


def _grid(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3})[xX](\d{1,3})", text.strip())
    if not match or not int(match[1]) or not int(match[2]):
        raise InputError(f"--grid {text[:60]}: expected ROWSxCOLUMNS, such as 4x8")
    return int(match[1]), int(match[2])


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

"""Images moved along disease axes, with strips, animations and a table of what is said of each."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing import axes_folder, panel, real, sheets
from pgcxr.editing import options as edit_options
from pgcxr.editing.moving import Move, Said
from pgcxr.editing.notes import notes
from pgcxr.editing.options import EditOptions
from pgcxr.errors import InputError
from pgcxr.images import from_uint8, to_uint8
from pgcxr.io import artifacts, places
from pgcxr.latent.space import LatentSpace
from pgcxr.metrics import saliency
from pgcxr.plots import grids
from pgcxr.sampling import generation, latent_file, selection

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Starts:
    """What is edited.

    Attributes:
        names: of the N, as "seed 5"; of a radiograph its place among the files.
        latents: float32 [N, L].
        nearest: of real images; None of synthetic ones.
    """

    names: list[str]
    latents: np.ndarray
    nearest: real.Nearest | None = None


@dataclass(frozen=True)
class Networks:
    """Classifiers in place of those that the folder of axes names.

    Attributes:
        guides, judges: RUNs.
    """

    guides: list[Path] = field(default_factory=list)
    judges: list[Path] = field(default_factory=list)


def edit(
    run: Path,
    axes: Path,
    out: Path,
    options: EditOptions,
    progress: Progress = lambda what, done, total: None,
    networks: Networks = Networks(),
) -> dict:
    """Writes the folder `out`: images, latents.npz, likelihoods.csv, strips, animations,
    report.json.

    Args:
        run: RUN of train.gan.
        axes: folder of evaluate.axes of that RUN.
        out: new folder.
        options: what is moved where.
        progress: told how far it is.
        networks: where guides and judges are, if not where the folder says.

    Returns:
        report.json.

    Raises:
        InputError: something given does not do.
    """
    places.refuse_existing(out)
    wanted = edit_options.axes(options.axis)
    found = axes_folder.checked(axes, list(wanted), options.unproven)
    move = Move.of(found, wanted)
    panel.places_of(found, networks.guides, networks.judges)
    radiographs = real.read(options.image)
    space = gray_space(run)
    generator, identity = space.generator, space.identity
    found.check_generator(run, generator, identity)
    people = panel.load(found, generator.resolution, networks.guides, networks.judges)
    starts = _starts(space, options, radiographs, progress)
    severities = options.severities
    frames = _frames(generator, move, starts, options, progress)
    latents = np.stack([move.latents(starts.latents, value) for value in severities])
    images = _images(generator, latents, progress)
    said = _read(people, images, progress)
    heat = _heat(people, move, images) if options.gradcam else {}
    with artifacts.new_folder(out) as folder:
        _write_images(folder, images, latents, space)
        artifacts.write_text(folder / "likelihoods.csv", _table(starts, move, severities, said))
        _draw(folder, starts, move, severities, images, said, heat)
        has_video = sheets.animate(folder, frames)
        body = {
            "images": images.shape[0] * images.shape[1],
            "starts": starts.names,
            "resolution": generator.resolution,
            "severities": severities,
            "axes": move.describe(found, people, severities),
            "effects": said.effects(move, severities),
            "side_effects": said.side_effects(move),
            "gradcam": _looks(move, images, heat),
            "inversion": _inversion(starts, people),
            "mp4": has_video,
            "synthetic": True,
            "released": False,
            "weights_sha256": identity,
            "axes_sha256": artifacts.sha256(found.folder / "axes.npz"),
        }
        body["notes"] = [*people.notes, *notes(artifacts.plain(body))]
        config = {**options.to_dict(), "image": [artifacts.sha256(path) for path in options.image]}
        artifacts.write_report(folder, body, command="pgcxr edit", config=config)
    return artifacts.read_json(Path(out) / "report.json")


def gray_space(run: Path) -> LatentSpace:
    """The latents of RUN's generator; InputError unless it makes gray images."""
    generator = generation.load_generator(run)
    if generator.channels != 1:
        raise InputError(f"{run}: makes color images; axes are those of gray ones")
    return LatentSpace.of(run, generator)


def _starts(
    space: LatentSpace, options: EditOptions, radiographs: list, progress: Progress
) -> Starts:
    if radiographs:
        images = real.fitted(radiographs, space.generator.resolution)
        what = "finding the nearest synthetic images"
        nearest = real.nearest(
            space.generator, images, options, lambda done, total: progress(what, done, total)
        )
        names = [f"radiograph {place}" for place in range(1, len(images) + 1)]
        return Starts(names, nearest.latents, nearest)
    seeds = options.numbers()
    latents = space.labeled(selection.of_seeds(seeds, space.latent_size).latents)
    return Starts([f"seed {seed}" for seed in seeds.tolist()], latents)


def _images(
    generator, latents: np.ndarray, progress: Progress, what="images", longest: int = 1 << 16
) -> np.ndarray:
    """uint8 [S, N, R, R, 1] of [S, N, L], the same that `pgcxr generate --latents` makes; reduced
    where a side is longer than `longest`."""
    steps, count, size = latents.shape
    flat = latents.reshape(-1, size)
    images = []
    for image in generation.one_by_one(generator, flat, np.arange(len(flat))):
        images.append(grids.shrink(to_uint8(image), longest))
        progress(what, len(images), len(flat))
    return np.stack(images).reshape(steps, count, *images[0].shape)


def _frames(generator, move: Move, starts: Starts, options: EditOptions, progress) -> np.ndarray:
    """uint8 [F, N, R, R, 1]: the images in smaller steps."""
    severities, per_step = options.severities, options.frames
    at = np.arange((len(severities) - 1) * per_step + 1) / per_step
    smooth = np.interp(at, np.arange(len(severities)), severities)
    latents = np.stack([move.latents(starts.latents, value) for value in smooth])
    return _images(generator, latents, progress, "frames", sheets.ANIMATED)


def _read(people: panel.Panel, images: np.ndarray, progress: Progress) -> Said:
    told = []
    for place, own in enumerate(images):
        told.append(people.read(own))
        progress("reading", place + 1, len(images))
    return Said(people, np.stack(told))


def _heat(people: panel.Panel, move: Move, images: np.ndarray) -> dict[str, np.ndarray]:
    """{disease: Grad-CAM by the first guide, [S, N, h, w]}."""
    from pgcxr.classifier.gradcam import gradcam

    flat = from_uint8(images.reshape(-1, *images.shape[2:]))
    maps = {
        name: gradcam(people.networks[0], flat, 1 + FINDINGS.index(name)) for name in move.names
    }
    return {name: own.reshape(*images.shape[:2], *own.shape[1:]) for name, own in maps.items()}


def _looks(move: Move, images: np.ndarray, heat: dict) -> dict:
    """{disease: whether Grad-CAM at the end lies on what has changed}."""
    change = (images[-1].astype(np.float64) - images[0])[..., 0]
    return {name: saliency.on_change(heat[name][-1], change) for name in move.names if heat}


def _inversion(starts: Starts, people: panel.Panel) -> dict | None:
    """How far the edited images are from the radiographs that they stand for."""
    if starts.nearest is None:
        return None
    both = [
        people.table(people.read(images)) for images in (starts.nearest.real, starts.nearest.images)
    ]
    rows = []
    for place, error in enumerate(starts.nearest.errors()):
        told = [{key: float(values[place]) for key, values in table.items()} for table in both]
        rows.append({**error, "likelihoods": {"radiograph": told[0], "nearest": told[1]}})
    return {name: row for name, row in zip(starts.names, rows, strict=True)}


def _write_images(
    folder: Path, images: np.ndarray, latents: np.ndarray, space: LatentSpace
) -> None:
    (folder / "images").mkdir()
    flat = images.reshape(-1, *images.shape[2:])
    for number, image in enumerate(flat):
        (folder / "images" / f"{number:06d}.png").write_bytes(grids.encode_png(image))
    rows = latents.reshape(len(flat), -1)
    origin = f"edited {selection.fingerprint(rows)}"
    chosen = space.selection(rows, np.arange(len(rows)), origin)
    latent_file.write(folder / "latents.npz", chosen)


def _table(starts: Starts, move: Move, severities: list, said: Said) -> str:
    """likelihoods.csv: a line for each image."""
    flat = said.logits.reshape(-1, *said.logits.shape[2:])
    columns = said.panel.table(flat)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    own = [f"{kind}_{name}" for name in move.names for kind in ("severity", "degrees")]
    writer.writerow(["image", "start", "severity", *own, *columns])
    for step, severity in enumerate(severities):
        angles = np.degrees(move.angles(severity))
        moved = [
            f"{value:.4f}"
            for most, angle in zip(move.most, angles, strict=True)
            for value in (most * severity, angle)
        ]
        for place, name in enumerate(starts.names):
            row = step * len(starts.names) + place
            told = [f"{values[row]:.4f}" for values in columns.values()]
            writer.writerow([f"{row:06d}", name, f"{severity:.4f}", *moved, *told])
    return text.getvalue()


def _draw(folder: Path, starts: Starts, move: Move, severities, images, said: Said, heat) -> None:
    """strips.png, and of each start a strip of its own."""
    likelihoods = _shown(move, said)
    title = "Along " + " and ".join(move.titles())
    by = "guides" if not said.panel.judges else "guides | judges"
    title += f"\nIn each image: likelihood of it ({by})"
    captions = [list(column) for column in zip(*likelihoods, strict=True)]
    sheets.overview(folder / "strips.png", title, starts.names, images, severities, captions)
    (folder / "strips").mkdir()
    for place, name in enumerate(starts.names):
        sheets.strip(
            folder / "strips" / f"{name.replace(' ', '_')}.png",
            f"{name.capitalize()}: {title[0].lower()}{title[1:]}",
            images[:, place],
            severities,
            captions[place],
            {disease: maps[:, place] for disease, maps in heat.items()},
            None if starts.nearest is None else starts.nearest.real[place],
        )


def _shown(move: Move, said: Said) -> list[list[str]]:
    """[S][N]: the likelihoods that are written into the images."""
    guides = 1 / (1 + np.exp(-said.guides()))
    judges = said.judges()
    rows = []
    for step in range(len(guides)):
        row = []
        for place in range(guides.shape[1]):
            parts = []
            for name in move.names:
                k = FINDINGS.index(name)
                seeing = [j for j, judge in enumerate(said.panel.judges) if judge.sees[k]]
                told = [f"{guides[step, place, k]:.2f}"]
                if seeing:
                    told.append(f"{judges[step, place, seeing, k].mean():.2f}")
                parts.append(" | ".join(told))
            row.append("\n".join(parts))
        rows.append(row)
    return rows

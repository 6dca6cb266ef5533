"""Latents and axes in the format of TensorBoard's projector."""

from pathlib import Path

import numpy as np

from evaluate import common
from evaluate.axes.explore import Explorer
from pgcxr.images import reduce_by_area
from pgcxr.io import artifacts
from pgcxr.latent.axes import normalize
from pgcxr.plots import grids

# px of a point's image, and of the sheet of all, which the projector takes.
THUMBNAIL, LONGEST = 64, 8192
# Latents are drawn for nothing else with this purpose.
PURPOSE = 6
NONE = "none likely"
LIKELY = 0.5


def write(explorer: Explorer, folder: str | Path, samples: int = 1000, seed: int = 0) -> Path:
    """Writes `folder` for `tensorboard --logdir FOLDER`, tab Projector; returns it.

    Two clouds of the same points, which are random latents and, for each axis, its two ends from
    the pole of the axis: `latents` [N, L], of length sqrt(L), and `along_axes` [N, K], their angles
    to the planes across the K axes in degrees, which is what the walks change. Each point has its
    image, the likelihood of every finding by the guides, and the finding that is likeliest.

    Args:
        explorer: generator, axes and guides.
        folder: is made; earlier files of these names are replaced.
        samples: random latents, at most as many as the sheet of images holds beside the axes.
        seed: of them.
    """
    from tensorboard.plugins import projector

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    axes, size = explorer.axes, explorer.generator.latent_size
    ends = np.sqrt(size) * np.concatenate([axes.vectors, -axes.vectors])
    samples = min(samples, (LONGEST // THUMBNAIL) ** 2 - len(ends))
    latents = normalize(np.concatenate([explorer.space.draw(seed, samples, PURPOSE), ends]))
    images = np.concatenate(
        list(common.generate_batches(explorer.generator, latents.astype(np.float32)))
    )
    names = [f"sample {index}" for index in range(samples)]
    names += [f"axis {name}{sign}" for sign in ("", ", away") for name in axes.names]
    angles = np.degrees(np.arcsin(np.clip(latents @ axes.vectors.T / np.sqrt(size), -1, 1)))
    clouds = {"latents": latents, "along_axes": angles}
    config = projector.ProjectorConfig()
    _write_sprite(folder / "sprites.png", images)
    artifacts.write_text(
        folder / "metadata.tsv", _metadata(names, explorer.likelihoods(images), samples)
    )
    for name, rows in clouds.items():
        lines = ("\t".join(f"{value:.5g}" for value in row) for row in rows)
        artifacts.write_text(folder / f"{name}.tsv", "\n".join(lines) + "\n")
        told = config.embeddings.add(tensor_name=name, tensor_path=f"{name}.tsv")
        told.metadata_path, told.sprite.image_path = "metadata.tsv", "sprites.png"
        told.sprite.single_image_dim.extend([THUMBNAIL, THUMBNAIL])
    projector.visualize_embeddings(str(folder), config)
    return folder


def _write_sprite(path: Path, images: np.ndarray) -> None:
    """The sheet of all images, row by row without gaps, square as the projector wants it."""
    side = min(THUMBNAIL, images.shape[1])
    small = [reduce_by_area(image, side, side).reshape(side, side, -1) for image in images]
    large = np.stack(small).repeat(THUMBNAIL // side, axis=1).repeat(THUMBNAIL // side, axis=2)
    across = int(np.ceil(np.sqrt(len(images))))
    sheet = np.full((across**2, *large.shape[1:]), 255, np.uint8)
    sheet[: len(large)] = large
    rows = sheet.reshape(across, across, *large.shape[1:]).transpose(0, 2, 1, 3, 4)
    grids.write_png(path, rows.reshape(across * THUMBNAIL, across * THUMBNAIL, -1))


def _metadata(names: list[str], likelihoods: list[dict[str, float]], samples: int) -> str:
    """A table with a header, which the projector wants of several columns."""
    findings = list(likelihoods[0])
    lines = ["\t".join(["name", "kind", "likeliest", *findings])]
    for row, (name, told) in enumerate(zip(names, likelihoods, strict=True)):
        best = max(told, key=told.get, default="")
        likeliest = best if best and told[best] >= LIKELY else NONE
        kind = "sample" if row < samples else "axis"
        cells = [name, kind, likeliest, *(f"{told[each]:.3f}" for each in findings)]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"

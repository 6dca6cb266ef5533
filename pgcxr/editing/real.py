"""Real radiographs as a generator sees them: read as curation does, and their nearest synthetic
images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.curation import pixels
from pgcxr.dicom import Rejected
from pgcxr.editing.options import EditOptions
from pgcxr.errors import ArgumentError
from pgcxr.images import from_uint8, to_square, to_uint8
from pgcxr.io import places
from pgcxr.sampling import generation

# Of the bank's latents, among those drawn from a seed (as in evaluate.anomaly).
PURPOSE = 4
LEARNING_RATE = 0.3
BATCH = 64


@dataclass(frozen=True)
class Nearest:
    """Real images and the synthetic ones that are edited in their place.

    Attributes:
        real: uint8 [N, R, R, 1].
        latents: float32 [N, L].
        images: uint8 [N, R, R, 1], what the latents give.
    """

    real: np.ndarray
    latents: np.ndarray
    images: np.ndarray

    def errors(self) -> list[dict]:
        """Of each image {gray_levels: mean absolute difference, of 255; correlation}."""
        rows = []
        for one, other in zip(self.real, self.images, strict=True):
            a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
            flat = a.std() == 0 or b.std() == 0
            rows.append(
                {
                    "gray_levels": float(np.abs(a - b).mean()),
                    "correlation": 0.0 if flat else float(np.corrcoef(a, b)[0, 1]),
                }
            )
        return rows


def read(files: Sequence[Path]) -> list[np.ndarray]:
    """uint8 [H, W] of each of some DICOM, PNG or JPEG files, normalized as `pgcxr curate` does.

    Raises:
        ArgumentError: a file, named by its place, holds no such image.
    """
    images = []
    for place, file in enumerate(files, start=1):
        places.existing_file(file, "a radiograph")
        where = f"file {place} of {len(files)}"
        try:
            image = pixels.decode(Path(file))
        except Rejected as reason:
            expected = f"{where} cannot be read: {reason.detail} ({reason.rule}); name another"
            raise ArgumentError("image", expected) from None
        images.append(image)
    return images


def fitted(images: Sequence[np.ndarray], size: int) -> np.ndarray:
    """uint8 [N, size, size, 1] of `read` images, padded and reduced as `pgcxr curate` does;
    ArgumentError where one is smaller."""
    for place, image in enumerate(images, start=1):
        if max(image.shape) < size:
            where = f"file {place} of {len(images)}"
            expected = f"{where} is smaller than the generator's {size} px; nothing is enlarged"
            raise ArgumentError("image", expected)
    return np.stack([to_square(image, size)[..., None] for image in images])


def nearest(
    generator,
    images: np.ndarray,
    options: EditOptions,
    progress: Callable[[int, int], None],
) -> Nearest:
    """The nearest images that the generator makes.

    Args:
        generator: of gray images.
        images: uint8 [N, R, R, 1].
        options: how they are searched.
        progress: called with (images done, images).
    """
    import tensorflow as tf

    from pgcxr.latent import inversion, starts
    from pgcxr.losses.residuals import LOSSES
    from pgcxr.networks import synthesize

    lod = float(np.asarray(generator.lod))

    def generate(z: tf.Tensor) -> tf.Tensor:
        return synthesize(generator, z, lod=lod)

    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(images))

    progress(0, len(images))
    latents = generation.latents(0, options.bank, generator.latent_size, PURPOSE)
    bank = starts.make_bank(generate, latents, BATCH)
    batch = min(BATCH, len(images) * options.searches)
    inverter = inversion.Inverter(generate, bank, LOSSES[options.loss], options.searches, batch)
    found = inverter.invert(
        from_uint8(images),
        iterations=options.iterations,
        learning_rate=LEARNING_RATE,
        progress=advance,
    )
    return Nearest(images, found.latents, to_uint8(found.images))

"""Growing networks. keras and keras.ops only: any Keras backend runs them."""

from pgcxr.networks import pixels as images
from pgcxr.networks.discriminator import Discriminator
from pgcxr.networks.generator import Generator

__all__ = ["Discriminator", "Generator", "criticize", "level_at", "synthesize"]


def synthesize(generator: Generator, latents, labels=None, lod: float = 0.0, offsets=()):
    """Images at the full resolution R, [N, R, R, C]; where lod >= 1 they are box-upscaled.

    Arguments:
        latents: [N, latent_size], any length: only their direction counts.
        labels: [N, label_size] or None.
        lod: 0 for the whole network, log2(R) - 2 for its 4x4 beginning, fractional between two
            levels.
        offsets: added to the features of the first levels, see `Generator.call`.

    Example:

        >>> from keras import ops
        >>> images = synthesize(Generator(resolution=16, fmap_max=4), ops.ones((2, 4)), lod=1.5)
        >>> tuple(images.shape)
        (2, 16, 16, 1)
    """
    level, fade, factor = level_at(generator.max_level, lod)
    # Networks that stand for a generator need not know of offsets.
    more = {"offsets": offsets} if offsets else {}
    return images.upscale(generator(latents, labels, level=level, fade=fade, **more), factor)


def criticize(discriminator: Discriminator, pixels, lod: float = 0.0):
    """(scores [N, 1], label_logits [N, K]) of images of full resolution, [N, R, R, C].

    Example:

        >>> from keras import ops
        >>> discriminator = Discriminator(resolution=16, label_size=2, fmap_max=4)
        >>> scores, logits = criticize(discriminator, ops.ones((4, 16, 16, 1)))
        >>> tuple(scores.shape), tuple(logits.shape)
        ((4, 1), (4, 2))
    """
    level, fade, factor = level_at(discriminator.max_level, lod)
    return discriminator(images.downscale(pixels, factor), level=level, fade=fade)


def level_at(max_level: int, lod: float) -> tuple[int, float | None, int]:
    """(level, share of the level below or None where there is none, factor from the level to full
    resolution)."""
    floor = min(int(lod), max_level - 2)
    fade = lod - floor
    return max_level - floor, (fade if fade > 0 else None), 2**floor

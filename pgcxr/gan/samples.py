"""Images to look at while a network grows: of fixed latents, and real ones as the critic sees them.
uint8, NHWC."""

import math

import numpy as np

from pgcxr.networks import level_at, pixels

GRID = 8  # images a side in a sample sheet
# Pixels a side of a sheet at most, gaps aside: at 1024 px 64 images would be 67 MB for each of
# hundreds of ticks.
WIDEST = 4096
# Of a batch: bounds the features that a device holds beside those of the training.
BATCH, BATCH_PIXELS = 64, 2**22


def side(resolution: int) -> int:
    """Images a side of the sample sheets of a network: 8, or 4 at 1024 px."""
    return min(GRID, WIDEST // resolution)


def images_of(generator, latents: np.ndarray, labels: np.ndarray | None, lod: float) -> np.ndarray:
    """uint8 [N, r, r, C] of latents [N, L] (and labels [N, K]) at the level that `lod` has come to;
    r = 2^level."""
    level, fade, _ = level_at(generator.max_level, lod)
    batch = max(1, min(BATCH, BATCH_PIXELS // 4**level))
    parts = []
    for start in range(0, len(latents), batch):
        part = slice(start, start + batch)
        made = generator(
            latents[part], None if labels is None else labels[part], level=level, fade=fade
        )
        parts.append(np.asarray(pixels.to_uint8(made)))
    return np.concatenate(parts)


def as_the_critic_sees(reals: np.ndarray, lod: float, mirror: bool = False) -> np.ndarray:
    """uint8 [N, r, r, C]: real images of one level faded as `lod` says; where training mirrors,
    every second one is."""
    reals = np.array(reals)
    if mirror:
        reals[1::2] = reals[1::2, :, ::-1]
    fade = lod - math.floor(lod)
    return (
        np.asarray(pixels.to_uint8(pixels.fade_reals(pixels.from_uint8(reals), fade)))
        if fade
        else reals
    )


def rows_by_label(latents: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latents [S * S, L] and labels of a sample sheet, [S * S, .]: each row of it has one of
    `labels`, in turn.

    All labels are shown of the same latents before the next latents come, so that a column shows
    what the label does.
    """
    size = math.isqrt(len(latents))
    turn, place = np.divmod(np.arange(size), len(labels))
    latents = latents.reshape(size, size, -1)[turn].reshape(size * size, -1)
    return latents, labels[place].repeat(size, axis=0)

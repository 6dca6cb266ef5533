"""Latents as directions: the generator divides by their length before anything else (arXiv
1710.10196, appendix A.1).

So between two latents lies a great circle, not a straight line, whose middle would be shorter than
any latent that was trained on (White, arXiv 1609.04468, section 2.1). Results have the length
sqrt(L), that of a typical latent. Each row is worked out by itself, in float64: its bits do not
depend on the rows beside it.

Truncation, typical images at the price of variety, is a pull toward a center on the sphere.
Brock et al. (arXiv 1809.11096, section 3.1) draw again each component of z that is far from 0;
Karras et al. (arXiv 1812.04948, appendix B) pull StyleGAN's intermediate latents toward their mean.
Neither carries over. The Progressive GAN normalizes z, so its latents lie on a sphere and are
equally likely everywhere: a direction is no rarer for a large component, the mean of all is no
direction, and there are no intermediate latents. What is left of the idea and well defined on the
sphere: a center, and every latent's angle to it multiplied by psi. At 1 nothing changes; toward 0
all images become the center's. Two images drawn at random are about 90 degrees apart, so at psi
their cosine is about cos(90 psi)^2: 0.21 at 0.7, 0.5 at 0.5.

The center is the latent of the most typical image: of PROBES images the one nearest to their mean
(their medoid in squared distance). It depends on the generator alone, so that an image of its own
seed is the same in any company.

Precision and recall (arXiv 1904.06991; 512 images of each kind, pixels, k = 3) of a generator of
`make demo`: 0.68 and 0.52 at psi 1, 0.77 and 0.31 at 0.7, 0.85 and 0.07 at 0.5: variety is lost
faster than likeness is gained.
"""

from collections.abc import Callable

import numpy as np

from pgcxr.errors import InputError
from pgcxr.images import reduce_by_factor
from pgcxr.sampling import generation

# Closer than this to opposite, and no great circle is the shortest.
OPPOSITE = 1e-4  # radians
PROBES = 256
# A stream of random numbers of its own beside those of images.
PURPOSE = 8
# Images are compared at no more than this many pixels a side: place and size of chest and heart,
# not noise.
COMPARED_AT = 32


def on_sphere(latents: np.ndarray) -> np.ndarray:
    """Latents [N, L] with the length sqrt(L), float64."""
    latents = np.asarray(latents, np.float64)
    # Row by row: a matrix product may sum in another order for another number of rows.
    return np.stack([row * np.sqrt(len(row) / (row * row).sum()) for row in latents])


def slerp(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The point [L] that lies `share` of the way from `start` to `end` (both on the sphere, [L])
    along the great circle: (sin((1 - t) w) start + sin(t w) end) / sin w (Shoemake 1985).
    InputError where the two are opposite."""
    # Not by arccos of the product, which has lost half of its digits where the angle is small.
    difference, total = start - end, start + end
    angle = 2 * np.arctan2(np.sqrt((difference * difference).sum()), np.sqrt((total * total).sum()))
    if np.pi - angle < OPPOSITE:
        raise InputError(
            "two of the latents are opposite, no path between them is the shortest; leave one out"
        )
    if angle == 0:
        return start.copy()
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def path(keys: np.ndarray, steps: int) -> np.ndarray:
    """float32 [(K - 1) * steps + 1, L]: from each of K latents to the next in equal angles; keys
    stay as they are."""
    points = on_sphere(keys)
    frames = np.empty(((len(keys) - 1) * steps + 1, keys.shape[1]), np.float32)
    frames[::steps] = keys
    for index in range(len(keys) - 1):
        for step in range(1, steps):
            frames[index * steps + step] = slerp(points[index], points[index + 1], step / steps)
    return frames


def toward(center: np.ndarray, latents: np.ndarray, share: float) -> np.ndarray:
    """float32 [N, L]: each latent's angle to `center` [L] multiplied by `share`; 1 leaves them as
    they are."""
    if share == 1:
        return np.asarray(latents, np.float32)
    middle = on_sphere(center[None])[0]
    return np.stack([slerp(middle, point, share) for point in on_sphere(latents)]).astype(
        np.float32
    )


def center(
    generator, progress: Callable[[int, int], None] = lambda done, total: None
) -> np.ndarray:
    """float32 [L]; `progress` is called with (done, total)."""
    z = generation.latents(0, PROBES, generator.latent_size, PURPOSE)
    factor = max(1, generator.resolution // COMPARED_AT)
    side = generator.resolution // factor
    images = np.empty((PROBES, side, side, generator.channels))
    for done, image in enumerate(generation.one_by_one(generator, z, np.arange(PROBES))):
        images[done] = reduce_by_factor(image[None], factor, np.float64)[0]
        progress(done + 1, PROBES)
    return z[medoid(images.reshape(PROBES, -1))]


def medoid(points: np.ndarray) -> int:
    """The row of points [N, D] with the least sum of squared distances to all: the one nearest to
    their mean."""
    return int(np.argmin(np.square(points - points.mean(axis=0)).sum(axis=1)))

"""What is measured: in one pass over the images the measures on pixels and the features, then those
on features."""

from collections.abc import Callable

import numpy as np

from evaluate.distribution.estimate import RANGE, Estimate
from evaluate.distribution.sources import Source
from pgcxr.metrics import frechet, kid, prdc, resampling
from pgcxr.metrics.ms_ssim import ms_ssim
from pgcxr.metrics.swd import sliced_wasserstein

# Images of a set that are held at a time, and that one sliced Wasserstein distance compares.
GROUP, FEWEST_GROUPS = 512, 4
Advance = Callable[[int], None]


def groups(n: int) -> list[tuple[int, int]]:
    """(start, stop) of groups of nearly one size: 4, or more of about GROUP images."""
    edges = np.linspace(0, n, max(FEWEST_GROUPS, n // GROUP) + 1).round().astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def one_pass(
    source: Source,
    reference: Source | None,
    extractor,
    replicates: int,
    seed: int,
    advance: Advance,
) -> tuple[dict[str, Estimate], np.ndarray | None]:
    """({"ms_ssim", "swd 64", ..., "swd 16", "swd mean"}, features float32 [N, D]) of `source`,
    group by group.

    Args:
        reference: what SWD compares with; None: no measure on pixels.
        extractor: pgcxr.classifier.features.Extractor, or None.
        advance: called with the number of images gone through.
    """
    distances, similar, owners, seen = [], [], [], []
    for index, (start, stop) in enumerate(groups(len(source))):
        images = source.draw(start, stop)
        if extractor is not None:
            seen.append(extractor(images))
        if reference is not None:
            reals = reference.draw(start, stop)
            distances.append(
                sliced_wasserstein(reals, images, np.random.RandomState([seed & 0xFFFFFFFF, index]))
            )
            # The first half with the second, as images of one patient stand together.
            pairs = (stop - start) // 2
            similar += ms_ssim(images[:pairs], images[pairs : 2 * pairs])["each"]
            owners += source.clusters[start : start + pairs].tolist()
        advance(stop)
    found = {}
    if reference is not None:
        found["ms_ssim"] = _mean(np.array(similar), np.array(owners), replicates, seed)
        for level in distances[0]:
            each = np.array([group[level] for group in distances])
            found[f"swd {level}"] = Estimate(float(each.mean()), each, True, RANGE["swd"])
    return found, np.concatenate(seen) if seen else None


def on_features(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """{fid, kid, precision, recall, density, coverage} of features [N, D] and [M, D]."""
    neighbors = prdc.prdc(real, fake)
    return {
        "fid": frechet.frechet(real, fake)["fid"],
        "kid": kid.mmd2(real, fake),
        **{name: neighbors[name] for name in ("precision", "recall", "density", "coverage")},
    }


def with_halves(
    real: np.ndarray,
    fake: np.ndarray,
    of_real: list[np.ndarray],
    of_fake: list[np.ndarray],
    advance: Advance,
) -> dict[str, Estimate]:
    """`on_features` with the same of random halves of both sets, [replicates] index arrays each."""
    whole = on_features(real, fake)
    parts = []
    for some, others in zip(of_real, of_fake, strict=True):
        parts.append(on_features(real[some], fake[others]))
        advance(len(parts))
    return {
        name: Estimate(
            value, np.array([part[name] for part in parts]), range=RANGE.get(name, (0.0, 1.0))
        )
        for name, value in whole.items()
    }


def _mean(values: np.ndarray, owners: np.ndarray, replicates: int, seed: int) -> Estimate:
    halves = resampling.half_samples(owners, replicates, seed)
    return Estimate(
        float(values.mean()), np.array([values[half].mean() for half in halves]), range=(0.0, 1.0)
    )

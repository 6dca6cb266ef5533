"""What is measured: in one pass over the images the measures on pixels and the features, then those
on features, of a network and radiomic ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluate.distribution.estimate import RANGE, Estimate
from evaluate.distribution.sources import Source
from pgcxr.metrics import frechet, kid, prdc, resampling
from pgcxr.metrics.ecs import axes, ecs, permutation_test
from pgcxr.metrics.frd import frd
from pgcxr.metrics.ms_ssim import ms_ssim
from pgcxr.metrics.radiomics import radiomics
from pgcxr.metrics.swd import sliced_wasserstein

# Images of a set that are held at a time, and that one sliced Wasserstein distance compares.
GROUP, FEWEST_GROUPS = 512, 4
Advance = Callable[[int], None]
# Features of each set: what the network sees, where there is one, and what is counted in pixels.
NETWORK, RADIOMIC = "features", "radiomics"


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
) -> tuple[dict[str, Estimate], dict[str, np.ndarray]]:
    """({"ms_ssim", "swd 64", ..., "swd 16", "swd mean"}, {RADIOMIC and, with an extractor, NETWORK:
    float32 [N, D]}) of `source`, group by group.

    Args:
        reference: what SWD compares with; None: no measure on pixels.
        extractor: pgcxr.classifier.features.Extractor, or None.
        advance: called with the number of images gone through.
    """
    distances, similar, owners = [], [], []
    seen: dict[str, list] = {RADIOMIC: []} | ({} if extractor is None else {NETWORK: []})
    for index, (start, stop) in enumerate(groups(len(source))):
        images = source.draw(start, stop)
        seen[RADIOMIC].append(radiomics(images).astype(np.float32))
        if extractor is not None:
            seen[NETWORK].append(extractor(images))
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
    return found, {name: np.concatenate(parts) for name, parts in seen.items()}


def on_features(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """{fid, kid, precision, recall, density, coverage} of features [N, D] and [M, D]."""
    neighbors = prdc.prdc(real, fake)
    return {
        "fid": frechet.frechet(real, fake)["fid"],
        "kid": kid.mmd2(real, fake),
        **{name: neighbors[name] for name in ("precision", "recall", "density", "coverage")},
    }


@dataclass(frozen=True)
class Kind:
    """Measures of two sets of vectors: `of(real, fake)` gives {measure: value}; `vectors` {set: [N,
    D]}. `tested` are the measures that `ecs.permutation_test` gives a p, {its name: here}."""

    of: Callable[[np.ndarray, np.ndarray], dict[str, float]]
    vectors: dict[str, np.ndarray]
    tested: dict[str, str]


def kinds(vectors: dict[str, dict[str, np.ndarray]], real: str) -> list[Kind]:
    """All that is measured on the features of sets, {set: {NETWORK, RADIOMIC: [N, D]}}; axes are
    those of the set `real`."""
    found = []
    for features, prefix in ((NETWORK, ""), (RADIOMIC, "radiomic_")):
        if features not in vectors[real]:
            continue
        sets = {name: each[features] for name, each in vectors.items()}
        # Radiomic features have units of their own, a network's are on one scale.
        kept = axes(sets[real], scaled=features == RADIOMIC)
        along = {name: kept.along(each) for name, each in sets.items()}
        names = {name: prefix + name for name in ("ecs", "tails")}
        found += [
            Kind(on_features if features == NETWORK else _frd, sets, {}),
            Kind(lambda real, fake, names=names: _ecs(real, fake, names), along, names),
        ]
    return found


def _frd(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return {"frd": frd(real, fake)["frd"]}


def _ecs(real: np.ndarray, fake: np.ndarray, names: dict[str, str]) -> dict[str, float]:
    found = ecs(real, fake)
    return {name: found[measure] for measure, name in names.items()}


def p_values(
    kind: Kind, real: str, fake: str, clusters: dict[str, np.ndarray], permutations: int, seed: int
) -> dict[str, float]:
    """{measure: p} of what `kind` has a test of; `clusters` {set: whose each image is}."""
    if not kind.tested:
        return {}
    owners = clusters[real], clusters[fake]
    found = permutation_test(kind.vectors[real], kind.vectors[fake], owners, permutations, seed)
    return {name: found[measure] for measure, name in kind.tested.items()}


def with_halves(
    of: Callable[[np.ndarray, np.ndarray], dict[str, float]],
    real: np.ndarray,
    fake: np.ndarray,
    halves: tuple[list[np.ndarray], list[np.ndarray]],
    advance: Advance,
) -> dict[str, Estimate]:
    """The measures `of` two sets with the same of random halves of both, [replicates] index arrays
    each."""
    whole = of(real, fake)
    parts = []
    for some, others in zip(*halves, strict=True):
        parts.append(of(real[some], fake[others]))
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

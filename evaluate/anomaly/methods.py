"""What each method says of held-out normals and of the test images: baselines, networks, and their
fusion."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.anomaly.selection import Reading
from evaluate.protocol import Progress, silent
from pgcxr.anomaly import baselines, calibration, maps
from pgcxr.anomaly.artificial import pasting
from pgcxr.anomaly.baselines import Subspace
from pgcxr.images import from_uint8, reduce_by_factor
from pgcxr.metrics.roc import auroc

# Numbers of principal components among which artificial anomalies choose; images for each at least.
COMPONENTS = (25, 50, 100, 200)
PER_COMPONENT = 4
# Held-out normals into which they are pasted, at most.
CHOOSING = 300
# Normals whose features kNN and PaDiM remember, at most: they need all of them at once.
REMEMBERED = 1000
# Maps that are standardized at once.
AT_ONCE = 500


@dataclass(frozen=True)
class Evidence:
    """What one method says; higher is more abnormal.

    Attributes:
        healthy: scores of held-out normals, [M].
        test: of the test images, [N].
        maps: [N, s, s], or None where the method has none.
    """

    healthy: np.ndarray
    test: np.ndarray
    maps: np.ndarray | None = None


@dataclass(frozen=True)
class Found:
    """What all methods say.

    Attributes:
        methods: {name: Evidence}, "fusion" last.
        nearest: [N, S, S] in [-1, 1], what the components make of the test images.
        differences: [N, S, S] from that.
        about: what was chosen, and how long it took.
    """

    methods: dict[str, Evidence]
    nearest: np.ndarray
    differences: np.ndarray
    about: dict


def ask(
    reading: Reading,
    size: int,
    networks: Sequence,
    seed: int,
    progress: Progress = silent,
) -> Found:
    """Asks every method that needs no inversion.

    Args:
        reading: what is learned from (`familiar`), held out (`healthy`) and asked about (`test`).
        size: of the images that the baselines read, px.
        networks: of train.anomaly; without any, no method needs one.
        seed: of components and artificial anomalies.
        progress: told how far it is.
    """
    steps = 3 + 2 * bool(networks) + len(networks)
    done, seconds = 0, {}

    def timed(name: str, work):
        nonlocal done
        begin = time.perf_counter()
        result = work()
        seconds[name], done = time.perf_counter() - begin, done + 1
        progress("asking every method", done, steps)
        return result

    parts = [part.images(size)[..., 0] for part in (reading.familiar, reading.healthy)]
    learned, healthy = (from_uint8(part) for part in parts)
    test = from_uint8(reading.test.images(size)[..., 0])
    methods = {"mean_image": timed("mean_image", lambda: _mean_image(learned, healthy, test))}
    subspace, areas = timed("components", lambda: choose(learned, healthy, seed))
    nearest = subspace.nearest(test)
    differences = maps.differences(test[..., None], nearest[..., None])
    unexplained = _differences(subspace, healthy)
    methods["pca_residual"] = timed(
        "pca_residual", lambda: residual(unexplained, differences, seed)
    )
    methods["pca_distance"] = Evidence(subspace.distances(healthy), subspace.distances(test))
    if networks:
        methods |= _with_networks(reading, networks, seed, timed)
    joined = [
        methods[name] for name in ("network", "pca_residual", "pca_distance") if name in methods
    ]
    usual, scores = calibration.fused([one.healthy for one in joined], [one.test for one in joined])
    methods["fusion"] = Evidence(usual, scores, joined[0].maps)
    about = {
        "components": len(subspace.directions),
        "components_tried": {str(count): area for count, area in areas.items()},
        "fused": ["network"] * bool(networks) + ["pca_residual", "pca_distance"],
        "networks": len(networks),
        "seconds": seconds,
    }
    return Found(methods, nearest, differences, about)


def choose(
    learned: np.ndarray, healthy: np.ndarray, seed: int
) -> tuple[Subspace, dict[int, float]]:
    """The components of normals whose residual tells artificial anomalies in held-out normals best.

    Returns:
        (components, {number: AUROC of artificial anomalies}).
    """
    most = max(len(learned) // PER_COMPONENT, 1)
    counts = [count for count in COMPONENTS if count <= most] or [most]
    subspace = baselines.fit_subspace(learned, max(counts), seed)
    some = healthy[:CHOOSING]
    levels = np.uint8(np.rint((some[..., None] + 1) * 127.5))
    pasted = [one.image for one in pasting.examples(levels, len(some), seed) if one.words]
    changed = np.stack(pasted) * 2 - 1 if pasted else some[:0]
    areas = {}
    for count in counts:
        few = subspace.first(count)
        found = residual(_differences(few, some), _differences(few, changed), seed)
        known = np.arange(len(some) + len(changed)) >= len(some)
        scores = np.concatenate([found.healthy, found.test])
        areas[count] = auroc(known.astype(int), scores) if len(changed) else 0.5
    best = max(areas, key=lambda count: areas[count])
    return subspace.first(best), areas


def residual(healthy: np.ndarray, test: np.ndarray, seed: int) -> Evidence:
    """Calibrated differences [M, S, S] and [N, S, S] from a reconstruction, as those of the
    inversion are."""
    windows = maps.windowed(maps.scaled(healthy))
    rng = np.random.default_rng([seed, 3])
    scores = calibration.cross_scores(windows, rng)
    usual = maps.learn_healthy(windows)
    found, heat = [np.empty(0)], [np.empty((0, *test.shape[1:]), np.float32)]
    for start in range(0, len(test), AT_ONCE):
        z = maps.standardized(maps.windowed(maps.scaled(test[start : start + AT_ONCE])), usual)
        found.append(calibration.image_scores(z))
        heat.append(maps.anomaly_map(z))
    return Evidence(scores, np.concatenate(found), np.concatenate(heat))


def _mean_image(learned, healthy, test) -> Evidence:
    heat = baselines.mean_image_maps(learned, test)
    usual = baselines.mean_image_maps(learned, healthy)
    return Evidence(calibration.top(usual), calibration.top(heat), heat)


def _differences(subspace: Subspace, images: np.ndarray) -> np.ndarray:
    return maps.differences(images[..., None], subspace.nearest(images)[..., None])


def _with_networks(reading: Reading, networks: Sequence, seed: int, timed) -> dict[str, Evidence]:
    """kNN and PaDiM on the first network's features, and all networks together."""
    from pgcxr.anomaly.training import look

    parts: list = []
    for model in networks:
        size = model.input_shape[1]
        pictures = [part.images(size) for part in (reading.healthy, reading.test)]
        seen = timed(
            f"network {len(parts) + 1}", lambda m=model, p=pictures: [look(m, each) for each in p]
        )
        parts.append(seen)
    some = reading.familiar.images(networks[0].input_shape[1])
    some = some[np.sort(np.random.default_rng([seed, 7]).permutation(len(some))[:REMEMBERED])]
    pictures = [part.images(networks[0].input_shape[1]) for part in (reading.healthy, reading.test)]
    found = {}
    for name, method, halvings in (
        ("knn", baselines.neighbor_maps, 3),
        ("padim", baselines.gaussian_maps, 2),
    ):
        found[name] = timed(
            name,
            lambda m=method, h=halvings: _of_features(networks[0], m, h, some, pictures),
        )
    scores = [
        [pick(seen[which]) for seen in parts for pick in (_of_image, _of_map)] for which in (0, 1)
    ]
    side = parts[0][1].maps.shape[1]
    heat = np.mean([_at(_probability(seen[1].maps), side) for seen in parts], axis=0)
    usual, asked = calibration.fused(scores[0], scores[1])
    found["network"] = Evidence(usual, asked, heat)
    return found


def _of_image(seen) -> np.ndarray:
    return seen.images


def _of_map(seen) -> np.ndarray:
    return calibration.top(seen.maps)


def _probability(logits: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(logits).astype(np.float32)


def _at(heat: np.ndarray, side: int) -> np.ndarray:
    """Maps [N, s, s] at another resolution."""
    if heat.shape[1] == side:
        return heat
    if heat.shape[1] % side == 0:
        return reduce_by_factor(heat[..., None], heat.shape[1] // side)[..., 0]
    from pgcxr.images import resize

    return np.stack([resize(each, side) for each in heat])


def _of_features(model, method, halvings: int, learned: np.ndarray, pictures) -> Evidence:
    from pgcxr.anomaly.network import encoder_features

    halvings = min(halvings, _deepest(model))
    features = encoder_features(model, halvings)

    def of(images: np.ndarray) -> np.ndarray:
        return features.predict(from_uint8(images), batch_size=128, verbose=0)

    known = of(learned)
    usual, heat = (method(known, of(images)) for images in pictures)
    middle, deviation = usual.mean(axis=0), usual.std(axis=0) + 1e-6
    usual, heat = ((each - middle) / deviation for each in (usual, heat))
    return Evidence(calibration.top(usual), calibration.top(heat), heat)


def _deepest(model) -> int:
    """How often the network halves its images."""
    sides = [layer.output.shape[1] for layer in model.layers if len(layer.output.shape) == 4]
    return int(np.log2(model.input_shape[1] / min(sides)))

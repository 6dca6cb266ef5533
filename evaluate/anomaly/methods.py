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
from pgcxr.anomaly.fusion import WEIGHTS, Fusion, Residual, network_maps, network_scores
from pgcxr.anomaly.gradients import Gradients
from pgcxr.cohort.manifest import Cohort
from pgcxr.images import from_uint8
from pgcxr.metrics.roc import auroc

# Numbers of principal components among which artificial anomalies choose; images for each at least.
COMPONENTS = (25, 50, 100, 200)
PER_COMPONENT = 4
# Held-out normals into which they are pasted, at most.
CHOOSING = 300
# Normals whose gradients are learned, at most: more tell nothing new.
GRADIENTS_OF = 3000
# Normals whose features kNN and PaDiM remember, at most: they need all of them at once.
REMEMBERED = 1000


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
        fusion: what new images are asked with; None without a network.
    """

    methods: dict[str, Evidence]
    nearest: np.ndarray
    differences: np.ndarray
    about: dict
    fusion: Fusion | None = None


def ask(
    reading: Reading,
    size: int,
    networks: Sequence,
    seed: int,
    progress: Progress = silent,
    autoencoder_epochs: int = 0,
) -> Found:
    """Asks every method that needs no inversion.

    Args:
        reading: what is learned from (`familiar`), held out (`healthy`) and asked about (`test`).
        size: of the images that the baselines read, px.
        networks: of train.anomaly; without any, no method needs one.
        seed: of components and artificial anomalies.
        progress: told how far it is.
        autoencoder_epochs: of the auto-encoder over the normals; 0: it is left out.
    """
    steps = 4 + 2 * bool(networks) + len(networks) + bool(autoencoder_epochs)
    done, seconds = 0, {}

    def timed(name: str, work):
        nonlocal done
        begin = time.perf_counter()
        result = work()
        seconds[name], done = time.perf_counter() - begin, done + 1
        progress("asking every method", done, steps)
        return result

    parts = (reading.familiar, reading.healthy, reading.test)
    learned, healthy, test = (from_uint8(part.images(size)[..., 0]) for part in parts)
    changed = _artificial(reading.healthy, size, seed)
    methods = {"mean_image": timed("mean_image", lambda: _mean_image(learned, healthy, test))}
    subspace, areas = timed(
        "components", lambda: choose(learned, healthy, from_uint8(changed[..., 0]), seed)
    )
    residual = Residual.learned(subspace.nearest, healthy, seed)
    methods["pca_residual"] = timed(
        "pca_residual", lambda: Evidence(residual.healthy, *residual.ask(test))
    )
    methods["pca_distance"] = Evidence(subspace.distances(healthy), subspace.distances(test))
    gradients, methods["gradients"] = timed(
        "gradients", lambda: _gradients(learned, healthy, test, seed)
    )
    if autoencoder_epochs:
        methods["autoencoder"] = timed(
            "autoencoder", lambda: _autoencoder(learned, healthy, test, autoencoder_epochs, seed)
        )
    of_networks = None
    if networks:
        found, of_networks = _with_networks(reading, networks, seed, timed)
        methods |= found
    weights = {name: share for name, share in WEIGHTS.items() if name in methods}
    usual, scores = calibration.fused(
        [methods[name].healthy for name in weights],
        [methods[name].test for name in weights],
        weights=list(weights.values()),
    )
    methods["fusion"] = Evidence(usual, scores, methods[next(iter(weights))].maps)
    fusion = None
    if of_networks is not None:
        distances = methods["pca_distance"].healthy
        of_gradients = methods["gradients"].healthy
        fusion = Fusion(
            subspace, residual, distances, of_networks, weights, gradients, of_gradients
        )
    nearest = subspace.nearest(test)
    about = {
        "components": len(subspace.directions),
        "components_tried": {str(count): area for count, area in areas.items()},
        "fused": weights,
        "networks": len(networks),
        "seconds": seconds,
    }
    rest = maps.differences(test[..., None], nearest[..., None])
    return Found(methods, nearest, rest, about, fusion)


def choose(
    learned: np.ndarray, healthy: np.ndarray, changed: np.ndarray, seed: int
) -> tuple[Subspace, dict[int, float]]:
    """The components of normals whose residual tells artificial anomalies in held-out normals best.

    Args:
        learned, healthy: normals [N, S, S] in [-1, 1], to learn from and held out.
        changed: of the held-out ones, some with artificial anomalies.

    Returns:
        (components, {number: AUROC of artificial anomalies}).
    """
    most = max(len(learned) // PER_COMPONENT, 1)
    counts = [count for count in COMPONENTS if count <= most] or [most]
    subspace = baselines.fit_subspace(learned, max(counts), seed)
    areas = {}
    for count in counts:
        residual = Residual.learned(subspace.first(count).nearest, healthy[:CHOOSING], seed)
        areas[count] = _area(residual.healthy, residual.ask(changed)[0])
    return subspace.first(max(areas, key=lambda count: areas[count])), areas


def _artificial(healthy: Cohort, size: int, seed: int) -> np.ndarray:
    """uint8 [K, S, S, 1]: held-out normals with artificial anomalies; of one seed the same at any
    size, but for its pixels."""
    some = Cohort(healthy.folder, healthy.manifest[:CHOOSING]).images(size)
    pasted = pasting.examples(some, len(some), seed)
    return np.uint8(np.rint(np.stack([one.image for one in pasted])[..., None] * 255))


def _area(healthy: np.ndarray, changed: np.ndarray) -> float:
    known = np.arange(len(healthy) + len(changed)) >= len(healthy)
    return auroc(known.astype(int), np.concatenate([healthy, changed]))


def _mean_image(learned, healthy, test) -> Evidence:
    heat = baselines.mean_image_maps(learned, test)
    usual = baselines.mean_image_maps(learned, healthy)
    return Evidence(calibration.top(usual), calibration.top(heat), heat)


def _gradients(learned, healthy, test, seed: int) -> tuple[Gradients, Evidence]:
    some = np.sort(np.random.default_rng([seed, 9]).permutation(len(learned))[:GRADIENTS_OF])
    found = Gradients.learned(learned[some], seed)
    return found, Evidence(found.ask(healthy), found.ask(test))


def _autoencoder(learned, healthy, test, epochs: int, seed: int) -> Evidence:
    from pgcxr.anomaly.autoencoder import fit_autoencoder, reconstructed

    model = fit_autoencoder(learned, epochs, seed)
    residual = Residual.learned(lambda images: reconstructed(model, images), healthy, seed)
    return Evidence(residual.healthy, *residual.ask(test))


def bound(model, reading: Reading) -> Evidence:
    """What a network says that learned from the diseases' own images, read as `network` is."""
    from pgcxr.anomaly.training import look

    size = model.input_shape[1]
    usual, asked = (look(model, part.images(size)) for part in (reading.healthy, reading.test))
    healthy, test = calibration.fused(network_scores([usual]), network_scores([asked]))
    return Evidence(healthy, test, network_maps([asked]))


def _with_networks(
    reading: Reading, networks: Sequence, seed: int, timed
) -> tuple[dict[str, Evidence], np.ndarray]:
    """(kNN and PaDiM on the first network's features, and all networks together; what each of
    these says of held-out normals)."""
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
    scores = [network_scores([seen[which] for seen in parts]) for which in range(2)]
    usual, asked = calibration.fused(*scores)
    found["network"] = Evidence(usual, asked, network_maps([seen[1] for seen in parts]))
    return found, np.stack(scores[0])


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

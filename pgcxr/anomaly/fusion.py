"""What networks, gradients and principal components say of an image, and those that are fused, in
units of what they say of held-out normals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pgcxr.anomaly import calibration, maps
from pgcxr.anomaly.baselines import Subspace
from pgcxr.anomaly.gradients import Gradients
from pgcxr.images import reduce_by_factor, resize

if TYPE_CHECKING:
    from pgcxr.anomaly.training import Seen

# What can be fused; models of format 1 have the components and no gradients.
FUSED = ("network", "gradients", "pca_residual", "pca_distance")
# What is fused now, chosen on phantoms; the others added nothing there (docs/results, rsna-64).
WEIGHTS = {"network": 1.0, "gradients": 1.0}
# Maps that are standardized at once.
AT_ONCE = 500


@dataclass(frozen=True)
class Residual:
    """What a reconstruction leaves of an image, calibrated as the inversion's differences are.

    Attributes:
        nearest: images [N, S, S] -> their reconstructions.
        usual: windowed differences of held-out normals.
        healthy: the scores of these, each by the others, [M].
    """

    nearest: Callable[[np.ndarray], np.ndarray]
    usual: maps.Healthy
    healthy: np.ndarray

    @classmethod
    def learned(
        cls, nearest: Callable[[np.ndarray], np.ndarray], healthy: np.ndarray, seed: int
    ) -> "Residual":
        """From held-out normals [M, S, S]."""
        windows = maps.windowed(maps.scaled(differences(nearest, healthy)))
        scores = calibration.cross_scores(windows, np.random.default_rng([seed, 3]))
        return cls(nearest, maps.learn_healthy(windows), scores)

    def ask(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(scores [N], anomaly maps [N, S, S]) of images [N, S, S]."""
        scores, heat = [np.empty(0)], [np.empty((0, *images.shape[1:]), np.float32)]
        for start in range(0, len(images), AT_ONCE):
            rest = differences(self.nearest, images[start : start + AT_ONCE])
            z = maps.standardized(maps.windowed(maps.scaled(rest)), self.usual)
            scores.append(calibration.image_scores(z))
            heat.append(maps.anomaly_map(z))
        return np.concatenate(scores), np.concatenate(heat)


def differences(nearest: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """[N, S, S] (at most `maps.FINEST` px): images less their reconstructions."""
    return maps.differences(images[..., None], nearest(images)[..., None])


@dataclass(frozen=True)
class Fusion:
    """Networks, gradients, the residual of principal components and the distance within them, as
    one score.

    Attributes:
        subspace: the components.
        residual: what they leave.
        distances: of held-out normals within the components, [M].
        network: scores of held-out normals by `network_scores`, [2 K, M].
        weights: {name in FUSED: its share}.
        gradients: of normals; None in a model of format 1.
        of_gradients: what these say of held-out normals, [M].
    """

    subspace: Subspace
    residual: Residual
    distances: np.ndarray
    network: np.ndarray
    weights: dict[str, float]
    gradients: Gradients | None = None
    of_gradients: np.ndarray | None = None

    def healthy(self) -> np.ndarray:
        """The scores [M] of the held-out normals."""
        return self._fused(self._usual())

    def ask(self, seen: Sequence["Seen"], images: np.ndarray) -> np.ndarray:
        """The scores [N] of new images.

        Args:
            seen: what each network says of them.
            images: the same, [N, S, S] in [-1, 1] at the size of the components.
        """
        asks: dict[str, Callable[[], np.ndarray]] = {
            "network": lambda: calibration.fused(list(self.network), network_scores(seen))[1],
            "pca_residual": lambda: self.residual.ask(images)[0],
            "pca_distance": lambda: self.subspace.distances(images),
        }
        if self.gradients is not None:
            asks["gradients"] = partial(self.gradients.ask, images)
        return self._fused({name: asks[name]() for name in self.weights})

    def _usual(self) -> dict[str, Any]:
        """{name in FUSED: scores [M] of the held-out normals}."""
        scores = (self.of_gradients, self.residual.healthy, self.distances)
        return dict(zip(FUSED, (calibration.fused(list(self.network))[0], *scores), strict=True))

    def _fused(self, new: dict[str, Any]) -> np.ndarray:
        usual = self._usual()
        return calibration.fused(
            [usual[name] for name in self.weights],
            [new[name] for name in self.weights],
            weights=list(self.weights.values()),
        )[1]


def network_scores(seen: Sequence["Seen"]) -> list[np.ndarray]:
    """Two scores [N] of each network: the image's logit, and the top of its map."""
    return [scores for each in seen for scores in (each.images, calibration.top(each.maps))]


def network_maps(seen: Sequence["Seen"]) -> np.ndarray:
    """[N, s, s] in [0, 1]: how likely each place is anomalous, the mean of all networks at the size
    of the first one's maps."""
    from scipy.special import expit

    side = seen[0].maps.shape[1]
    return np.mean([_at(expit(each.maps).astype(np.float32), side) for each in seen], axis=0)


def _at(heat: np.ndarray, side: int) -> np.ndarray:
    """Maps [N, s, s] at another resolution."""
    if heat.shape[1] == side:
        return heat
    if heat.shape[1] % side == 0:
        return reduce_by_factor(heat[..., None], heat.shape[1] // side)[..., 0]
    return np.stack([resize(each, side) for each in heat])

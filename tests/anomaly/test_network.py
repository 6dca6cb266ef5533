"""The anomaly segmentation network: its shapes, its loss against a slow twin, and its batches."""

import numpy as np
import pytest

from pgcxr.anomaly import training
from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.anomaly.network import MapLoss, unet
from pgcxr.errors import ArgumentError
from pgcxr.metrics.roc import auroc
from tests.anomaly.test_artificial import chest

TINY = AnomalyConfig(size=16, widths=(4, 6, 8), epochs=1, steps_per_epoch=3, batch_size=8)


def normals(count: int, size: int) -> np.ndarray:
    return np.stack([np.uint8(chest(size, seed) * 255)[..., None] for seed in range(count)])


@pytest.mark.parametrize(("size", "widths"), [(16, (4, 6, 8)), (32, (2, 3)), (32, (2, 3, 4, 5, 6))])
def test_a_map_of_half_the_size_and_one_logit(size, widths):
    model = unet(size, widths)
    shapes = {name: tuple(output.shape) for name, output in model.output.items()}
    assert shapes == {"map": (None, size // 2, size // 2, 1), "image": (None, 1)}
    at_start = training.look(model, normals(3, size), batch_size=2)
    assert at_start.maps.shape == (3, size // 2, size // 2) and at_start.images.shape == (3,)
    assert abs(at_start.maps.mean() + 3) < 1.5, "the map does not start at rare"


def test_the_loss_of_a_map_is_what_a_slow_twin_says():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 4, 1)).astype(np.float32)
    known = (rng.random((3, 4, 4, 1)) < 0.3).astype(np.float32)
    known[2] = 0  # a normal image: no overlap to speak of
    found = np.asarray(MapLoss().call(known, logits))
    for index in range(3):
        entropy, both, either = 0.0, 0.0, 0.0
        for x, y in zip(logits[index].ravel(), known[index].ravel(), strict=True):
            p = 1 / (1 + np.exp(-x))
            entropy -= 3 * np.log(p) if y else np.log(1 - p)
            both, either = both + p * y, either + p + y
        dice = 1 - (2 * both + 1) / (either + 1) if known[index].any() else 0
        assert found[index] == pytest.approx(2 * entropy / 16 + 0.2 * dice, rel=1e-5)


def test_a_batch_depends_on_seed_and_step_alone_and_says_what_it_holds():
    pictures = normals(5, 16)
    one, same = (training.examples(pictures, TINY, 3, 7) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    other = training.examples(pictures, TINY, 3, 8)
    assert not np.array_equal(one.images, other.images)
    many = training.examples(pictures, TINY.replace(batch_size=400), 0, 0)
    assert many.images.shape == (400, 16, 16, 1) and many.map.shape == (400, 8, 8, 1)
    assert -1 <= many.images.min() < many.images.max() <= 1
    assert many.image.mean() == pytest.approx(1 - TINY.clean, abs=0.08)
    assert set(np.unique(many.map)) == set(np.unique(many.image)) == {0, 1}
    # A map without an anomaly belongs to a normal image.
    assert not many.map[many.image[:, 0] == 0].any()


def test_a_supervised_batch_shows_lesions_as_often_as_told_with_masks_that_move_along():
    """Lesions are the only bright squares, so that a mask is right where it is bright."""
    black, bright = np.zeros((2, 16, 16, 1), np.uint8), np.zeros((3, 16, 16, 1), np.uint8)
    masks = np.zeros((3, 16, 16), np.float32)
    bright[0, 4:8, 4:8], masks[0, 4:8, 4:8] = 255, 1
    bright[1, 9:13, 9:13], masks[1] = 255, np.nan
    lesions = training.Lesions(bright, masks, np.array([0.75, 0.25, 0.0]))
    batch = training.examples(black, TINY.replace(batch_size=400), 0, 0, lesions)
    abnormal = batch.images.max(axis=(1, 2, 3)) > 0
    np.testing.assert_array_equal(batch.image[:, 0], abnormal)
    assert abnormal.mean() == pytest.approx(1 - TINY.clean, abs=0.08)
    unknown = batch.map.max(axis=(1, 2, 3)) < 0
    assert (
        unknown[abnormal].mean() == pytest.approx(0.25, abs=0.08) and not unknown[~abnormal].any()
    )
    known = abnormal & ~unknown
    halved = batch.images.reshape(400, 8, 2, 8, 2).mean(axis=(2, 4))
    assert (halved[known][batch.map[known][..., 0] == 1] > -0.9).all()
    assert (batch.map[known].sum(axis=(1, 2, 3)) >= 2).all()
    # What nobody knows of the mask costs nothing, whatever the map says.
    cost = np.asarray(MapLoss().call(batch.map, np.ones_like(batch.map)))
    assert (cost[unknown] == 0).all() and (cost[~unknown] > 0).all()


def test_a_network_learns_what_it_is_taught():
    config = TINY.replace(widths=(8, 12, 16), epochs=2, steps_per_epoch=50, learning_rate=1e-2)
    config = config.replace(batch_size=16)
    # Large and bright or dark: what so small a network can learn in a second.
    config = config.replace(
        **dict.fromkeys(("rough", "lines", "dots", "tissue", "contour"), 0.0),
        **dict.fromkeys(("patch", "texture", "sharpness", "warp"), 0.0),
    )
    pictures = normals(40, 16)
    model, history = training.fit_anomaly_network(pictures, config, seed=1)
    assert len(history["loss"]) == 2 and history["loss"][1] < history["loss"][0]
    batch = training.examples(pictures, config.replace(batch_size=200), 9, 0)
    seen = training.look(model, np.uint8(np.rint((batch.images + 1) * 127.5)))
    assert auroc(batch.map.ravel().astype(int), seen.maps.ravel()) > 0.7
    abnormal = batch.image[:, 0] == 1
    assert auroc(abnormal.astype(int), seen.images) > 0.6


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": 36}, "size: must be a multiple of 16"),
        ({"widths": (8,)}, "widths: must be two to seven"),
        ({"clean": 0}, "clean: must be"),
        ({"contrast": 1}, "contrast: is no option"),
    ],
)
def test_configs_without_sense_are_refused(values, said):
    with pytest.raises(ArgumentError, match=said):
        AnomalyConfig.from_dict(values)

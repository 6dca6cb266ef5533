"""Artificial anomalies: what changes is where the mask says, by the seed alone, and nothing of it
is the phantom's."""

import ast
from pathlib import Path

import numpy as np
import pytest

from pgcxr.anomaly import artificial
from pgcxr.anomaly.artificial import pasting, shapes
from pgcxr.anomaly.artificial.draws import blurred, grain
from pgcxr.anomaly.artificial.options import EFFECTS, SHAPES, ArtificialOptions
from pgcxr.errors import ArgumentError


def chest(size: int, seed: int = 0) -> np.ndarray:
    """Two dark ellipses in a bright body, with a little noise."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    body = np.where(np.hypot(x / 0.46, y / 0.7) < 1, 0.75, 0.02)
    for side in (-0.2, 0.2):
        body = np.where(np.hypot((x - side) / 0.13, (y + 0.05) / 0.28) < 1, 0.25, body)
    noise = np.random.default_rng(seed).normal(0, 0.01, (size, size))
    return np.clip(blurred(body + noise, 1 / 64), 0, 1).astype(np.float32)


def only(**chosen) -> ArtificialOptions:
    """Options of which nothing is drawn but what is named, or the default of its kind."""
    none = {
        name: 0
        for names in (SHAPES, EFFECTS)
        for name in names
        if any(name in names for name in chosen)
    }
    return ArtificialOptions(**{**none, **chosen})


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize(
    "options", [only(**{name: 1}) for name in (*SHAPES, *EFFECTS)], ids=(*SHAPES, *EFFECTS)
)
def test_the_image_changes_where_the_mask_says_and_nowhere_else(size, options):
    image, other = chest(size), chest(size, 1)
    before = image.copy()
    found = 0
    for seed in range(12):
        changed, mask, words = pasting.paste(image, other, np.random.default_rng(seed), options)
        assert changed.dtype == mask.dtype == np.float32 and changed.shape == mask.shape
        assert changed.min() >= 0 and changed.max() <= 1
        change = blurred(np.abs(changed - image), 0.5 / 64)
        assert np.array_equal(mask > 0, change > options.visible)
        assert mask.mean() <= options.largest and bool(words) == bool(mask.any())
        found += bool(mask.any())
    assert np.array_equal(image, before), "the normal image itself was changed"
    assert found >= 6


def test_one_seed_one_result():
    normals = np.stack([np.uint8(chest(32, seed) * 255)[..., None] for seed in range(4)])
    first, again, other = (pasting.examples(normals, 5, seed) for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.image, two.image) and np.array_equal(one.mask, two.mask)
    assert any(not np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))


def test_effects_have_both_signs():
    options, image = only(shade=1), chest(32)
    signs = set()
    for seed in range(20):
        changed = pasting.paste(image, image, np.random.default_rng(seed), options).image
        signs.add(np.sign(float((changed - image).sum())))
    assert {-1.0, 1.0} <= signs


def test_what_is_never_drawn_never_comes():
    image = chest(32)
    options = only(dots=1, warp=1, shade=2)
    for seed in range(20):
        words = pasting.paste(image, image, np.random.default_rng(seed), options).words
        assert {word.split()[0] for word in words.split(", ") if word} <= {"dots"}
        assert {word.split()[1] for word in words.split(", ") if word} <= {"warp", "shade"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_as_large_at_every_size(name):
    shares = []
    for size in (64, 128):
        place = np.array([0.3, 0.45]) * size
        masks = [
            getattr(shapes, name)(chest(size), place, np.random.default_rng(seed))
            for seed in range(80)
        ]
        assert all(mask.min() >= 0 and mask.max() <= 1.001 for mask in masks)
        assert all(mask.dtype == np.float32 and mask.shape == (size, size) for mask in masks)
        shares.append(np.mean(masks))
    assert 0.6 < shares[0] / shares[1] < 1.7


def test_an_image_that_nothing_changes_visibly_stays_as_it_is():
    options = ArtificialOptions(visible=1.0)
    image, mask, words = pasting.paste(chest(32), chest(32), np.random.default_rng(0), options)
    assert np.array_equal(image, chest(32)) and not mask.any() and words == ""
    black = np.zeros((32, 32), np.float32)
    assert pasting.paste(black, black, np.random.default_rng(0)).image.max() <= 1


def test_normal_variation_is_small_and_changes_something():
    image = chest(64)
    moved = np.stack([pasting.varied(image, np.random.default_rng(seed)) for seed in range(30)])
    assert moved.min() >= 0 and moved.max() <= 1
    assert 0.005 < np.abs(moved - image).mean() < 0.1
    # On the whole neither brighter nor darker.
    assert abs(float((moved - image).mean())) < 0.02


def test_grain_has_the_size_that_was_asked_for():
    noise = grain(np.random.default_rng(0), 128, 0.1)
    assert noise.std() == pytest.approx(1, abs=1e-3)
    near, far = (np.corrcoef(noise[:, :-n].ravel(), noise[:, n:].ravel())[0, 1] for n in (2, 40))
    assert near > 0.8 > 0.4 > abs(far)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (dict.fromkeys(SHAPES, 0), "blob: one of blob, rough"),
        (dict.fromkeys(EFFECTS, 0), "shade: one of shade, level"),
        ({"visible": 0}, "visible: must be"),
        ({"blobs": 1}, "blobs: is no option; did you mean blob?"),
    ],
)
def test_options_without_sense_are_refused(values, said):
    with pytest.raises(ArgumentError, match=said):
        ArtificialOptions.from_dict(values)


def test_nothing_of_the_phantom_is_known_here():
    folder = Path(artificial.__file__).parents[1]
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not any(name.startswith("pgcxr.phantom") for name in names), path

"""Labeled latents: the answers of one pass, on one device and two; stores that go on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgcxr import networks
from pgcxr.images import from_uint8
from pgcxr.latent import labeling
from pgcxr.latent.space import LatentSpace
from pgcxr.sampling import generation

LATENTS = 6


def small_classifier(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(inputs)
    logits = keras.layers.Dense(6, name="logits")(flat)
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(logits))


def loaded():
    keras.utils.set_random_seed(5)
    generator = networks.Generator(resolution=8, fmap_base=16, fmap_max=4, latent_size=LATENTS)
    generator(np.zeros((1, LATENTS), np.float32))
    return LatentSpace(generator, ""), [small_classifier(1), small_classifier(2)]


@pytest.fixture(scope="module")
def both():
    return loaded()


class Counting:
    """A labeler whose calls are counted; the real one computes."""

    def __init__(self, labeler):
        self.labeler, self.images = labeler, 0
        self.identity, self.space = labeler.identity, labeler.space

    def read(self, z, progress=lambda done: None):
        self.images += len(z)
        return self.labeler.read(z, progress)


@pytest.fixture
def counting(both, monkeypatch):
    monkeypatch.setattr(labeling, "SHARD", 16)
    return Counting(labeling.Labeler(*both, batch=8))


def test_the_answers_are_those_of_the_images_that_would_be_written(both):
    space, classifiers = both
    told = []
    found = labeling.label(
        labeling.Labeler(space, classifiers, batch=8), 3, 21, progress=told.append
    )
    z = generation.latents(3, 21, LATENTS)
    images = from_uint8(generation.generate(space.generator, z))
    for index, classifier in enumerate(classifiers):
        expected = np.asarray(classifier(images))
        got = 1 / (1 + np.exp(-found.logits[:, index]))
        np.testing.assert_allclose(got, expected, atol=1e-5)
    assert not np.allclose(found.logits[:, 0], found.logits[:, 1])
    assert told == [8, 16, 21] and found.u.shape == (21, LATENTS)


def test_two_devices_give_what_one_gives(both):
    devices = tf.config.list_logical_devices("CPU")
    assert len(devices) == 2
    mirrored = tf.distribute.MirroredStrategy([device.name for device in devices])
    with mirrored.scope():
        copies = loaded()
    one = labeling.label(labeling.Labeler(*both, batch=4), 0, 13)
    two = labeling.label(labeling.Labeler(*copies, batch=4, placed=mirrored), 0, 13)
    np.testing.assert_allclose(two.logits, one.logits, atol=1e-5)


def test_a_store_gives_the_same_and_goes_on_where_it_was_stopped(counting, tmp_path):
    plain = labeling.label(counting.labeler, 1, 40)
    calls = []

    def stop(done):
        calls.append(done)
        if done > 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labeling.label(counting, 1, 40, tmp_path, stop)
    counting.images = 0
    found = labeling.label(counting, 1, 40, tmp_path)
    assert (counting.images, found.reused) == (8, 32)
    np.testing.assert_allclose(found.logits, plain.logits, atol=1e-6)
    np.testing.assert_array_equal(found.u, plain.u)
    counting.images = 0
    fewer, more = (labeling.label(counting, 1, n, tmp_path) for n in (20, 50))
    assert counting.images == 18 and fewer.reused == 20 and more.reused == 32
    np.testing.assert_allclose(more.logits[:20], fewer.logits)


def test_other_networks_and_seeds_share_nothing(both, counting, tmp_path):
    labeling.label(counting, 1, 16, tmp_path)
    other = Counting(labeling.Labeler(both[0], both[1][:1], batch=8))
    assert labeling.label(other, 1, 16, tmp_path).reused == 0
    assert labeling.label(counting, 2, 16, tmp_path).reused == 0
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("harm", ["cut", "empty", "other latents", "no number"])
def test_a_shard_that_is_not_whole_is_made_again(counting, tmp_path, harm):
    whole = labeling.label(counting, 1, 16, tmp_path)
    (shard,) = tmp_path.glob("*/shard-*.npz")
    if harm in ("cut", "empty"):
        shard.write_bytes(shard.read_bytes()[: 300 if harm == "cut" else 0])
    else:
        arrays = dict(np.load(shard))
        arrays["latents" if harm == "other latents" else "logits"][3] = np.nan
        np.savez(shard, **arrays)
    again = labeling.label(counting, 1, 16, tmp_path)
    assert again.reused == 0
    np.testing.assert_allclose(again.logits, whole.logits, atol=1e-6)
    assert labeling.label(counting, 1, 16, tmp_path).reused == 16

"""Where the inversion of evaluate.anomaly starts, how far it goes beyond the latents, and encoders
that don't belong to the GAN."""

import keras
import numpy as np
import pytest

from evaluate.anomaly import AnomalyOptions, inverting
from evaluate.anomaly import runs as found_runs
from evaluate.common import to_uint8
from evaluate.protocol import silent
from pgcxr import networks
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.latent.encoder import encoder_network
from pgcxr.latent.encoder_training import whole_images

FEW = AnomalyOptions(iterations=0, starts=1, bank=10, batch=4)


@pytest.fixture(scope="module")
def loaded():
    keras.utils.set_random_seed(5)
    generator = networks.Generator(resolution=8, fmap_base=64, fmap_max=8)
    encoder = found_runs.Encoder(encoder_network(8, 1, 8, (4,), 8), 2)
    return found_runs.Loaded(generator, {}, None, None, (), encoder)


@pytest.fixture(scope="module")
def queries(loaded):
    z = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    return to_uint8(np.asarray(networks.synthesize(loaded.generator, z)))


def _without(loaded):
    return found_runs.Loaded(loaded.generator, {}, None, None, ())


def test_without_steps_the_images_are_the_guesses(loaded, queries):
    done = []
    found = inverting.invert(loaded, queries, FEW, 3, lambda *told: done.append(told))
    start = inverting._start(loaded, whole_images(loaded.generator), FEW, 3)
    guesses = start.guesses(queries.astype(np.float32) / 127.5 - 1)[:, 0]
    np.testing.assert_allclose(found.latents, guesses, atol=1e-4)
    np.testing.assert_allclose(
        found.images, np.asarray(networks.synthesize(loaded.generator, guesses)), atol=1e-4
    )
    assert done == [("finding the nearest normal images", count, 6) for count in (4, 6)]
    other = inverting.invert(_without(loaded), queries, FEW.replace(start="random"), 3, silent)
    assert np.abs(other.latents - found.latents).max() > 0.1


def test_freed_features_bring_images_nearer_that_the_gan_cannot_make(loaded):
    strange = np.random.default_rng(4).integers(0, 256, (3, 8, 8, 1), np.uint8)
    options = FEW.replace(loss="mse", freed=1, freed_iterations=20, penalty=1e-4)
    bound = inverting.invert(loaded, strange, options.replace(freed=0), 3, silent)
    free = inverting.invert(loaded, strange, options, 3, silent)
    assert np.all(free.losses < 0.95 * bound.losses) and free.iterations == 20
    np.testing.assert_array_equal(free.means, free.images)
    np.testing.assert_allclose(free.first_losses, bound.first_losses, rtol=1e-4)


def test_options_that_do_not_go_with_the_networks_are_refused(loaded):
    with pytest.raises(ArgumentError, match="start: says where searches start without an encoder"):
        inverting.refuse(loaded, FEW.replace(start="random"))
    with pytest.raises(ArgumentError, match="freed: must be at most the 2 levels"):
        inverting.refuse(_without(loaded), FEW.replace(freed=3))
    inverting.refuse(_without(loaded), FEW.replace(start="random", freed=2))


def test_an_encoder_of_another_gan_or_without_one_is_refused(loaded, tmp_path):
    for name in ("gan", "other", "encoder"):
        (tmp_path / name).mkdir()
    (tmp_path / "gan" / "generator-ema.keras").write_bytes(b"one")
    (tmp_path / "other" / "generator-ema.keras").write_bytes(b"another")
    loaded.encoder.network.save(tmp_path / "encoder" / "encoder.keras")
    digest = artifacts.sha256(tmp_path / "gan" / "generator-ema.keras")
    config = {"passes": 2, "generator_sha256": digest}
    artifacts.write_json(tmp_path / "encoder" / "config.json", config)
    found = found_runs._encoder(tmp_path / "encoder", tmp_path / "gan")
    assert found.passes == 2 and found.network.output_shape == (None, 8)
    with pytest.raises(InputError, match="guesses the latents of another GAN"):
        found_runs._encoder(tmp_path / "encoder", tmp_path / "other")
    (tmp_path / "classifier").mkdir()
    (tmp_path / "classifier" / "classifier.keras").touch()
    with pytest.raises(ArgumentError, match="encoder: needs a GAN"):
        found_runs.refuse_missing(
            tmp_path / "out", None, tmp_path / "classifier", [], tmp_path / "encoder"
        )
    with pytest.raises(InputError, match=r"no encoder\.keras"):
        found_runs.refuse_missing(
            tmp_path / "out", tmp_path / "gan", tmp_path / "classifier", [], tmp_path / "other"
        )

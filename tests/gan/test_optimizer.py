"""Updates that are skipped, on both networks and on replicas; the loss scale that follows them."""

import numpy as np
import pytest
import tensorflow as tf

from pgcxr.gan import devices
from pgcxr.gan import optimizer as optimizers
from pgcxr.gan.optimizer import FiniteAdam
from tests.gan.gans import inputs, small_gan, weights


def _steps(gan, strategy, network: str):
    """A function that makes one update of "d" or "g", of 4 images on each replica, after adding
    `poison` to them."""
    given = inputs(4, 4)

    def step(poison):
        # Only the last replica sees what is not finite.
        last = (
            tf.distribute.get_replica_context().replica_id_in_sync_group
            == strategy.num_replicas_in_sync - 1
        )
        bad = tf.where(last, poison, 0.0)
        if network == "d":
            return gan.discriminator_step(
                given["reals"] + bad, given["latents"], given["mixing"], None
            )
        return gan.generator_step(given["latents"] + bad, None)

    return tf.function(lambda poison: strategy.run(step, args=(poison,)))


@pytest.mark.parametrize("network", ["d", "g"])
@pytest.mark.parametrize(("replicas", "dtype"), [(1, "float32"), (2, "mixed_float16")])
@pytest.mark.parametrize("large", [0, optimizers.LARGE])
def test_a_gradient_that_is_not_finite_changes_nothing(
    monkeypatch, large, replicas, dtype, network
):
    monkeypatch.setattr(optimizers, "LARGE", large)
    strategy = devices.strategy(replicas, ["CPU:0", "CPU:1"])
    with strategy.scope():
        gan = small_gan(resolution=4, dtype=dtype)
    gan.level = 2
    gan.set_point(0.0, 0.001)
    mine, other, optimizer = gan.discriminator, gan.generator, gan.d_optimizer
    if network == "g":
        mine, other, optimizer = gan.generator, gan.discriminator, gan.g_optimizer
    scale = optimizer.loss_scale.log2 if dtype == "mixed_float16" else tf.Variable(0.0)
    scale.assign(8.0)
    step, before = _steps(gan, strategy, network), weights(gan)
    for poison in (np.nan, np.inf):
        norms = strategy.experimental_local_results(
            step(tf.constant(poison))[f"{network}_gradient_norm"]
        )
        assert not np.isfinite(norms[-1]) and all(np.isfinite(norms[:-1])), (
            "only one replica's gradient is bad"
        )
    scale_after = float(np.array(scale))
    assert scale_after == (6.0 if dtype == "mixed_float16" else 8.0), (
        "once a step, not once a replica"
    )
    scale.assign(8.0)
    for old, new in zip(before, weights(gan), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(np.array(optimizer.iterations)) == 0, "a skipped update is no step of Adam"
    old_mine, old_other = mine.get_weights(), other.get_weights()
    step(tf.constant(0.0))
    assert int(np.array(optimizer.iterations)) == 1
    assert any(
        not np.array_equal(old, new) for old, new in zip(old_mine, mine.weights, strict=True)
    )
    assert all(np.array_equal(old, new) for old, new in zip(old_other, other.weights, strict=True))
    for variable in mine.trainable_variables + optimizer.variables:
        values = [
            np.asarray(value) for value in strategy.experimental_local_results(variable.value)
        ]
        assert all(np.array_equal(value, values[0]) for value in values), "replicas stay equal"


def _scaled(initial):
    variable = tf.keras.Variable([1.0, 2.0])
    optimizer = FiniteAdam(0.1, beta_1=0.0, beta_2=0.99, epsilon=1e-8, loss_scale=initial)
    optimizer.build([variable])
    return optimizer, variable


def test_the_scale_leaves_the_update_as_it_is():
    updated = []
    for initial in (None, 8.3):
        optimizer, variable = _scaled(initial)
        for gradient in ([0.3, -2.0], [0.1, 0.0]):
            optimizer.apply([optimizer.scale_loss(tf.constant(gradient))], [variable])
        updated.append(np.asarray(variable))
    np.testing.assert_allclose(updated[1], updated[0], rtol=1e-6)


def test_the_scale_follows_what_is_skipped():
    optimizer, variable = _scaled(optimizers.INITIAL)
    optimizer.apply([tf.constant([np.inf, 0.0])], [variable])
    optimizer.apply([tf.constant([1.0, np.nan])], [variable])
    assert float(np.asarray(optimizer.loss_scale.log2)) == 62.0
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    for _ in range(4):
        optimizer.apply([tf.constant([1.0, 1.0])], [variable])
    assert float(np.asarray(optimizer.loss_scale.log2)) == pytest.approx(62.002, abs=1e-4)
    assert optimizer.loss_scale.log2 is optimizer.variables[-1], "saved with the optimizer"
    optimizer.reset()
    assert float(np.asarray(optimizer.loss_scale.log2)) == pytest.approx(62.002, abs=1e-4)
    assert int(np.asarray(optimizer.iterations)) == 0


@pytest.mark.parametrize("large", [0, optimizers.LARGE])
@pytest.mark.parametrize("beta_1", [0.0, 0.9])
def test_several_updates_equal_those_by_the_paper(monkeypatch, large, beta_1):
    monkeypatch.setattr(optimizers, "LARGE", large)
    rng = np.random.default_rng(0)
    variable = tf.keras.Variable(np.ones((3, 4), np.float32))
    optimizer = FiniteAdam(0.01, beta_1=beta_1, beta_2=0.99, epsilon=1e-8)
    optimizer.build([variable])
    expected, m, v = np.ones((3, 4)), 0.0, 0.0
    for step in range(1, 6):
        gradient = rng.standard_normal((3, 4)).astype(np.float32)
        optimizer.apply([tf.constant(gradient)], [variable])
        m = beta_1 * m + (1 - beta_1) * gradient.astype(np.float64)
        v = 0.99 * v + 0.01 * gradient.astype(np.float64) ** 2
        expected -= 0.01 * m / (1 - beta_1**step) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
        np.testing.assert_allclose(variable, expected, atol=1e-6)

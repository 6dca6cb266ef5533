"""float16 with loss scaling and bfloat16: steps that move the weights as float32's do."""

import numpy as np
import pytest

from pgcxr.gan.config import PRECISIONS
from tests.gan.gans import inputs, small_gan

STEPS = 3


def _trained(precision, **changes):
    gan = small_gan(resolution=8, dtype=PRECISIONS[precision], **changes)
    before = [np.array(v) for v in gan.generator.weights + gan.discriminator.weights]
    gan.level, gan.fading = 3, True
    gan.set_point(0.4, 0.001)
    if precision == "float16":
        for optimizer in (gan.d_optimizer, gan.g_optimizer):
            optimizer.loss_scale.log2.assign(10.0)
    logs = []
    for step in range(STEPS):
        given = inputs(8, 8, seed=step)
        logs.append(gan.discriminator_step(**given, fade=0.4))
        logs[-1] |= gan.generator_step(given["latents"], 0.4)
    after = [np.array(v) for v in gan.generator.weights + gan.discriminator.weights]
    moved = np.concatenate([np.ravel(a - b) for a, b in zip(after, before, strict=True)])
    return gan, [{name: float(value) for name, value in each.items()} for each in logs], moved


@pytest.fixture(scope="module")
def float32():
    return _trained("float32")


@pytest.mark.parametrize(("precision", "close"), [("float16", 0.02), ("bfloat16", 0.1)])
def test_mixed_precision_trains_as_float32_does(float32, precision, close):
    _, expected, reference = float32
    gan, logs, moved = _trained(precision)
    assert {
        v.dtype
        for v in gan.generator.weights + gan.discriminator.weights + gan.generator_ema.weights
    } == {"float32"}
    assert gan.generator_ema.compute_dtype == precision
    for name, value in expected[0].items():
        assert logs[0][name] == pytest.approx(value, rel=close, abs=close), name
    assert all(np.isfinite(list(each.values())).all() for each in logs)
    assert np.abs(moved).max() > 1e-3
    # Adam's first steps are lr * sign(g): what differs is where the gradient is rounding noise.
    assert np.corrcoef(moved, reference)[0, 1] > (0.99 if precision == "float16" else 0.95)
    optimizers = (gan.d_optimizer, gan.g_optimizer)
    if precision == "bfloat16":
        assert all(optimizer.loss_scale is None for optimizer in optimizers), (
            "bfloat16 has float32's range"
        )
    else:
        for optimizer in optimizers:
            assert float(np.asarray(optimizer.loss_scale.log2)) == pytest.approx(
                10 + STEPS * 0.0005, abs=1e-4
            )


def test_a_scale_that_overflows_comes_down_by_itself():
    gan = small_gan(resolution=4, dtype="mixed_float16")
    before = np.array(gan.discriminator.dense1.kernel)
    gan.level = 2
    gan.set_point(0.0, 0.001)
    given = inputs(4, 4)
    gan.d_optimizer.loss_scale.log2.assign(19.0)
    for _ in range(10):
        gan.discriminator_step(**given, fade=None)
    assert 10 < float(np.asarray(gan.d_optimizer.loss_scale.log2)) < 17
    assert 0 < int(np.asarray(gan.d_optimizer.iterations)) < 8
    assert np.isfinite(gan.discriminator.dense1.kernel).all()
    assert not np.array_equal(gan.discriminator.dense1.kernel, before)

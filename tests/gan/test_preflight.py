"""What a training will take: tried within the budget, estimated beyond it, refused where memory
runs out."""

import pytest
import tensorflow as tf

from pgcxr.errors import InputError
from pgcxr.gan import preflight
from tests.gan.gans import small_gan


def _found():
    sizes = ((4, 0.5, 1.0), (8, 1.0, 4.0), (16, 2.0, 16.0))
    rows = [
        {"resolution": size, "kimg": kimg, "gflop_per_kimg": gflop} for size, kimg, gflop in sizes
    ]
    common = {
        "minibatch": 4,
        "generator_parameters": 10,
        "discriminator_parameters": 9,
        "memory_bytes": 1 << 30,
    }
    return [common | row for row in rows]


def test_levels_beyond_the_budget_are_estimated():
    said = []
    found = preflight.look(
        small_gan(), _found(), tf.distribute.get_strategy(), budget=1e-9, say=said.append
    )
    first, second, third = found["levels"]
    assert [each["measured"] for each in found["levels"]] == [True, False, False] and len(said) == 1
    assert second["seconds_per_kimg"] == pytest.approx(4 * first["seconds_per_kimg"])
    assert third["hours"] == pytest.approx(2.0 * 16 * first["seconds_per_kimg"] / 3600)
    assert found["hours"] == pytest.approx(sum(each["hours"] for each in found["levels"]))
    assert (
        1 << 28 < first["memory_bytes"] <= preflight.peak_memory()
        and third["memory_bytes"] == 1 << 30
    )
    assert [line.endswith("estimated") for line in preflight.table(found)] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_device_without_memory_is_one_line():
    gan = small_gan()

    def step(batches):
        raise tf.errors.ResourceExhaustedError(
            None, None, "OOM when allocating tensor with shape[...]"
        )

    gan.make_train_function = lambda force: setattr(gan, "train_function", step)
    with pytest.raises(InputError, match="at 4 px a minibatch of 4 does not fit") as error:
        preflight.look(gan, _found(), tf.distribute.get_strategy(), say=str)
    assert "\n" not in str(error.value)

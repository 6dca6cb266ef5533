"""What a training will take: tried within the budget, estimated beyond it, refused where memory
runs out."""

import pytest
import tensorflow as tf

from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import preflight
from pgcxr.gan.stated import PreflightOptions, Rate, memory_of
from tests.gan.gans import small_gan
from train.common import load_config


def _found():
    sizes = ((4, 0.5, 1.0), (8, 1.0, 4.0), (16, 2.0, 16.0))
    rows = [{"resolution": size, "kimg": kimg, "cost_per_kimg": cost} for size, kimg, cost in sizes]
    common = {
        "minibatch": 4,
        "minibatch_per_replica": 4,
        "fits": "yes",
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
    first, second, third = found
    assert [each["measured"] for each in found] == [True, False, False] and len(said) == 1
    assert second["seconds_per_kimg"] == pytest.approx(4 * first["seconds_per_kimg"])
    assert third["hours"] == pytest.approx(2.0 * 16 * first["seconds_per_kimg"] / 3600)
    assert (
        1 << 28 < first["memory_bytes"] <= preflight.peak_memory()
        and third["memory_bytes"] == 1 << 30
    )


def test_what_does_not_fit_is_not_tried():
    said, found = [], _found()
    found[1]["fits"] = "no"
    preflight.look(small_gan(), found, tf.distribute.get_strategy(), say=said.append)
    assert [each["measured"] for each in found] == [True, False, True] and len(said) == 2
    assert found[1]["seconds_per_kimg"] > 0


def _cards(gib: int, rate: Rate | None = None) -> PreflightOptions:
    return PreflightOptions(preflight=True, memory=gib << 30, images_per_second=rate)


THESIS = load_config("gan", "thesis")


def test_cards_that_are_stated_need_no_machine():
    """The thesis's: two cards of 24 GB, 13.7 images/s in the mean, 12.2 days."""
    found = preflight.stated(THESIS, 2, _cards(24, Rate(13.7)))
    assert [each["resolution"] for each in found["levels"]] == [2**n for n in range(2, 11)]
    assert {each["fits"] for each in found["levels"]} == {"yes"}
    assert found["hours"] == pytest.approx(12.2 * 24, rel=0.01)
    table = preflight.table(found)
    assert len(table) == 1 + 9 + 1 and all(line.endswith("estimated") for line in table[1:-1])
    assert table[-1].startswith("about 293.0 hours on 2 devices") and not preflight.notes(found)
    preflight.refuse(found, preflight.Path("."))


def test_a_smaller_card_holds_fewer_images():
    found = preflight.stated(THESIS, 2, _cards(11))
    last = found["levels"][-1]
    assert last["fits"] == "no" and 1 <= last["most_per_replica"] < 4
    assert found["hours"] is None and preflight.table(found)[-1].startswith("hours unknown")
    assert "images_per_second" in preflight.notes(found)[0]
    with pytest.raises(InputError, match="1024 px with a minibatch of 8 needs about"):
        preflight.refuse(found, preflight.Path("."))
    fewer = THESIS.replace(max_minibatch_per_replica={1024: last["most_per_replica"]})
    fewer = fewer.replace(mbstd_group_size=1)
    assert preflight.stated(fewer, 2, _cards(11))["levels"][-1]["fits"] != "no"
    close = preflight.stated(THESIS, 2, _cards(16))
    assert close["levels"][-1]["fits"] == "close" and "close" in preflight.notes(close)[-1]


def test_a_rate_of_one_level_gives_that_of_the_others():
    found = preflight.stated(THESIS, 2, _cards(24, Rate(5.0, 1024)))["levels"]
    assert found[-1]["seconds_per_kimg"] == pytest.approx(200)
    seconds = [each["seconds_per_kimg"] for each in found]
    assert seconds == sorted(seconds) and seconds[0] < 1
    with pytest.raises(ArgumentError, match="comes to 4, 8, 16"):
        preflight.stated(THESIS, 2, _cards(24, Rate(5.0, 2048)))


def test_an_end_before_the_full_resolution_is_noted():
    found = preflight.stated(THESIS.replace(total_kimg=3000.0), 2, _cards(24, Rate(9.0)))
    assert "ends at 16 px of 1024" in preflight.notes(found)[0]


@pytest.mark.parametrize("text", ["24", "GiB", "0GiB", "-1GiB", "24 PiB", "24GiB each", "1e3GiB"])
def test_a_memory_has_a_unit(text):
    with pytest.raises(ArgumentError, match="must be a size with its unit"):
        memory_of(text)


def test_memories_and_rates_as_people_write_them():
    assert [memory_of(each) for each in ("24GiB", "24 gib", "24.0GiB", "24576MiB")] == [
        24 << 30
    ] * 4
    assert memory_of("80GB") == 80 * 10**9
    assert Rate.of("13.7") == Rate(13.7) and Rate.of(" 5@1024") == Rate(5.0, 1024)
    for text in ("", "0", "-1", "fast", "5@", "5@large", "nan"):
        with pytest.raises(ArgumentError, match="must be a number of the whole training"):
            Rate.of(text)


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

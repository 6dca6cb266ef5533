"""Cards that the installed TensorFlow can't drive: one line with the ways out, and no training on
them."""

import pytest
import tensorflow as tf

from pgcxr.errors import InputError
from pgcxr.gan import cards, footprint
from pgcxr.gan.cards import Card

# As the wheels of TensorFlow 2.16.2 and 2.21 say it.
OLD = ("sm_50", "sm_60", "sm_70", "sm_80", "compute_90")
NEW = ("sm_60", "sm_70", "sm_80", "sm_89", "compute_90")


@pytest.mark.parametrize(
    ("built", "capability", "runs"),
    [
        (OLD, (3, 7), False),  # K80
        (OLD, (5, 2), True),  # Titan X (Maxwell)
        (NEW, (5, 2), False),
        (OLD, (6, 1), True),  # GTX 1080
        (OLD, (7, 5), True),  # Titan RTX
        (OLD, (8, 6), True),  # RTX 3090
        (OLD, (8, 9), True),  # RTX 4090
        (OLD, (9, 0), True),  # H100
        (OLD, (10, 0), False),  # B200
        (NEW, (12, 0), False),  # RTX 5090
        (("sm_90a",), (9, 0), True),
        (("sm_120", "compute_120"), (12, 1), True),
        (("sm_100a",), (10, 3), False),
        (("sm_89",), (8, 6), False),
        ((), (3, 5), True),
        (("gfx90a",), (9, 0), True),  # another make: nobody knows
        (OLD, None, True),
    ],
)
def test_what_runs_where(built, capability, runs):
    assert cards.drives(built, capability) == runs


@pytest.fixture
def machine(monkeypatch):
    """Puts cards into this machine; returns what TensorFlow is then told to see."""
    seen = []

    def put(*capabilities, built=OLD):
        described = [Card(f"Card {n}", each) for n, each in enumerate(capabilities)]
        monkeypatch.setattr(cards, "found", lambda: described)
        monkeypatch.setattr(cards, "targets", lambda: built)
        names = [card.name for card in described]
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: names)
        monkeypatch.setattr(
            tf.config, "set_visible_devices", lambda left, kind: seen.append((left, kind))
        )
        return seen

    return put


def test_a_card_that_cannot_be_driven_is_refused_in_one_line(machine):
    machine((12, 0))
    with pytest.raises(InputError) as error:
        cards.check(0)
    line = str(error.value)
    assert line.startswith("Card 0: has compute capability 12.0, and TensorFlow 2.")
    assert "was built for 5.0, 6.0, 7.0, 8.0, 9.0" in line and "\n" not in line
    assert "NVIDIA's container" in line and "CUDA_VISIBLE_DEVICES=-1" in line
    machine((3, 7))
    with pytest.raises(InputError, match="too old: use one of 5.0 or above"):
        cards.check(1)


def test_others_of_the_machine_are_used(machine):
    seen = machine((7, 5), (12, 0), (7, 5))
    (line,) = cards.check(2)
    assert line.startswith("trains without a card. Card 1: has compute capability 12.0")
    assert seen == [(["Card 0", "Card 2"], "GPU")]
    with pytest.raises(InputError, match="Card 1"):
        cards.check(3)
    seen = machine((7, 5), (8, 6))
    del seen[:]
    assert cards.check(0) == [] and not seen


def test_cards_that_tensorflow_does_not_see_are_told(machine, monkeypatch):
    machine()
    monkeypatch.delenv(cards.HIDING, raising=False)
    monkeypatch.setattr(footprint, "driver", lambda query: ["NVIDIA TITAN RTX"])
    (line,) = cards.check(1)
    assert "none of this machine's GPUs (NVIDIA TITAN RTX)" in line and "pgcxr[gpu]" in line
    monkeypatch.setenv(cards.HIDING, "-1")
    assert cards.check(1) == []
    monkeypatch.delenv(cards.HIDING)
    monkeypatch.setattr(footprint, "driver", lambda query: [])
    assert cards.check(1) == []


def test_what_this_tensorflow_says_is_understood():
    for card in cards.found():
        assert card.name and len(card.capability) == 2
    assert all(cards.TARGET.fullmatch(each) for each in cards.targets())

"""Every config can be trained as it stands."""

import pytest

from pgcxr.errors import ArgumentError
from pgcxr.gan import schedule
from train import common

GPUS = [f"nvidia:gpus={count}{more}" for count in (1, 2, 4, 8) for more in ("", ",fp16")]
NAMES = ["demo", "quick", "small", "thesis", "nvidia:v1", *GPUS]


def test_there_is_no_other():
    files = {path.stem for path in common.CONFIGS.glob("*.py")} - {"__init__"}
    assert files == {name.partition(":")[0] for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_config_reaches_the_full_resolution(name):
    config = common.load_config("gan", name)
    last = list(schedule.half_phases(config.schedule(config.replicas)))[-1]
    assert 2**last.level == config.resolution and not last.fading


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_float16_presets_differ_in_what_memory_and_numbers_need(gpus):
    name = f"nvidia:gpus={gpus}"
    full, half = (common.load_config("gan", name + end).to_dict() for end in ("", ",fp16"))
    assert full["replicas"] == gpus
    changed = {key for key in full if full[key] != half[key]}
    assert changed == {"precision", "pixelnorm_epsilon", "max_minibatch_per_replica"}
    assert half["precision"] == "float16" and half["pixelnorm_epsilon"] == 1e-4


@pytest.mark.parametrize(
    ("former", "name"),
    [
        ("nvidia_1gpu", "nvidia:gpus=1"),
        ("nvidia_4gpus_fp16", "nvidia:gpus=4,fp16"),
        ("nvidia_8gpus", "nvidia:gpus=8,fp16=False"),
        ("nvidia_v1", "nvidia:v1"),
    ],
)
def test_former_names_are_understood(former, name):
    assert common.load_config("gan", former) == common.load_config("gan", name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("huge", "no such config; there are demo, nvidia, quick, small, thesis"),
        ("nvidia:gpus=3", "nvidia has gpus=1, 2, 4, 8"),
        ("nvidia:v1,fp16", "v1 alone"),
        ("nvidia:gpus=many", "gpus: expected a value like 1"),
        ("nvidia:fp16=maybe", "fp16: expected a value like False"),
        ("demo:fp16", "fp16 is no argument; it takes none"),
        ("nvidia:gpu=4", "gpu is no argument; did you mean gpus?"),
        ("smal", "no such config; did you mean small?"),
        ("../thesis", "no such config"),
        ("nvidia_16", "no such config"),
    ],
)
def test_a_name_that_is_none_says_so(name, said):
    with pytest.raises(ArgumentError) as caught:
        common.load_config("gan", name)
    assert said in str(caught.value)

"""Every config of a Progressive GAN can be trained as it stands."""

from pathlib import Path

import pytest

from pgcxr.gan import loop, schedule, settings_check
from train import common

NAMES = sorted(path.stem.removeprefix("gan_") for path in Path(common.CONFIGS).glob("gan_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_config_passes_its_own_check_and_reaches_the_full_resolution(name):
    config = common.load_config("gan", name)
    settings_check.check_gan(config)
    last = list(schedule.half_phases(loop.settings_of(config, config["replicas"])))[-1]
    assert 2**last.level == config["resolution"] and not last.fading


@pytest.mark.parametrize("gpus", ["1gpu", "2gpus", "4gpus", "8gpus"])
def test_float16_presets_differ_in_what_memory_and_numbers_need(gpus):
    full, half = (common.load_config("gan", f"nvidia_{gpus}{end}") for end in ("", "_fp16"))
    changed = {key for key in full if full[key] != half[key]}
    assert changed == {"precision", "pixelnorm_epsilon", "max_minibatch_per_replica"}
    assert half["precision"] == "float16" and half["pixelnorm_epsilon"] == 1e-4

"""The original's preset v2 for 2 GPUs in float16 with loss scaling; else as nvidia_2gpus.

Command:  python -m train.gan COHORT --config nvidia_2gpus_fp16 --out RUN
Expected: as nvidia_2gpus, in less memory. Not run here to its end.
"""

from train.configs import gan_nvidia_2gpus, original


def get_config() -> dict:
    other = gan_nvidia_2gpus.get_config()
    return original.preset(
        2,
        other["minibatch_base"],
        other["minibatch_dict"],
        other["lrate_dict"],
        precision="float16",
    )

"""The original's preset v2 for 4 GPUs in float16 with loss scaling; else as nvidia_4gpus.

Command:  python -m train.gan COHORT --config nvidia_4gpus_fp16 --out RUN
Expected: as nvidia_4gpus, in less memory. Not run here to its end.
"""

from train.configs import gan_nvidia_4gpus, original


def get_config() -> dict:
    other = gan_nvidia_4gpus.get_config()
    return original.preset(
        4,
        other["minibatch_base"],
        other["minibatch_dict"],
        other["lrate_dict"],
        precision="float16",
    )

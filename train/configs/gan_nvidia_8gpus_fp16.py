"""The original's preset v2 for 8 GPUs in float16 with loss scaling; else as nvidia_8gpus.

Command:  python -m train.gan COHORT --config nvidia_8gpus_fp16 --out RUN
Expected: as nvidia_8gpus, in less memory. Not run here to its end.
"""

from train.configs import gan_nvidia_8gpus, original


def get_config() -> dict:
    other = gan_nvidia_8gpus.get_config()
    return original.preset(
        8,
        other["minibatch_base"],
        other["minibatch_dict"],
        other["lrate_dict"],
        precision="float16",
    )

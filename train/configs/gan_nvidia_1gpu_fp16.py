"""The original's preset v2 for 1 GPU in float16 with loss scaling; else as nvidia_1gpu.

Command:  python -m train.gan COHORT --config nvidia_1gpu_fp16 --out RUN
Expected: as nvidia_1gpu, in less memory. Not run here to its end.
"""

from train.configs import gan_nvidia_1gpu, original


def get_config() -> dict:
    other = gan_nvidia_1gpu.get_config()
    return original.preset(
        1,
        other["minibatch_base"],
        other["minibatch_dict"],
        other["lrate_dict"],
        precision="float16",
    )

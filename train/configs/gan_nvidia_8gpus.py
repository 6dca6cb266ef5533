"""The original's preset v2 for 8 GPUs, 1024 px, float32, with one channel.

Command:  python -m train.gan COHORT --config nvidia_8gpus --out RUN
Expected: 12 M images. Not run here to its end; its schedule is tested.
"""

from train.configs import original


def get_config() -> dict:
    return original.preset(
        8,
        32,
        {4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
        {128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003},
    )

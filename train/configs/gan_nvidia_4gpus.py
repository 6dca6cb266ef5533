"""The original's preset v2 for 4 GPUs, 1024 px, float32, with one channel.

Command:  python -m train.gan COHORT --config nvidia_4gpus --out RUN
Expected: 12 M images. Not run here to its end; its schedule is tested.
"""

from train.configs import original


def get_config() -> dict:
    return original.preset(
        4,
        16,
        {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16},
        {256: 0.0015, 512: 0.002, 1024: 0.003},
    )

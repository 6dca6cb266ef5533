"""The original's preset v2 for 2 GPUs, 1024 px, float32, with one channel.

Command:  python -m train.gan COHORT --config nvidia_2gpus --out RUN
Expected: 12 M images. Not run here to its end; its schedule is tested against the original's.
"""

from train.configs import original


def get_config() -> dict:
    return original.preset(
        2, 8, {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8}, {512: 0.0015, 1024: 0.002}
    )

"""The original's preset v2 for 1 GPU, 1024 px, float32, with one channel.

Command:  python -m train.gan COHORT --config nvidia_1gpu --out RUN
Expected: 12 M images. Not run here to its end; its schedule is tested against the original's.
"""

from train.configs import original


def get_config() -> dict:
    return original.preset(
        1, 4, {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4}, {1024: 0.0015}
    )

"""The original's preset v1 for one GPU, that of the paper: 1024 px, float32, with one channel.

Command:  python -m train.gan COHORT --config nvidia_v1 --out RUN
Expected: 19 M images. Not run here to its end; its schedule is tested against the original's.
"""

from train.configs import original


def get_config() -> dict:
    return original.preset(1, 16, {256: 14, 512: 6, 1024: 3}, {}) | {
        "mbstd_group_size": 16,
        "total_kimg": 19000.0,
        "lod_training_kimg": 800.0,
        "lod_transition_kimg": 800.0,
    }

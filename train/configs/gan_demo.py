"""32 px on one CPU core in minutes, for `make demo`.

Command:  python -m train.gan COHORT --config demo --out RUN
Expected: 8 minutes, blurred but recognizable chests, large lesions among them.
"""

from train.configs import gan_small


def get_config() -> dict:
    return gan_small.get_config() | {
        "resolution": 32,
        "latent_size": 64,
        "fmap_base": 256,
        "fmap_max": 32,
        "total_kimg": 50.0,
        "lod_training_kimg": 2.0,
        "lod_transition_kimg": 2.0,
        "tick_kimg_base": 2.0,
        "ema_halflife_kimg": 0.5,
    }

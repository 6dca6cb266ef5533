"""64 px on two CPU cores in about two hours.

Command:  python -m train.gan COHORT --config small --out RUN
Expected: recognisable chests from 16 px on; 160 kimg took 3.3 h beside other work, 22 images/s at 64 px on one thread
          (docs/results, phantom-64).
"""

from train.configs import gan_thesis


def get_config() -> dict:
    return gan_thesis.get_config() | {
        "resolution": 64,
        "latent_size": 128,
        "fmap_base": 1024,
        "fmap_max": 64,
        "total_kimg": 160.0,
        "lod_training_kimg": 8.0,
        "lod_transition_kimg": 8.0,
        # Steps count for more than images on so few of them.
        "minibatch_base": 8,
        "minibatch_dict": {},
        "lrate_dict": {},
        "tick_kimg_base": 4.0,
        "tick_kimg_dict": {},
        # 0.999 per step is right for days, not for hours.
        "ema_beta": None,
        "ema_halflife_kimg": 1.0,
        "replicas": 1,
    }

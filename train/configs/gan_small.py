"""64 px on two CPU cores in about two and a half hours.

Command:  python -m train.gan COHORT --config small --out RUN
Expected: recognizable chests from 16 px on, findings at 64 px; 240 kimg in 2.4 h by --preflight on
          two idle cores (EPYC, AVX2), of which 64 px take 2.3 h (22 images/s). FID 48 at 160 kimg,
          26 to 35 from 200 on (docs/results, phantom-64).
"""

from train.configs import gan_thesis


def get_config() -> dict:
    return gan_thesis.get_config() | {
        "resolution": 64,
        "latent_size": 128,
        "fmap_base": 1024,
        "fmap_max": 64,
        "total_kimg": 240.0,
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

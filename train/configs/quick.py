"""64 px on one CPU core in minutes, for `make demo`: what is trained here goes on from where a
pretrained network ends.

GAN:        python -m train.gan COHORT --config quick --init phantom-64 --out RUN
            From scratch, so few images give no chests: use `small`.
Classifier: python -m train.classifier COHORT --labels binary --config quick --out RUN
Anomaly:    python -m train.anomaly COHORT --config quick --init phantom-64-normal --out RUN
"""

from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.gan.config import GanConfig
from train.configs import small


def gan() -> GanConfig:
    """64 px from the beginning, 1.5 kimg: that of `small`, with small steps."""
    return small.gan().replace(
        lod_initial_resolution=0,
        total_kimg=1.5,
        tick_kimg_base=0.5,
        # phantom-64 has no D, and none of the two has Adam's moments: first D learns alone, then
        # both in small steps, which would else undo what was learned.
        d_warmup_kimg=1.0,
        lrate_base=3e-4,
        ema_halflife_kimg=2.0,
    )


def classifier() -> ClassifierConfig:
    """64 px: that of `small`, with a stem that reduces more, and fewer blocks."""
    return small.classifier().replace(
        blocks=(1, 1, 1), stem="imagenet", batch_size=16, epochs=14, patience=14
    )


def anomaly() -> AnomalyConfig:
    """64 px, 9,600 images: the network of `small`, to go on from one."""
    return small.anomaly().replace(epochs=6, learning_rate=5e-4)

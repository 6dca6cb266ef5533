"""32 px on one CPU core in minutes, for `make demo`.

GAN:        python -m train.gan COHORT --config demo --out RUN
            Expected: 8 minutes, blurred but recognizable chests, large lesions among them.
Classifier: python -m train.classifier COHORT --labels binary --config demo --out RUN
            A narrow residual net, two to three minutes. Expected: AUROC on test 0.85 on 2,776
            images (phantom of 6,400 patients), 0.90 on 5,264 (12,000 patients, seed 11; three
            minutes). A stem that keeps all 32 px (stem=small, 8 epochs) has 0.91 there, in twice
            the time.
Anomaly:    python -m train.anomaly COHORT --config demo --out RUN
            A narrow U-Net. Not measured; an eighth of the operations of `small`.
Encoder:    python -m train.encoder GAN_NORMAL COHORT --config demo --out RUN
            Not measured.
"""

from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.gan.config import GanConfig
from pgcxr.latent.encoder_config import EncoderConfig
from train.configs import small


def gan() -> GanConfig:
    """32 px, 50 kimg: that of `small`, with narrower networks."""
    return small.gan().replace(
        resolution=32,
        latent_size=64,
        fmap_base=256,
        fmap_max=32,
        total_kimg=50.0,
        lod_training_kimg=2.0,
        lod_transition_kimg=2.0,
        tick_kimg_base=2.0,
        ema_halflife_kimg=0.5,
    )


def classifier() -> ClassifierConfig:
    """32 px: that of `small`, with fewer blocks."""
    return small.classifier().replace(size=32, blocks=(1, 1, 1), epochs=20, patience=6)


def anomaly() -> AnomalyConfig:
    """32 px: that of `small`, with narrower networks."""
    return small.anomaly().replace(size=32, widths=(16, 24, 32, 48))


def encoder() -> EncoderConfig:
    """32 px: that of `small`, with a narrower network."""
    return small.encoder().replace(widths=(32, 64, 96), hidden=256, epochs=10)

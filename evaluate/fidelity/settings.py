"""What the evaluation of fidelity can be told. The networks and their training are those of
classifier (real)."""

from evaluate import common
from pgcxr.errors import InputError

THESIS = {
    # P(abnormal) above the first is called abnormal, below the second normal, the rest is dropped
    # (thesis 2.3).
    "abnormal_above": 0.7,
    "normal_below": 0.3,
    # Images of each class; 0: as many as the real train, val and test sets have (thesis 2.2).
    "per_class": 0,
    # At most so many images are generated for each that is wanted; beyond, both classes shrink
    # alike.
    "most_generated": 20.0,
    "generate_batch": 16,
    # AUROC that classifier (synthetic) may lose against classifier (real) and still count as not
    # inferior.
    "margin": 0.05,
    # How often each classifier is trained, with another seed each time.
    "seeds": 1,
    # At most so many real test images are explained by Grad-CAM and CAM.
    "explained": 1000,
    # Of the third operating point, and the share of abnormal images where PPV and NPV are wanted.
    "specificity": 0.95,
    "prevalence": 0.1,
}
PRESETS = {
    "thesis": THESIS,
    "small": THESIS | {"generate_batch": 64},
    "demo": THESIS | {"generate_batch": 128, "most_generated": 6.0},
}
_ALLOWED = {
    "per_class": (lambda value: value >= 0, "0 or more"),
    "generate_batch": (lambda value: value >= 1, "1 or more"),
    "most_generated": (lambda value: 1 <= value <= 1e6, "from 1 to 1000000"),
    **dict.fromkeys(
        ("margin", "specificity", "prevalence"),
        (lambda value: 0 < value < 1, "above 0 and below 1"),
    ),
    "seeds": (lambda value: 1 <= value <= 100, "from 1 to 100"),
    "explained": (lambda value: value >= 1, "1 or more"),
}


def settings(config: str | dict = "thesis") -> dict:
    """The preset of that name, or THESIS with some keys changed; checked."""
    if isinstance(config, str):
        if config not in PRESETS:
            raise InputError(f"--config {config}: no such config; there are {', '.join(PRESETS)}")
        return dict(PRESETS[config])
    chosen = common.merge(THESIS, config)
    if not 0 <= chosen["normal_below"] <= chosen["abnormal_above"] <= 1:
        raise InputError(
            f"--abnormal-above {chosen['abnormal_above']:g} --normal-below "
            f"{chosen['normal_below']:g}: needs 0 <= normal-below <= abnormal-above <= 1"
        )
    for key, (holds, text) in _ALLOWED.items():
        if not holds(chosen[key]):
            raise InputError(f"--{key.replace('_', '-')} {chosen[key]:g}: must be {text}")
    return chosen

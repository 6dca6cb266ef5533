"""What chapters are written with: the thesis's own numbers, and how numbers and names are worded.

The numbers are as printed and as the thesis's own tables give them (docs/differences.md says where
the two differ).
"""

# Figure 1 and thesis 1.1.
COLLECTED = {"total": 217_924, "normal": 109_201, "abnormal": 108_723}
KEPT = {"total": 164_101, "normal": 72_938, "abnormal": 91_163}
# Table 1.
TABLE_1 = {
    "normal GAN": {"normal": 72_938, "abnormal": 0},
    "abnormal GAN": {"normal": 20_000, "abnormal": 91_163},
}
# Table 2, both hospitals.
TABLE_2 = {
    "normal": 7_104,
    "nodule": 2_528,
    "consolidation": 1_767,
    "interstitial_opacity": 1_534,
    "pleural_effusion": 2_901,
    "pneumothorax": 1_504,
}
TABLE_2_BY_HOSPITAL = {
    "AMC": {
        "normal": 6_069,
        "nodule": 1_012,
        "consolidation": 653,
        "interstitial_opacity": 312,
        "pleural_effusion": 1_599,
        "pneumothorax": 421,
    },
    "SNUBH": {
        "normal": 1_035,
        "nodule": 1_516,
        "consolidation": 1_114,
        "interstitial_opacity": 1_222,
        "pleural_effusion": 1_302,
        "pneumothorax": 1_083,
    },
}
# Thesis 2.1.
GAN = {
    "resolution": 1024,
    "images": 111_163,
    "kimg": 14_451,
    "images_per_second": 13.7,
    "days": 12.2,
}
# Tables 3 to 5 and the text of Results 1; sensitivity and specificity are those of the tables.
ARMS = {
    "real_on_real": {
        "auroc": 0.9830,
        "tn": 1312,
        "fn": 92,
        "fp": 109,
        "tp": 1540,
        "table": 3,
        "figure": 7,
    },
    "synthetic_on_synthetic": {
        "auroc": 0.9673,
        "tn": 1264,
        "fn": 128,
        "fp": 157,
        "tp": 1504,
        "table": 4,
        "figure": 8,
    },
    "synthetic_on_real": {
        "auroc": 0.8810,
        "tn": 1095,
        "fn": 191,
        "fp": 326,
        "tp": 1441,
        "table": 5,
        "figure": 9,
    },
}
ARM_NAMES = {
    "real_on_real": "Classifier (real) on real test set",
    "synthetic_on_synthetic": "Classifier (synthetic) on synthetic test set",
    "synthetic_on_real": "Classifier (synthetic) on real test set",
    "pseudolabelled_real_on_real": (
        "Classifier (pseudo-labeled real) on real test set (control, not in the thesis)"
    ),
}
HANLEY_MCNEIL_1982_Z = 15.5
# Results 2: images left by the 0.9 / 0.1 filter, of 30,000.
SAMPLES = 30_000
COUNTS_AFTER = {
    "normal": 8_683,
    "nodule": 478,
    "consolidation": 484,
    "interstitial_opacity": 215,
    "pleural_effusion": 2_235,
    "pneumothorax": 0,
}
LIKELIHOOD_END = {"consolidation": 0.97, "interstitial_opacity": 0.89, "pleural_effusion": 0.99}
# Results 2: how severe one radiologist found the end of each axis that was found; all began normal.
SEVERITY_END = {
    "consolidation": "severe",
    "interstitial_opacity": "moderate",
    "pleural_effusion": "moderate",
}
# Table 6: subjects, detected. Its column adds up to 89 where the total says 90.
TABLE_6 = {
    "nodule": (8, 8),
    "calcification": (9, 9),
    "consolidation": (6, 6),
    "interstitial_opacity": (9, 9),
    "atelectasis": (9, 8),
    "mediastinal_widening": (6, 5),
    "pleural_effusion": (8, 7),
    "pneumothorax": (9, 8),
    "rib_fracture": (10, 8),
    "pneumomediastinum": (10, 6),
    "subcutaneous_emphysema": (6, 5),
    "pneumoperitoneum": (10, 10),
}


def sensitivity(arm: str) -> float:
    """TP / (TP + FN) of the arm's own table."""
    counts = ARMS[arm]
    return counts["tp"] / (counts["tp"] + counts["fn"])


def specificity(arm: str) -> float:
    """TN / (TN + FP) of the arm's own table."""
    counts = ARMS[arm]
    return counts["tn"] / (counts["tn"] + counts["fp"])


def words(name: str) -> str:
    """A finding's name as text."""
    return name.replace("_", " ").capitalize()


def percent(share: float) -> str:
    """A share as percent, with a decimal where it is small."""
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def p_value(p: float | None, draws: int = 0) -> str | None:
    """A p-value as text.

    Args:
        draws: of the permutations or simulations that it comes from, with which it cannot be below
            1 / (draws + 1); 0 where it is computed.

    Example:

        >>> p_value(0.0342), p_value(1e-7), p_value(0.001, 999), p_value(None)
        ('0.034', '< 0.0001', '≤ 0.001', None)
    """
    if p is None:
        return None
    if draws and p <= 1.001 / (draws + 1):
        return f"\N{LESS-THAN OR EQUAL TO} {1 / (draws + 1):.1g}"
    if p < 1e-4:
        return "< 0.0001"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else f"{p:.4f}"


def listed(items: list[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def interval(ends) -> str:
    """A 95 % interval as text."""
    return f"95 % interval {ends[0]:.3f} to {ends[1]:.3f}"

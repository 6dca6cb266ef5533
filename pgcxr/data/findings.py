"""Names of what is seen on a chest radiograph, and the diagnosis codes that stand for them.

The five findings of the study have manifest columns and classifier outputs of their own; the other seven of thesis
Table 6 appear only in the test of anomaly detection. Codes are ICD-10; a code stands for its whole subtree
("J90" covers "J90.0").
"""

FINDINGS = ("nodule", "consolidation", "interstitial_opacity", "pleural_effusion", "pneumothorax")
OTHER_FINDINGS = (
    "calcification",
    "atelectasis",
    "mediastinal_widening",
    "rib_fracture",
    "pneumomediastinum",
    "subcutaneous_emphysema",
    "pneumoperitoneum",
)
# In the order of thesis Table 6.
TABLE_6 = (
    "nodule",
    "calcification",
    "consolidation",
    "interstitial_opacity",
    "atelectasis",
    "mediastinal_widening",
    "pleural_effusion",
    "pneumothorax",
    "rib_fracture",
    "pneumomediastinum",
    "subcutaneous_emphysema",
    "pneumoperitoneum",
)
NORMAL, ABNORMAL = "normal", "abnormal"

ICD10 = {
    "nodule": ("R91", "C34", "C78.0", "D14.3"),
    "consolidation": ("J12", "J13", "J14", "J15", "J16", "J17", "J18"),
    "interstitial_opacity": ("J84", "J81", "J82"),
    "pleural_effusion": ("J90", "J91"),
    "pneumothorax": ("J93", "S27.0", "J95.811"),
    "calcification": ("J98.4", "B90.9", "J92"),
    "atelectasis": ("J98.1",),
    "mediastinal_widening": ("R93.1", "I71", "J98.5", "J85.3"),
    "rib_fracture": ("S22.3", "S22.4"),
    "pneumomediastinum": ("J98.2",),
    "subcutaneous_emphysema": ("T79.7", "J98.8"),
    "pneumoperitoneum": ("K66.8", "K63.1"),
}
# Encounters for examination, screening and follow-up without a diagnosis.
ICD10_NORMAL = ("Z00", "Z01", "Z02", "Z10", "Z11", "Z12", "Z13")


def findings_of_codes(codes: list[str]) -> tuple[str, ...]:
    """The findings that a list of ICD-10 codes stands for, in the order of Table 6."""
    return tuple(name for name in TABLE_6 if any(covers(root, code) for root in ICD10[name] for code in codes))


def is_normal_code(code: str) -> bool:
    """Whether the code says that somebody was examined and nothing was found."""
    return any(covers(root, code) for root in ICD10_NORMAL)


def covers(root: str, code: str) -> bool:
    """Whether `code` lies in the subtree of `root`, whatever the dots and the case."""
    return code.replace(".", "").upper().startswith(root.replace(".", ""))

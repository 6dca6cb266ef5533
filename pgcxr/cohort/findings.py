"""Names of what is seen on a chest radiograph.

The five findings of the study have manifest columns and classifier outputs of their own; the other
seven of thesis Table 6 appear only in the test of anomaly detection. Which diagnosis codes stand
for them says weak_labels/icd10.toml.
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


def covers(root: str, code: str) -> bool:
    """Whether the ICD-10 `code` lies in the subtree of `root` ("J90" covers "J90.0"), whatever dots
    and case."""
    return code.replace(".", "").upper().startswith(root.replace(".", "").upper())

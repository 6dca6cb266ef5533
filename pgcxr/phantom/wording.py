"""What the table says of a study: ICD-10 codes and a short report, both consistent with the
truth."""

import numpy as np

from pgcxr.cohort.findings import TABLE_6

CODES = {
    "nodule": ("R91.1", "R91.8", "C34.11", "C34.32", "C78.01", "D14.31"),
    "consolidation": ("J18.9", "J18.1", "J15.9", "J13", "J12.9", "J16.8"),
    "interstitial_opacity": ("J84.10", "J84.112", "J84.9", "J81.0", "J82.81"),
    "pleural_effusion": ("J90", "J91.0", "J91.8"),
    "pneumothorax": ("J93.11", "J93.0", "J93.9", "S27.0XXA", "J95.811"),
    "calcification": ("J98.4", "B90.9", "J92.9"),
    "atelectasis": ("J98.11",),
    "mediastinal_widening": ("R93.1", "I71.20", "J98.59", "J85.3"),
    "rib_fracture": ("S22.31XA", "S22.41XA", "S22.42XA"),
    "pneumomediastinum": ("J98.2",),
    "subcutaneous_emphysema": ("T79.7XXA", "J98.8"),
    "pneumoperitoneum": ("K66.8", "K63.1"),
}
NORMAL_CODES = ("Z00.00", "Z00.0", "Z01.6", "Z12.2", "Z02.1", "Z10.0", "Z11.1")
NAMES = {
    "nodule": "pulmonary nodule",
    "consolidation": "consolidation",
    "interstitial_opacity": "interstitial opacities",
    "pleural_effusion": "pleural effusion",
    "pneumothorax": "pneumothorax",
    "calcification": "calcified lesion",
    "atelectasis": "atelectasis",
    "mediastinal_widening": "widening of the mediastinum",
    "rib_fracture": "rib fracture",
    "pneumomediastinum": "pneumomediastinum",
    "subcutaneous_emphysema": "subcutaneous emphysema",
    "pneumoperitoneum": "free air under the diaphragm",
}
_HARDWARE = {
    "pacemaker": "A cardiac pacemaker with leads is in place.",
    "central_venous_catheter": "A central venous catheter ends in the superior vena cava.",
    "ecg_wires": "ECG electrodes and wires overlie the chest.",
}
_CLEAR = (
    "The lungs are clear.",
    "Both lungs are well expanded and clear.",
    "No focal lung lesion is seen.",
    "Lungs are clear without focal consolidation.",
)
_HEART = (
    "Heart size is within normal limits.",
    "The cardiomediastinal silhouette is normal.",
    "Heart and mediastinum are unremarkable.",
)
_END = ("No acute cardiopulmonary abnormality.", "Normal chest radiograph.", "No active disease.")


def codes(findings: dict[str, float], rng: np.random.Generator) -> list[str]:
    """ICD-10 codes of a study; those of an examination without finding where there is none."""
    if not findings:
        return [str(rng.choice(NORMAL_CODES))]
    return [str(rng.choice(CODES[name])) for name in TABLE_6 if name in findings]


def report(findings: dict[str, float], devices, rng: np.random.Generator) -> str:
    """Two to four English sentences, with negations, as a radiologist dictates them."""
    said = [_HARDWARE[device] for device in devices]
    if not findings:
        said += [
            str(rng.choice(_CLEAR)),
            "No pneumothorax or pleural effusion.",
            str(rng.choice(_HEART + _END)),
        ]
        return " ".join(said)
    for name in TABLE_6:
        if name in findings:
            said.append(_positive(name, findings[name], rng))
    absent = [
        NAMES[name]
        for name in ("pneumothorax", "pleural_effusion", "consolidation")
        if name not in findings
    ]
    said.append(
        f"No {absent[0]} or {absent[1]}."
        if len(absent) > 1
        else f"No {absent[0]}."
        if absent
        else ""
    )
    if "mediastinal_widening" not in findings and len(said) < 4:
        said.append(str(rng.choice(_HEART)))
    return " ".join(sentence for sentence in said if sentence)


def _positive(name: str, severity: float, rng: np.random.Generator) -> str:
    degree = "Mild" if severity < 0.5 else "Moderate" if severity < 0.75 else "Marked"
    start = str(
        rng.choice(
            (f"{degree} {{}} is seen.", f"{degree} {{}}.", f"There is {degree.lower()} {{}}.")
        )
    )
    if name in ("nodule", "calcification", "rib_fracture"):
        size = "small" if severity < 0.5 else "moderate-sized" if severity < 0.75 else "large"
        size = (
            {"small": "subtle", "large": "displaced"}.get(size, "")
            if name == "rib_fracture"
            else size
        )
        return " ".join(f"There is a {size} {NAMES[name]}.".split())
    if name == "interstitial_opacity":
        return f"{degree} bilateral {NAMES[name]} are noted."
    return start.format(NAMES[name])

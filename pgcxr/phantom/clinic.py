"""Who comes to the clinic with what: patients, their studies, and the images of each study."""

from dataclasses import dataclass

import numpy as np

from pgcxr.cohort.findings import FINDINGS, OTHER_FINDINGS
from pgcxr.phantom.devices import DEVICES
from pgcxr.phantom.patient import Patient, sample_patient

ABNORMAL_SHARE = 0.58  # of studies
FIVE_SHARE = 0.85  # of abnormal studies whose first finding is one of the study's five
SECOND_SHARE = 0.15  # of abnormal studies with a second finding
# What comes with what, more often than by chance.
COMPANIONS = {
    "nodule": ("pleural_effusion", "consolidation", "calcification", "atelectasis"),
    "consolidation": ("pleural_effusion", "pleural_effusion", "atelectasis", "nodule"),
    "interstitial_opacity": ("pleural_effusion", "consolidation", "nodule"),
    "pleural_effusion": (
        "consolidation",
        "consolidation",
        "interstitial_opacity",
        "nodule",
        "atelectasis",
    ),
    "pneumothorax": ("subcutaneous_emphysema", "rib_fracture", "pleural_effusion", "nodule"),
    "calcification": ("nodule", "pleural_effusion"),
    "atelectasis": ("pleural_effusion", "consolidation"),
    "mediastinal_widening": ("nodule", "pleural_effusion"),
    "rib_fracture": ("pneumothorax", "pleural_effusion", "subcutaneous_emphysema"),
    "pneumomediastinum": ("subcutaneous_emphysema", "pneumothorax"),
    "subcutaneous_emphysema": ("pneumothorax", "rib_fracture"),
    "pneumoperitoneum": ("atelectasis", "pleural_effusion"),
}


@dataclass(frozen=True)
class Study:
    """One visit: what is wrong, what the patient wears, and the views taken."""

    number: int
    day: int  # days after the clinic opened its archive
    findings: dict[str, float]
    devices: tuple[str, ...]
    views: tuple[str, ...]


@dataclass(frozen=True)
class Attendance:
    """A patient with all of their studies."""

    index: int
    patient: Patient
    studies: tuple[Study, ...]


def attend(seed: int, index: int) -> Attendance:
    """Patient number `index` of the clinic `seed`: a pure function of both."""
    rng = np.random.default_rng([seed, index])
    patient = sample_patient(rng)
    visits = int(rng.choice((1, 2, 3), p=(0.89, 0.085, 0.025)))
    day, studies, before = int(rng.integers(0, 1900)), [], None
    for number in range(visits):
        findings = _findings(rng, before)
        studies.append(_study(rng, number, day, findings))
        day, before = day + int(rng.integers(2, 160)), findings
    return Attendance(index, patient, tuple(studies))


def _study(rng: np.random.Generator, number: int, day: int, findings: dict[str, float]) -> Study:
    bedside = rng.random() < (0.10 if findings else 0.05)
    views = ("AP",) if bedside else ("PA",)
    if not bedside and rng.random() < 0.085:
        views = ("PA", "LATERAL")
    worn = rng.random() < (0.10 if findings else 0.05) * (1.8 if bedside else 0.95)
    devices = (str(rng.choice(DEVICES, p=(0.4, 0.3, 0.3))),) if worn else ()
    return Study(number, day, findings, devices, views)


def _findings(rng: np.random.Generator, before: dict[str, float] | None) -> dict[str, float]:
    if before and rng.random() < 0.6:  # a follow-up of the same disease, better or worse
        return {name: _severity(rng) for name in before}
    if rng.random() >= ABNORMAL_SHARE:
        return {}
    first = str(rng.choice(FINDINGS if rng.random() < FIVE_SHARE else OTHER_FINDINGS))
    found = {first: _severity(rng)}
    if rng.random() < SECOND_SHARE:
        found[str(rng.choice(COMPANIONS[first]))] = _severity(rng)
    return found


def _severity(rng: np.random.Generator) -> float:
    """A clinic sees the mild as often as the severe; what is milder than 0.25 is not called on a
    plain film."""
    return round(float(rng.uniform(0.25, 1.0)), 2)

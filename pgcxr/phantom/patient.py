"""Who is on the table and how the exposure was made: the numbers that vary from one radiograph to
the next.

Lengths are in cm. Anatomy belongs to the `Patient`; position, breathing and machine belong to the
`Exposure`, which is drawn anew for every image of the same patient.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patient:
    """One body. `habitus` runs from 0 (thin) to 1 (obese); `seed` fixes everything drawn at random
    inside the body."""

    seed: int
    sex: str  # "F" or "M"
    age: int  # years
    scale: float  # linear size against a reference adult
    habitus: float
    chest_width: float  # factor on the half width of the rib cage
    chest_depth: float  # antero-posterior, cm, outer
    heart: float  # factor on heart size
    heart_axis: float  # -1 upright .. 1 lying on the diaphragm
    aorta: float  # size of the knob, 0..1, grows with age
    dome_right: float  # cm, height of the right hemidiaphragm above its reference
    dome_left: float
    rib_slope: float  # factor on how far a rib falls from back to front
    bone: float  # factor on bone mineral
    breast: float  # 0 (none) .. 1
    breast_drop: float  # cm below the reference
    scoliosis: float  # cm, sideways bow of the spine
    shoulder_drop: float  # cm, fall of the shoulder line
    lung_density: float  # g/cm3
    vessels: float  # factor on vessel calibre
    muscle: float  # factor on shoulder and arm


@dataclass(frozen=True)
class Exposure:
    """One shot: geometry of the projection, breathing, dose and the maker's processing."""

    field: float  # cm across the (square) image at the patient
    center: tuple[float, float]  # cm, the patient's point in the middle of the image
    tilt: float  # degrees, in the image plane
    # -1..1, about the long axis: moves the heart and the medial clavicles against the spine
    turn: float
    inspiration: float  # cm, positive pushes the diaphragm down
    dose: float  # factor on quanta
    scatter: float  # scattered part of the detected signal behind the grid
    lung_gray: float  # 0..1, where the presentation curve puts the lungs
    body_gray: float  # and the abdomen
    detail: float  # gain of the maker's detail enhancement
    blur: float  # cm, focal spot and motion
    collimation: tuple[
        float, float, float, float
    ]  # fraction of the image hidden at left, top, right, bottom
    shutter_tilt: float  # degrees
    marker: (
        tuple[float, float, float] | None
    )  # the lead "L": x, y and height as fractions of the image
    range: tuple[float, float]  # the part of the 12-bit scale that the image fills
    scapula: float  # cm the scapulae are rotated outwards
    arms: float  # degrees the arms are held off the body
    gas: float  # size of the gastric bubble, 0 (none) .. 1


def sample_patient(rng: np.random.Generator, *, age: int | None = None) -> Patient:
    """Draws a patient; habitus, heart, aorta and bone depend on age and sex as they do in a
    clinic."""
    sex = "F" if rng.random() < 0.48 else "M"
    if age is None:
        child = rng.random() < 0.05
        age = int(rng.integers(4, 19)) if child else int(np.clip(rng.normal(52, 17), 19, 94))
    growth = np.clip(0.55 + 0.45 * (age - 2) / 15, 0.55, 1.0)
    old = np.clip((age - 30) / 55, 0, 1)
    habitus = float(np.clip(rng.beta(2.2, 3.2) + 0.1 * old - 0.3 * (age < 19), 0, 1))
    female = sex == "F"
    return Patient(
        seed=int(rng.integers(2**31)),
        sex=sex,
        age=age,
        scale=float(growth * np.clip(rng.normal(0.945 if female else 1.03, 0.045), 0.82, 1.16)),
        habitus=habitus,
        chest_width=float(np.clip(rng.normal(0.985 + 0.08 * (habitus - 0.4), 0.055), 0.85, 1.14)),
        chest_depth=float(np.clip(rng.normal(19.0 + 6.5 * habitus, 1.2), 16, 30)),
        heart=float(np.clip(rng.normal(0.98 + 0.07 * old + 0.05 * habitus, 0.07), 0.8, 1.22)),
        heart_axis=float(np.clip(rng.normal(1.5 * (habitus - 0.42), 0.35), -1, 1)),
        aorta=float(np.clip(rng.normal(0.3 + 0.5 * old, 0.16), 0, 1)),
        dome_right=float(np.clip(rng.normal(0.0 + 1.8 * (habitus - 0.4), 1.1), -2.4, 3.2)),
        dome_left=float(np.clip(rng.normal(0.0 + 1.8 * (habitus - 0.4), 1.1), -2.4, 3.2)),
        rib_slope=float(np.clip(rng.normal(1.0, 0.13), 0.65, 1.35)),
        bone=float(
            np.clip(rng.normal(1.0 - 0.22 * old * (1.3 if female else 0.8), 0.12), 0.55, 1.35)
        ),
        breast=float(rng.beta(2.5, 2.5) * (age > 12)) if female else 0.0,
        breast_drop=float(rng.normal(1.6 * old, 1.2)),
        scoliosis=float(rng.normal(0, 0.45)),
        shoulder_drop=float(np.clip(rng.normal(2.2, 1.1), 0, 5)),
        lung_density=float(np.clip(rng.normal(0.26, 0.03), 0.17, 0.36)),
        vessels=float(np.clip(rng.normal(1.0, 0.13), 0.65, 1.4)),
        muscle=float(np.clip(rng.normal(0.92 if female else 1.05, 0.08), 0.7, 1.3)),
    )


def sample_exposure(rng: np.random.Generator, patient: Patient, view: str) -> Exposure:
    """Draws the circumstances of one image. Bedside AP films are taken of people who cannot stand
    or breathe in."""
    supine = view == "AP"
    edges = np.where(rng.random(4) < (0.10, 0.16, 0.13, 0.20), rng.gamma(2.0, 0.012, 4), 0.0)
    top = 1.0 if rng.random() > 0.15 else rng.uniform(0.72, 1.0)
    body = patient.scale * (1 + 0.5 * (patient.chest_width - 1))
    return Exposure(
        field=float(np.clip(rng.normal(37.6, 2.7), 32, 47) * body * (1.04 if supine else 1.0)),
        center=(float(rng.normal(0, 0.8)), float(rng.normal(15.2, 1.5)) * patient.scale),
        tilt=float(rng.normal(0, 2.6 if supine else 1.1)),
        turn=float(np.clip(rng.normal(0, 0.55 if supine else 0.3), -1.2, 1.2)),
        inspiration=float(
            rng.normal(-2.2, 0.9) if supine else np.clip(rng.normal(0, 0.9), -2.4, 2)
        ),
        dose=float(np.exp(rng.normal(-0.4 if supine else 0.0, 0.45))),
        scatter=float(np.clip(rng.normal(0.42 if supine else 0.28, 0.07), 0.1, 0.6)),
        lung_gray=float(np.clip(rng.normal(0.415, 0.10), 0.15, 0.65)),
        body_gray=float(np.clip(rng.normal(0.945, 0.018), 0.88, 0.985)),
        detail=float(np.clip(rng.normal(1.0, 0.4), 0.1, 2.0)),
        blur=float(rng.uniform(0.02, 0.07)),
        collimation=tuple(float(edge) for edge in edges),
        shutter_tilt=float(rng.normal(0, 0.9)),
        marker=(rng.uniform(0.80, 0.95), rng.uniform(0.04, 0.13), rng.uniform(0.012, 0.026))
        if rng.random() < 0.8
        else None,
        range=(float(rng.uniform(0.0, 0.03)), float(top)),
        scapula=float(rng.normal(-2.6, 0.5) if supine else rng.normal(0.0, 0.75)),
        arms=float(np.clip(rng.normal(12 if supine else 20, 9), 3, 50)),
        gas=float(rng.beta(1.5, 3.0)) if rng.random() < 0.6 else 0.0,
    )

"""One radiograph of one patient, with and without findings, and where the findings are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from pgcxr.cohort.findings import TABLE_6
from pgcxr.phantom import devices as hardware
from pgcxr.phantom import imaging, lateral, lesions, other_lesions
from pgcxr.phantom.canvas import Canvas
from pgcxr.phantom.outline import Frontal
from pgcxr.phantom.patient import Patient, sample_exposure
from pgcxr.phantom.scene import Scene, frontal_scene

VIEWS = ("PA", "AP", "LATERAL")
# A mask holds the pixels whose line integral a finding changed by this much (lung to abdomen is
# about 2), or by 30 % of its largest change where it is fainter than that.
NOTICEABLE = 0.04


@dataclass(frozen=True)
class Radiograph:
    """`pixels` uint16 [H, W], 12 bit, bones white (MONOCHROME2); `masks` {finding: bool [H, W]}."""

    pixels: np.ndarray
    masks: dict[str, np.ndarray]


def render(
    patient: Patient,
    size: int,
    *,
    view: str = "PA",
    findings: Mapping[str, float] | None = None,
    devices: Iterable[str] = (),
    seed: int = 0,
) -> Radiograph:
    """Exposes a patient.

    The same patient, view and seed give the same exposure (position, breath, dose, noise,
    processing) whatever the findings, so an image with a finding and one without differ by the
    lesion and its scatter alone.

    Args:
        size: pixels on a side, from 64 up.
        findings: {name of thesis Table 6: severity in (0, 1]}. A lateral film shows only
            `lateral.VISIBLE`.
        devices: of `devices.DEVICES`; frontal views only.
        seed: tells apart the exposures of one patient.
    """
    findings = dict(findings or {})
    if unknown := set(findings) - set(TABLE_6):
        raise ValueError(f"no such finding: {', '.join(sorted(unknown))}")
    if view not in VIEWS:
        raise ValueError(f"no such view: {view}")
    exposure = sample_exposure(np.random.default_rng([patient.seed, seed, 1]), patient, view)
    # Small images are drawn finer and averaged down, as a detector element averages.
    work = size if size >= 256 else max(128, 3 * size // 2)
    canvas = Canvas(work, exposure.field, exposure.center, exposure.tilt)
    final = canvas if work == size else Canvas(size, exposure.field, exposure.center, exposure.tilt)
    frontal = None
    if view == "LATERAL":
        scene = lateral.lateral_scene(canvas, patient, exposure)
    else:
        frontal = Frontal(patient, exposure, view)
        scene = frontal_scene(canvas, frontal)
        for device in devices:
            hardware.insert(scene, device, _rng(patient, seed, 50 + hardware.DEVICES.index(device)))
    level = scene.attenuation()
    low, high = imaging.anchors(canvas, level, scene.lung, scene.body)
    window = imaging.shutter(final, exposure)
    masks = {}
    for name in (name for name in TABLE_6 if name in findings):
        if frontal is None and name not in lateral.VISIBLE:
            continue
        scene.shifted = None
        change(scene, name, findings[name], _rng(patient, seed, 100 + TABLE_6.index(name)))
        changed = scene.attenuation()
        masks[name] = _mask(
            final, changed - (level if scene.shifted is None else scene.shifted), window
        )
        level = changed
    if work != size:
        level = cv2.resize(level, (size, size), interpolation=cv2.INTER_AREA)
    signal = imaging.detect(final, level, exposure, _rng(patient, seed, 2))
    gray = imaging.present(final, signal, low, high, exposure)
    return Radiograph(imaging.store(final, gray, exposure, window), masks)


def change(scene: Scene, finding: str, severity: float, rng: np.random.Generator) -> None:
    """Adds a finding of thesis Table 6 to a scene, in place."""
    if not 0 < severity <= 1:
        raise ValueError(f"severity of {finding} must be in (0, 1], is {severity}")
    module = lesions if hasattr(lesions, finding) else other_lesions
    getattr(module, finding)(scene, severity, rng)


def _mask(canvas: Canvas, difference: np.ndarray, window: np.ndarray | None) -> np.ndarray:
    seen = canvas.blur(
        cv2.resize(np.abs(difference), (canvas.size, canvas.size), interpolation=cv2.INTER_AREA),
        0.15,
    )
    if window is not None:
        seen = seen * (window > 127)
    return seen > min(NOTICEABLE, 0.3 * float(seen.max()))


def _rng(patient: Patient, seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([patient.seed, seed, stream])

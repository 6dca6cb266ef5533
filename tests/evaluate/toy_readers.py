"""A small reader study of procedural images, for tests."""

from pathlib import Path

import cv2
import numpy as np

from evaluate.readers import study as studies
from evaluate.readers.kinds import ANOMALY, KINDS, PREFERENCE, SEVERITY, TURING
from evaluate.readers.store import Store
from evaluate.readers.study import Case, Study

SIZE = 64
# An answer to each kind.
GOOD = {
    TURING: {"label": "real", "confidence": 3},
    SEVERITY: {"grade": 2},
    ANOMALY: {
        "detected": "yes",
        "confidence": 4,
        "marks": [{"x": 0.5, "y": 0.25, "confidence": 4}],
    },
    PREFERENCE: {"choice": "left"},
}


def picture(rng: np.random.Generator, spot: tuple[int, int] | None = None) -> np.ndarray:
    """uint8 [SIZE, SIZE]: something like a chest, with a bright spot at (x, y)."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    lungs = np.exp(-(((np.abs(x) - 0.22) / 0.14) ** 2) - (y / 0.33) ** 2)
    image = 190 - 130 * lungs + rng.normal(0, 5, x.shape)
    if spot:
        image += 90 * np.exp(
            -(((x - spot[0] / SIZE + 0.5) ** 2 + (y - spot[1] / SIZE + 0.5) ** 2) / 0.003)
        )
    return np.clip(image, 0, 255).astype(np.uint8)


def toy_study(
    folder: Path, kind: str = TURING, cases: int = 6, training: int = 0, repeats: int = 0
):
    """Writes a study of a kind with `cases` cases that count; returns it."""
    rng = np.random.default_rng(0)
    for name in (studies.IMAGES, studies.TRUTH):
        (folder / name).mkdir(parents=True)
    made = []
    for number in range(cases + training):
        name, odd = f"c{number + 1:04d}", bool(number % 2)
        spot = (int(rng.integers(16, 48)), int(rng.integers(16, 48)))
        images, lesions, prompt = {}, "", ""
        if kind == ANOMALY:
            shown = {"query": picture(rng, spot if odd else None), "reconstruction": picture(rng)}
            heat = cv2.applyColorMap(picture(rng, spot if odd else None), cv2.COLORMAP_INFERNO)
            shown["map"] = heat
            truth = {"class": "nodule" if odd else "normal"}
            if odd:
                mask = np.zeros((SIZE, SIZE), np.uint8)
                cv2.circle(mask, spot, 4, 1, -1)
                lesions = f"lesion{number}.png"
                cv2.imwrite(str(folder / studies.TRUTH / lesions), mask)
        elif kind == SEVERITY:
            step = number % 4
            truth = {
                "axis": "pleural_effusion",
                "angle": 12.0 * step,
                "step": step,
                "start": number // 4,
            }
            prompt, shown = "pleural effusion", {"image": picture(rng, (32, 50) if step else None)}
        elif kind == PREFERENCE:
            truth = dict(
                zip(("left", "right"), ("first", "second")[:: 1 if odd else -1], strict=True)
            )
            shown = {"left": picture(rng), "right": picture(rng)}
        else:
            truth, shown = {"label": "synthetic" if odd else "real"}, {"image": picture(rng)}
        for pane, pixels in shown.items():
            images[pane] = f"{number:04x}{len(images)}.png"
            cv2.imwrite(str(folder / studies.IMAGES / images[pane]), pixels)
        made.append(Case(name, images, truth, prompt, number < training, lesions))
    study = Study(folder, "Toy study", KINDS[kind], 7, repeats, tuple(made), {"kind": kind})
    studies.write(folder, study)
    Store(folder / studies.ANSWERS).create()
    return study

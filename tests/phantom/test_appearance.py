"""Whether the phantom looks like a chest: by known anatomy, and (extra) by the statistics of real
radiographs."""

import csv

import cv2
import numpy as np

from pgcxr.phantom.patient import sample_patient
from pgcxr.phantom.render import render


def normalized(image: np.ndarray) -> np.ndarray:
    return np.clip(image / max(np.percentile(image, 99), 1), 0, 1) * 255


def phantoms(count: int) -> np.ndarray:
    ages = np.random.default_rng(1).normal(48, 17, count).clip(19, 90)
    people = [
        sample_patient(np.random.default_rng([8, i]), age=int(age)) for i, age in enumerate(ages)
    ]
    return np.stack([normalized(render(person, 64).pixels) for person in people])


def test_lungs_are_darker_than_the_mediastinum_and_the_heart_points_left():
    mean = phantoms(40).mean(0)
    right, middle, left = (
        mean[20:36, 16:22].mean(),
        mean[20:36, 29:35].mean(),
        mean[20:36, 42:48].mean(),
    )
    assert max(right, left) + 60 < middle < 250
    assert mean[52:60, 16:48].mean() > 215 > mean[20:36, 29:35].mean() - 30  # abdomen
    assert mean[:4, :8].mean() < 60  # air above the shoulders
    # Beside the spine above the diaphragm: the heart is on the patient's left, the right of the
    # image.
    assert mean[34:40, 37:42].mean() > mean[34:40, 22:27].mean() + 20


def test_gray_levels_are_those_of_real_radiographs(shared):
    with open(shared / "nih" / "Data_Entry_2017_v2020.csv", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["View Position"] == "PA" and int(row["Patient Age"]) >= 19
        ]
    names = [row["Image Index"] for row in rows if row["Finding Labels"] == "No Finding"][::3]
    real = [
        cv2.imread(str(shared / "nih" / "images" / name), cv2.IMREAD_GRAYSCALE) for name in names
    ]
    real = np.stack(
        [normalized(cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)) for image in real]
    )
    made = phantoms(120)
    assert np.abs(made.mean(0) - real.mean(0)).mean() < 22
    assert np.corrcoef(made.mean(0).ravel(), real.mean(0).ravel())[0, 1] > 0.93
    parts = (10, 25, 50, 75, 90)
    assert np.abs(np.percentile(made, parts) - np.percentile(real, parts)).max() < 25
    assert abs(made.std((1, 2)).mean() - real.std((1, 2)).mean()) < 12

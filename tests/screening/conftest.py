"""A tiny model of chests that are the template with waves on it, and an untrained network."""

from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from pgcxr.anomaly import baselines
from pgcxr.anomaly.fusion import Fusion, Residual, network_scores
from pgcxr.anomaly.gradients import Gradients
from pgcxr.anomaly.network import unet
from pgcxr.anomaly.training import look
from pgcxr.curation import chest_template
from pgcxr.dicom.normalization import normalize
from pgcxr.images import from_uint8, to_square
from pgcxr.io import artifacts
from pgcxr.screening import card, model
from pgcxr.screening.options import ScreeningOptions
from pgcxr.screening.preparation import Preparation
from pgcxr.screening.screen import screen
from tests.dicom_files import make_dicom  # noqa: F401

SIZE, SIDE = 64, 128
FIGURES = {
    "macro_auroc": 0.8,
    "specificity": 0.95,
    "specificity_ci95": [0.9, 0.98],
    "sensitivity": 0.5,
    "classes": {
        "nodule": {"n": 9, "auroc": 0.8, "sensitivity": 0.5, "ci95": [0.2, 0.8]},
        "pneumothorax": {"n": 0, "auroc": None, "sensitivity": None, "ci95": [0, 1]},
    },
}


def picture(seed: int, side: int = SIDE, view: int = 0) -> np.ndarray:
    """uint8 [side, side]: a frontal (0) or lateral (1) chest, another for each seed."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(chest_template.load()[view], (side, side), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:side, :side] / side
    for _ in range(6):
        across, down, phase = rng.uniform(0, 4, 3)
        image = image + 0.02 * rng.normal() * np.cos(np.pi * (across * x + down * y) + phase)
    grain = rng.normal(0, 0.04, (SIZE, SIZE))
    image = image + cv2.resize(grain, (side, side), interpolation=cv2.INTER_NEAREST)
    image = (image - image.min()) / np.ptp(image)
    return np.uint8(np.rint(255 * image))


def deep(image: np.ndarray) -> np.ndarray:
    """12 bits."""
    return image.astype(np.uint16) * 16


def read(image: np.ndarray) -> np.ndarray:
    """uint8 [SIZE, SIZE]: as a model reads it."""
    return to_square(normalize(image.astype(np.float32)), SIZE)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """The folder of the model; 60 normals were held out."""
    keras.utils.set_random_seed(3)
    network = unet(SIZE, (3, 4, 5))
    images = np.stack([read(picture(seed)) for seed in range(140)])
    normals, healthy = from_uint8(images[:80]), from_uint8(images[80:])
    subspace = baselines.fit_subspace(normals, 8, seed=0)
    residual = Residual.learned(subspace.nearest, healthy, seed=0)
    seen = [look(network, images[80:][..., None])]
    weights = {"network": 1.0, "gradients": 1.0, "pca_residual": 1.0, "pca_distance": 0.5}
    distances = subspace.distances(healthy)
    gradients = Gradients.learned(normals, seed=0)
    scores = np.stack(network_scores(seen)), weights, gradients, gradients.ask(healthy)
    fusion = Fusion(subspace, residual, distances, *scores)
    learned = model.Learned.of(fusion, normals, healthy)
    preparation = Preparation.of_cohort({}, SIZE, (SIZE,))
    about = {
        "name": "tiny",
        "specificity": 0.9,
        "specificity_limit": 0.8,
        "data": {"learned": 80, "healthy": 60, "normal": 9, "abnormal": 9, "note": ""},
        "figures": FIGURES,
        "made_by": {"command": "a test", "seed": 0, "versions": artifacts.versions()},
    }
    text = card.text("tiny", {**about, "preparation": preparation.to_dict()})
    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    model.write(folder, learned, preparation, [network], about, text)
    return folder


@pytest.fixture(scope="session")
def loaded(made):
    return model.load(made)


@pytest.fixture
def screened(loaded, tmp_path):
    """screened(source, **options) -> (report, records by ID, lines) of one look, in this
    process."""

    def run(source: Path, out: str = "out", **options):
        lines: list[str] = []
        options = ScreeningOptions(**{"processes": 0, **options})
        report = screen(loaded, source, tmp_path / out, options, say=lines.append)
        records = {
            path.parent.name: artifacts.read_json(path)
            for path in (tmp_path / out / "images").glob("*/result.json")
        }
        return report, records, lines

    return run

"""A study for the notebooks: tiny runs made here, and reports of a whole run from docs/results."""

import shutil
from pathlib import Path

import keras
import pytest

from evaluate import anomaly
from evaluate.anomaly import AnomalyOptions, figures
from pgcxr import networks
from pgcxr.classifier import network
from pgcxr.curation.options import CurationOptions
from pgcxr.curation.run import curate
from pgcxr.io import artifacts
from pgcxr.phantom.export import PhantomOptions, write_export
from pgcxr.sampling.generation import weights_sha256
from tests.editing.conftest import report, write_axes
from tests.evaluate.test_anomaly_experiment import SIZE, make_cohort
from tests.toy_axes import LATENTS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results" / "phantom-64"
QUICK = AnomalyOptions(iterations=4, bank=60, starts=2, per_class=1, normals=6, familiar=24)


def _generator(seed: int) -> networks.Generator:
    keras.utils.set_random_seed(seed)
    made = networks.Generator(resolution=SIZE, fmap_base=64, fmap_max=16, latent_size=LATENTS)
    # Fainter, so that 8 bits hold the images without cutting.
    made.to_rgb[-1].kernel.assign(made.to_rgb[-1].kernel * 0.25)
    return made


def _write_run(folder: Path, model, file: str, **config) -> dict:
    folder.mkdir()
    model.save(folder / file)
    artifacts.write_json(folder / "config.json", config)
    return {"run": f"../{folder.name}", "weights_sha256": weights_sha256(model)}


def _draw_little(folder: Path, *_) -> None:
    """The figures of evaluate.anomaly, which tests of its own look at."""
    for name in ("abnormal", "normal", "roc", "scores"):
        shutil.copy(RESULTS / "anomaly" / "roc.png", folder / f"{name}.png")


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Two GANs of one cohort, a classifier, axes, anomaly; fidelity, distribution and privacy of
    docs/results."""
    folder = tmp_path_factory.mktemp("study")
    file, cohort = "generator-ema.keras", "../cohort"
    generator, guide = _generator(5), network.resnet(SIZE, 6, blocks=(1, 1), width=4, stem="small")
    saved = {
        "generator": _write_run(folder / "gan", generator, file, label="all", cohort=cohort),
        "guides": [_write_run(folder / "guide", guide, "classifier.keras")],
        "judges": [],
    }
    _write_run(folder / "gan_normal", generator, file, label="normal", cohort=cohort)
    body = {**report(), "networks": saved}
    del body["judges"]["classifier 1"]  # one network less to compile
    write_axes(folder / "axes", body)
    make_cohort(folder / "cohort", generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw", _draw_little)
        anomaly.run(folder / "gan_normal", folder / "guide", folder / "anomaly", QUICK)
    for name in ("fidelity", "distribution", "privacy"):
        shutil.copytree(RESULTS / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def curated(tmp_path_factory):
    """A study of which only the export and its cohort are there."""
    folder = tmp_path_factory.mktemp("curated")
    write_export(folder / "export", PhantomOptions(patients=16, size=64, workers=1, seed=1))
    options = CurationOptions(size=SIZE, processes=0, key_file=str(folder / "key"))
    curate(folder / "export", folder / "cohort", options, show_progress=False)
    return folder

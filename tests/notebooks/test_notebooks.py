"""Every notebook is committed without outputs and runs from top to bottom on a tiny run of its
own."""

import json
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

from evaluate.axes import explore
from pgcxr import networks
from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.latent.axes import unit

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of which only the GAN and its axes are there."""
    folder = tmp_path_factory.mktemp("study")
    generator = networks.Generator(resolution=16, fmap_base=64, fmap_max=16)
    for name in ("gan", "axes"):
        (folder / name).mkdir()
    generator.save(folder / "gan" / "generator-ema.keras")
    artifacts.write_json(folder / "gan" / "config.json", {"label": "all"})
    vectors = unit(np.random.default_rng(0).normal(size=(len(FINDINGS), generator.latent_size)))
    ends, found = np.full(len(FINDINGS), 0.6), np.array([True, True, False, True, True])
    latent_axes.save(
        folder / "axes" / latent_axes.FILE, latent_axes.Axes(vectors, FINDINGS, ends, found)
    )
    return folder


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_without_outputs(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells and all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_images(path, study, monkeypatch):
    """As JupyterLab runs it: in its own folder, which knows nothing of the checkout."""
    monkeypatch.setenv("PGCXR_STUDY", str(study))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook = nbformat.read(path, as_version=4)
    # Also where an editable install, of this checkout or of another, would help out.
    notebook.cells.append(nbformat.v4.new_code_cell("import evaluate; evaluate.__file__"))
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", store_widget_state=True
    )
    client.execute(cwd=str(path.parent))
    place = notebook.cells[-1].outputs[0]["data"]["text/plain"]
    assert place == repr(str(ROOT / "evaluate" / "__init__.py"))
    widgets = client.widget_state.values()
    images = [state for state in widgets if state.get("_model_name") == "ImageModel"]
    sliders = [state for state in widgets if state.get("_model_name") == "FloatSliderModel"]
    assert len(images) == 1 + len(FINDINGS) and len(sliders) == len(FINDINGS)
    assert {slider["description"] for slider in sliders} >= {"nodule", "(interstitial opacity)"}


def test_a_slider_changes_the_image_and_back(study):
    explorer = explore.Explorer(study / "gan", study / "axes")
    plain = explorer.images(3, [{}])
    moved = explorer.images(3, [{"nodule": 100}, {"nodule": 0}])
    assert np.any(moved[0] != plain[0])
    np.testing.assert_array_equal(moved[1], plain[0])
    assert explorer.png(3, {"nodule": 50})[1:4] == b"PNG"
    assert np.any(explorer.images(4, [{}]) != plain)


def test_the_amount_is_the_angle_of_the_walk(study):
    explorer = explore.Explorer(study / "gan", study / "axes")
    start = np.random.default_rng([5, 0]).standard_normal((1, 16), np.float32)
    expected = walks.move(start, explorer.axes.vectors[1], 0.3)
    from evaluate import common

    by_hand = common.generate(explorer.generator, expected)
    difference = by_hand.astype(int) - explorer.images(5, [{"consolidation": 50}])
    assert np.abs(difference).max() <= 1


def test_axes_of_another_generator_are_refused(study, tmp_path):
    latent_axes.save(
        tmp_path / latent_axes.FILE,
        latent_axes.Axes(np.eye(4)[:1], ("nodule",), np.ones(1), np.ones(1)),
    )
    with pytest.raises(InputError, match="4 dimensions"):
        explore.Explorer(study / "gan", tmp_path)

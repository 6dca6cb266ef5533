"""Every notebook is committed without outputs, and runs from top to bottom on a tiny study."""

import base64
import json
import re
from pathlib import Path

import cv2
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pydicom
import pytest
from nbclient.util import run_sync

from pgcxr.cohort.findings import FINDINGS
from pgcxr.io import artifacts

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Of the text between the cells: what names a place in the thesis, in DICOM or in a command.
PLACES = r"`[^`]*`|\bthesis(, \w+)? \d|Figures? [\d, and]+|PS\d\.\d+|C\.\d+"


class Kernel:
    """One kernel for all notebooks, whose names are cleared before each: TensorFlow is imported
    once."""

    def __init__(self, folder: Path):
        self.folder, self.manager, self.client = folder, None, None

    def run(self, cells: list[str], **options) -> nbclient.NotebookClient:
        """As JupyterLab does: in the folder of the notebooks, which knows nothing of the
        checkout."""
        notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
        client = nbclient.NotebookClient(
            notebook, km=self.manager, timeout=120, kernel_name="python3", **options
        )
        client.store_widget_state = True
        client.kc = self.client
        client.resources = {"metadata": {"path": str(self.folder)}}
        client.reset_execution_trackers()
        with client.setup_kernel(cleanup_kc=False, cwd=str(self.folder)):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            client.set_widgets_metadata()
        self.manager, self.client = client.km, client.kc
        return client

    def clear(self, study: Path) -> None:
        """Another notebook on this study."""
        self.run(
            [
                "%reset -f",
                "import os, sys\n"
                f"os.environ['PGCXR_STUDY'] = {str(study)!r}\n"
                f"sys.path[:] = [each for each in sys.path if each != {str(ROOT)!r}]",
            ]
        )


@pytest.fixture(scope="module")
def kernel():
    shared = Kernel(ROOT / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        yield shared
        if shared.manager is not None:
            shared.client.stop_channels()
            run_sync(shared.manager.shutdown_kernel)(now=True)


def code_of(name: str) -> list[str]:
    cells = nbformat.read(ROOT / "notebooks" / name, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


class Shown:
    """What the outputs of a notebook show."""

    def __init__(self, client: nbclient.NotebookClient):
        outputs = [out for cell in client.nb.cells for out in cell.get("outputs", [])]
        assert not [out for out in outputs if out.output_type == "error"]
        assert not [out for out in outputs if out.get("name") == "stderr"], outputs
        self.html = "".join(out.get("data", {}).get("text/html", "") for out in outputs)
        self.widgets = [*client.widget_state.values()]
        self.buffers = [*client.widget_buffers.values()]  # the pixels of images
        self.models = [state.get("_model_name") for state in self.widgets]
        self.text = json.dumps(client.widget_state) + self.html
        self.text += "".join(out.get("text", "") for out in outputs)

    def pictures(self) -> list[np.ndarray]:
        """Every PNG, decoded."""
        found = re.findall(r"data:image/png;base64,([\w+/=]+)", self.html)
        data = [base64.b64decode(each) for each in found]
        data += [
            base64.b64decode(buffer["data"])
            for buffers in self.buffers
            for buffer in buffers.values()
        ]
        return [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in data]


def ran(kernel: Kernel, name: str, study: Path) -> Shown:
    kernel.clear(study)
    client = kernel.run([*code_of(name), "import evaluate; (evaluate.__file__, sys.path[0])"])
    place = client.nb.cells[-1].outputs[0]["data"]["text/plain"]
    assert place == repr((str(ROOT / "evaluate" / "__init__.py"), str(ROOT)))
    return Shown(client)


def test_these_are_the_notebooks():
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["01_data", "02_axes", "03_anomaly", "04_fidelity"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_without_outputs_and_without_results(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code and all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    # What a run gives is in its outputs; text that names numbers would be of another run.
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert not re.findall(r"\d+", re.sub(PLACES, "", text, flags=re.DOTALL))
    # Thin: nothing is defined in a notebook, and its first cell alone has more than a few lines.
    sources = ["".join(cell["source"]) for cell in code]
    assert not re.search(r"^(def|class|for|while) ", "\n".join(sources), re.MULTILINE)
    assert all(source.count("\n") <= 6 for source in sources[1:])


def test_data(kernel, curated):
    shown = ran(kernel, "01_data.ipynb", curated)
    report = artifacts.read_json(curated / "cohort" / "report.json")
    assert f"images kept: {report['images']} of {report['patients']} patients" in shown.html
    assert "another manufacturer" in shown.html and "data:image/svg+xml" in shown.html
    # The montage, and four steps of one file.
    assert len(shown.pictures()) == 5 and all(one.std() > 5 for one in shown.pictures())
    assert f"{report['privacy_audit']['identifiers']:,} identifiers" in shown.html
    for path in [path for path in (curated / "export" / "dicom").rglob("*") if path.is_file()]:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert str(header.PatientName) not in shown.text and header.PatientID not in shown.text
        assert header.StudyInstanceUID not in shown.text


def test_axes(kernel, study):
    shown = ran(kernel, "02_axes.ipynb", study)
    labels = [each["description"] for each in shown.widgets if "description" in each]
    assert shown.models.count("FloatSliderModel") == len(FINDINGS)
    assert {"nodule", "(interstitial opacity)", "another start", "reset", "save"} <= {*labels}
    pictures = shown.pictures()
    # Start, image, difference, Grad-CAM, and a strip for each axis.
    assert len(pictures) == 4 + len(FINDINGS)
    assert {one.shape[:2] for one in pictures[:4]} == {(256, 256)}
    assert "likelihood by the guides" in shown.text
    assert f"tensorboard --logdir {study / 'notebooks' / 'projector'}" in shown.text


def test_anomaly(kernel, study):
    shown = ran(kernel, "03_anomaly.ipynb", study)
    scores = pd.read_csv(study / "anomaly" / "scores.csv", dtype={"image_id": str})
    (menu,) = [each for each in shown.widgets if each["_model_name"] == "DropdownModel"]
    assert len(menu["_options_labels"]) == len(scores)
    (said,) = [each["value"] for each in shown.widgets if "conformal" in str(each.get("value"))]
    row = scores.iloc[menu["index"]]
    assert f"score {row['score']:.2f}, p {row['p_value']:.3f}" in said
    # Query, nearest, difference, map, the plot of the score, and four figures of the chapter.
    assert len(shown.pictures()) == 9 and "IntSliderModel" in shown.models
    assert "Table 6." in shown.html and "PlayModel" in shown.models


def test_fidelity(kernel, study):
    shown = ran(kernel, "04_fidelity.ipynb", study)
    report = artifacts.read_json(study / "fidelity" / "report.json")
    assert f"{report['synthetic_on_real']['auroc']:.3f}" in shown.html
    for word in ("Calibration.", "Real (floor)", "Passed", "the training image nearest to it"):
        assert word in shown.html
    assert shown.models.count("ButtonModel") == 2 and len(shown.pictures()) >= 10
    assert all(one.std() > 1 for one in shown.pictures())


def test_a_study_that_is_missing_is_told_in_one_line(kernel, tmp_path):
    kernel.clear(tmp_path / "nowhere")
    client = kernel.run(code_of("02_axes.ipynb")[:2], allow_errors=True)
    (error,) = client.nb.cells[-1].outputs
    assert error.traceback == [
        f"InputError: {tmp_path / 'nowhere' / 'gan'}: no such folder; run `make demo` first, or "
        "name the folder of another study in PGCXR_STUDY"
    ]

"""A wrong command is answered before TensorFlow is loaded, which takes seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pgcxr.io import artifacts

ROOT = Path(__file__).resolve().parents[2]
# Runs each command in turn in one process, in which the slow libraries can't be imported.
CHILD = """
import contextlib, importlib, io, json, sys

SLOW = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib", "pandas"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in SLOW:
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Refuse())
from pgcxr.cli import command
answers = []
for words in json.loads(sys.argv[1]):
    module, *arguments = words.split()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            place = "pgcxr.cli.app" if module == "pgcxr" else f"{module}.__main__"
            command.run(importlib.import_module(place).app, arguments, name=module)
    except SystemExit as stop:
        answers.append([stop.code, said.getvalue()])
    except AssertionError as error:
        answers.append([None, str(error)])
print(json.dumps(answers))
"""
# {command: what its one line says}. FULL, PLAIN (a RUN without labels), TOLD (one with) are there.
WRONG = {
    "pgcxr curat FULL": "Did you mean",
    "pgcxr curate FULL --out new --sise 64": "--sise",
    "pgcxr curate FULL --out new --size 65": "--size 65: must be a power of two",
    "pgcxr curate none --out new": "none: no such folder",
    "pgcxr records none": "none: no such folder",
    "pgcxr records FULL --format jpg": "--format jpg: must be png or nvidia",
    "pgcxr privacy-audit none FULL": "none: no such folder",
    "pgcxr export-deidentified none --out new": "none: no such folder",
    "pgcxr generate PLAIN --out new": "which images?",
    "pgcxr generate none --n 4 --out new": "none: no such folder",
    "pgcxr generate FULL --n 4 --out new": "FULL: no generator-ema.keras",
    "pgcxr generate PLAIN --n 4 --out FULL": "FULL: exists and is not empty",
    "pgcxr generate --pretrained phantom-65 --n 4 --out new": "no such network",
    "pgcxr generate PLAIN --n 4 --out new --label abnormal": "--set labels=binary",
    "pgcxr generate TOLD --n 4 --out new --label abnormall": "must be one of normal, abnormal",
    "pgcxr edit PLAIN --axes FULL --axis nodul --seeds 1 --out new": "did you mean nodule?",
    "pgcxr edit PLAIN --axes FULL --axis nodule --out new": "which images?",
    "pgcxr edit PLAIN --axes FULL --axis nodule --seeds 8-1 --out new": "from low to high",
    "pgcxr edit PLAIN --axes FULL --axis nodule --seeds 1-65 --out new": "more than 64 images",
    "pgcxr edit PLAIN --axes FULL --axis nodule --seeds 1-64 --frames 9 --out new": "--frames 9:",
    "pgcxr edit FULL --axes FULL --axis nodule --seeds 1 --out new": "FULL: no generator-ema.keras",
    "pgcxr edit PLAIN --axes FULL --axis nodule --seeds 1 --out new": "FULL/axes.npz: no such file",
    "pgcxr generate-labeled PLAIN --axes none --mix nodule=2 --out new": "none: no such folder",
    "pgcxr generate-labeled PLAIN --axes FULL --mix nodul=2 --out new": "did you mean nodule?",
    "pgcxr generate-labeled PLAIN --axes FULL --mix nodule --out new": "--mix nodule: must be",
    "pgcxr screen phantom-64-normal none --out new": "none: no such file or folder",
    "pgcxr screen none FULL --out new": "none: no such folder; name a screening model",
    "pgcxr screen phantom-64 FULL --out new": "phantom-64: no such folder; name a screening model",
    "pgcxr screen PLAIN FULL --out new": "PLAIN: holds no screening.json",
    "pgcxr screen phantom-64-normal FULL --out FULL/new": "lies in the folder of images",
    "pgcxr screen phantom-64-normal FULL --out new --watch 0": "--watch 0.0: must be a number",
    "pgcxr timelapse none": "none: no such folder",
    "pgcxr timelapse FULL": "FULL/config.json: no such file",
    "pgcxr import-nvidia none.pkl --out new": "none.pkl: no such file",
    "pgcxr import-nvidia FULL/a --out FULL": "FULL: exists and is not empty",
    "pgcxr export-nvidia none --out new.pkl": "none: no such folder",
    "pgcxr export-nvidia PLAIN --out FULL/a": "FULL/a: exists",
    "pgcxr export-nvidia PLAIN --out new.pkl": "PLAIN: no discriminator.keras",
    "train.gan none --out new": "none: no such folder",
    "train.gan FULL --out new": "FULL: no manifest.csv",
    "train.gan FULL --out FULL": "FULL: exists and is not empty",
    "train.gan FULL --out PLAIN --config small": "PLAIN: holds a run with ema_beta = 0.999",
    "train.gan FULL --out new --set foo=1": "--set foo: is no option",
    "train.gan FULL --out new --set resolution=48": "must be a power of two",
    "train.gan FULL --out new --config nosuch": "--config nosuch: no such config",
    "train.gan FULL --out new --label sick": "--label sick: must be one of",
    "train.gan FULL --out new --init phantom-65": "did you mean phantom-64?",
    "train.gan FULL": "Missing option '--out'",
    "train.gan --preflight --memory 24": "--memory 24: must be a size with its unit",
    "train.gan --preflight --images-per-second x": "--images-per-second x: must be a number",
    "train.gan FULL --out new --memory 24GiB": "is for a preflight",
    "train.classifier FULL --out new --labels binery": "--labels binery: choose one of",
    "train.classifier none --out new --labels binary": "none: no such folder",
    "train.classifier FULL --out new --labels binary --set foo=1": "--set foo: is no option",
    "evaluate.fidelity FULL PLAIN --out new": "FULL: no generator-ema.keras",
    "evaluate.fidelity PLAIN FULL --out new --config nosuch": "--config nosuch: must be one of",
    "evaluate.distribution none --out new": "none: no such folder",
    "evaluate.distribution PLAIN --out new --features none": "none: no such network",
    "evaluate.privacy PLAIN none --out new": "none: no such folder",
    "evaluate.axes PLAIN FULL --out new --samples -5": "--samples -5: must be a whole number",
    "evaluate.axes PLAIN FULL --out new": "FULL: no classifier.keras",
    "evaluate.anomaly PLAIN FULL --out FULL": "FULL: exists and is not empty",
    "evaluate.anomaly phantom-64-normal TOLD --out new": "--cohort: is needed: phantom-64-normal",
    "evaluate.axes phantom-64 TOLD --cohort none --out new": "none: no such folder",
    "evaluate.axes phantom-64 TOLD --cohort FULL --out new": "FULL: no manifest.csv",
    "evaluate.axes phantom-64 phantom-64 --out new": "--cohort: is needed: phantom-64 comes with",
    "evaluate.axes phantom-64 phantom-64-normal --out new": "is a RUN written by `python",
    "evaluate.study --preset nosuch --out new": "--preset nosuch: must be one of",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    for name, labels in {
        "PLAIN": None,
        "TOLD": {"names": ["normal", "abnormal"], "exclusive": True},
    }.items():
        (folder / name).mkdir()
        (folder / name / "generator-ema.keras").write_bytes(b"")
        artifacts.write_json(folder / name / "report.json", {"labels": labels})
        if labels:
            (folder / name / "classifier.keras").write_bytes(b"")
        artifacts.write_json(folder / name / "config.json", {"resolution": 8, "total_kimg": 1.0})
    (folder / "FULL").mkdir()
    (folder / "FULL" / "a").write_text("something")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(list(WRONG))],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {"FULL", "PLAIN", "TOLD"}
    return dict(zip(WRONG, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_command_is_answered_before_tensorflow(answers, words):
    code, said = answers[words]
    assert code == 2, said
    assert WRONG[words] in said and said.startswith("error: ") and said.count("\n") == 1, said

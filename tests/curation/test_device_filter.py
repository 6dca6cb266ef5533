"""Devices seen on the images by a classifier that was trained on what reports say (thesis 1.1)."""

import csv
import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from pgcxr.classifier import dataset
from pgcxr.cli import command
from pgcxr.curation import device_filter
from pgcxr.errors import InputError
from tests.curation.curating import curate
from train.classifier.__main__ import app

TINY = (
    "size=16",
    "blocks=1,",
    "width=8",
    "stem=small",
    "momentum=0.8",
    "epochs=20",
    "batch_size=16",
    "patience=20",
)
ON = "[near_duplicate]\nenabled = false\n"
OFF = "[device]\nenabled = false\n" + ON
# Every third patient, normal and abnormal ones, wears a bright case.
WEARS = [index % 3 == 0 for index in range(120)]


def rows_of(folder, name="manifest.csv"):
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def make(make_export, chest):
    """make(says): an export; `says` is whether the reports mention the devices."""

    def of(says: bool, name: str):
        rows = []
        for index, wears in enumerate(WEARS):
            pixels = chest(index)
            if wears:
                pixels[4:11, 24:32] = 4000
            report = "Pacemaker in place." if wears and says else "No pneumothorax."
            rows.append({"codes": ("Z00.0", "J90")[index % 2], "report": report, "pixels": pixels})
        return make_export(rows, name)

    return of


@pytest.fixture
def go(tmp_path):
    def run(folder, name, rules=None, **options):
        given = {
            "key_file": tmp_path / "key",
            "processes": 0,
            "show_progress": False,
            "audit": False,
            "size": 32,
        }
        rules_file = tmp_path / "rules.toml"
        rules_file.write_text(rules or ON)
        return curate(folder, tmp_path / name, rules_file=rules_file, **given | options)

    return run


def test_what_reports_say_teaches_a_filter_that_sees_what_they_do_not_say(
    make, go, tmp_path, capsys
):
    told = make(True, "told")
    go(told, "all", OFF)
    assert [row["device"] for row in rows_of(tmp_path / "all")].count("1") == 40
    sets = sum((["--set", each] for each in TINY), [])
    words = [
        tmp_path / "all",
        "--labels",
        "device",
        "--out",
        tmp_path / "model",
        "--config",
        "demo",
        *sets,
    ]
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [str(word) for word in words])
    assert not stopped.value.code, capsys.readouterr().err
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    assert report["outputs"] == ["device"] and report["test"]["device"]["auroc"] > 0.95

    silent = make(False, "silent")
    found = go(silent, "cohort", trace=tmp_path / "trace.csv", device_model=tmp_path / "model")
    rule = {row["path"]: row["rule"] for row in rows_of(tmp_path, "trace.csv")}
    out = [rule[f"study{index // 3}/IM{index:04d}"] == "device" for index in range(120)]
    normal = [index for index in range(120) if index % 2 == 0]
    hits = np.mean([out[index] for index in normal if WEARS[index]])
    assert hits > 0.8 and np.mean([out[index] for index in normal if not WEARS[index]]) < 0.1
    assert not any(out[index] for index in range(1, 120, 2)), "the rule is of normals alone"
    assert found["device_model"]["seen"] == sum(out)
    assert {row["detail"] for row in rows_of(tmp_path / "cohort", "excluded.csv")} == {
        "seen by the device classifier"
    }
    chart = json.loads((tmp_path / "cohort" / "flowchart.json").read_text())
    assert next(step for step in chart["steps"] if step["rule"] == "device")["excluded"] == sum(out)
    # A higher probability excludes less; the option is part of what the cohort is.
    go(silent, "surer", "[device]\nprobability = 1.0\n" + ON, device_model=tmp_path / "model")
    assert len(rows_of(tmp_path / "surer")) == 120
    with pytest.raises(InputError, match=r"the rule \[device\] is off"):
        go(silent, "off", OFF, device_model=tmp_path / "model")
    with pytest.raises(InputError, match="reads images of 16 px, larger than the cohort's 8 px"):
        go(silent, "small", size=8, device_model=tmp_path / "model")
    (tmp_path / "model" / "classifier.keras").write_bytes(b"PK no model")
    with pytest.raises(InputError, match="classifier.keras: cannot be read; train it again"):
        go(silent, "broken", device_model=tmp_path / "model")
    assert not list(tmp_path.glob("*broken*")) and not list(tmp_path.glob(".broken*")), (
        "refused before the run began"
    )


def _archive(path, change) -> None:
    """Writes the archive at `path` anew, with the members that `change` makes of its own."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _bomb(members: dict) -> None:
    members["model.weights.h5"] = bytes(5000)


def _long_config(members: dict) -> None:
    members["assets"] = bytes(5000)


def _h5_bomb(members: dict) -> None:
    # Terabytes that take no room, as nothing was ever written to them.
    file = io.BytesIO(members["model.weights.h5"])
    with h5py.File(file, "a") as opened:
        opened.create_dataset("more", (1 << 40,), "float32", chunks=(1 << 20,))
    members["model.weights.h5"] = file.getvalue()


def test_networks_that_are_none_are_refused_before_the_run(tmp_path, monkeypatch):
    import keras

    def network(inputs=(8, 8, 1), outputs=1, activation="sigmoid", value=0.0, ends=1):
        end = keras.Input(inputs)
        flat = keras.layers.Flatten()(end)
        made = [
            keras.layers.Dense(
                outputs, activation, bias_initializer=keras.initializers.Constant(value)
            )(flat)
            for _ in range(ends)
        ]
        keras.Model(end, made if ends > 1 else made[0]).save(tmp_path / "classifier.keras")

    def refused(size=8) -> str:
        (tmp_path / "config.json").write_text(json.dumps({"labels": "device", "size": size}))
        with pytest.raises(InputError) as raised:
            device_filter.DeviceFilter(tmp_path).load()
        assert "\n" not in str(raised.value)
        return str(raised.value)

    network()
    for size in (0, -8, True, "8", 8.0):
        assert "is no RUN" in refused(size)
    assert "one gray image of 16 px" in refused(16)
    for wrong in ({"inputs": (8, 8, 3)}, {"inputs": (64,)}, {"outputs": 2}, {"ends": 2}):
        network(**wrong)
        assert "does not make one number of one gray image of 8 px" in refused()
    network(value=np.nan)
    assert "weights that are no finite numbers" in refused()
    # Finite, but no probability: seen when it is asked.
    network(activation="linear", value=2.0)
    classifier = device_filter.DeviceFilter(tmp_path)
    classifier.load()
    with pytest.raises(InputError, match="numbers that are no probabilities"):
        classifier._predict(np.zeros((1, 8, 8, 1), np.uint8))

    network()
    monkeypatch.setattr(device_filter, "LARGEST", 1 << 15)
    for bomb, small in ((_bomb, "LARGEST"), (_long_config, "LARGEST_CONFIG"), (_h5_bomb, None)):
        network()
        _archive(tmp_path / "classifier.keras", bomb)
        with monkeypatch.context() as patched:
            if small:
                patched.setattr(device_filter, small, 4000)
            # Keras never sees it.
            patched.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("loaded"))
            assert "unpacks to more than a classifier holds" in refused()
    # An archive whose directory promises less than there is.
    network()
    content = bytearray((tmp_path / "classifier.keras").read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (100).to_bytes(4, "little")
    (tmp_path / "classifier.keras").write_bytes(content)
    assert "cannot be read" in refused()


def test_a_run_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder|not a folder|does not exist"):
        device_filter.DeviceFilter(tmp_path / "nowhere")
    for settings in ({"labels": "binary", "size": 32}, {"labels": "device"}, {}):
        (tmp_path / "config.json").write_text(json.dumps(settings))
        with pytest.raises(
            InputError, match="device_model: is no RUN of train.classifier on labels device"
        ):
            device_filter.DeviceFilter(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"labels": "device", "size": 32}))
    with pytest.raises(InputError, match="lacks classifier.keras"):
        device_filter.DeviceFilter(tmp_path)


def test_labels_of_devices(make_export, go, tmp_path):
    codes = ["Z00.0", "J90", "Z00.0;Z95.0", "J90;Z95.0"] * 10
    reports = ["No active disease.", "Pacemaker.", "", "The picc line has been removed."] * 10
    patterns = [
        {"codes": code, "report": report} for code, report in zip(codes, reports, strict=True)
    ]
    go(make_export(patterns), "cohort", OFF)
    from pgcxr.cohort import manifest

    images = manifest.load(tmp_path / "cohort")
    by_label = images.manifest.groupby(["label", "device"]).size().to_dict()
    assert by_label == {("abnormal", "1"): 20, ("normal", "0"): 10, ("normal", "1"): 10}
    part, known = dataset.part(images, "train", "device")
    assert len(part) == len(known) and known.mean() == pytest.approx(0.75, abs=0.2)
    # What is unknown is left out; one class alone cannot be learned.
    images.manifest.loc[images.manifest["device"] == "0", "device"] = ""
    with pytest.raises(InputError, match="split train has 0 images without a device"):
        dataset.part(images, "train", "device")
    images.manifest.drop(columns="device", inplace=True)
    with pytest.raises(InputError, match="no column device"):
        dataset.part(images, "train", "device")

"""Images with devices: left out of one class, as in the thesis, of both, or of none; and the views
that are kept."""

import csv
import json

import pytest

from pgcxr.curation import options as module
from pgcxr.curation import preparing, rules, rules_file
from pgcxr.errors import ArgumentError
from pgcxr.plots import flowchart
from tests.curation.curating import curate

OFF = "[near_duplicate]\nenabled = false\n"
# Every third image shows a device, as its report says: two normals and two abnormals.
WORN = [index % 3 == 0 for index in range(12)]


@pytest.fixture
def export(make_export):
    rows = [
        {
            "codes": ("Z00.0", "J90")[index % 2],
            "report": "No pneumothorax." + " Pacemaker in place." * worn,
        }
        for index, worn in enumerate(WORN)
    ]
    return make_export(rows)


@pytest.fixture
def go(export, tmp_path):
    def run(name, text=OFF, **options):
        (tmp_path / "rules.toml").write_text(text)
        given = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False}
        report = curate(
            export,
            tmp_path / name,
            **given | {"size": 16, "audit": False, "rules_file": tmp_path / "rules.toml"} | options,
        )
        with open(tmp_path / name / "manifest.csv", newline="") as file:
            rows = [(row["label"], row["device"]) for row in csv.DictReader(file)]
        return report, rows

    return run


def test_both_classes_alike_or_normals_only_as_in_the_thesis(go, tmp_path):
    counts = {"exclude-normal": (4, 6), "exclude": (4, 4), "keep": (6, 6)}
    for how, (normal, abnormal) in counts.items():
        report, rows = go(how, support_devices=how)
        assert (report["normal"], report["abnormal"]) == (normal, abnormal), how
        kept = {name: rows.count((name, "1")) for name in ("normal", "abnormal")}
        assert report["devices"] == {
            "support_devices": how,
            "known": True,
            "excluded": {"normal": 6 - normal, "abnormal": 6 - abnormal},
            "kept": kept,
        }
        chart = json.loads((tmp_path / how / "flowchart.json").read_text())
        step = next(step for step in chart["steps"] if step["rule"] == "device")
        assert step["support_devices"] == how and step["excluded"] == 12 - normal - abnormal
        svg = " ".join((tmp_path / how / "flowchart.svg").read_text().split())
        assert flowchart.DEVICES[how].split(";")[0] in svg
        config = json.loads((tmp_path / how / "report.json").read_text())["made_by"]["config"]
        assert config["support_devices"] == how
        assert not report["warnings"]
    # The default is the thesis's, whose cohort it is to the last byte.
    report, _ = go("default")
    assert report["devices"]["support_devices"] == "exclude-normal"
    names = ("default/manifest.csv", "exclude-normal/manifest.csv")
    assert len({(tmp_path / name).read_bytes() for name in names}) == 1


def test_the_option_stands_above_the_rules_which_can_say_what_it_cannot(tmp_path):
    (tmp_path / "rules.toml").write_text('[device]\nlabels = ["abnormal"]\n')
    found = rules.load(tmp_path / "rules.toml")
    assert found.support_devices() == "exclude-abnormal"
    for how in module.SUPPORT_DEVICES:
        changed = found.with_options((), how)
        assert changed.support_devices() == how
        assert changed.tables["view"] == found.tables["view"]
        assert changed.tables["device"]["codes"] == found.tables["device"]["codes"]
    assert found.with_options((), None).tables == found.tables
    (tmp_path / "rules.toml").write_text("[device]\nenabled = false\n[view]\nenabled = false\n")
    off = rules.load(tmp_path / "rules.toml")
    assert off.support_devices() == "keep"
    on = off.with_options(("AP",), "exclude")
    assert on.support_devices() == "exclude" and on.enabled("device") and on.enabled("view")


class Model:
    """Sees a device on every other image that it is shown."""

    sha256 = "0" * 64

    def load(self):
        pass

    def check_size(self, size):
        pass

    def seen(self, scans, place, rule_set):
        assert all(place(scan).is_file() for scan in scans)
        return {scan.number: index % 2 == 0 for index, scan in enumerate(scans)}


def _seen_by_a_model(go, tmp_path, monkeypatch):
    """Where nothing else tells of devices, the manifest says of both classes what it sees."""
    monkeypatch.setattr(preparing.device_filters, "asked", lambda *_: Model())
    for how, kept in (("exclude", 0), ("exclude-normal", 1)):
        report = go(f"model-{how}", support_devices=how, overwrite=True)
        assert report["devices"]["known"], how
        assert not any("none were excluded" in warning for warning in report["warnings"])
        with open(tmp_path / f"model-{how}" / "manifest.csv", newline="") as file:
            rows = [(row["label"], row["device"]) for row in csv.DictReader(file)]
        assert {cell for _, cell in rows} <= {"0", "1"}
        worn = [label for label, cell in rows if cell == "1"]
        assert set(worn) <= {"abnormal"} and bool(worn) == bool(kept), how
        assert report["devices"]["kept"] == {"normal": 0, "abnormal": len(worn)}
    monkeypatch.undo()


def test_what_nothing_tells_of_is_said(tmp_path, chest, monkeypatch):
    import cv2

    (tmp_path / "table").mkdir()
    lines = ["file,patient,label,view,age,sex"]
    for index in range(8):
        pixels = (chest(index) >> 4).astype("uint8")
        cv2.imwrite(str(tmp_path / "table" / f"{index}.png"), pixels)
        label = ("normal", "abnormal")[index % 2]
        lines.append(f"{index}.png,p{index},{label},{('PA', 'AP')[index % 4 == 0]},50,F")
    (tmp_path / "table" / "labels.csv").write_text("\n".join(lines))
    (tmp_path / "table" / "columns.toml").write_text(
        'table = "labels.csv"\n[columns]\nfile = "file"\npatient = "patient"\nlabel = "label"\n'
        'view = "view"\nage = "age"\nsex = "sex"\n[label]\nnormal = ["normal"]\n'
        'abnormal = ["abnormal"]\n'
    )
    (tmp_path / "rules.toml").write_text(OFF)

    def go(name, **options):
        given = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False, "size": 16}
        rules = {"audit": False, "rules_file": tmp_path / "rules.toml"}
        return curate(tmp_path / "table", tmp_path / name, **given | rules | options)

    said = {
        how: [warning for warning in go(str(how), support_devices=how)["warnings"]]
        for how in (None, "keep", "exclude")
    }
    assert not said[None] and not said["keep"]
    assert len(said["exclude"]) == 1 and "none were excluded" in said["exclude"][0]
    report = go("unknown")
    assert report["devices"]["known"] is False and report["devices"]["kept"]["normal"] is None
    _seen_by_a_model(go, tmp_path, monkeypatch)
    # The views that are kept: PA where nothing is said.
    assert (report["images"], go("AP", view=("AP",))["images"]) == (6, 2)
    assert go("both", view=("PA", "AP"))["images"] == 8
    config = json.loads((tmp_path / "both" / "report.json").read_text())["made_by"]["config"]
    assert config["rules"]["view"]["allowed"] == ["PA", "AP"]


def test_the_words_are_those_of_the_rules():
    assert set(module.SUPPORT_DEVICES) < set(rules.DEVICES) == set(flowchart.DEVICES)
    assert rules_file.WORDS["view", "allowed"] == module.VIEWS
    for values in ({"support_devices": "both"}, {"view": ("pa",)}, {"view": ("",)}):
        with pytest.raises(ArgumentError):
            module.CurationOptions(**values)

"""NIH ChestX-ray14: a tiny tree in its exact layout."""

import json

import cv2
import numpy as np
import pytest

from pgcxr.cohort import manifest
from pgcxr.errors import InputError
from pgcxr.sources import named, nih, tables
from tests.curation.curating import curate

V2020 = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Sex,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
V2017 = V2020.replace("Patient Sex", "Patient Gender") + ","
ROWS = [
    # name, labels, patient, age, view
    ("00000001_000.png", "No Finding", 1, 50, "PA"),
    ("00000001_001.png", "Mass|Effusion", 1, 51, "PA"),
    ("00000002_000.png", "Fibrosis|Hernia", 2, 60, "PA"),
    ("00000003_000.png", "No Finding", 3, 40, "AP"),
    ("00000004_000.png", "No Finding", 4, 12, "PA"),
    ("00000005_000.png", "No Finding", 5, 33, "PA"),  # RSNA: not normal
    ("00000006_000.png", "Infiltration", 6, 33, "PA"),  # RSNA: normal
    ("00000007_000.png", "Infiltration|Pneumothorax", 7, 33, "PA"),  # ChestX-Det: consolidation
    ("00000008_000.png", "Nodule|Pneumothorax", 8, 33, "PA"),  # Google: no pneumothorax
    ("00000009_000.png", "No Finding", 9, 33, "PA"),  # flagged
    ("00000010_000.png", "No Finding", 10, 411, "PA"),
    ("00000011_000.png", "No Finding", 11, 20, "PA"),  # has a box
]


@pytest.fixture
def nih_tree(tmp_path, chest):
    """nih_tree(original=False): the download of 2020, or of 2017 with several image folders."""

    def make(original: bool = False):
        folder = tmp_path / ("nih2017" if original else "nih2020")
        for index, (name, *_) in enumerate(ROWS):
            inside = f"images_{1 + index % 2:03d}/images" if original else "images"
            (folder / inside).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(
                str(folder / inside / name), (chest(index, 64)[:, :64] // 16).astype(np.uint8)
            )
        tail = ",2048,2500,0.171,0.171," if original else ",2048,2500,,"
        lines = [
            f"{name},{labels},0,{patient},{f'{age:03d}Y' if original else age},M,{view}{tail}"
            for name, labels, patient, age, view in (
                *ROWS,
                ("00000099_000.png", "No Finding", 99, 50, "PA"),
            )
        ]
        table = "Data_Entry_2017.csv" if original else "Data_Entry_2017_v2020.csv"
        (folder / table).write_text("\n".join([V2017 if original else V2020, *lines]) + "\n")
        boxes = [
            "Image Index,Finding Label,Bbox [x,y,w,h],,,",
            "00000001_001.png,Mass,256,512,128,256,,,",
        ]
        (folder / "BBox_List_2017.csv").write_text(
            "\n".join([*boxes, "00000011_000.png,Mass,1,1,9,9,,,"]) + "\n"
        )
        (folder / "extra").mkdir()
        expert = (
            "Image Index,google2019_pneumothorax,google2019_nodule_or_mass,chestxdet_labels,"
            "rsna_class"
        )
        reads = ["00000005_000.png,,,,Lung Opacity", "00000006_000.png,,,,Normal"]
        reads += ["00000007_000.png,,,Consolidation,", "00000008_000.png,NO,YES,,"]
        (folder / "extra" / "labels_expert.csv").write_text("\n".join([expert, *reads]) + "\n")
        flags = "Image Index,qc_flag\n00000009_000.png,atypical_framing\n"
        (folder / "extra" / "quality_flags.csv").write_text(flags)
        return folder

    return make


@pytest.mark.parametrize("original", [False, True])
def test_labels_and_exclusions(tmp_path, nih_tree, original):
    folder = nih_tree(original)
    assert named(None, folder) == ("nih", nih)
    trace = tmp_path / "trace.csv"
    out = tmp_path / "cohort"
    report = curate(
        folder, out, key_file=tmp_path / "key", processes=0, show_progress=False, trace=trace
    )
    lines = [line.split(",") for line in trace.read_text().splitlines()[1:]]
    rule = {path.split("/")[-1]: why for _, path, _, why in lines}
    image = {path.split("/")[-1]: image_id for _, path, image_id, _ in lines}
    expected = {
        "00000003": "view",
        "00000004": "age",
        "00000005": "label_conflict",
        "00000009": "quality",
    }
    expected |= {"00000010": "age", "00000011": "label_conflict"}
    assert rule == {name: expected.get(name[:8], "") for name, *_ in ROWS}

    rows = manifest.load(out).manifest.set_index("image_id")
    read = {
        name: (rows["label"][key], rows["diagnoses"][key]) for name, key in image.items() if key
    }
    assert read == {
        "00000001_000.png": ("normal", ""),
        "00000001_001.png": ("abnormal", "nodule;pleural_effusion"),
        "00000002_000.png": ("abnormal", "interstitial_opacity"),
        "00000006_000.png": ("normal", ""),
        "00000007_000.png": ("abnormal", "consolidation"),
        "00000008_000.png": ("abnormal", "nodule"),
    }
    sure = {
        name: (rows["label_confidence"][key], rows["label_sources"][key])
        for name, key in image.items()
        if key
    }
    assert sure["00000001_000.png"] == ("0.75", "nih") and sure["00000006_000.png"] == (
        "1.00",
        "nih;readers",
    )
    assert (
        rows["patient_id"][image["00000001_000.png"]]
        == rows["patient_id"][image["00000001_001.png"]]
    )
    assert rows["split"][image["00000001_000.png"]] == rows["split"][image["00000001_001.png"]]
    assert (report["size"], report["rows_without_file"], report["masks"]) == (64, 1, 1)
    expected = np.zeros((64, 64))
    expected[32:48, 16:24] = 255  # 256, 512, 128, 256 of 1024
    mask = rows["mask"][image["00000001_001.png"]]
    np.testing.assert_array_equal(cv2.imread(str(out / mask), 0), expected)


def test_the_flow_chart_says_which_rules_it_could_not_ask(tmp_path, nih_tree):
    out = tmp_path / "cohort"
    curate(nih_tree(), out, key_file=tmp_path / "key", processes=0, show_progress=False)
    steps = {
        step["rule"]: step for step in json.loads((out / "flowchart.json").read_text())["steps"]
    }
    assert [rule for rule, step in steps.items() if not step["applies"]] == [
        *(
            "modality",
            "body_part",
            "study_date",
            "sex",
            "manufacturer",
            "device",
            "burned_in_annotation",
        )
    ]
    assert (
        steps["label_conflict"]["excluded"],
        steps["age"]["excluded"],
        steps["view"]["excluded"],
    ) == (2, 2, 1)


def test_no_images(tmp_path):
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(V2020 + "\n")
    with pytest.raises(InputError, match="no PNG"):
        nih.scans(tmp_path)
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("Image Index,Patient ID\n")
    with pytest.raises(InputError, match="no column Finding Labels, Patient Age, View Position"):
        nih.scans(tmp_path)


@pytest.mark.shared
def test_the_real_part(shared):
    """Counts that pandas gives for the real tables, where no rule interferes."""
    import pandas as pd

    scans, _ = nih.scans(shared / "nih")
    table = pd.read_csv(shared / "nih" / "Data_Entry_2017_v2020.csv", index_col=False)
    assert len(scans) == len(table) == 2395
    assert sum(scan.view == "PA" for scan in scans) == (table["View Position"] == "PA").sum()
    assert sum(scan.age < 19 for scan in scans) == (table["Patient Age"] < 19).sum()
    expert = pd.read_csv(shared / "nih" / "extra" / "labels_expert.csv", index_col=0)
    normal = set(expert.index[expert["rsna_class"] == "Normal"])
    read = {scan.path.name: scan for scan in scans}
    assert all(read[name].label == "normal" for name in normal)
    assert {scan.rows for scan in scans} == {128}


def test_rows_that_contradict_themselves_or_each_other(nih_tree, tmp_path):
    folder = nih_tree()
    table = folder / "Data_Entry_2017_v2020.csv"
    head, *rows = table.read_text().splitlines()
    rows[0] = rows[0].replace("No Finding", "No Finding|Effusion")
    rows[2] = rows[2].replace("Fibrosis|Hernia", "no finding")
    rows += [rows[1], rows[8].replace("Nodule", "No Finding")]
    table.write_text("\n".join([head, *rows]) + "\n")
    scans, _ = nih.scans(folder)
    found = {scan.name.split("/")[-1][:8]: scan for scan in scans[1:]}
    assert scans[0].rejected == ("label_conflict", "normal beside a finding")
    assert found["00000008"].rejected == tables.TWICE
    assert found["00000001"].rejected is None and found["00000002"].label == "normal"

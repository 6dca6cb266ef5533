"""RSNA Pneumonia Detection Challenge 2018: a tiny tree in Kaggle's layout."""

import json

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.sources import named, rsna

# image, class, boxes, Target
ROWS = [
    ("0004cfab", "No Lung Opacity / Not Normal", []),
    ("00313ee0", "Normal", []),
    ("00436515", "Lung Opacity", [(264.0, 152.0, 213.0, 379.0), (562.0, 152.0, 256.0, 453.0)]),
    ("00704310", "Lung Opacity", [(512.0, 512.0, 256.0, 128.0)]),
    ("008c19e8", "Normal", []),
    ("00aecb01", "Normal", [(1.0, 1.0, 9.0, 9.0)]),  # a box on a normal one
    ("00c0b293", "Rare", []),
    ("00f08de1", "", None),  # no row in the table of boxes
]


@pytest.fixture
def tree(tmp_path, make_dicom, chest):
    folder = tmp_path / "rsna"
    tags = {"Manufacturer": None, "Modality": "CR", "BodyPartExamined": "CHEST", "PatientAge": "51"}
    labels = ["patientId,x,y,width,height,Target"]
    classes = ["patientId,class"]
    for index, (image, named_class, boxes) in enumerate(ROWS):
        pixels = (chest(index, 64)[:, :64] // 16).astype(np.uint8)
        make_dicom(
            folder / "stage_2_train_images" / f"{image}.dcm", pixels, PatientID=image, **tags
        )
        classes += [f"{image},{named_class}"] * max(len(boxes or ()), 1)
        if boxes is not None:
            labels += [f"{image},{x},{y},{w},{h},1" for x, y, w, h in boxes] or [f"{image},,,,,0"]
    pixels = (chest(99, 64)[:, :64] // 16).astype(np.uint8)
    make_dicom(
        folder / "stage_2_test_images" / "0000a175.dcm", pixels, PatientID="0000a175", **tags
    )
    (folder / "stage_2_train_labels.csv").write_text("\n".join([*labels, "ffffffff,,,,,0"]) + "\n")
    (folder / "stage_2_detailed_class_info.csv").write_text("\n".join(classes) + "\n")
    return folder


def path(image):
    return f"stage_2_train_images/{image}.dcm"


def test_labels_boxes_and_what_is_unknown(tree, curated):
    assert named(None, tree) == ("rsna", rsna)
    found = curated(tree)
    assert found.labels() == {
        path("0004cfab"): ("abnormal", ""),
        path("00313ee0"): ("normal", ""),
        path("00436515"): ("abnormal", "consolidation"),
        path("00704310"): ("abnormal", "consolidation"),
        path("008c19e8"): ("normal", ""),
    }
    assert found.rules == {
        path("00aecb01"): "label_conflict",
        path("00c0b293"): "diagnosis",
        path("00f08de1"): "diagnosis",
        "stage_2_test_images/0000a175.dcm": "diagnosis",
    }
    other = found.rows[path("0004cfab")]
    assert (other["consolidation"], other["nodule"], other["pneumothorax"]) == ("0", "", "")
    assert found.rows[path("00313ee0")]["nodule"] == "0" and other["label_confidence"] == "1.00"
    expected = np.zeros((64, 64), np.uint8)
    expected[32:40, 32:48] = 255  # 512, 512, 256 x 128 of 1024
    np.testing.assert_array_equal(found.mask(path("00704310")), expected)
    two = found.mask(path("00436515")) > 0
    assert two[20, 20] and two[20, 45] and not two[20, 32] and found.report["masks"] == 2
    assert found.report["rows_without_file"] == 1
    assert found.report["warnings"][0] == rsna.SHARED_PATIENTS and found.report["patients"] == 5


def test_patients_of_nih_stay_together(tree, curated):
    rows = [
        {"subset_img_id": image, "img_id": f"{index // 3:08d}_{index:03d}.png"}
        for index, (image, *_) in enumerate(ROWS)
    ]
    (tree / rsna.PATIENTS).write_text(json.dumps(rows))
    found = curated(tree)
    people = {
        image: found.rows[path(image)]["patient_id"]
        for image in ("0004cfab", "00313ee0", "00436515", "00704310")
    }
    assert people["0004cfab"] == people["00313ee0"] == people["00436515"] != people["00704310"]
    assert (
        len({found.rows[path(image)]["split"] for image in ("0004cfab", "00313ee0", "00436515")})
        == 1
    )
    assert rsna.SHARED_PATIENTS not in found.report["warnings"]
    lost = found.report["losses"]
    assert (lost["files_without_row"], lost["rows_without_file"]) == (1, 1), "test images need none"
    (tree / rsna.PATIENTS).write_text("[{}]")
    with pytest.raises(InputError, match="damaged or another file"):
        curated(tree, "again")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stage_2_detailed_class_info.csv", "no such file; it needs the columns patientId, class"),
        ("stage_2_train_images", "no .dcm file in stage_2_train_images"),
    ],
)
def test_what_is_missing_is_named(tree, curated, name, said):
    (tree / name).rename(tree / "elsewhere")
    if name == "stage_2_train_images":
        (tree / "stage_2_test_images").rename(tree / "elsewhere too")
    with pytest.raises(InputError, match=said) as error:
        curated(tree)
    assert "\n" not in str(error.value)


def test_rows_that_contradict_each_other(tree, curated):
    classes, labels = tree / "stage_2_detailed_class_info.csv", tree / "stage_2_train_labels.csv"
    classes.write_text(classes.read_text() + "00313ee0,Lung Opacity\n008c19e8,Normal\n")
    labels.write_text(labels.read_text() + "00704310,,,,,0\n")
    found = curated(tree)
    assert found.rules[path("00313ee0")] == found.rules[path("00704310")] == "label_conflict"
    assert found.labels()[path("008c19e8")] == ("normal", "")

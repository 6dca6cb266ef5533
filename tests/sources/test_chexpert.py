"""CheXpert 1.0: a tiny tree in the layout of CheXpert-v1.0-small."""

import os

import pytest

from pgcxr.errors import InputError
from pgcxr.sources import chexpert, named

LABELS = (
    *(
        "No Finding",
        "Enlarged Cardiomediastinum",
        "Cardiomegaly",
        "Lung Opacity",
        "Lung Lesion",
        "Edema",
        "Consolidation",
    ),
    *(
        "Pneumonia",
        "Atelectasis",
        "Pneumothorax",
        "Pleural Effusion",
        "Pleural Other",
        "Fracture",
        "Support Devices",
    ),
)
HEADER = ",".join(("Path,Sex,Age,Frontal/Lateral,AP/PA", *LABELS))
# patient, study, view, sex, age, side, AP/PA, labels
TRAIN = [
    (1, 1, "view1_frontal", "Female", 68, "Frontal", "PA", {"No Finding": 1}),
    (
        1,
        2,
        "view1_frontal",
        "Female",
        68,
        "Frontal",
        "PA",
        {"Pleural Effusion": 1, "Edema": -1, "Pneumothorax": 0},
    ),
    (1, 2, "view2_lateral", "Female", 68, "Lateral", "", {"Pleural Effusion": 1, "Edema": -1}),
    (2, 1, "view1_frontal", "Male", 87, "Frontal", "AP", {"Lung Lesion": 1}),
    (3, 1, "view1_frontal", "Male", 41, "Frontal", "PA", {"Consolidation": -1}),
    (
        4,
        1,
        "view1_frontal",
        "Unknown",
        50,
        "Frontal",
        "PA",
        {"Pneumonia": 1, "Consolidation": 0, "Support Devices": 1},
    ),
    (5, 1, "view1_frontal", "Male", 20, "Frontal", "PA", {"No Finding": 1, "Support Devices": 1}),
    (6, 1, "view1_frontal", "Male", 30, "Frontal", "PA", {"No Finding": 1, "Fracture": 1}),
    (7, 1, "view1_frontal", "Male", 30, "Frontal", "PA", {}),
    (8, 1, "view1_frontal", "Male", 30, "Frontal", "PA", {"Cardiomegaly": 1}),
]
VALID = [
    (
        64541,
        1,
        "view1_frontal",
        "Male",
        73,
        "Frontal",
        "PA",
        dict.fromkeys(LABELS, 0) | {"Pneumothorax": 1},
    )
]


@pytest.fixture
def tree(tmp_path, make_picture):
    folder = tmp_path / "CheXpert-v1.0-small"
    for name, rows in (("train", TRAIN), ("valid", VALID)):
        lines = [HEADER]
        for index, (patient, study, view, sex, age, side, plane, labels) in enumerate(rows):
            inside = f"{name}/patient{patient:05d}/study{study}/{view}.jpg"
            make_picture(folder / inside, patient * 10 + index)
            cells = [f"{labels[label]:.1f}" if label in labels else "" for label in LABELS]
            lines.append(",".join((f"{folder.name}/{inside}", sex, str(age), side, plane, *cells)))
        if name == "train":
            lines.append(lines[1].replace("patient00001", "patient99999"))
            lines.append(lines[1].replace("CheXpert-v1.0-small/train/patient00001", "../../../etc"))
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def path(patient, study=1, view="view1_frontal", part="train"):
    return f"{part}/patient{patient:05d}/study{study}/{view}.jpg"


def test_labels(tree, curated):
    assert named(None, tree) == ("chexpert", chexpert)
    found = curated(tree)
    assert found.labels() == {
        path(1): ("normal", ""),
        path(1, 2): ("abnormal", "pleural_effusion"),
        path(4): ("abnormal", "consolidation"),
        path(8): ("abnormal", ""),
        path(64541, part="valid"): ("abnormal", "pneumothorax"),
    }
    assert found.rules == {
        path(1, 2, "view2_lateral"): "view",
        path(2): "view",
        path(3): "diagnosis",
        path(5): "device",
        path(6): "label_conflict",
        path(7): "diagnosis",
    }
    effusion = found.rows[path(1, 2)]
    assert [effusion[name] for name in ("interstitial_opacity", "pneumothorax", "nodule")] == [
        "",
        "0",
        "0",
    ]
    assert (effusion["sex"], effusion["age"], effusion["view"], effusion["label_confidence"]) == (
        "F",
        "68",
        "PA",
        "0.75",
    )
    assert found.rows[path(64541, part="valid")]["label_confidence"] == "1.00"
    assert effusion["patient_id"] == found.rows[path(1)]["patient_id"]
    assert effusion["split"] == found.rows[path(1)]["split"]
    assert (found.report["rows_without_file"], found.report["rows_outside"]) == (1, 1)


@pytest.mark.parametrize(
    ("uncertain", "third", "interstitial"),
    [
        ("unknown", "diagnosis", ""),
        ("positive", ("abnormal", "consolidation"), "1"),
        ("negative", ("normal", ""), "0"),
        ("exclude", "diagnosis", None),
    ],
)
def test_what_becomes_of_uncertain_labels(tree, curated, uncertain, third, interstitial):
    found = curated(tree, uncertain=uncertain)
    assert found.rules.get(path(3), found.labels().get(path(3))) == third
    if interstitial is None:
        assert found.rules[path(1, 2)] == "diagnosis"
    else:
        assert found.rows[path(1, 2)]["interstitial_opacity"] == interstitial


def test_the_folder_above_is_found_too(tree, curated, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    tree = tree.rename(above / tree.name)
    found = curated(above, source="chexpert")
    assert len(found.rows) == 5 and all(
        name.startswith("CheXpert-v1.0-small/") for name in found.rows
    )


def test_broken_pictures_are_excluded(tree, curated):
    os.truncate(tree / path(8), 400)
    (tree / path(4)).write_bytes(b"\xff\xd8 not a picture \xff\xd9")
    found = curated(tree)
    assert found.rules[path(8)] == found.rules[path(4)] == "unreadable"


def test_what_is_missing_is_named(tree, curated, tmp_path):
    for path in tree.glob("*/patient*"):
        path.rename(path.with_name(f"no {path.name}"))
    with pytest.raises(InputError, match="none of the files that train.csv names is here"):
        curated(tree)
    (tree / "train.csv").write_text("Path,Sex\n")
    (tree / "valid.csv").unlink()
    with pytest.raises(InputError, match="no train.csv or valid.csv of CheXpert"):
        curated(tree, source="chexpert")


def test_the_batches_of_the_full_set(tree, curated, tmp_path):
    """As Stanford AIMI gives it out: tables and validation images in batch 1, the rest without
    train/."""
    above = tmp_path / "above"
    batches = [
        above / f"CheXpert-v1.0 batch {name}"
        for name in ("1 (validate & csv)", "2 (train 1)", "3 (train 2)")
    ]
    for batch in batches:
        batch.mkdir(parents=True)
    for name in ("train.csv", "valid.csv"):
        text = (tree / name).read_text().replace(tree.name, "CheXpert-v1.0")
        (batches[0] / name).write_text(text)
    (tree / "valid").rename(batches[0] / "valid")
    for place in sorted((tree / "train").iterdir()):
        number = int(place.name.removeprefix("patient"))
        place.rename(batches[1 + (number > 3)] / place.name)
    found = curated(above)
    assert {name.split("/", 1)[1]: label for name, label in found.labels().items()} == {
        path(1).removeprefix("train/"): ("normal", ""),
        path(1, 2).removeprefix("train/"): ("abnormal", "pleural_effusion"),
        path(4).removeprefix("train/"): ("abnormal", "consolidation"),
        path(8).removeprefix("train/"): ("abnormal", ""),
        path(64541, part="valid"): ("abnormal", "pneumothorax"),
    }
    assert (found.report["rows_without_file"], found.report["rows_outside"]) == (1, 1)
    # The same patient in another batch: one of both files is another image.
    copied = batches[2] / "patient00001" / "study1"
    copied.mkdir(parents=True)
    image = batches[1] / "patient00001" / "study1" / "view1_frontal.jpg"
    (copied / image.name).write_bytes(image.read_bytes())
    found = curated(above, "again")
    assert found.rules[f"{batches[1].name}/patient00001/study1/{image.name}"] == "label_conflict"
    alone = curated(batches[0], "alone")
    assert "none of the 12 files that train.csv names" in " ".join(alone.report["warnings"])


def test_what_contradicts_itself_or_cannot_be_read(tree, curated):
    table = tree / "train.csv"
    head, *rows = table.read_text().splitlines()
    # No Finding of patient 1: said again otherwise; of patient 5, whose device goes: a word.
    again = rows[0].replace(",1.0,", ",0.0,")
    rows[6] = rows[6].removesuffix(",1.0") + ",0"
    rows[6] = rows[6][: rows[6].index("1.0,")] + "1.0,yes," + ",".join(rows[6].split(",")[7:])
    table.write_text("\n".join([head, *rows, rows[1], again]) + "\n")
    found = curated(tree)
    assert found.rules[path(1)] == found.rules[path(6)] == "label_conflict"
    assert found.rules[path(5)] == "diagnosis" and path(1, 2) in found.rows

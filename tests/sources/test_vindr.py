"""VinDr-CXR 1.0.0: a tiny tree in PhysioNet's layout."""

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.sources import named, vindr

LABELS = (
    *(
        "Aortic enlargement",
        "Atelectasis",
        "Calcification",
        "Cardiomegaly",
        "Clavicle fracture",
        "Consolidation",
    ),
    *(
        "Edema",
        "Emphysema",
        "Enlarged PA",
        "ILD",
        "Infiltration",
        "Lung Opacity",
        "Lung cavity",
        "Lung cyst",
    ),
    *("Mediastinal shift", "Nodule/Mass", "Pleural effusion", "Pleural thickening", "Pneumothorax"),
    *(
        "Pulmonary fibrosis",
        "Rib fracture",
        "Other lesion",
        "COPD",
        "Lung tumor",
        "Pneumonia",
        "Tuberculosis",
    ),
    *("Other diseases", "No finding"),
)
# image: what each of its three readers saw
READ = {
    "aa01": [("No finding",), ("No finding",), ("No finding",)],
    "aa02": [("No finding",), ("No finding",), ("Nodule/Mass",)],
    "aa03": [("Nodule/Mass", "Lung tumor"), ("Nodule/Mass",), ("No finding",)],
    "aa04": [("Pleural effusion",), ("Pneumothorax",), ("ILD",)],  # nobody agrees but on abnormal
    "aa05": [("Aortic enlargement",), ("Aortic enlargement",), ("Aortic enlargement", "ILD")],
    "aa06": [("No finding", "ILD"), ("No finding", "ILD"), ()],
}
TEST = {"bb01": ("No finding",), "bb02": ("Pneumothorax", "Pleural effusion"), "bb03": None}
BOXES = [
    ("aa02", "R3", "Nodule/Mass", 1, 1, 9, 9),  # a minority's
    ("aa03", "R1", "Nodule/Mass", 0, 0, 36, 32),
    ("aa03", "R2", "Nodule/Mass", 36, 32, 72, 64),
    ("aa03", "R1", "Lung tumor", 0, 60, 72, 64),  # one reader's
]


@pytest.fixture
def tree(tmp_path, make_dicom, chest):
    folder = tmp_path / "vindr"
    (folder / "annotations").mkdir(parents=True)
    # The headers of VinDr are stripped of nearly everything.
    tags = dict.fromkeys(("Manufacturer", "BodyPartExamined", "ViewPosition", "Modality"))
    for index, image in enumerate((*READ, *TEST)):
        place = folder / ("train" if image in READ else "test") / f"{image}.dicom"
        make_dicom(
            place, chest(index, 64), PatientAge="000Y" if image == "aa01" else "045Y", **tags
        )
    train = [f"image_id,rad_id,{','.join(LABELS)}"]
    for image, readers in READ.items():
        for reader, seen in enumerate(readers, 1):
            train.append(
                f"{image},R{reader}," + ",".join(str(int(label in seen)) for label in LABELS)
            )
    test = [f"image_id,{','.join(LABELS)}".replace("Other diseases", "Other disease")]
    for image, seen in TEST.items():
        test += (
            []
            if seen is None
            else [f"{image}," + ",".join("1.0" if label in seen else "" for label in LABELS)]
        )
    (folder / "annotations/image_labels_train.csv").write_text(
        "\n".join([*train, train[1].replace("aa01", "zz99")]) + "\n"
    )
    (folder / "annotations/image_labels_test.csv").write_text("\n".join(test) + "\n")
    boxes = [",".join(map(str, row)) for row in BOXES] + ["aa01,R1,No finding,,,,"]
    header = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max"
    (folder / "annotations/annotations_train.csv").write_text("\n".join([header, *boxes]) + "\n")
    header = "image_id,class_name,x_min,y_min,x_max,y_max"
    (folder / "annotations/annotations_test.csv").write_text(
        f"{header}\nbb02,Pneumothorax,18,16,54,48\n"
    )
    return folder


def test_the_majority_of_readers_decides(tree, curated, no_age):
    assert named(None, tree) == ("vindr", vindr)
    found = curated(tree, rules_file=no_age)
    assert found.labels() == {
        "train/aa01.dicom": ("normal", ""),
        "train/aa02.dicom": ("normal", ""),
        "train/aa03.dicom": ("abnormal", "nodule"),
        "train/aa04.dicom": ("abnormal", ""),
        "train/aa05.dicom": ("abnormal", ""),
        "test/bb01.dicom": ("normal", ""),
        "test/bb02.dicom": ("abnormal", "pleural_effusion;pneumothorax"),
    }
    assert found.rules == {"train/aa06.dicom": "label_conflict", "test/bb03.dicom": "diagnosis"}
    confidence = {path[-10:-6]: row["label_confidence"] for path, row in found.rows.items()}
    assert confidence == {"aa01": "1.00", "aa02": "0.67", "aa03": "0.67", "aa04": "1.00"} | {
        "aa05": "1.00",
        "bb01": "1.00",
        "bb02": "1.00",
    }
    assert {row["view"] for row in found.rows.values()} == {"PA"} and found.rows[
        "train/aa01.dicom"
    ]["age"] == ""
    assert found.report["rows_without_file"] == 1


def test_boxes_of_the_majoritys_labels(tree, curated, no_age):
    found = curated(tree, rules_file=no_age, fit="crop")
    # 64 rows x 72 columns, cut to 64 x 64 from column 4 on.
    both = found.mask("train/aa03.dicom") > 0
    wanted = np.zeros((64, 72), bool)
    wanted[:32, :36], wanted[32:, 36:] = True, True
    np.testing.assert_array_equal(both, wanted[:, 4:68])
    assert (
        found.rows["train/aa02.dicom"]["mask"] == ""
        and found.rows["train/aa04.dicom"]["mask"] == ""
    )
    one = found.mask("test/bb02.dicom") > 0
    assert one[16:48, 14:50].all() and one.sum() == 32 * 36


def test_an_age_that_was_taken_out_is_unknown(tree, curated):
    assert curated(tree).rules["train/aa01.dicom"] == "age"


def test_what_is_missing_is_named(tree, curated, tmp_path):
    (tree / "annotations/image_labels_test.csv").unlink()
    with pytest.raises(
        InputError, match="image_labels_test.csv: no such file, and test/ has images"
    ):
        curated(tree)
    for part in ("train", "test"):
        (tree / part).rename(tree / f"{part} elsewhere")
    with pytest.raises(InputError, match="no .dicom file in train/ or test/"):
        curated(tree)
    (tree / "annotations/image_labels_train.csv").write_text("image_id,rad_id\n")
    with pytest.raises(InputError, match="no column No finding"):
        curated(tree)


def test_where_no_reader_marks_anything_nothing_is_known(tree, curated, no_age):
    path = tree / "annotations" / "image_labels_train.csv"
    head, *rows = path.read_text().splitlines()
    blank = {f"aa02,R{reader}": "" for reader in (1, 2, 3)}
    blank |= {"aa01,R2": "", "aa01,R3": "0"}  # the first one sees no finding
    for at, row in enumerate(rows):
        start = ",".join(row.split(",")[:2])
        if start in blank:
            rows[at] = start + "," + ",".join([blank[start]] * len(LABELS))
    path.write_text("\n".join([head, *rows]) + "\n")
    rules = curated(tree, rules_file=no_age).rules
    assert rules["train/aa01.dicom"] == rules["train/aa02.dicom"] == "diagnosis"


def test_readers_and_rows_that_contradict_themselves(tree, curated, no_age):
    annotations = tree / "annotations"
    for part, image in (("train", "aa05,R1"), ("test", "bb01")):
        path = annotations / f"image_labels_{part}.csv"
        head, *rows = path.read_text().splitlines()
        row = next(row for row in rows if row.startswith(image))
        cells = row.split(",")
        cells[-2] = "1"  # other diseases
        rows += [",".join(cells), rows[0]]
        path.write_text("\n".join([head, *rows]) + "\n")
    first = (annotations / "image_labels_train.csv").read_text()
    first = first.replace("aa02,R2,0", "aa02,R2,x")
    (annotations / "image_labels_train.csv").write_text(first)
    votes, refused = vindr._votes(annotations / "image_labels_train.csv", consensus=False)
    assert refused == {
        "aa05": ("label_conflict", "two rows of the table say different things"),
        "aa02": ("diagnosis", "a label that cannot be read"),
        "aa06": ("label_conflict", "normal beside a finding"),
    }
    assert votes["aa01"]["No finding"] == (3, 3)  # one row is there twice
    assert vindr._votes(annotations / "image_labels_test.csv", consensus=True)[1].keys() == {"bb01"}
    rules = curated(tree, rules_file=no_age).rules
    assert rules["train/aa05.dicom"] == rules["test/bb01.dicom"] == "label_conflict"
    assert rules["train/aa02.dicom"] == "diagnosis"

"""MIMIC-CXR-JPG 2.0.0: a tiny tree in PhysioNet's layout."""

import gzip

import pytest

from pgcxr.errors import InputError
from pgcxr.sources import mimic, named
from tests.sources.test_chexpert import LABELS

# subject, study, image, view, CheXpert's labels, NegBio's labels
ROWS = [
    (10000032, 50414267, "02aa804e-bde0afdd", "PA", {"No Finding": 1}, {"No Finding": 1}),
    (10000032, 50414267, "174413ec-4ec4c1f7", "LATERAL", {"No Finding": 1}, {"No Finding": 1}),
    (
        10000032,
        53189527,
        "2a2277a9-b0ded155",
        "PA",
        {"Pneumothorax": 1},
        {"Pneumothorax": 1, "Edema": 1},
    ),
    (10000764, 57375967, "096052b7-d256dc40", "AP", {"Edema": 1}, {"Edema": 1}),
    (10000898, 50771383, "2a280266-c8bae121", "PA", {"Pleural Effusion": 1}, {"No Finding": 1}),
    (
        10000935,
        50578979,
        "d0b71acc-b5a62046",
        "PA",
        {"Lung Lesion": 1, "Pneumonia": -1},
        {"Lung Lesion": -1},
    ),
    (10001038, 56164612, "30eaa8ed-c2bf4395", "PA", None, None),
    (
        11111111,
        51111111,
        "ffffffff-ffffffff",
        "PA",
        {"No Finding": 1, "Support Devices": 1},
        {"No Finding": 1},
    ),
]


def write(path, lines):
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


@pytest.fixture
def tree(tmp_path, make_picture):
    folder = tmp_path / "mimic"
    meta = [
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
        "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
    ]
    labels = {
        "chexpert": [f"subject_id,study_id,{','.join(LABELS)}"],
        "negbio": [f"subject_id,study_id,{','.join(LABELS)}"],
    }
    split = ["dicom_id,study_id,subject_id,split"]
    for index, (subject, study, image, view, *told) in enumerate(ROWS):
        make_picture(folder / f"files/p{str(subject)[:2]}/p{subject}/s{study}/{image}.jpg", index)
        meta.append(
            f"{image},{subject},{study},CHEST (PA AND "
            f"LAT),{view},3056,2544,21800506,213014.531,CHEST,,Erect"
        )
        split.append(f"{image},{study},{subject},train")
        for name, said in zip(labels, told, strict=True):
            if said is not None:
                labels[name].append(
                    f"{subject},{study},"
                    + ",".join(f"{said[x]:.1f}" if x in said else "" for x in LABELS)
                )
    meta.append("../../../../etc/passwd,10000032,50414267,,PA,64,64,21800506,0,,,")
    meta.append("abcd,10000032,50414267,,PA,64,64,21800506,0,,,")
    write(folder / "mimic-cxr-2.0.0-metadata.csv.gz", meta)
    write(folder / "mimic-cxr-2.0.0-split.csv.gz", split)
    for name, lines in labels.items():
        write(folder / f"mimic-cxr-2.0.0-{name}.csv.gz", lines)
    return folder


def path(row):
    subject, study, image, *_ = ROWS[row]
    return f"files/p{str(subject)[:2]}/p{subject}/s{study}/{image}.jpg"


def test_labels_by_two_programs(tree, curated):
    assert named(None, tree) == ("mimic", mimic)
    found = curated(tree)
    assert found.labels() == {
        path(0): ("normal", ""),
        path(2): ("abnormal", "pneumothorax"),
        path(4): ("abnormal", "pleural_effusion"),
        path(5): ("abnormal", "nodule"),
    }
    assert found.rules == {
        path(1): "view",
        path(3): "view",
        path(6): "diagnosis",
        path(7): "device",
    }
    confidence = [found.rows[path(row)]["label_confidence"] for row in (0, 2, 4, 5)]
    assert confidence == ["1.00", "1.00", "0.25", "0.50"]
    assert found.rows[path(5)]["consolidation"] == "" and found.rows[path(5)]["pneumothorax"] == "0"
    assert found.rows[path(0)]["patient_id"] == found.rows[path(2)]["patient_id"]
    assert (found.report["rows_without_file"], found.report["rows_outside"]) == (1, 1)
    assert found.report["size"] == 64  # of the files, not of the metadata
    agreement = found.report["labels"]["agreement"]["label"]
    # Of seven studies with labels, one is opposed, one in doubt, one without a row.
    assert (agreement["n"], agreement["agreement"]) == (5, pytest.approx(4 / 5))
    assert (found.out / "label_sample.html").is_file()


def test_both_must_say_the_same(tree, curated):
    found = curated(tree, labels="agree")
    assert found.labels() == {path(0): ("normal", ""), path(2): ("abnormal", "pneumothorax")}
    assert (
        found.rows[path(2)]["interstitial_opacity"] == ""
        and found.rules[path(4)] == "label_conflict"
    )
    assert found.rules[path(5)] == "diagnosis"


def test_unpacked_tables_without_negbio(tree, curated):
    for packed in tree.glob("*.csv.gz"):
        (tree / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    (tree / "mimic-cxr-2.0.0-negbio.csv").unlink()
    found = curated(tree)
    assert {row["label_confidence"] for row in found.rows.values()} == {"0.75"} and len(
        found.rows
    ) == 4


def test_age_and_sex_of_mimic_iv(tree, curated):
    people = [
        "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod",
        "10000032,F,52,2180,2014 - 2016,",
    ]
    people += ["10000898,M,79,2188,2011 - 2013,", "10000935,M,20,2185,2011 - 2013,"]
    (tree / "hosp").mkdir()
    write(tree / "hosp/patients.csv.gz", people)
    found = curated(tree)
    seen = {row: (found.rows[path(row)]["age"], found.rows[path(row)]["sex"]) for row in (0, 2, 4)}
    assert seen == {0: ("52", "F"), 2: ("52", "F"), 4: ("71", "M")}
    assert found.rules[path(5)] == "age"  # 15 years in 2180


def test_what_is_missing_or_damaged_is_named(tree, curated):
    table = tree / "mimic-cxr-2.0.0-chexpert.csv.gz"
    content = table.read_bytes()
    table.unlink()
    with pytest.raises(InputError, match=r"no mimic-cxr-2.\*-chexpert.csv\[.gz\]"):
        curated(tree)
    table.write_bytes(content[:-20])
    with pytest.raises(InputError, match="chexpert.csv.gz: is damaged"):
        curated(tree)
    table.write_bytes(content)
    (tree / "files").rename(tree / "elsewhere")
    with pytest.raises(
        InputError,
        match="none of the files that mimic-cxr-2.0.0-metadata.csv.gz names is in files/",
    ):
        curated(tree)


def test_rows_that_contradict_themselves_or_each_other(tree, curated):
    table = tree / "mimic-cxr-2.0.0-chexpert.csv.gz"
    head, *rows = gzip.decompress(table.read_bytes()).decode().splitlines()
    cells = rows[2].split(",")
    cells[2] = "1.0"  # No Finding beside Pneumothorax
    rows[2] = ",".join(cells)
    again = rows[4].split(",")
    write(table, [head, *rows, ",".join([*again[:2], "1.0", *[""] * (len(again) - 3)]), rows[5]])
    found = curated(tree)
    assert found.rules[path(2)] == found.rules[path(4)] == "label_conflict"
    assert path(5) in found.rows

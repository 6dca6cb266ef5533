"""Any folder with a table, by a column map."""

from importlib import resources

import numpy as np
import pytest

from pgcxr.cohort import vocabulary
from pgcxr.errors import InputError
from pgcxr.sources import column_map, named, table

FINDINGS_MAP = """
table = "tables/labels.csv"
images = "pictures"
extension = ".png"
[columns]
file = "Image"
patient = "Person"
age = "Age"
sex = "Sex"
view = "View"
[findings]
normal = ["Healthy"]
nodule = ["Nodule", "Mass"]
pleural_effusion = ["Effusion"]
device = ["Pacemaker"]
[values]
positive = ["1", "yes"]
negative = ["0", "no"]
uncertain = ["?"]
[boxes]
table = "tables/boxes.csv"
file = "Image"
place = ["x", "y", "w", "h"]
frame = 128
"""
LIST_MAP = """
table = "labels.csv"
[columns]
file = "file"
patient = "pid"
[list]
column = "tags"
separator = "|"
[list.meanings]
"Clear" = "normal"
"Fluid" = "pleural_effusion"
"Air" = "pneumothorax"
[boxes]
table = "boxes.csv"
file = "file"
corners = ["x1", "y1", "x2", "y2"]
frame = 0
"""
LABEL_MAP = """
table = "labels.csv"
[columns]
file = "file"
patient = "pid"
label = "class"
[label]
normal = ["0"]
abnormal = ["1", "2"]
"""


@pytest.fixture
def findings_tree(tmp_path, make_picture):
    folder = tmp_path / "set"
    (folder / "tables").mkdir(parents=True)
    (folder / "columns.toml").write_text(FINDINGS_MAP)
    rows = ["Image,Person,Age,Sex,View,Healthy,Nodule,Mass,Effusion,Pacemaker"]
    for index, cells in enumerate(
        (
            "a,p1,40,male,PA,1,0,0,0,0",
            "b,p1,41.0,male,PA,0,?,1,no,0",
            "c,p2,50,female,PA,0,0,?,yes,0",
            "d,p3,50,female,AP,1,0,0,0,0",
            "e,p4,50,,PA,1,0,0,0,1",
            "f,p5,50,,PA,1,1,0,0,0",
            "g,,50,,PA,1,0,0,0,0",
            "h.jpg,p6,50,,PA,1,0,0,0,0",
            "i,p7,50,,PA,0,0,?,0,0",
            "j,p8,50,,PA,1,0,0,0,0",
            "j,p9,50,,PA,0,1,0,0,0",
        )
    ):
        rows.append(cells)
        name = cells.split(",")[0]
        make_picture(
            folder / "pictures" / (name if "." in name else f"{name}.png"),
            40 if name == "j" else index,
        )
    rows += [
        "../../outside,p10,50,,PA,1,0,0,0,0",
        "/etc/passwd,p10,50,,PA,1,0,0,0,0",
        "zz,p10,50,,PA,1,0,0,0,0",
    ]
    (folder / "tables/labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "tables/boxes.csv").write_text("Image,x,y,w,h\nb,0,0,64,32\nb,64,64,64,64\nb,,,,\n")
    make_picture(tmp_path / "outside.png", 77)
    return folder


def test_columns_of_findings(findings_tree, curated):
    assert named(None, findings_tree) == ("table", table)
    found = curated(findings_tree)
    assert found.labels() == {
        "pictures/a.png": ("normal", ""),
        "pictures/b.png": ("abnormal", "nodule"),
        "pictures/c.png": ("abnormal", "pleural_effusion"),
        "pictures/h.jpg": ("normal", ""),
    }
    assert found.rules == {
        f"pictures/{name}.png": rule for name, rule in (("d", "view"), ("e", "device"))
    } | {
        "pictures/f.png": "label_conflict",
        "pictures/g.png": "label_conflict",
        "pictures/i.png": "diagnosis",
        "pictures/j.png": "label_conflict",
    }
    seen = found.rows["pictures/c.png"]
    assert [seen[name] for name in ("nodule", "pleural_effusion", "consolidation")] == ["", "1", ""]
    assert (
        found.rows["pictures/b.png"]["age"],
        seen["sex"],
        found.rows["pictures/h.jpg"]["sex"],
    ) == ("41", "F", "")
    expected = np.zeros((64, 64), np.uint8)
    expected[:16, :32], expected[32:, 32:] = 255, 255
    np.testing.assert_array_equal(found.mask("pictures/b.png"), expected)
    assert (found.report["rows_without_file"], found.report["rows_outside"]) == (1, 2)
    assert "2 rows of the table name files outside the folder" in " ".join(found.report["warnings"])


def test_a_list_of_labels_and_boxes_in_pixels(tmp_path, make_picture, curated):
    folder = tmp_path / "set"
    for index, name in enumerate("abcd"):
        make_picture(folder / f"{name}.jpg", index)
    (folder / "labels.csv").write_text(
        "file,pid,tags\na.jpg,1,Clear\nb.jpg,2,Fluid|Scar\nc.jpg,3,Scar\nd.jpg,4,Clear|Air\n"
    )
    (folder / "boxes.csv").write_text("file,x1,y1,x2,y2\nb.jpg,8,16,24,64\n")
    own = tmp_path / "own.toml"
    own.write_text(LIST_MAP)
    found = curated(folder, source="table", columns=own)
    assert found.labels() == {
        "a.jpg": ("normal", ""),
        "b.jpg": ("abnormal", "pleural_effusion"),
        "c.jpg": ("abnormal", ""),
    }
    assert found.rules == {"d.jpg": "label_conflict"}
    scar = found.rows["c.jpg"]
    assert (scar["pneumothorax"], scar["pleural_effusion"], scar["nodule"]) == ("0", "0", "")
    expected = np.zeros((64, 64), np.uint8)
    expected[16:, 8:24] = 255
    np.testing.assert_array_equal(found.mask("b.jpg"), expected)


def test_a_column_with_the_label(tmp_path, make_picture, curated):
    folder = tmp_path / "set"
    for index, name in enumerate("abc"):
        make_picture(folder / f"{name}.png", index)
    (folder / "labels.csv").write_text("file,pid,class\na.png,1,0\nb.png,2,2\nc.png,3,9\n")
    (folder / "columns.toml").write_text(LABEL_MAP)
    found = curated(folder)
    assert found.labels() == {
        "a.png": ("normal", ""),
        "b.png": ("abnormal", ""),
    } and found.rules == {"c.png": "diagnosis"}
    assert found.rows["b.png"]["nodule"] == "" and found.rows["a.png"]["nodule"] == "0"


def test_dicom_files_with_codes_and_reports(tmp_path, make_dicom, chest, curated):
    folder = tmp_path / "set"
    for index, name in enumerate(("x1", "x2", "x3")):
        make_dicom(
            folder / "dcm" / name, chest(index), Manufacturer="SIEMENS" if name == "x3" else "GE"
        )
    lines = [
        "file,pid,icd,text",
        "x1,1,Z00.0,Lungs are clear.",
        "x2,2,R91.1;J90,A nodule.",
        "x3,3,Z00.0,Clear lungs.",
    ]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "columns.toml").write_text(
        'table = "labels.csv"\nimages = "dcm"\ndicom = true\n'
        '[columns]\nfile = "file"\npatient = "pid"\ncodes = "icd"\nreport = "text"\n'
    )
    found = curated(folder)
    assert found.labels() == {
        "dcm/x1": ("normal", ""),
        "dcm/x2": ("abnormal", "nodule;pleural_effusion"),
    }
    assert found.rules == {"dcm/x3": "manufacturer"} and found.rows["dcm/x1"]["age"] == "45"
    assert found.report["labels"]["agreement"]["label"]["n"] == 3
    assert curated(folder, "agree", labels="agree").rows["dcm/x2"]["pleural_effusion"] == ""


def test_the_example_is_a_column_map():
    with resources.as_file(resources.files("pgcxr.sources").joinpath(column_map.NAME)) as path:
        loaded = column_map.load(path)
    assert (
        loaded.boxes["corners"]
        and loaded.label["abnormal"] == "abnormal"
        and loaded.listed == ("labels", "|")
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('patient = "Person"\n', ""), "[columns] patient is missing"),
        (lambda text: text.replace('table = "tables/labels.csv"\n', ""), "table is missing"),
        (
            lambda text: text.replace("[findings]", "[finding]"),
            "unknown key finding; did you mean findings?",
        ),
        (lambda text: text.replace("nodule =", "cold ="), "unknown key cold"),
        (lambda text: text.replace('view = "View"', 'position = "View"'), "unknown key position"),
        (lambda text: text.replace("frame = 128", 'frame = "x"'), "frame must be 0"),
        (lambda text: text.replace('["x", "y", "w", "h"]', '["x"]'), "needs corners or place"),
        (
            lambda text: text.replace('"tables/labels.csv"', '"../labels.csv"'),
            "leads out of the folder",
        ),
        (lambda text: text.replace('"View"', '"Projection"'), "no column Projection"),
        (lambda text: text.replace('"tables/labels.csv"', '"absent.csv"'), "no such file"),
        (lambda text: text.split("[findings]")[0], "nothing says what is normal"),
        (lambda text: text.replace("[columns]", "[columns"), "is not TOML"),
    ],
)
def test_bad_maps_are_one_line(findings_tree, curated, change, said):
    (findings_tree / "columns.toml").write_text(change(FINDINGS_MAP))
    with pytest.raises(InputError) as error:
        curated(findings_tree)
    assert said in str(error.value) and "\n" not in str(error.value)


MIXED_MAP = """
table = "labels.csv"
extension = [".png", "jpg", ".dcm"]
dicom = true
[columns]
file = "File"
patient = "pid"
view = "Projection"
modality = "Kind"
sex = "Sex"
[constants]
label = "normal"
manufacturer = "GE"
[view]
PA = ["front"]
[sex]
F = ["w"]
"""


def test_headers_that_contradict_the_table(tmp_path, make_dicom, chest, curated):
    """Age, view and sex by the rules; a maker by a warning; words for the same are none."""
    folder = tmp_path / "set"
    rows = {  # cells of the table, and tags of the file
        "same": ("50", "PA", "F", "GE", {}),
        "near": ("52", "PA", "F", "GE", {}),
        "silent": ("50", "PA", "", "GE", {}),
        "age": ("70", "PA", "F", "GE", {}),
        "old": ("90+", "PA", "F", "GE", {"PatientAge": "095Y"}),
        "view": ("50", "PA", "F", "GE", {"ViewPosition": "LL"}),
        "sex": ("50", "PA", "M", "GE", {}),
        "maker": ("50", "PA", "F", "GE", {"Manufacturer": "SIEMENS"}),
    }
    lines = ["file,pid,age,view,sex,maker"]
    for index, (name, (*cells, tags)) in enumerate(rows.items()):
        make_dicom(folder / name, chest(index), **{"PatientAge": "050Y", "PatientSex": "F"} | tags)
        lines.append(",".join((name, str(index), *cells)))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    text = 'table = "labels.csv"\ndicom = true\n[constants]\nlabel = "normal"\nmodality = "DX"\n'
    text += '[columns]\nfile = "file"\npatient = "pid"\n'
    text += 'age = "age"\nview = "view"\nsex = "sex"\n'
    (folder / "columns.toml").write_text(text + 'manufacturer = "maker"\n')
    found = curated(folder)
    assert found.labels().keys() == {"same", "near", "silent", "old", "maker"}
    assert found.rules == {"age": "age", "view": "view", "sex": "label_conflict"}
    warned = found.report["warnings"]
    assert any("1 of 8 DICOM files have another manufacturer" in warning for warning in warned)


def test_files_of_several_kinds_and_names(tmp_path, make_picture, make_dicom, chest, curated):
    """PNG, JPEG and DICOM beside each other, endings that the table leaves out or has otherwise,
    dots in names, accents as a Mac writes them, words for views and modalities."""
    folder = tmp_path / "set"
    pictures = (
        "1.2.840.5.png",
        "b.jpg",
        "C.PNG",
        "e.png",
        "f.jpg",
        "f.png",
        "ge\u0301.png",
        "h.png",
    )
    for index, name in enumerate(pictures):
        make_picture(folder / name, index)
    make_dicom(folder / "1.2.840.6.dcm", chest(20), PatientSex="")
    make_dicom(folder / "1.2.840.7", chest(21), PatientAge="010Y")
    lines = [
        "file,PID,projection,kind,sex",
        "1.2.840.5,1,AP/PA: front,x,w",
        "1.2.840.5,1,AP/PA: front,x,w",
        "b,2,PA: upright,Chest X-Ray,W",
        "c.png,3,AP erect,CXR,m",
        "1.2.840.6,4,FRONT,dx,W",
        "1.2.840.7,5,,,",
        "e.tif,6,pa,DR,",
        "f,7,pa,DR,",
        "g\u00e9.jpg,8,Front ,Digital Radiography,",
        "h,9,PA and lateral,DX,",
    ]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "columns.toml").write_text(MIXED_MAP)
    found = curated(folder)
    assert found.labels() == dict.fromkeys(
        ("b.jpg", "1.2.840.6.dcm", "ge\u0301.png"), ("normal", "")
    )
    assert found.rules == {
        "1.2.840.5.png": "modality",
        "C.PNG": "view",
        "1.2.840.7": "age",
        "e.png": "diagnosis",  # no row names it
        "f.jpg": "diagnosis",
        "f.png": "label_conflict",
        "h.png": "view",
    }
    assert found.rows["b.jpg"]["sex"] == found.rows["1.2.840.6.dcm"]["sex"] == "F"
    assert found.rows["b.jpg"]["missing_tags"] == "" and found.report["rows_without_file"] == 1
    (folder / "columns.toml").write_text(MIXED_MAP.replace("dicom = true", ""))
    warned = curated(folder, "undecided").report["warnings"]
    assert any("2 files are DICOM" in warning for warning in warned)


def test_cells_that_are_not_understood_never_leave_an_image_normal(tmp_path, make_picture, curated):
    folder = tmp_path / "set"
    rows = {
        "a": "1,0,no",
        "b": " 1.0 ,0.00,NO",
        "c": "1,Y,no",
        "d": "1,3,no",
        "e": "0,1,?",
        "f": "1,1,no",
        "g": "1,n/a,no",
    }
    for index, name in enumerate(rows):
        make_picture(folder / f"{name}.png", index)
    lines = ["File,Person,Healthy,Nodule,Effusion"]
    lines += [f"{name}.png,{name},{cells}" for name, cells in rows.items()]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "columns.toml").write_text(
        'table = "labels.csv"\n[columns]\nfile = "File"\npatient = "Person"\n[findings]\n'
        'normal = ["Healthy"]\nnodule = ["Nodule"]\npleural_effusion = ["Effusion"]\n'
        '[values]\npositive = ["1", "yes"]\nnegative = ["0", "no"]\nnot_mentioned = ["N/A"]\n'
    )
    found = curated(folder)
    normal = ("normal", "")
    assert found.labels() == {
        **dict.fromkeys(("a.png", "b.png", "g.png"), normal),
        "e.png": ("abnormal", "nodule"),
    }
    assert found.rows["e.png"]["pleural_effusion"] == ""
    assert found.rules == {"c.png": "diagnosis", "d.png": "diagnosis", "f.png": "label_conflict"}


def test_a_label_and_findings_that_contradict_each_other(tmp_path, make_picture, curated):
    folder = tmp_path / "set"
    cells = ("NORMAL,clear,I10", "normal,Fluid,", "Abnormal,CLEAR,", "abnormal,fluid,J90", "2.0,,")
    cells += ("normal,clear,J90", "normal,Clear;Air,")
    for index, name in enumerate("abcdefg"):
        make_picture(folder / f"{name}.png", index)
    rows = [f"{at}.png,{at},{said}" for at, said in zip("abcdefg", cells, strict=True)]
    (folder / "labels.csv").write_text("\n".join(["file,pid,class,tags,icd", *rows]) + "\n")
    labels = LABEL_MAP.replace("[label]", 'codes = "icd"\n[label]')
    labels = labels.replace('["0"]', '["normal"]').replace('["1", "2"]', '["abnormal", "2"]')
    (folder / "columns.toml").write_text(
        labels + LIST_MAP[LIST_MAP.index("[list]") :].split("[boxes]")[0]
    )
    found = curated(folder)
    assert found.labels() == {
        "a.png": ("normal", ""),
        "d.png": ("abnormal", "pleural_effusion"),
        "e.png": ("abnormal", ""),
    }
    assert found.rules == {
        **dict.fromkeys(("b.png", "c.png", "f.png"), "label_conflict"),
        "g.png": "diagnosis",
    }


def test_views_modalities_and_patients_as_people_write_them():
    words = ("P.A.", "PA: upright", "chest pa", "Thorax p.a.", "postero-anterior", "pa_erect")
    assert {vocabulary.shown_view(word) for word in words} == {"PA"}
    words = ("AP erect", "AP SUPINE", "a/p portable")
    assert {vocabulary.shown_view(word) for word in words} == {"AP"}
    words = ("PA and lateral", "AP/PA", "front", "apical")
    assert {vocabulary.shown_view(word) for word in words} == {"other"}
    words = ("chest x-ray", "X RAY", "CXR PA", "XR chest 2 views", "Digital Radiography", "dr")
    assert {column_map.modality(word) for word in words} == {"DX"}
    assert column_map.modality("Computed radiograph") == column_map.modality("cr") == "CR"
    words = ("CT", "X-ray angiography", "dual energy x-ray absorptiometry", "MRI", "")
    assert not {"DX", "CR"} & {column_map.modality(word) for word in words}
    assert vocabulary.same_patient("0") == "0" != vocabulary.same_patient("0000") == ""


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('[constants]\nage = "40"', "age stands in .columns. and in .constants."),
        ('[constants]\nlabel = "sick"', "label must be normal or abnormal"),
        ('[constants]\nfile = "a"', "unknown key file"),
        ('[view]\nfront = ["x"]', "unknown key front"),
        ('[view]\nPA = ["x"]\nAP = ["X "]', "stands for two things"),
        ('[sex]\nmale = ["x"]', "unknown key male"),
    ],
)
def test_bad_words_and_constants(findings_tree, curated, added, said):
    (findings_tree / "columns.toml").write_text(f"{FINDINGS_MAP}\n{added}\n")
    with pytest.raises(InputError, match=said):
        curated(findings_tree)


def test_ages_as_tables_write_them(tmp_path, make_picture, curated):
    folder = tmp_path / "set"
    written = ("65,0", "65 Jahre", "90+", "about 60", "n/a", "20075")
    rows = [f'{i}.png,p{i},"{age}",{i % 2}' for i, age in enumerate(written)]
    for index in range(len(written)):
        make_picture(folder / f"{index}.png", index)
    (folder / "labels.csv").write_text("file,pid,age,class\n" + "\n".join(rows) + "\n")
    (folder / "columns.toml").write_text(LABEL_MAP.replace("label =", 'age = "age"\nlabel ='))
    found, _ = table.scans(folder, lambda function, paths: map(function, paths))
    assert [scan.age for scan in found] == [65, 65, 90, None, None, None]
    assert [scan.unread_age for scan in found] == [False] * 3 + [True, False, True]
    assert set(curated(folder).rules.values()) == {"age"}
    details = (tmp_path / "cohort" / "excluded.csv").read_text()
    assert details.count("age,the table's cannot be read") == 2
    assert details.count("age,unknown") == 1

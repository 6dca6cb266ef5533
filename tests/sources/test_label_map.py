"""The readable table of what public sets' labels stand for, and the tables that come with
images."""

import gzip
import tomllib
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgcxr.cohort.findings import FINDINGS
from pgcxr.cohort.image_files import image_size
from pgcxr.errors import InputError
from pgcxr.sources import label_map, tables
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN
from tests.sources import test_chexpert, test_vindr

SETS = tomllib.loads(
    resources.files("pgcxr.sources").joinpath("labels.toml").read_text(encoding="utf-8")
)


def test_every_label_has_a_meaning():
    for name, labels in SETS.items():
        assert set(labels.values()) <= set(label_map.MEANINGS) and "normal" in labels.values(), name
    assert set(SETS["chexpert"]) == set(test_chexpert.LABELS)
    assert set(SETS["vindr"]) == {*test_vindr.LABELS, "Other disease"}
    assert label_map.not_covered(SETS["vindr"]) == label_map.not_covered(SETS["chexpert"]) == ()
    assert label_map.not_covered(SETS["rsna"]) == tuple(
        name for name in FINDINGS if name != "consolidation"
    )


def test_the_strongest_of_labels_that_stand_for_the_same():
    meanings = SETS["chexpert"]
    said = label_map.opinion(
        "x", {"Pneumonia": UNCERTAIN, "Consolidation": NEGATIVE, "Lung Opacity": NEGATIVE}, meanings
    )
    assert said.statuses == {"consolidation": UNCERTAIN} and said.label == "uncertain"
    said = label_map.opinion("x", {"Pneumonia": UNCERTAIN, "Consolidation": POSITIVE}, meanings)
    assert said.statuses == {"consolidation": POSITIVE} and said.label == "abnormal"
    assert (
        label_map.opinion(
            "x", {"No Finding": POSITIVE, "Support Devices": POSITIVE}, meanings
        ).label
        == "normal"
    )
    assert label_map.opinion("x", {"No Finding": NEGATIVE}, meanings).label == ""
    assert label_map.contradicts({"No Finding": POSITIVE, "Fracture": POSITIVE}, meanings)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a\0b", "..\\..\\x"])
def test_names_that_lead_out(name):
    assert tables.inside(Path("/data"), name) is None


def test_names_inside():
    assert (
        tables.inside(Path("/data"), "a/b.png")
        == tables.inside(Path("/data"), "a\\b.png")
        == Path("/data/a/b.png")
    )


def test_columns_are_read_one_row_at_a_time(tmp_path):
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8-sig") as file:
        file.write('a,b,c\n1,"x,\ny",3\n\n4,,\n')
    assert list(tables.columns(path, ("c", "a"), ("absent",))) == [("3", "1", ""), ("", "4", "")]
    assert tables.header(path) == ("a", "b", "c") and tables.header(tmp_path / "none.csv") == ()
    with pytest.raises(InputError, match="no column d"):
        list(tables.columns(path, ("d",)))


def test_sizes_of_pictures(tmp_path):
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((30, 50), np.uint8))
        assert image_size(tmp_path / name) == (30, 50)
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    assert image_size(tmp_path / "c.png") == image_size(tmp_path / "absent.png") == (0, 0)

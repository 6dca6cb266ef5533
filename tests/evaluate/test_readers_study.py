"""A study's folder: its kinds, cases, orders and images."""

import stat
from dataclasses import replace

import cv2
import numpy as np
import pytest

from evaluate.readers import study
from evaluate.readers.kinds import ANOMALY, KINDS, TURING
from evaluate.readers.making import _Writer
from pgcxr.errors import ArgumentError, InputError
from tests.evaluate.toy_readers import GOOD, toy_study


@pytest.mark.parametrize("kind", KINDS)
def test_answers_of_each_kind_are_checked(kind):
    checked = KINDS[kind].check(GOOD[kind])
    assert checked == GOOD[kind]
    first = KINDS[kind].questions[0].name
    for wrong in (None, [], {}, {first: "nothing"}, {first: True}, {**GOOD[kind], "more": 1}):
        with pytest.raises(ArgumentError):
            KINDS[kind].check(wrong)


@pytest.mark.parametrize(
    "changes",
    [
        {"marks": []},
        {"detected": "no"},
        {"marks": [{"x": 1.5, "y": 0, "confidence": 1}]},
        {"marks": [{"x": float("nan"), "y": 0, "confidence": 1}]},
        {"marks": [{"x": 0.5, "y": 0.5, "confidence": 9}]},
        {"marks": [{"x": 0.5, "y": 0.5, "confidence": 1}] * 21},
        {"marks": "here"},
    ],
)
def test_where_goes_with_yes(changes):
    with pytest.raises(ArgumentError, match="marks"):
        KINDS[ANOMALY].check(GOOD[ANOMALY] | changes)


def test_orders_are_by_reader_and_repeats_come_late(tmp_path):
    made = toy_study(tmp_path / "s", TURING, cases=20, training=3, repeats=6)
    orders = {name: [case.name for case in made.order(name)] for name in ("a", "b")}
    assert orders["a"] != orders["b"] and orders["a"] == [case.name for case in made.order("a")]
    for order in orders.values():
        assert order[:3] == ["c0001", "c0002", "c0003"] and len(order) == 29
        counted = order[3:]
        twice = [name for name in counted if counted.count(name) == 2]
        assert len(set(twice)) == 6 and set(counted) == {f"c{n:04d}" for n in range(4, 24)}
        for name in set(twice):
            first = counted.index(name)
            again = counted.index(name, first + 1)
            between = {each for each in counted[first + 1 : again]}
            assert len(between) >= 9, "half of the cases lie between"
    assert replace(made, seed=8).order("a") != made.order("a")


def test_a_study_is_read_as_it_was_written(tmp_path):
    made = toy_study(tmp_path / "s", ANOMALY, 4, 1)
    assert study.load(tmp_path / "s") == made


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("study.toml", "title = [", "TOML"),
        ("study.toml", 'title = "a"', "kind must be a str"),
        ("study.toml", 'title = "a"\nkind = "quiz"\nseed = 1\nrepeats = 0', "kind is one of"),
        ("study.toml", 'title = "a"\nkind = "turing"\nseed = 1\nrepeats = 4', "do not go with"),
        ("cases.json", "[{}]", "missing or damaged"),
        ("cases.json", "nothing", "missing or damaged"),
        (
            "cases.json",
            '[{"name": "c1", "images": {"image": "../cases.json"}, "truth": {}}]',
            "image of case c1",
        ),
    ],
)
def test_damaged_studies_get_a_line(tmp_path, file, text, said):
    toy_study(tmp_path / "s")
    (tmp_path / "s" / file).write_text(text)
    if file == "cases.json":
        toml = tmp_path / "s" / "study.toml"
        toml.write_text(toml.read_text().replace("repeats = 2", "repeats = 0"))
    with pytest.raises(InputError, match=said):
        study.load(tmp_path / "s")


def test_other_folders_are_no_studies(tmp_path):
    with pytest.raises(InputError, match="is no reader study"):
        study.load(tmp_path)


def test_images_of_a_study_hold_pixels_alone(tmp_path):
    writer = _Writer(tmp_path)
    name = writer.image(np.arange(64, dtype=np.uint8).reshape(8, 8, 1))
    content = (tmp_path / "images" / name).read_bytes()
    assert content[12:16] == b"IHDR" and b"tEXt" not in content and b"eXIf" not in content
    assert writer.lesions(np.zeros((8, 8))) == ""
    two = np.zeros((8, 8))
    two[1, 1] = two[6, 6] = 1
    numbered = cv2.imread(str(tmp_path / "truth" / writer.lesions(two)), cv2.IMREAD_UNCHANGED)
    assert sorted(np.unique(numbered)) == [0, 1, 2]
    assert stat.S_ISREG((tmp_path / "images" / name).stat().st_mode)

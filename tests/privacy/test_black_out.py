"""Regions and found text become black, and do not count for the normalization."""

import csv
import json

import cv2
import numpy as np
import pytest

from pgcxr import dicom
from pgcxr.dicom import pixel_data
from pgcxr.errors import InputError
from pgcxr.privacy import black_out
from pgcxr.privacy.black_out import BlackOut, parse
from tests.curation.curating import curate
from tests.dicom_files import stamped


def test_a_region_is_black_and_not_counted(make_dicom, chest, tmp_path):
    pixels = chest(1, 100)  # 100 x 108
    pixels[:10, :27] = 4095
    path = make_dicom(tmp_path / "a", pixels)
    image = dicom.decode(path, black_out=BlackOut((parse("0,0,0.25,0.1"),)))
    rest = np.ones(pixels.shape, bool)
    rest[:10, :27] = False
    counted = pixels[rest].astype(np.float64)
    low, high = counted.min(), np.percentile(counted, 99)
    expected = np.rint((np.clip(pixels, low, high) - low) * 255 / (high - low))
    assert not image[~rest].any()
    np.testing.assert_array_equal(image[rest], expected[rest])
    assert (
        np.abs(dicom.decode(path)[rest].astype(int) - image[rest]).max() > 3
    )  # the letters would have counted


def test_every_pixel_that_a_region_touches():
    codes = np.full((10, 10), 7, np.uint8)

    def shown(text):
        table = np.full(256, 9, np.uint8)
        return (BlackOut((parse(text),)).look_up(codes, lambda counts: table) == 0).nonzero()

    for text, rows, columns in (
        ("0,0,1,0.3", 3, 10),
        ("0,0,0.31,0.3", 3, 4),
        ("0.9,0.9,0.1,0.1", 1, 1),
    ):
        y, x = shown(text)
        assert (len(set(y)), len(set(x))) == (rows, columns)


def test_regions_of_one_maker():
    region = parse("GE: 0,0,1,0.1")
    assert region.applies("GE Healthcare") and region.applies('"GE MEDICAL SYSTEMS"')
    assert (
        not region.applies("GERMAN X-RAY")
        and not region.applies("")
        and not region.applies("SIEMENS")
    )
    assert parse("0,0,1,1").applies("anything") and str(region) == "GE: 0,0,1,0.1"


@pytest.mark.parametrize(
    "text", ["", "0,0,1", "0,0,2,1", "-0.1,0,1,1", "0,0,0,1", "a,b,c,d", "0.5,0,0.6,1", "nan,0,1,1"]
)
def test_what_is_no_region(text):
    with pytest.raises(InputError, match="^black_out: needs x,y,w,h"):
        parse(text)


def test_found_text_is_black(chest):
    image = cv2.resize((chest(3, 64) >> 5).astype(np.uint8), (512, 512))
    cv2.putText(image, "DOE JANE", (350, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 250, 1, cv2.LINE_AA)
    found = []

    def table(counts):
        found.append(counts)
        return np.arange(256, dtype=np.uint8)

    result = BlackOut(text=True).look_up(image, table)
    assert not result[18:31, 352:445].any() and result[100:].any()
    assert found[-1].sum() < image.size  # what is hidden isn't counted


def test_images_with_text_are_excluded_where_the_rules_say_so(make_export, chest, tmp_path):
    page = cv2.resize(chest(3, 64), (512, 512))
    page = stamped(page, "DOE JANE", (350, 30))
    rows = [
        {"codes": "J90" if i % 2 else "Z00.0", "pixels": cv2.resize(chest(i, 64), (512, 512))}
        for i in range(4)
    ]
    export = make_export([*rows, {"pixels": page}])
    rules = tmp_path / "rules.toml"
    rules.write_text('[black_out]\nfound_text = "exclude"\n')
    options = {"processes": 0, "key_file": tmp_path / "key", "show_progress": False, "size": 64}
    report = curate(export, tmp_path / "cohort", rules_file=rules, **options)
    assert report["excluded"] == {"burned_in_text": 1} and report["images"] == 4
    kept = curate(export, tmp_path / "kept", **options)
    said = [warning for warning in kept["warnings"] if "(black_out_text)" in warning]
    assert len(said) == 1 and said[0].startswith("1 images keep what looks like text")
    with open(tmp_path / "kept" / "manifest.csv") as file:
        assert sum("burned_in_text" in row["image_flags"] for row in csv.DictReader(file)) == 1
    assert not any("(black_out_text)" in warning for warning in report["warnings"])
    report = curate(export, tmp_path / "black", rules_file=rules, black_out_text=True, **options)
    assert report["images"] == 5


def test_curate_blacks_out_by_option_and_by_rules(make_export, tmp_path):
    export = make_export(
        [{"codes": "J90" if i % 2 else "Z00.0", "Manufacturer": "GE"} for i in range(6)]
    )
    rules = tmp_path / "rules.toml"
    rules.write_text('[black_out]\nregions = ["GE: 0,0,1,0.25", "Siemens: 0,0,1,1"]\n')
    options = {
        "processes": 0,
        "key_file": tmp_path / "key",
        "show_progress": False,
        "size": 32,
        "fit": "crop",
    }
    curate(
        export, tmp_path / "cohort", rules_file=rules, black_out=["0.5,0.75,0.5,0.25"], **options
    )
    report = json.loads((tmp_path / "cohort" / "report.json").read_text())
    assert report["black_out"]["regions"] == [
        "0.5,0.75,0.5,0.25",
        "GE: 0,0,1,0.25",
        "Siemens: 0,0,1,1",
    ]
    with open(tmp_path / "cohort" / "manifest.csv") as file:
        for row in csv.DictReader(file):
            image = cv2.imread(str(tmp_path / "cohort" / row["png"]), cv2.IMREAD_UNCHANGED)
            assert not image[:8].any() and not image[24:, 16:].any() and image[8:24].any()
    rules.write_text('[black_out]\nregions = ["1,2"]\n')
    with pytest.raises(InputError, match=r"black_out\] regions 1,2: needs x,y,w,h"):
        curate(export, tmp_path / "second", rules_file=rules, **options)


def test_nothing_to_hide_changes_nothing(chest):
    codes = chest(1)
    table = np.arange(1 << 16, dtype=np.uint16)
    np.testing.assert_array_equal(
        BlackOut().look_up(codes, lambda counts: table), pixel_data.look_up(table, codes)
    )
    assert black_out.BlackOut().described() == {"regions": [], "text": False, "no_text": False}

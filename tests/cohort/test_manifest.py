"""What a manifest and its images may hold: anything else is one line that names file, row and
cell."""

import cv2
import numpy as np
import pandas as pd
import pytest

from pgcxr.cohort import image_files
from pgcxr.cohort import manifest as cohorts
from pgcxr.errors import InputError
from tests.toy_cohort import spots, write_cohort


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "cohort", *spots(6, 16, seed=1))


def _refused(call, *arguments) -> str:
    with pytest.raises(InputError) as raised:
        call(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("label", "sick", "expected normal or abnormal"),
        ("split", "Train", "expected train or val or test"),
        ("nodule", "2", "expected 0 or 1 or empty"),
        ("nodule", "yes", "expected 0 or 1 or empty"),
        ("png", "/etc/hostname", "must be a path inside the cohort"),
        ("png", "../../x.png", "must be a path inside the cohort"),
        ("png", "", "must not be empty"),
        ("mask", "../x.png", "must be a path inside the cohort"),
        ("image_id", "toy0001", "occurs twice"),
    ],
)
def test_a_wrong_cell_is_named(folder, tmp_path, column, value, said):
    rows = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False).assign(mask="")
    rows.loc[3, column] = value
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    line = _refused(cohorts.load, tmp_path)
    name = value if column == "image_id" else "toy0003"
    assert line.startswith(
        f"{tmp_path / 'manifest.csv'}: row 4 (image_id {name}): {column} is {value!r}; {said}"
    )


@pytest.mark.parametrize("change", [lambda line: line.rpartition(",")[0], lambda line: line + ",1"])
def test_a_row_of_another_length_is_named(folder, tmp_path, change):
    lines = (folder / "manifest.csv").read_text().splitlines()
    lines[5] = change(lines[5])
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    assert "row 5 (image_id toy0004): has" in _refused(cohorts.load, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x00", b"a,a\n1,2\n", b"\n\n"])
def test_what_is_no_table_is_one_line(tmp_path, content):
    (tmp_path / "manifest.csv").write_bytes(content)
    assert "is not a CSV table" in _refused(cohorts.load, tmp_path) or content == b"\x00"


def test_wrong_images_are_one_line_and_opencv_says_nothing(tmp_path, capfd):
    path = tmp_path / "a.png"
    assert "no such file" in _refused(image_files.read_png, path)
    assert "is a folder" in _refused(image_files.read_png, tmp_path)
    good = cv2.imencode(".png", np.zeros((16, 16), np.uint8))[1].tobytes()
    for content in (
        b"",
        b"GIF89a",
        good[:40],
        good[:30] + b"IEND\0\0\0\0",
        good[:20] + bytes(30) + good[50:],
    ):
        path.write_bytes(content)
        assert "damaged or not a PNG" in _refused(image_files.read_png, path)
    for shape, said in (
        ((16, 24), "24 x 16 pixels, not square"),
        ((8, 8), "smaller than the 16 px"),
    ):
        cv2.imwrite(str(path), np.zeros(shape, np.uint8))
        assert said in _refused(image_files.check_images, [path], 16)
        assert said in _refused(image_files.load_images, [path], 16)
    assert capfd.readouterr() == ("", "")


def test_a_split_or_label_that_there_is_not_is_no_empty_cohort(folder):
    cohort = cohorts.load(folder)
    assert _refused(lambda: cohort.select(split="tset")) == (
        "split: is none; did you mean test? Received: split=tset"
    )
    assert "did you mean normal?" in _refused(lambda: cohort.select(label="norml"))

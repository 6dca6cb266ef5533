"""What is scored, refused and flagged, and what is written of it."""

import csv
import hashlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pgcxr import dicom
from pgcxr.cli import app as cli
from pgcxr.cli import command
from pgcxr.errors import ArgumentError, InputError
from pgcxr.screening import checking, pictures
from pgcxr.screening.asked import refuse_places
from pgcxr.screening.checking import Job, check
from pgcxr.screening.options import ScreeningOptions
from pgcxr.screening.screen import screen
from tests.dicom_files import stamped
from tests.screening.conftest import SIDE, SIZE, deep, picture, read

HIP = np.uint8(127 + 127 * np.cos(np.indices((SIDE, SIDE))[1] / 5))


def teeth() -> np.ndarray:
    """Two bright rows on a dark ground; of chests, most like one whose bones are black."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    rows = (np.abs(y - 0.5) > 0.05) & (np.abs(y - 0.5) < 0.2)
    bright = rows * (0.6 + 0.4 * np.cos(16 * np.pi * x)) * (1 - 0.5 * (2 * x - 1) ** 2)
    bright = cv2.GaussianBlur(bright.astype(np.float32), (0, 0), 3)
    return np.uint8(255 * (bright - bright.min()) / np.ptp(bright))


def id_of(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def with_lesion(seed: int) -> np.ndarray:
    image = picture(seed)
    image[54:62, 30:38] = np.clip(image[54:62, 30:38].astype(int) + 60, 0, 255)
    return image


def rows_of(out) -> dict[str, dict]:
    with open(out / "results.csv", newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("pixels", "tags", "refused"),
    [
        (picture(500), {}, ""),
        (255 - picture(500), {"PhotometricInterpretation": "MONOCHROME1"}, ""),
        (picture(500), {"PhotometricInterpretation": "MONOCHROME1"}, "inverted: bones black"),
        (picture(500), {"PatientAge": "006Y"}, "age: under 19"),
        (picture(500), {"ViewPosition": "LL"}, "view: LATERAL, not PA"),
        (picture(500), {"ViewPosition": "AP"}, "view: AP, not PA"),
        (picture(500, view=1), {}, "mislabelled_view: called PA, looks lateral"),
        (picture(500, view=1), {"ViewPosition": None}, "mislabelled_view"),
        (np.rot90(picture(500)), {}, "rotated: by"),
        (HIP, {}, "cropped: "),
        (teeth(), {}, "cropped: hardly like a chest; if it is one, inverted: bones black"),
        (picture(500), {"BodyPartExamined": "HIP"}, "body_part: another part"),
        (picture(500), {"Modality": "OT"}, "modality: another"),
        (picture(500), {"PresentationIntentType": "FOR PROCESSING"}, "for_processing: raw"),
        (np.zeros((SIDE, SIDE), np.uint8), {}, "blank"),
        (picture(500)[::4, ::4], {}, "too_small: smaller than 64 px"),
        (np.stack([picture(500)] * 2), {"NumberOfFrames": 2}, "multi_frame"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_of_the_models_kind_is_refused(
    tmp_path, loaded, make_dicom, pixels, tags, refused
):
    pixels = np.ascontiguousarray(pixels)
    found = check(Job(make_dicom(tmp_path / "IM1", deep(pixels), **tags), loaded.preparation))
    assert found.refused.startswith(refused) and bool(found.refused) == bool(refused)
    if not refused:
        assert found.squares[SIZE].shape == (SIZE, SIZE) and found.display.shape == (512, 512)
        assert np.abs(found.squares[SIZE].astype(int) - read(picture(500))).max() <= 1
        assert found.flags == ()


@pytest.mark.parametrize(
    ("tags", "flags"),
    [
        ({"Manufacturer": "Philips"}, ("manufacturer: Philips, not GE",)),
        ({"BurnedInAnnotation": "YES"}, ("burned_in_annotation: the header says so",)),
        ({"PatientOrientation": ["R", "F"]}, ("view: mirrored, as the header says",)),
        (
            {"ViewCodeSequence": None, "SeriesDescription": "Chest lateral"},
            ("view: a description in the header names another",),
        ),
        ({"ViewPosition": None, "PatientAge": None}, ()),
    ],
)
def test_a_doubt_is_a_flag_and_what_the_header_does_not_say_a_note(
    tmp_path, loaded, make_dicom, tags, flags
):
    found = check(Job(make_dicom(tmp_path / "IM1", deep(picture(1)), **tags), loaded.preparation))
    assert (found.refused, found.flags) == ("", flags)
    silent = "ViewPosition" in tags
    assert found.notes == (("the header does not say: age, view",) if silent else ())


def test_text_in_the_pixels_is_a_flag_and_is_not_shown(tmp_path, loaded, make_dicom):
    image = stamped(deep(picture(1, side=600)), "SMITH JOHN 1950-01-01", (20, 40))
    found = check(Job(make_dicom(tmp_path / "IM1", image), loaded.preparation))
    assert len(found.flags) == 1 and found.flags[0].startswith("burned_in_text: what looks like")
    plain = check(Job(make_dicom(tmp_path / "IM2", deep(picture(1, side=600))), loaded.preparation))
    where = (slice(23, 34), slice(20, 230))
    assert found.display[where].max() < 10 < plain.display[where].mean()
    # Nor is it scored, or in the difference, which is drawn of what is scored.
    side = slice(23 * SIZE // 512 + 1, 34 * SIZE // 512), slice(2, 20)
    assert found.squares[SIZE][side].max() < 10 < plain.squares[SIZE][side].mean()


def test_what_is_shown_coarse_has_no_finer_difference():
    letters = np.zeros((256, 256), np.float32)
    letters[::2] = 1.0
    shown = {
        finest: pictures.drawn(
            np.full((512, 512), 100, np.uint8),
            *(np.zeros((256, 256)), letters, np.zeros((8, 8)), 0.5, finest),
        )["difference.png"]
        for finest in (0, 64)
    }
    fine, coarse = (
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).astype(int)
        for content in shown.values()
    )
    assert np.abs(np.diff(fine, axis=0)).mean() > 10 > 1 > np.abs(np.diff(coarse, axis=0)).mean()


def test_a_header_of_two_ages_may_be_a_childs(tmp_path, loaded, make_dicom):
    two = {"PatientAge": "005Y", "PatientBirthDate": "19500101", "StudyDate": "20200101"}
    found = check(Job(make_dicom(tmp_path / "IM1", deep(picture(1)), **two), loaded.preparation))
    assert found.refused == "age: the header contradicts itself"


def test_a_small_image_is_shown_too_coarse_for_its_text(tmp_path, loaded, make_dicom):
    image = stamped(deep(picture(1, side=256)), "SMITH JOHN", (20, 40))
    found = check(Job(make_dicom(tmp_path / "IM1", image), loaded.preparation))
    assert found.flags == ()
    coarse = cv2.resize(found.display, (128, 128), interpolation=cv2.INTER_AREA)
    again = cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_LINEAR)
    assert np.abs(found.display.astype(int) - again).mean() < 2


def _encoded(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (_encoded(Image.fromarray(picture(2)), "PNG"), ""),
        (_encoded(Image.fromarray(picture(2)), "JPEG"), ""),
        (_encoded(Image.fromarray(picture(2)).convert("RGB"), "PNG"), ""),
        (_encoded(Image.fromarray(picture(2)).convert("RGB"), "JPEG"), ""),
        (_encoded(Image.fromarray(deep(picture(2))), "PNG"), ""),
        (
            _encoded(Image.merge("RGB", [Image.fromarray(picture(s)) for s in (2, 3, 4)]), "JPEG"),
            "colour",
        ),
        (_encoded(Image.new("RGB", (300, 300), (200, 30, 30)), "PNG"), "colour"),
        (_encoded(Image.fromarray(picture(2)), "PNG")[:-30], "unreadable: truncated"),
        (_encoded(Image.fromarray(picture(2)), "TIFF"), "unreadable: not DICOM: a TIFF"),
        (b"%PDF-1.4 a report", "unreadable: not DICOM: a PDF file"),
        (b"", "unreadable: not DICOM: an empty file"),
        (b"accession_number,codes\n", "unreadable: not DICOM"),
    ],
)
def test_files_that_are_no_dicom(tmp_path, loaded, content, refused):
    (tmp_path / "picture").write_bytes(content)
    found = check(Job(tmp_path / "picture", loaded.preparation))
    assert found.refused.startswith(refused) and bool(found.refused) == bool(refused)
    assert bool(found.notes) == (not refused)


def test_a_folder_is_screened_and_nothing_names_a_patient(
    made, screened, tmp_path, make_dicom, capsys
):
    folder = tmp_path / "SMITH^JOHN"
    healthy = [
        make_dicom(folder / "a" / f"SMITH {seed}", deep(picture(seed)), PatientName="SMITH^JOHN")
        for seed in range(201, 207)
    ]
    sick = make_dicom(folder / "b" / "sick", deep(with_lesion(210)), PatientID="998877665")
    child = make_dicom(folder / "child", deep(picture(220)), PatientAge="004Y")
    other = make_dicom(folder / "other", deep(picture(221)), Manufacturer="Philips")
    (folder / "copy of sick").write_bytes(sick.read_bytes())
    (folder / "report.pdf").write_bytes(b"%PDF-1.4")
    report, records, lines = screened(folder, trace=tmp_path / "trace.csv")
    assert (report["images"], report["scored"], report["flagged"], report["refused"]) == (
        *(10, 8, 1),
        2,
    )
    assert report["refused_by"] == {"age": 1, "unreadable": 1}
    assert report["flagged_by"] == {"manufacturer": 1} and report["copies"] == 1
    assert lines == []
    rows = rows_of(tmp_path / "out")
    assert list(rows)[0] == id_of(sick) and rows[id_of(sick)]["verdict"] == "anomalous"
    assert float(rows[id_of(sick)]["p_value"]) == pytest.approx(1 / 61, rel=1e-4)
    assert rows[id_of(sick)]["files"] == "2"
    assert np.hypot(*(float(rows[id_of(sick)][f"peak_{c}"]) - 0.5 for c in "xy")) < 0.7
    assert rows[id_of(child)]["verdict"] == "refused: age: under 19"
    assert rows[id_of(child)]["p_value"] == rows[id_of(child)]["score"] == ""
    assert rows[id_of(other)]["verdict"].startswith("flagged (")
    assert rows[id_of(other)]["flags"] == "manufacturer: Philips, not GE"
    values = [float(row["p_value"]) for row in rows.values() if row["p_value"]]
    assert values == sorted(values) and len(values) == 8
    assert sum(rows[id_of(each)]["verdict"] == "not anomalous" for each in healthy) >= 4
    out = tmp_path / "out"
    assert {path.name for path in (out / "images" / id_of(sick)).iterdir()} == {
        *pictures.NAMES,
        *(pictures.STRIP, "result.json"),
    }
    assert {path.name for path in (out / "images" / id_of(child)).iterdir()} == {"result.json"}
    shown = cv2.imread(str(out / "images" / id_of(sick) / "query.png"), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (512, 512)
    page = (out / "worklist.html").read_text()
    assert page.count('role="img"') == 8 and page.index(id_of(sick)) < page.index(id_of(other))
    for path in out.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(word in content for word in (b"SMITH", b"998877665", b"copy of"))
        assert "SMITH" not in str(path.relative_to(out))
    trace = (tmp_path / "trace.csv").read_text()
    assert f"{id_of(sick)},b/sick" in trace and f"{id_of(sick)},copy of sick" in trace
    assert (tmp_path / "trace.csv").stat().st_mode & 0o077 == 0
    anomalous = sum(record["anomalous"] is True for record in records.values())
    assert 1 <= anomalous < 8
    assert (
        "Of 10 files (and 1 byte-identical copy) 8 were scored, 1 of these flagged with a doubt, "
        f"and 2 refused. {anomalous} are called anomalous"
    ) in page
    # The command finds all of it done, and says the same.
    with pytest.raises(SystemExit) as stopped:
        command.run(cli.app, ["screen", str(made), str(folder), "--out", str(out), "--workers=0"])
    assert not stopped.value.code and capsys.readouterr().out.strip() == (
        f"{out}: 10 files (and 1 byte-identical copy) looked at: {anomalous} anomalous of 8 "
        "scored, 1 of these flagged, 2 refused; worklist.html"
    )


@pytest.mark.shared
def test_a_real_dental_radiograph_is_no_inverted_chest(tmp_path, loaded, shared):
    path = shared / "dicom" / "real_other_bodypart" / "fodicom_CR-ModalitySequenceLUT_teeth.dcm"
    cv2.imwrite(str(tmp_path / "teeth.png"), dicom.decode(path))
    found = check(Job(tmp_path / "teeth.png", loaded.preparation))
    assert found.refused.startswith("cropped: hardly like a chest")


def test_far_images_are_refused_and_distant_ones_flagged(screened, tmp_path, loaded):
    noise = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE))
    for name, image in (
        ("far", np.clip(picture(300) + 5 * noise, 0, 255)),
        ("near", picture(301)),
        ("odd", np.clip(picture(302) + 1.3 * noise, 0, 255)),
    ):
        (tmp_path / "new").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "new" / f"{name}.png"), np.uint8(image))
    _, records, _ = screened(tmp_path / "new")
    found = {
        name: records[id_of(tmp_path / "new" / f"{name}.png")] for name in ("far", "near", "odd")
    }
    assert found["near"]["status"] == "scored" and found["near"]["domain_distance"] < 1
    assert found["odd"]["status"] == "flagged" and found["odd"]["reasons"][0].startswith("domain:")
    assert found["far"]["status"] == "refused" and found["far"]["score"] is None


def test_places_and_options_without_sense_are_refused(loaded, made, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "one.png").write_bytes(b"")
    options = ScreeningOptions(processes=0)
    with pytest.raises(InputError, match="has no files"):
        screen(loaded, tmp_path / "new", tmp_path / "out", options)
    with pytest.raises(InputError, match="no such file or folder"):
        refuse_places(tmp_path / "nowhere", tmp_path / "out", options)
    with pytest.raises(InputError, match="lies in the folder of images"):
        refuse_places(tmp_path / "new", tmp_path / "new" / "out", options)
    with pytest.raises(ArgumentError, match="watch: needs a folder"):
        refuse_places(tmp_path / "one.png", tmp_path / "out", options.replace(watch=1.0))
    inside = options.replace(trace=tmp_path / "out" / "trace.csv")
    with pytest.raises(ArgumentError, match="trace: lies in the folder of results"):
        refuse_places(tmp_path / "new", tmp_path / "out", inside)
    with pytest.raises(ArgumentError, match="needs 99 held-out normals, and this model has 60"):
        screen(loaded, tmp_path / "one.png", tmp_path / "out", options.replace(specificity=0.99))
    with pytest.raises(ArgumentError, match="holds no GAN"):
        gan = options.replace(reconstruction="gan")
        screen(loaded, tmp_path / "one.png", tmp_path / "out2", gan)


def test_every_rule_is_asked_or_known_to_say_nothing_of_new_images():
    from pgcxr.curation import rules

    silent = {"study_date", "diagnosis", "label_conflict", "device", "quality", "subsample"}
    silent |= {"duplicate", "near_duplicate"}
    by_pixels = {"inverted", "rotated", "mislabelled_view", "cropped", "too_small"}
    asked = {*checking.REFUSING, *checking.FLAGGING, "for_processing", *by_pixels}
    assert asked | silent == set(rules.ORDER) - set(rules.REASONS)

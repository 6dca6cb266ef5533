"""An export as de-identified DICOM: pixels, black-out, what is left out, and the audit of the
result."""

import csv
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from pgcxr import dicom
from pgcxr.errors import InputError
from pgcxr.privacy.deidentified import export as exports
from pgcxr.privacy.deidentified.export import export_deidentified
from pgcxr.privacy.deidentified.options import DeidentificationOptions
from tests.curation.curating import curate
from tests.dicom_files import stamped

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "dicom"


@pytest.fixture
def run(tmp_path):
    """run(export, name, ...): de-identifies into tmp_path/name, in this process, with one key."""

    def go(export, name="out", **options):
        options = {
            "key_file": tmp_path / "private" / "key",
            "processes": 0,
        } | options
        chosen = DeidentificationOptions(**options)
        report = export_deidentified(export, tmp_path / name, chosen, show_progress=False)
        return report, tmp_path / name

    return go


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_pixels_stay_as_they_are_and_files_of_a_patient_together(run, make_export):
    export = make_export([{"patient": f"PID{i // 2}"} for i in range(4)])
    (export / "notes.txt").write_text("SECRET")
    (export / "report.pdf").write_bytes(b"%PDF SECRET")
    report, out = run(export)
    files = sorted((out / "images").iterdir())
    originals = sorted(path for path in export.rglob("IM*"))
    assert report["images"] == len(files) == 4 and report["excluded"] == {"unreadable": 1}
    assert report["privacy_audit"]["found"] == 0
    sets = [pydicom.dcmread(path) for path in files]
    by_pixels = {pydicom.dcmread(path).PixelData: path for path in originals}
    assert len(by_pixels) == 4 and all(one.PixelData in by_pixels for one in sets)
    assert (
        len({one.PatientID for one in sets}) == 2
        and len({one.AccessionNumber for one in sets}) == 4
    )
    assert {row["accession_number"] for row in table(out / "studies.csv")} == {
        one.AccessionNumber for one in sets
    }
    for one in sets:
        np.testing.assert_array_equal(
            one.pixel_array, pydicom.dcmread(by_pixels[one.PixelData]).pixel_array
        )
    content = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert not any(secret in content for secret in (b"SECRET", b"PID0", b"ACC0", b"IM0"))
    again, second = run(export, "second")
    assert [p.read_bytes() for p in sorted((second / "images").iterdir())] == [
        p.read_bytes() for p in files
    ]


def test_compressed_pixels_stay_compressed(run, make_export):
    export = make_export([{} for _ in range(2)])
    path = export / "study0" / "IM0000"
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(path)
    before = pydicom.dcmread(path)
    _, out = run(export)
    kept = [pydicom.dcmread(file) for file in (out / "images").iterdir()]
    kept = [one for one in kept if one.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless]
    assert len(kept) == 1 and kept[0].PixelData == before.PixelData


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("compressed", [False, True])
def test_regions_are_black_and_the_rest_is_as_it_was(run, make_export, kind, compressed):
    export = make_export([{"PhotometricInterpretation": kind, "BurnedInAnnotation": "YES"}])
    path = next(export.rglob("IM*"))
    before = pydicom.dcmread(path)
    if compressed:
        before.compress(pydicom.uid.RLELossless)
        before.save_as(path)
    report, out = run(export, black_out=["0,0,1,0.25"])
    after = pydicom.dcmread(next((out / "images").iterdir()))
    assert report["made_black"] == 1 and after.BurnedInAnnotation == "NO"
    np.testing.assert_array_equal(after.pixel_array[8:], before.pixel_array[8:])
    assert (after.pixel_array[:8] == (4095 if kind == "MONOCHROME1" else 0)).all()
    assert not dicom.decode(next((out / "images").iterdir()))[:8].any()
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == [
        "113100",
        "113101",
    ]
    with pytest.raises(InputError, match="no image is left of 1 files .1 by burned_in"):
        run(export, "second")


def test_found_text_is_made_black(run, make_export, chest):
    import cv2

    clean = cv2.resize(chest(3, 64), (512, 512))
    page = stamped(clean, "DOE JANE", (350, 30))
    export = make_export([{"pixels": page}, {"pixels": clean}])
    report, out = run(export, black_out_text=True)
    assert report["made_black"] == 1
    first, second = (
        pydicom.dcmread(path).pixel_array for path in sorted((out / "images").iterdir())
    )
    assert (
        not first[18:31, 352:445].any()
        and (first[100:] == clean[100:]).all()
        and (second == clean).all()
    )


def test_a_curated_export_and_its_deidentified_twin_are_one_cohort(run, make_export, tmp_path):
    export = make_export(
        [{"codes": "J90" if i % 2 else "Z00.0", "patient": f"P{i // 2}"} for i in range(12)]
    )
    _, out = run(export, keep_characteristics=True)
    options = {"processes": 0, "show_progress": False, "key_file": tmp_path / "private" / "key"}
    curate(export, tmp_path / "a", **options)
    report = curate(out, tmp_path / "b", **options)
    assert report["collected"] == 12, "its tables are no images that cannot be read"
    with pytest.raises(InputError, match="de-identified already"):
        run(out, "twice")
    columns = ("label", "pleural_effusion", "age", "sex", "view", "manufacturer", "sha256")

    def rows(name):
        return sorted(
            tuple(row[column] for column in columns)
            for row in table(tmp_path / name / "manifest.csv")
        )

    assert rows("a") == rows("b") and len(rows("a")) == 12


def test_the_audit_stops_what_leaks_beside_the_images(run, make_export, monkeypatch):
    export = make_export([{} for _ in range(2)])
    monkeypatch.setattr(
        exports,
        "_write_studies",
        lambda export, folder, key: (folder / "a").write_text("SECRET, NAME1"),
    )
    with pytest.raises(InputError, match="privacy audit") as said:
        run(export)
    assert "SECRET" not in str(said.value) and not list(export.parent.glob("*out*"))


def test_a_file_with_another_ones_identifier_is_left_out_with_a_warning(run, make_export, tmp_path):
    export = make_export([{"patient": "PID77001"}, {"Manufacturer": "GE PID77001"}, {}])
    report, out = run(export)
    assert report["excluded"] == {"identifier": 1} and not (out / "images" / "000002.dcm").exists()
    (warning,) = report["warnings"]
    assert (
        warning.startswith("1 of 3 images are left out")
        and "1 of kind number" in warning
        and "77001" not in warning
    )
    rows = table(tmp_path / "private" / "privacy_findings.csv")
    assert {(row["identifier"], row["output"][-17:]) for row in rows} == {
        ("pid77001", "images/000002.dcm")
    }
    export = make_export(
        [{"Manufacturer": "PID90001"}, {"patient": "PID90001", "Rows": None}], "second"
    )
    with pytest.raises(InputError, match="no image is left of 2 files .* of kind number") as said:
        run(export, "third")
    assert "90001" not in str(said.value)


def test_terms_of_the_standard_take_no_file(run, make_export):
    rows = [
        {"OperatorsName": "GE MEDICAL SYSTEMS", "SpecificCharacterSet": "ISO_IR 100"}
        for _ in range(3)
    ]
    export = make_export([{**row, "Manufacturer": "GE MEDICAL SYSTEMS"} for row in rows])
    dataset = pydicom.dcmread(export / "study0" / "IM0000")
    dataset.private_block(0x0009, "PACS", create=True).add_new(1, "LO", "ISO_IR 100")
    dataset.save_as(export / "study0" / "IM0000")
    report, out = run(export)
    assert report["images"] == 3 and report["warnings"] == []
    kept = pydicom.dcmread(out / "images" / "000001.dcm")
    assert kept.SpecificCharacterSet == "ISO_IR 100" and kept.Manufacturer == "GE MEDICAL SYSTEMS"


def test_an_export_that_is_gone_when_it_is_to_be_compared_fails(
    run, make_export, monkeypatch, tmp_path
):
    export = make_export([{} for _ in range(2)])
    real = exports.auditing.matcher

    def gone(*arguments, **named):
        export.rename(tmp_path / "away")
        export.mkdir()
        (export / "a.txt").write_text("Zwetschgen")
        return real(*arguments, **named)

    monkeypatch.setattr(exports.auditing, "matcher", gone)
    with pytest.raises(InputError, match="could not be read"):
        run(export)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dates": "keep"}, "dates: must be one of remove, shift. Received: dates=keep"),
        ({"black_out": ["1,2"]}, "black_out: needs x,y,w,h"),
        ({"key_file": "out/key"}, "key_file: lies in `out`"),
    ],
)
def test_wrong_options(run, make_export, tmp_path, options, said):
    options = {
        name: tmp_path / value if name == "key_file" else value for name, value in options.items()
    }
    with pytest.raises(InputError, match=said):
        run(make_export([{}]), **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/dicom beside the checkout")
@pytest.mark.parametrize("dates", ["remove", "shift"])
def test_real_files(run, dates):
    report, out = run(SHARED, dates=dates)
    # One lies in a file that is called after its maker.
    assert report["images"] == 9 and report["excluded"] == {"no_pixels": 1, "identifier": 1}
    assert "1 of 11 images are left out" in report["warnings"][0]
    assert report["privacy_audit"]["found"] == 0
    kept = {pydicom.dcmread(path, force=True).PixelData for path in (out / "images").iterdir()}
    names = [
        row["file"] for row in table(SHARED / "INDEX.csv") if row["pixel_range"] != "no pixel data"
    ]
    originals = [pydicom.dcmread(SHARED / name, force=True).PixelData for name in names]
    assert len(names) == 10 and sum(pixels in kept for pixels in originals) == 9
    assert json.loads((out / "report.json").read_text())["dates"] == dates


def test_archives_are_told_of(run, make_export):
    export = make_export([{}])
    (export / "study0" / "more.zip").write_bytes(b"PK\x03\x04")
    report, _ = run(export)
    (warning,) = report["warnings"]
    assert report["images"] == 1 and warning.startswith("of 2 files 1 is an archive (ZIP), which")
    (export / "study0" / "IM0000").unlink()
    with pytest.raises(InputError, match=r"1 files .*1 is an archive \(ZIP\).*unpack first"):
        run(export, "again")

"""The export as a PACS would hand it over."""

import hashlib
import re
from collections import Counter

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from pgcxr.cohort.findings import TABLE_6
from pgcxr.errors import InputError
from pgcxr.io import places
from pgcxr.phantom import export as module
from pgcxr.phantom import header, wording
from pgcxr.phantom.clinic import attend
from pgcxr.phantom.export import STUDY_COLUMNS, TRUTH_COLUMNS, PhantomOptions, write_export
from pgcxr.phantom.study_files import mask_name
from pgcxr.sources.weak_labels import codes as diagnosis_codes
from tests.phantom.conftest import PATIENTS, SEED, SIZE

LISTS = diagnosis_codes.load()
ONE = PhantomOptions(patients=1, size=64, workers=1)


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def found_in(row):
    return {
        item.split(":")[0]: float(item.split(":")[1]) for item in row["findings"].split(";") if item
    }


def test_same_seed_same_bytes_whatever_the_number_of_processes(export, tmp_path):
    options = PhantomOptions(patients=PATIENTS, seed=SEED, size=SIZE, messy=True, workers=2)
    write_export(tmp_path / "again", options)
    assert hashes(tmp_path / "again") == hashes(export)


def test_other_seed_other_images(tmp_path):
    for seed in (1, 2):
        write_export(
            tmp_path / str(seed), PhantomOptions(patients=2, seed=seed, size=64, workers=1)
        )
    one, two = (set(hashes(tmp_path / str(seed)).values()) for seed in (1, 2))
    assert not one & two


def test_tables_have_their_columns(export):
    for name, columns in (("studies.csv", STUDY_COLUMNS), ("truth/truth.csv", TRUTH_COLUMNS)):
        assert (export / name).read_text().splitlines()[0] == ",".join(columns)


def test_every_true_image_is_a_twelve_bit_dicom_of_its_patient(export, truth, disorder):
    seen = Counter()
    for row in truth:
        ds = pydicom.dcmread(export / row["file"])
        kind = disorder.get(row["file"])
        assert (ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation) == (
            16,
            12,
            11,
            0,
        )
        assert ds.Modality in ("CR", "DX") and ds.PhotometricInterpretation in (
            "MONOCHROME1",
            "MONOCHROME2",
        )
        assert ds.SOPClassUID.name.startswith(("Computed Radiography", "Digital X-Ray"))
        assert ds.PatientID == row["patient_id"]
        for uid in (ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID):
            assert UID(uid).is_valid and uid.startswith("2.25.")
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        pixels = ds.pixel_array
        assert pixels.shape[-2:] == (SIZE, SIZE) and pixels.max() < 4096
        if kind is None:
            assert ds.ViewPosition == row["view"] or (row["view"], ds.ViewPosition) == (
                "LATERAL",
                "LL",
            )
            assert ds.get("BodyPartExamined", "CHEST") == "CHEST"
            assert re.fullmatch(r"(\d{3}Y|\d+)?", ds.PatientAge)
            assert ds.PatientAge or ds.PatientBirthDate
        if ds.PhotometricInterpretation == "MONOCHROME1":
            pixels = 4095 - pixels
        if (
            row["view"] == "PA" and kind is None
        ):  # abdomen white, whatever the interpretation stored
            assert np.median(
                pixels[3 * SIZE // 4 : 7 * SIZE // 8, SIZE // 3 : SIZE // 2]
            ) > np.median(pixels)
        seen[ds.PhotometricInterpretation] += 1
        seen["window" if "WindowCenter" in ds else "no window"] += 1
        seen["extension" if row["file"].endswith(".dcm") else "no extension"] += 1
        seen[ds.file_meta.TransferSyntaxUID.name] += 1
    assert all(
        seen[kind] for kind in ("MONOCHROME1", "MONOCHROME2", "window", "no window", "no extension")
    )
    assert seen["Explicit VR Little Endian"] > seen["Implicit VR Little Endian"] > 0


def test_studies_and_truth_agree(export, studies, truth, disorder):
    by_accession = {row["accession_number"]: row for row in studies}
    assert len(by_accession) == len(studies)
    known = {}
    for row in truth:
        ds = pydicom.dcmread(export / row["file"], stop_before_pixels=True)
        if disorder.get(row["file"]) == "unreferenced_accession":
            assert ds.AccessionNumber not in by_accession
            continue
        study = by_accession[ds.AccessionNumber]
        assert study["patient_id"] == row["patient_id"]
        assert study["study_date"].replace("-", "") == ds.StudyDate
        assert study["modality"] == ds.Modality
        if row["view"] != "LATERAL":
            known[ds.AccessionNumber] = found_in(row)
    for accession, found in known.items():
        codes = by_accession[accession]["diagnosis_codes"].split(";")
        assert set(LISTS.findings_of(codes)) == set(found)
        assert all(LISTS.is_normal(code) for code in codes) == (not found)


def test_every_code_stands_for_its_finding_alone():
    for name, codes in wording.CODES.items():
        assert all(
            LISTS.findings_of([code]) == (name,) and not LISTS.is_normal(code) for code in codes
        )
    assert set(wording.CODES) == set(TABLE_6)
    assert all(
        LISTS.is_normal(code) and not LISTS.findings_of([code]) for code in wording.NORMAL_CODES
    )


def test_reports_name_what_is_there_and_deny_the_rest():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        name = TABLE_6[seed % 12]
        text = wording.report({name: rng.uniform(0.25, 1)}, (), rng)
        assert wording.NAMES[name] in text.lower()
        denied = " ".join(
            sentence for sentence in text.split(".") if sentence.strip().startswith("No ")
        )
        assert denied and wording.NAMES[name] not in denied
        normal = wording.report({}, ("pacemaker",), rng)
        assert "No pneumothorax or pleural effusion." in normal and "pacemaker" in normal
        assert 2 <= text.count(".") <= 4 and 2 <= normal.count(".") <= 4


def test_masks_are_those_of_the_truth(export, truth):
    expected = {mask_name(row["file"], name) for row in truth for name in found_in(row)}
    assert {path.name for path in (export / "truth" / "masks").iterdir()} == expected
    for name in expected:
        mask = cv2.imread(str(export / "truth" / "masks" / name), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (SIZE, SIZE) and set(np.unique(mask)) <= {0, 255}
        assert mask.any()


def test_mask_names():
    assert mask_name("dicom/1a/2b/IM0001.dcm", "nodule") == "dicom_1a_2b_IM0001__nodule.png"
    assert mask_name("dicom/1a/2b/IM0001", "nodule") == "dicom_1a_2b_IM0001__nodule.png"


def test_the_clinic_has_the_mix_it_should_have():
    people = [attend(11, index) for index in range(1500)]
    studies = [study for person in people for study in person.studies]
    images = [view for study in studies for view in study.views]
    assert 1.15 < len(images) / len(people) < 1.35
    assert images.count("PA") / len(images) == pytest.approx(0.85, abs=0.03)
    abnormal = [study for study in studies if study.findings]
    assert 1 - len(abnormal) / len(studies) == pytest.approx(0.42, abs=0.04)
    assert sum(len(study.findings) > 1 for study in abnormal) / len(abnormal) == pytest.approx(
        0.15, abs=0.035
    )
    first = Counter(next(iter(study.findings)) for study in abnormal)
    classes = (
        "nodule",
        "consolidation",
        "interstitial_opacity",
        "pleural_effusion",
        "pneumothorax",
    )
    five = [first[name] for name in module.TABLE_6 if name in classes]
    assert sum(five) / len(abnormal) == pytest.approx(0.85, abs=0.03) and max(five) < 1.5 * min(
        five
    )
    severities = [value for study in abnormal for value in study.findings.values()]
    assert 0.25 <= min(severities) < 0.3 and 0.95 < max(severities) <= 1
    worn = [np.mean([bool(study.devices) for study in group]) for group in
            ([study for study in studies if not study.findings], abnormal)]  # fmt: skip
    assert worn == pytest.approx([0.05, 0.10], abs=0.025)
    assert np.mean([person.patient.age < 19 for person in people]) == pytest.approx(0.05, abs=0.02)
    makers = Counter(
        header.machine(1, person, person.studies[0])["manufacturer"] for person in people
    )
    ge = sum(count for name, count in makers.items() if "GE" in name)
    assert ge / len(people) == pytest.approx(0.81, abs=0.04)
    assert {"GE Healthcare", '"GE Healthcare"', "GE MEDICAL SYSTEMS", "SIEMENS"} <= set(makers)


def test_report_counts(report, studies, truth, disorder):
    clean = [row for row in truth if row["file"] not in disorder]
    assert report["patients"] == PATIENTS and report["images"] == len(clean)
    assert report["images_by_finding"]["nodule"] == sum("nodule" in found_in(row) for row in clean)
    assert report["made_by"]["seed"] == SEED
    assert "seconds" not in str(report)


@pytest.mark.parametrize(
    "wrong",
    [{"patients": 0}, {"size": 63}, {"size": 5000}, {"seed": -1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_values_are_named_and_nothing_is_written(tmp_path, wrong):
    with pytest.raises(InputError, match=f"^{next(iter(wrong))}: must be"):
        write_export(tmp_path / "out", PhantomOptions(**{"patients": 1, "size": 64, **wrong}))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_export(tmp_path, ONE)


def test_a_broken_run_leaves_nothing_under_the_final_name(tmp_path, monkeypatch):
    out = tmp_path / "out"
    left = tmp_path / f".out{places.PARTIAL}"
    left.mkdir()  # by a killed run
    (left / "rest").write_text("rest")

    def fail(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_patient", fail)
        with pytest.raises(KeyboardInterrupt):
            write_export(out, ONE)
    assert not list(tmp_path.iterdir())
    write_export(out, ONE)
    assert not (out / "rest").exists() and (out / "report.json").is_file()

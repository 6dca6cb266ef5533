"""Identifiers planted everywhere in an export are in no output; planted in an output by hand, the
audit finds them."""

import csv
import subprocess
import sys

import cv2
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pgcxr.cohort import vocabulary
from pgcxr.errors import InputError
from pgcxr.io import png
from pgcxr.privacy.deidentified.export import export_deidentified
from pgcxr.privacy.deidentified.options import DeidentificationOptions
from tests.curation.curating import curate

NAME, NUMBER, BORN, UID = (
    "Zwetschgen^Ottilie",
    "7734-551-9",
    "19430721",
    "2.25.329800735698586629295641978511506172918",
)
SECRETS = (
    "zwetschgen",
    "ottilie",
    "7734-551-9",
    "77345519",
    "19430721",
    "1943-07-21",
    UID,
    "quittengasse",
    "tannzapfen",
)


@pytest.fixture
def planted(make_export):
    """An export of 8 images; one has the patient's identity in every place where nobody looks."""
    export = make_export([{} if i % 2 else {"codes": "J90"} for i in range(8)])
    path = export / "study0" / "IM0001"
    dataset = pydicom.dcmread(path)
    dataset.PatientName, dataset.PatientBirthDate, dataset.StudyInstanceUID = NAME, BORN, UID
    dataset.OtherPatientIDs, dataset.PatientAddress = NUMBER, "Quittengasse 99, 8008 Tannzapfen"
    dataset.Manufacturer = "GE Zwetschgen"
    dataset.BodyPartExamined = "CHEST ZWETSCHGEN"
    dataset.ProtocolName = f"for {NUMBER}"
    dataset.add_new(0x00181405, "IS", "77345519")  # Relative X-Ray Exposure
    block = dataset.private_block(0x0029, "OTTILIE PRIVATE", create=True)
    block.add_new(1, "LO", "Ottilie Zwetschgen")
    block.add_new(2, "UN", b"\x00\x01Zwetschgen^Ottilie\x00" + NUMBER.encode())
    inner, outer = Dataset(), Dataset()
    inner.PatientID, inner.PersonName = NUMBER, NAME
    outer.ReferencedStudySequence = Sequence([inner])
    dataset.RequestAttributesSequence = Sequence([outer])
    dataset.add_new(0xFFFCFFFC, "OB", b"Zwetschgen")  # after the pixels
    dataset.save_as(path)
    folder = export / "Zwetschgen_Ottilie_19430721"
    folder.mkdir()
    path.rename(folder / f"Ottilie {NUMBER}.dcm")
    for number, wrong in enumerate(
        ({"ViewPosition": "ZWETSCHGEN"}, {"Modality": "OTTILIE"}, {"PatientAge": NUMBER})
    ):
        other = pydicom.dcmread(export / "study0" / "IM0002")
        for keyword, value in wrong.items():
            setattr(other, keyword, value)
        other.SOPInstanceUID = f"{UID}.{number}"
        other.save_as(export / "study0" / f"IM9{number}")
    rows = list(csv.reader((export / "studies.csv").open()))
    rows[0] += ["surname", "born"]
    for row in rows[1:]:
        row[3] = f"A pacemaker Zwetschgen in place. Seen by Ottilie on 1943-07-21, no. {NUMBER}."
        row += ["Zwetschgen", BORN]
    with (export / "studies.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return export


def texts_of(path) -> bytes:
    """All bytes of an output, unpacked where they are packed: independent of the audit's own
    reader."""
    content = path.read_bytes()
    if content[:8] == png.SIGNATURE:  # only the pixels are packed
        return content + cv2.imread(str(path), cv2.IMREAD_UNCHANGED).tobytes()
    return content


def test_nothing_planted_in_an_export_reaches_an_output(planted, tmp_path, capfd):
    findings = tmp_path / "private" / "findings.csv"
    report = curate(
        planted,
        tmp_path / "cohort",
        key_file=tmp_path / "private" / "key",
        processes=2,
        findings=findings,
        trace=tmp_path / "private" / "trace.csv",
    )
    said = "".join(capfd.readouterr()).lower()
    files = [path for path in (tmp_path / "cohort").rglob("*") if path.is_file()]
    assert len(files) > 8 and report["excluded"]["device"] and not findings.exists()
    assert report["privacy_audit"]["found"] == 0 and report["privacy_audit"]["identifiers"] > 50
    for path in files:
        content = f"{path.relative_to(tmp_path)}".lower().encode() + texts_of(path).lower()
        for secret in SECRETS:
            assert secret.encode() not in content and secret not in said, (path, secret)
    # The trace names them: the same search would have found them.
    trace = texts_of(tmp_path / "private" / "trace.csv").lower()
    assert sum(secret.encode() in trace for secret in SECRETS) >= 3


def test_nothing_planted_reaches_a_deidentified_export(planted, tmp_path):
    options = DeidentificationOptions(
        keep_characteristics=True, key_file=tmp_path / "private" / "key", processes=0
    )
    report = export_deidentified(planted, tmp_path / "out", options, show_progress=False)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    # Three of the files hold another patient's name or number in the view, the modality, the age.
    assert report["images"] == 8 and report["excluded"] == {"identifier": 3} and len(files) == 11
    for path in files:
        content = path.read_bytes().lower()
        assert not [secret for secret in SECRETS if secret.encode() in content], path


def test_the_command_fails_in_one_line_that_names_nobody(planted, tmp_path):
    out, findings = tmp_path / "run", tmp_path / "private" / "findings.csv"
    out.mkdir()
    (out / "notes.txt").write_text("seen: Zwetschgen, Ottilie")
    command = [
        sys.executable,
        "-m",
        "pgcxr",
        "privacy-audit",
        str(planted),
        str(out),
        "--findings",
        str(findings),
    ]
    failed = subprocess.run([*command, "--workers", "0"], capture_output=True, text=True)
    assert (
        failed.returncode == 2
        and failed.stderr.startswith("error: privacy audit: ")
        and not failed.stdout
    )
    assert len(failed.stderr.splitlines()) == 1 and "zwetschgen" not in failed.stderr.lower()
    assert {"zwetschgen", "ottilie"} <= {
        row["identifier"] for row in csv.DictReader(findings.open())
    }
    (out / "notes.txt").write_text("nobody")
    passed = subprocess.run([*command, "--workers", "0"], capture_output=True, text=True)
    assert passed.returncode == 0 and passed.stdout.startswith("no identifier found")


def test_curate_fails_and_leaves_nothing_where_an_output_names_a_patient(
    planted, tmp_path, monkeypatch
):
    real = vocabulary.shown_maker
    monkeypatch.setattr(
        vocabulary, "shown_maker", lambda text: "Ottilie" if "Zwetschgen" in text else real(text)
    )
    options = {
        "key_file": tmp_path / "private" / "key",
        "processes": 0,
        "show_progress": False,
        "size": 32,
    }
    rules = tmp_path / "rules.toml"
    rules.write_text("[device]\nenabled = false\n[body_part]\nenabled = false\n")
    with pytest.raises(InputError, match="privacy audit: 3 identifiers") as said:
        curate(planted, tmp_path / "cohort", rules_file=rules, **options)
    assert "ottilie" not in str(said.value).lower() and not [
        p for p in tmp_path.iterdir() if "cohort" in p.name
    ]
    row = next(csv.DictReader((tmp_path / "private" / "privacy_findings.csv").open()))
    assert (
        row["output"] == str(tmp_path / "cohort" / "manifest.csv")
        and row["identifier"] == "ottilie"
    )
    curate(planted, tmp_path / "cohort", rules_file=rules, audit=False, **options)
    assert "Ottilie" in (tmp_path / "cohort" / "manifest.csv").read_text()

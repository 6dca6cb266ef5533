"""Identifiers planted everywhere in an export are in no output; planted in an output by hand, the audit finds them."""

import base64
import csv
import gzip
import io
import json
import pickle
import stat
import struct
import subprocess
import sys
import zipfile
import zlib

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pgcxr.data import cohort as cohorts
from pgcxr.data import deidentify
from pgcxr.data.curation.run import curate
from pgcxr.data.deidentified.export import export_deidentified
from pgcxr.data.privacy import audit
from pgcxr.errors import InputError

NAME, NUMBER, BORN, UID = "Zwetschgen^Ottilie", "7734-551-9", "19430721", "2.25.329800735698586629295641978511506172918"
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
    for number, wrong in enumerate(({"ViewPosition": "ZWETSCHGEN"}, {"Modality": "OTTILIE"}, {"PatientAge": NUMBER})):
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
    """All bytes of an output, unpacked where they are packed: independent of the audit's own reader."""
    content = path.read_bytes()
    if content[:8] == cohorts.PNG:  # only the pixels are packed
        return content + cv2.imread(str(path), cv2.IMREAD_UNCHANGED).tobytes()
    return content


def test_nothing_planted_in_an_export_reaches_an_output(planted, tmp_path, capfd):
    findings = tmp_path / "private" / "findings.csv"
    report = curate(planted, tmp_path / "cohort", key_file=tmp_path / "private" / "key", processes=2, findings=findings,
                    trace=tmp_path / "private" / "trace.csv")  # fmt: skip
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


@pytest.fixture(scope="module")
def look_for(tmp_path_factory):
    """The identifiers of an export of one file, as the audit gathers them."""
    export = tmp_path_factory.mktemp("export")
    dataset = Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.ComputedRadiographyImageStorage, UID
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = f"{NAME}=洪^吉洞=홍^길동", NUMBER, BORN
    dataset.ReferringPhysicianName, dataset.OperatorsName = "Grünspecht^Jö", "Smithers^Waylon"
    dataset.AccessionNumber, dataset.StudyDate = "A000994510", "20110305"
    dataset.PatientComments = "mother of Tannzapfen, lives beyond the second river and fishes"
    dataset.PatientTelephoneNumbers = "+49 30 9876-5432"
    dataset.save_as(export / "IM0001.dcm", enforce_file_format=True)
    return audit.matcher(export, lambda function, items: list(map(function, items)))[0]


def png(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    image = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
    extra = b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return image[:33] + extra + image[33:] + behind


def archive(name: str, content: bytes, method=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        opened.writestr(name, content)
    return file.getvalue()


def array(value) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def record(content: bytes, kind: str) -> bytes:
    import tensorflow as tf

    if kind == "event":
        event = tf.compat.v1.Event(summary=tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag=content)]))
        data = event.SerializeToString()
    else:
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
        noise = tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(range(256)) * 20]))
        data = tf.train.Example(features=tf.train.Features(feature={"a": feature, "b": noise})).SerializeToString()
    from pgcxr.data.tfrecord import masked_crc32c

    def crc(part):
        return masked_crc32c(np.frombuffer(part, np.uint8)[None]).tobytes()

    length = struct.pack("<Q", len(data))
    return length + crc(length) + data + crc(data)


def dicom_file(**tags) -> bytes:
    dataset = Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID = pydicom.uid.ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = "2.25.1"
    inner = Dataset()
    for keyword, value in tags.items():
        setattr(inner, keyword, value)
    dataset.RequestAttributesSequence = Sequence([inner])
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


SPREAD = {
    "csv name": ("a.csv", b"x,y\n1,ottilie\n"),
    "csv family and given": ("a.csv", b"x,y\nWaylon,Smithers\n"),
    "csv number without its dashes": ("a.csv", b"x,y\n77345519,2\n"),
    "csv number in other dashes": ("a.csv", b"x,y\n773.45519,2\n77-345/519,1\n"),
    "json date": ("a.json", json.dumps({"seen": "5.3.2011 05.03.2011"}).encode()),
    "json date with a month": ("a.json", b'{"seen": "March 5, 2011"}'),
    "json escapes": ("a.json", json.dumps({"who": "Grünspecht"}).encode()),
    "toml umlaut": ("a.toml", b'who = "GRUENSPECHT"'),
    "html entity": ("a.html", b"<p>Gr&uuml;nspecht</p>"),
    "html picture": (
        "a.html",
        b"<img src='data:image/png;base64," + base64.b64encode(png((b"tEXt", b"Who\0Ottilie"))) + b"'>",
    ),
    "svg comment": ("a.svg", b"<svg><!-- A000994510 --></svg>"),
    "svg url": ("a.svg", b"<a href='x/Gr%C3%BCnspecht'/>"),
    "log in Korean": ("a.log", "환자홍길동님".encode()),
    "log in Chinese": ("a.log", "患者洪吉洞".encode()),
    "log in UTF-16": ("a.log", "Ottilie".encode("utf-16")),
    "log in Latin-1": ("a.log", "Grünspecht,\n".encode("latin-1")),
    "comment": ("a.txt", b"said: mother of Tannzapfen, lives beyond the second river."),
    "phone": ("a.txt", b"call (030) 49 30 9876-5432 or +49-30-9876-5432"),
    "uid": ("a.txt", UID.encode()),
    "file name": ("image 7734-551-9.bin", b"x"),
    "folder name": ("Ottilie/x.bin", b"x"),
    "png tEXt": ("a.png", png((b"tEXt", b"Comment\0Ottilie"))),
    "png zTXt": ("a.png", png((b"zTXt", b"Comment\0\0" + zlib.compress(b"by Ottilie")))),
    "png iTXt": ("a.png", png((b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress("Grünspecht".encode())))),
    "png exif": ("a.png", png((b"eXIf", b"II*\0\x08\0\0\0\1\0\x0e\1\2\0\x0e\0\0\0Ottilie\0"))),
    "png own chunk": ("a.png", png((b"prVt", b"ottilie"))),
    "png behind its end": ("a.png", png(behind=b"Zwetschgen")),
    "jpeg comment": ("a.jpg", b"\xff\xd8\xff\xfe\x00\x0aOttilie.\xff\xd9"),
    "jpeg behind its end": ("a.jpg", b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x00\xff\xd9 Zwetschgen Ottilie"),
    "gzip": ("a.csv.gz", gzip.compress(b"a,ottilie\n")),
    "zip": ("a.keras", archive("config.json", b'{"who": "ottilie"}')),
    "zip, stored in zip": ("a.zip", archive("b.zip", archive("Ottilie/config.json", b""), zipfile.ZIP_STORED)),
    "npz of texts": ("a.npz", archive("a.npy", array(np.array(["x", "Ottilie"])))),
    "npy of bytes": ("a.npy", array(np.array([b"x", b"Ottilie"]))),
    "npy of numbers": ("a.npy", array(np.array([77345519, 1]))),
    "pickle": ("a.pkl", pickle.dumps({"who": ["Ottilie"]})),
    "record": ("a.tfrecord", record(b"Ottilie", "example")),
    "record with a picture": ("a.tfrecord", record(png((b"tEXt", b"Who\0Ottilie")), "example")),
    "event": ("events.out.tfevents.1", record(b"who/ottilie", "event")),
    "binary": ("a.h5", bytes(range(256)) + b"by Ottilie Zwetschgen" + bytes(range(256))),
    "binary, short run": ("a.h5", bytes(range(256)) + b"\0\1Zwetschgen\2\3" + bytes(range(256))),
    "dicom": ("a.dcm", dicom_file(PatientID="A000994510")),
}


@pytest.mark.parametrize("what", SPREAD)
def test_the_audit_finds_what_is_planted_in_an_output(what, look_for, tmp_path):
    out = tmp_path / "out"
    name, content = SPREAD[what]
    (out / name).parent.mkdir(parents=True)
    (out / name).write_bytes(content)
    findings = tmp_path / "private" / "findings.csv"
    with pytest.raises(InputError, match="privacy audit") as said:
        audit.check([out], look_for, {}, findings)
    assert stat.S_IMODE(findings.stat().st_mode) == 0o600
    rows = list(csv.DictReader(findings.open()))
    assert rows and all(row["output"] == str(out / name) for row in rows)
    lower = str(said.value).lower()
    assert not any(secret in lower for secret in (*SECRETS, "grünspecht", "smithers", "a000994510", "2011"))
    # Found for what was planted: without it nothing is.
    (out / name).unlink()
    (out / "innocent").write_bytes(b"x")
    if (out / "Ottilie").exists():
        (out / "Ottilie").rmdir()
    assert audit.check([out], look_for, {}, findings)["found"] == 0


def test_nothing_planted_reaches_a_deidentified_export(planted, tmp_path):
    options = {"key_file": tmp_path / "private" / "key", "processes": 0, "show_progress": False}
    report = export_deidentified(planted, tmp_path / "out", characteristics=True, **options)
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
    command = [sys.executable, "-m", "pgcxr.cli", "privacy-audit", str(planted), str(out), "--findings", str(findings)]
    failed = subprocess.run([*command, "--workers", "0"], capture_output=True, text=True)
    assert failed.returncode == 2 and failed.stderr.startswith("error: privacy audit: ") and not failed.stdout
    assert len(failed.stderr.splitlines()) == 1 and "zwetschgen" not in failed.stderr.lower()
    assert {"zwetschgen", "ottilie"} <= {row["identifier"] for row in csv.DictReader(findings.open())}
    (out / "notes.txt").write_text("nobody")
    passed = subprocess.run([*command, "--workers", "0"], capture_output=True, text=True)
    assert passed.returncode == 0 and passed.stdout.startswith("no identifier found")


def test_curate_fails_and_leaves_nothing_where_an_output_names_a_patient(planted, tmp_path, monkeypatch):
    real = deidentify.shown_maker
    monkeypatch.setattr(deidentify, "shown_maker", lambda text: "Ottilie" if "Zwetschgen" in text else real(text))
    options = {"key_file": tmp_path / "private" / "key", "processes": 0, "show_progress": False, "size": 32}
    rules = tmp_path / "rules.toml"
    rules.write_text("[device]\nenabled = false\n[body_part]\nenabled = false\n")
    with pytest.raises(InputError, match="privacy audit: 3 identifiers") as said:
        curate(planted, tmp_path / "cohort", rules_file=rules, **options)
    assert "ottilie" not in str(said.value).lower() and not [p for p in tmp_path.iterdir() if "cohort" in p.name]
    row = next(csv.DictReader((tmp_path / "private" / "privacy_findings.csv").open()))
    assert row["output"] == str(tmp_path / "cohort" / "manifest.csv") and row["identifier"] == "ottilie"
    curate(planted, tmp_path / "cohort", rules_file=rules, audit=False, **options)
    assert "Ottilie" in (tmp_path / "cohort" / "manifest.csv").read_text()

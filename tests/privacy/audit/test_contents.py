"""Identifiers planted in outputs of every kind are found, and nothing is where there is none."""

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import pickle
import stat
import struct
import zipfile
import zlib

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pgcxr.errors import InputError
from pgcxr.privacy.audit import auditing
from tests.privacy.audit.test_planted import BORN, NAME, NUMBER, SECRETS, UID


@pytest.fixture(scope="module")
def look_for(tmp_path_factory):
    """The identifiers of an export of one file, as the audit gathers them."""
    export = tmp_path_factory.mktemp("export")
    dataset = Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.ComputedRadiographyImageStorage, UID
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
        f"{NAME}=洪^吉洞=홍^길동",
        NUMBER,
        BORN,
    )
    dataset.ReferringPhysicianName, dataset.OperatorsName = "Grünspecht^Jö", "Smithers^Waylon"
    dataset.AccessionNumber, dataset.StudyDate = "A000994510", "20110305"
    dataset.PatientComments = "mother of Tannzapfen, lives beyond the second river and fishes"
    dataset.PatientTelephoneNumbers = "+49 30 9876-5432"
    dataset.save_as(export / "IM0001.dcm", enforce_file_format=True)
    return auditing.matcher(export, lambda function, items: list(map(function, items)))[0]


def png(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    image = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
    extra = b"".join(
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks
    )
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
        event = tf.compat.v1.Event(
            summary=tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag=content)])
        )
        data = event.SerializeToString()
    else:
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
        noise = tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(range(256)) * 20]))
        data = tf.train.Example(
            features=tf.train.Features(feature={"a": feature, "b": noise})
        ).SerializeToString()
    from pgcxr.cohort.tfrecord import masked_crc32c

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


NESTED = [("n", "i4"), ("s", [("t", "U9"), ("b", "S9", (2,))])]


def broken_member() -> bytes:
    """An archive of which the first member cannot be unpacked, and the second can."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("a.txt", b"nothing at all, but rather long" * 9)
        opened.writestr("b.txt", b"x Ottilie x " * 9)
    content = bytearray(file.getvalue())
    content[48:60] = b"\xff" * 12
    return bytes(content)


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
        b"<img src='data:image/png;base64,"
        + base64.b64encode(png((b"tEXt", b"Who\0Ottilie")))
        + b"'>",
    ),
    "svg comment": ("a.svg", b"<svg><!-- A000994510 --></svg>"),
    "svg url": ("a.svg", b"<a href='x/Gr%C3%BCnspecht'/>"),
    "log in Korean": ("a.log", "환자홍길동님".encode()),
    "log in Chinese": ("a.log", "患者洪吉洞".encode()),
    "log in UTF-16": ("a.log", "Ottilie".encode("utf-16")),
    "log in UTF-32": ("a.log", "Grünspecht".encode("utf-32")),
    "log in UTF-16, unmarked": ("a.log", "seen: Ottilie\n".encode("utf-16-le")),
    "log in UTF-16, unmarked, big-endian": ("a.log", "\nseen: Ottilie".encode("utf-16-be")),
    "words after base64": ("a.html", b"base64,Ottilie base64,Ottilie0"),
    "html attribute": ("a.html", b"<html><p title='x>Ottilie'></p><img alt=\"Ottilie\"></html>"),
    "html behind a picture": (
        "a.html",
        b"<html><img src='data:image/png;base64,"
        + base64.b64encode(png())
        + b"' alt='x'>Ottilie</html>",
    ),
    "html picture across blocks": (
        "a.html",
        b"<html>"
        + b" " * 4194250
        + b"<img src='data:image/png;base64,"
        + base64.b64encode(png((b"tEXt", b"Who\0Ottilie")))
        + b"'>",
    ),
    "svg id": ("a.svg", b"<svg><g id='Ottilie'/></svg>"),
    "svg style": (
        "a.svg",
        b"<svg><g style='font-family: Ottilie'/><style>*{fill: Ottilie}</style></svg>",
    ),
    "log in Latin-1": ("a.log", "Grünspecht,\n".encode("latin-1")),
    "comment": ("a.txt", b"said: mother of Tannzapfen, lives beyond the second river."),
    "phone": ("a.txt", b"call (030) 49 30 9876-5432 or +49-30-9876-5432"),
    "uid": ("a.txt", UID.encode()),
    "file name": ("image 7734-551-9.bin", b"x"),
    "folder name": ("Ottilie/x.bin", b"x"),
    "png tEXt": ("a.png", png((b"tEXt", b"Comment\0Ottilie"))),
    "png zTXt": ("a.png", png((b"zTXt", b"Comment\0\0" + zlib.compress(b"by Ottilie")))),
    "png iTXt": (
        "a.png",
        png((b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress("Grünspecht".encode()))),
    ),
    "png exif": ("a.png", png((b"eXIf", b"II*\0\x08\0\0\0\1\0\x0e\1\2\0\x0e\0\0\0Ottilie\0"))),
    "png own chunk": ("a.png", png((b"prVt", b"ottilie"))),
    "png behind its end": ("a.png", png(behind=b"Zwetschgen")),
    "jpeg comment": ("a.jpg", b"\xff\xd8\xff\xfe\x00\x0aOttilie.\xff\xd9"),
    "jpeg behind its end": (
        "a.jpg",
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x00\xff\xd9 Zwetschgen Ottilie",
    ),
    "gzip": ("a.csv.gz", gzip.compress(b"a,ottilie\n")),
    "bzip2": ("a.csv.bz2", bz2.compress(b"a,ottilie\n")),
    "xz": ("a.csv.xz", lzma.compress(b"a,ottilie\n")),
    "zip, damaged": ("a.zip", archive("a.txt", b"by Ottilie Zwetschgen", zipfile.ZIP_STORED)[:-30]),
    "zip, one member damaged": ("a.zip", broken_member()),
    "zip": ("a.keras", archive("config.json", b'{"who": "ottilie"}')),
    "zip, stored in zip": (
        "a.zip",
        archive("b.zip", archive("Ottilie/config.json", b""), zipfile.ZIP_STORED),
    ),
    "npz of texts": ("a.npz", archive("a.npy", array(np.array(["x", "Ottilie"])))),
    "npy of bytes": ("a.npy", array(np.array([b"x", b"Ottilie"]))),
    "npy of bad characters": (
        "a.npy",
        array(np.array(["Ottilie", "abc"])).replace(b"a\0\0\0b", b"\xff\xd8\0\0\xff\xff"),
    ),
    "npy, big-endian": ("a.npy", array(np.array(["Ottilie"], ">U9"))),
    "npy of nested structures": (
        "a.npy",
        array(np.array([(1, ("x", [b"a", b"Ottilie"]))], NESTED)),
    ),
    "npz of structures": (
        "a.npz",
        archive("a.npy", array(np.array([(1, "Ottilie")], [("n", "i4"), ("t", "U9")]))),
    ),
    "npy of objects": ("a.npy", array(np.array([{"who": "Ottilie"}], object))),
    "npy of dates": ("a.npy", array(np.array(["2011-03-05T10:11"], "datetime64[m]"))),
    "npy of dates in a structure": (
        "a.npy",
        array(np.array([("2011-03-05",)], [("d", "datetime64[D]")])),
    ),
    "npy of reals": ("a.npy", array(np.array([0.5, 77345519.0]))),
    "npy field": ("a.npy", array(np.array([(1,)], [("Ottilie", "i4")]))),
    "npy, shape too large": (
        "a.npy",
        array(np.array(["Ottilie"])).replace(b"(1,), }" + b" " * 9, b"(9999999999,), }"),
    ),
    "npy of numbers": ("a.npy", array(np.array([77345519, 1]))),
    "pickle of an array": ("a.pkl", pickle.dumps(np.array(["x", "Zwetschgen"]))),
    "pickle, damaged": ("a.pkl", pickle.dumps({"who": ["Ottilie"]})[:-3] + b"\xff"),
    "pickle": ("a.pkl", pickle.dumps({"who": ["Ottilie"]})),
    "record": ("a.tfrecord", record(b"Ottilie", "example")),
    "record with a picture": ("a.tfrecord", record(png((b"tEXt", b"Who\0Ottilie")), "example")),
    "record, and more behind": (
        "a.tfrecord",
        record(b"x", "example") + b"\0 by Ottilie Zwetschgen",
    ),
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
        auditing.check([out], look_for, {}, findings)
    assert stat.S_IMODE(findings.stat().st_mode) == 0o600
    rows = list(csv.DictReader(findings.open()))
    assert rows and all(row["output"] == str(out / name) for row in rows)
    lower = str(said.value).lower()
    assert not any(
        secret in lower for secret in (*SECRETS, "grünspecht", "smithers", "a000994510", "2011")
    )
    # Found for what was planted: without it nothing is.
    (out / name).unlink()
    (out / "innocent").write_bytes(b"x")
    if (out / "Ottilie").exists():
        (out / "Ottilie").rmdir()
    assert auditing.check([out], look_for, {}, findings)["found"] == 0

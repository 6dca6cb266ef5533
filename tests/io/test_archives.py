"""Archives are told by what they begin with or are called, and each is counted."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from pgcxr import dicom
from pgcxr.errors import InputError
from pgcxr.io import archives, places


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("IM0001", b"x")
    return made.getvalue()


def _tar(form: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo("IM0001"))
    return made.getvalue()


CASES = [
    ("export.zip", _zip(), "ZIP"),
    ("EXPORT.ZIP", _zip(), "ZIP"),
    ("IM0001", _zip(), "ZIP"),
    ("IM0001.dcm", _zip(), "ZIP"),
    ("damaged.zip", b"nothing", "ZIP"),
    ("export.z01", b"\x00\x01", "ZIP"),
    ("export.zip.002", b"\x00\x01", "ZIP"),
    ("IM0001.dcm.gz", gzip.compress(b"x"), "gzip"),
    ("images_001.tar.gz", gzip.compress(b"x"), "gzip"),
    ("export", _tar(tarfile.USTAR_FORMAT), "tar"),
    ("export", _tar(tarfile.GNU_FORMAT), "tar"),
    ("export.tgz", b"", "tar"),
    ("a", bz2.compress(b"x"), "bzip2"),
    ("a", lzma.compress(b"x"), "xz"),
    ("a", b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
    ("a.7z.002", b"", "7z"),
    ("a", b"Rar!\x1a\x07\x01\x00", "RAR"),
    ("a", b"Rar!\x1a\x07\x00", "RAR"),
    ("a.part02.rar", b"", "RAR"),
    ("a.iso", b"", "ISO"),
    ("a.egg", b"EGGA", "another kind"),
    ("studies.xlsx", _zip(), None),
    ("letter.docx", _zip(), None),
    ("mimic-cxr-2.0.0-metadata.csv.gz", gzip.compress(b"x"), None),
    ("notes.txt", b"PK", None),
    ("IM0001", bytes(128) + b"DICM", None),
    ("IM0001.r01", bytes(128) + b"DICM", None),
    ("IM0001", b"", None),
    ("program.exe", b"MZ\x90", None),
]


# Not by their bytes, which hold the time.
@pytest.mark.parametrize("at", range(len(CASES)), ids=lambda at: CASES[at][0])
def test_kinds(tmp_path, at):
    name, content, kind = CASES[at]
    (tmp_path / name).write_bytes(content)
    assert archives.kind_of(tmp_path / name) == kind
    assert archives.reasons(tmp_path) == ([archives.reason(kind)] if kind else [])
    with pytest.raises(dicom.Rejected) as error:
        dicom.read_header(tmp_path / name)
    assert archives.is_reason(error.value.detail) == (kind is not None)


def test_one_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "export").write_bytes(_zip())
    with pytest.raises(InputError, match=r"export: is an archive \(ZIP\); unpack it first \(unzip"):
        places.existing_folder(tmp_path / "export", "a PACS export")


def test_what_to_do_is_said_once():
    details = [archives.reason("ZIP"), "not DICOM", archives.reason("RAR"), archives.reason("ZIP")]
    assert archives.advice(details).startswith("3 are archives (RAR, ZIP), which are not read: ")
    assert archives.advice(details[:1]).startswith("1 is an archive (ZIP), which is not read: ")
    assert archives.advice(["not DICOM"]) == ""

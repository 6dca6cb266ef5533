"""Names in character sets that nobody declared, or that are declared wrongly, in outputs of any
encoding."""

import io
import json
import os
import quopri
import urllib.parse
import zipfile

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pgcxr.errors import InputError
from pgcxr.privacy.audit import auditing, encodings, lexicon
from pgcxr.privacy.audit.search import Output, Search

# Name, the encodings that such names come in, and the DICOM set that is written when it is wrong.
NAMES = [
    ("김귀순", ("utf-8", "euc-kr", "cp949", "iso2022_kr"), "ISO_IR 100"),
    ("山田太郎", ("utf-8", "shift_jis", "euc_jp", "iso2022_jp"), "ISO_IR 149"),
    ("王小明", ("utf-8", "gb18030", "gbk", "big5"), "ISO_IR 192"),
    ("Иванченко", ("utf-8", "cp1251", "koi8-r", "iso8859-5"), "ISO_IR 6"),
    ("Mühlbauer", ("utf-8", "latin-1", "cp1252"), "ISO_IR 192"),
]


def exported(folder, name, charset, content, implicit=False):
    """A DICOM file with the bytes `content` as the patient's name."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.4"
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if charset:
        dataset.SpecificCharacterSet = charset
    dataset.PatientID = "7"
    dataset.save_as(folder / name, enforce_file_format=True)
    # As other software writes it: pydicom would not.
    content += b" " * (len(content) % 2)
    length = len(content).to_bytes(4, "little")
    head = b"\x10\0\x10\0" + (length if implicit else b"PN" + length[:2])
    written = (folder / name).read_bytes()
    at = written.index(b"\x10\0\x20\0")
    (folder / name).write_bytes(written[:at] + head + content + written[at:])


def looking_for(export):
    return auditing.matcher(export, auditing.in_processes(0, False))


def found(look_for, out, tmp_path):
    try:
        auditing.check([out], *look_for, tmp_path / "private" / "findings.csv")
    except InputError:
        return True
    return False


def written(name, encoding):
    """{kind of output: bytes} that hold the name in an encoding."""
    text = f"seen: {name} .\n"
    raw = text.encode(encoding)
    outputs = {"text": raw, "csv": f"a,b\n1,{name}\n2,x\n".encode(encoding)}
    outputs["mixed"] = "Verlauf für 홍\n".encode() + raw
    outputs["percent"] = urllib.parse.quote_from_bytes(raw).encode()
    outputs["quoted printable"] = quopri.encodestring(raw)
    outputs["python"] = repr(raw).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("notes.txt", raw)
    outputs["zip"] = archive.getvalue()
    if encoding == "utf-8":
        outputs |= {"utf-16": text.encode("utf-16"), "utf-16-le": text.encode("utf-16-le")}
        outputs |= {"utf-16-be": text.encode("utf-16-be"), "utf-32": text.encode("utf-32")}
        outputs["json"] = json.dumps({"note": text}).encode()
        outputs["html"] = text.encode("ascii", "xmlcharrefreplace")
        outputs["binary"] = bytes(range(32)) + raw + bytes(range(32))
    return outputs


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """[(what it is, file with one of NAMES)]"""
    folder = tmp_path_factory.mktemp("outputs")
    found = []
    for name, sets, _ in NAMES:
        for encoding in sets:
            for kind, raw in written(name, encoding).items():
                found.append(((name, encoding, kind), folder / f"{len(found)}.bin"))
                found[-1][1].write_bytes(raw)
    return found


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("how", ["no set", "wrong set", "implicit", "table"])
def test_a_name_is_found_in_whatever_encoding(how, which, outputs, tmp_path):
    """Each name in its encoding number `which`, one export; each in every output."""
    for at, (name, sets, wrong) in enumerate(NAMES):
        content = name.encode(sets[which % len(sets)])
        if how == "table":
            table = b"patient_name,age\n" + content + b",47\nZwetschgen^Otto,5\n"
            (tmp_path / f"{at}.csv").write_bytes(table)
        else:
            charset = wrong if how == "wrong set" else ""
            exported(tmp_path, f"{at}.dcm", charset, content, how == "implicit")
    search = Search(looking_for(tmp_path)[0])
    for what, path in outputs:
        assert any(search.findings([Output(path, "", "", False)])), what


def test_names_of_files_in_older_encodings(tmp_path):
    export, out = tmp_path / "export", tmp_path / "out"
    export.mkdir()
    out.mkdir()
    exported(export, "a.dcm", "", "김귀순".encode("cp949"))
    look_for = looking_for(export)
    (out / "harmless.txt").write_text("image 1")
    assert not found(look_for, out, tmp_path)
    (out / os.fsdecode("김귀순.txt".encode("cp949"))).write_text("image 1")
    assert found(look_for, out, tmp_path)


def test_other_texts_in_older_encodings_are_nobody(tmp_path):
    """No name is made up of other people's letters."""
    export, out = tmp_path / "export", tmp_path / "out"
    export.mkdir()
    out.mkdir()
    for at, (name, sets, _) in enumerate(NAMES):
        for encoding in sets:
            exported(export, f"{at}{encoding}.dcm", "", name.encode(encoding))
    others = {"최민수 환자": "cp949", "鈴木花子": "shift_jis", "Смирнова": "koi8-r"}
    for at, (text, encoding) in enumerate(others.items()):
        (out / f"{at}.txt").write_bytes(text.encode(encoding))
    assert not found(looking_for(export), out, tmp_path)


def test_bytes_that_are_utf8_have_one_reading():
    assert encodings.decode("환자 김귀순".encode()) == "환자 김귀순"
    assert len(encodings.readings("김귀순".encode())) == 1


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("no evidence of pleural effusion", True),
        ("small effusion, possible pneumonia", True),
        ("effusion of Johanna Small", False),
        ("nodulaszewski", False),
    ],
)
def test_words_of_the_lexicons(text, known):
    assert all(lexicon.covered(text.replace(",", "").lower().split())) == known


@pytest.mark.parametrize(
    "report",
    [
        "No pleural effusion.",
        "Possible pneumonia.",
        "No evidence of pneumonia.",
        "늑골횡격막각 둔화 의심",
        "기흉 소견은 보이지 않음",
        "There is no evidence of focal consolidation, pleural effusion or pneumothorax.",
    ],
)
def test_a_report_of_phrases_is_nobody(report, tmp_path):
    """Whatever curation writes of its lexicons; a name of the same words is somebody."""
    export, out = tmp_path / "export", tmp_path / "out"
    export.mkdir()
    out.mkdir()
    rows = ["patient_name,report,comment", f'Small^Johanna,"{report}","{report}"']
    (export / "studies.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    look_for = looking_for(export)
    phrases = "no | pleural effusion*\npossible | pneumonia*\nno evidence of | pneumonia*\n"
    (out / "label_sample.csv").write_text(f"{phrases}늑골횡격막각 둔화 | 의심\n{report}\n")
    assert not found(look_for, out, tmp_path)
    (out / "notes.txt").write_text("seen: Johanna Small")
    assert found(look_for, out, tmp_path)

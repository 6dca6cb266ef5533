"""What is gathered as an identifier, element by element."""

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pgcxr.privacy.audit import elements, identifiers, tables
from tests.curation import hostile


def values(found):
    return {value for kind, value in found if kind not in ("other", "kept")}


def nested(element) -> Dataset:
    inner, outer = Dataset(), Dataset()
    inner.add(element)
    outer.RequestAttributesSequence = Sequence([inner])
    found = Dataset()
    found.ReferencedStudySequence = Sequence([outer])
    return found


@pytest.mark.parametrize(
    ("tag", "vr", "value", "expected"),
    [
        (
            0x00100010,
            "PN",
            "Zwetsch^Ottilie",
            {"zwetschottilie", "ottiliezwetsch", "zwetsch", "ottilie"},
        ),
        (0x00100020, "LO", "00-77 45", {"007745"}),
        (0x00080050, "SH", "A1234", {"a1234"}),
        (
            0x00080020,
            "DA",
            "20110305",
            {"20110305", "05032011", "03052011", "5mar2011", "march52011"},
        ),
        (0x0008002A, "DT", "20110305101112", {"20110305"}),
        (0x0020000D, "UI", "1.2.3.4.5.678", {"12345678"}),
        (0x00104000, "LT", "Lives in Quince Lane", {"livesinquincelane"}),
        (0x00104000, "LT", "Frau Wolkenstein called", {"frauwolkensteincalled", "wolkenstein"}),
        (0x00081030, "LO", "Thorax, Prof. Dr. med. Kneffel-Kamp", {"kneffelkamp", "kneffel"}),
        (0x00080080, "LO", "Klinikum Zwetschgenau", {"klinikumzwetschgenau", "zwetschgenau"}),
        (0x00101040, "LO", "Hauptstr 5 Wurzelhofen", {"wurzelhofen"}),
        (0x00181000, "LO", "SN0012345", {"sn0012345"}),
        (0x00102154, "SH", "+49 30 98765432", {"98765432"}),
        (0x00291001, "UN", b"\x01Zwetsch^Ottilie\x00", {"zwetsch", "ottilie"}),
        (0x00291002, "LO", "Ottilie Zwetsch", {"ottiliezwetsch"}),
        (
            0x00080003,
            "LO",
            "Ottilie Zwetsch",
            {"ottiliezwetsch"},
        ),  # the standard has no such element
    ],
)
def test_elements_that_identify(tag, vr, value, expected):
    element = pydicom.DataElement(tag, vr, value)
    assert expected <= values(elements.of_element(element))
    assert expected <= values(elements.of_dataset(nested(element)))


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1"),  # a SOP class
        (0x00080060, "CS", "CR"),
        (0x00180015, "CS", "CHEST"),
        (0x00185101, "CS", "PA"),
        (0x00080070, "LO", "GE Healthcare"),
        (0x00101010, "AS", "045Y"),
        (0x00080030, "TM", "101112"),
        (0x00281050, "DS", "2048"),
        (0x00100020, "LO", "12"),  # too short to be told from a count
        (0x00100010, "PN", "ANONYMOUS"),
        (0x00080020, "DA", "19000101"),  # stands for none
    ],
)
def test_elements_that_do_not(tag, vr, value):
    assert not values(elements.of_element(pydicom.DataElement(tag, vr, value)))


def test_tables_by_their_columns(tmp_path):
    path = tmp_path / "studies.csv"
    path.write_text(
        "accession_number;surname;diagnosis_codes;report;born;score\n"
        "ACC00001;Zwetsch;J90.0;Ottilie has pneumonia near the ninth rib;21.07.1943;0.712345\n"
    )
    found = values(tables.of_table(path))
    assert {"acc00001", "zwetsch", "19430721", "ottiliehaspneumonianeartheninthrib"} <= found
    assert not {"j900", "0712345", "712345"} & found


def test_names_of_files_and_folders():
    found = values(identifiers.of_path("Zwetsch_Ottilie/1943-07-21/IM0001.dcm"))
    assert {"zwetschottilie", "zwetsch", "ottilie", "19430721", "im0001"} <= found


def test_every_word_of_a_long_text_is_in_a_piece_of_eight():
    for count in (1, 7, 8, 9, 15, 16, 17, 30):
        words = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(count)]
        pieces = {value for _, value in identifiers.of_text(" ".join(words))}
        assert (
            all(any(word in piece for piece in pieces) for word in words)
            and len(pieces) <= count // 8 + 1
        )
        assert pieces <= {"".join(words[at : at + 8]) for at in range(count)}


def test_uids_within_texts():
    found = identifiers.of_text(
        "see 1.2.276.0.7230010.3.1.4.8323329 of 1.2.840.10008.1.2.1, root 1.2.826.0.1, on 1.3.2011"
    )
    assert ("uid", "2276072300103148323329") in found
    assert ("date", "01032011") in found and not {
        ("text", "1282601"),
        ("text", "1284010008121"),
    } & found


def test_a_deflated_bomb_is_not_unpacked(tmp_path, monkeypatch):
    elements.check_installation()  # reads a file, once
    (tmp_path / "bomb").write_bytes(
        hostile.part10(hostile.zeros_deflated(1 << 24), hostile.DEFLATED)
    )
    monkeypatch.setattr(elements.reading, "MAX_INFLATED", 1 << 20)
    monkeypatch.setattr(elements.pydicom, "dcmread", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(elements.Damaged):
        elements.of_dicom(tmp_path / "bomb")

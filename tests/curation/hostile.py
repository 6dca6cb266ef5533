"""Files that mean harm, made byte by byte: what pydicom would refuse to write, and random damage to
good files.

`crafted` makes one of each kind that we thought of; `fuzzed` makes as many as asked for that nobody
thought of.
"""

import os
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
LONG = (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"UC", b"OD", b"OL")
UNDEFINED = 0xFFFFFFFF
SIDE = 48


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An explicit little-endian element, whose length may lie."""
    value += b"\0" * (len(value) % 2 if length is None else 0)
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    return (
        head
        + (struct.pack("<HI", 0, length) if vr in LONG else struct.pack("<H", length & 0xFFFF))
        + value
    )


def us(number: int) -> bytes:
    return struct.pack("<H", number)


def image(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """uint16 [side, side], 12 bits, smooth, another for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4096, (6, 6)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0, 4095).astype(
        np.uint16
    )


def dicom(
    number: int, changes: dict | None = None, pixels: bytes | None = None, syntax: str = EXPLICIT
) -> bytes:
    """A good radiograph with the accession number of `number`, but for `changes` {tag: raw element,
    or None}."""
    pixels = image(number).tobytes() if pixels is None else pixels
    elements = {
        0x00080016: element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.1"),
        0x00080050: element(0x00080050, b"SH", b"ACC%05d" % number),
        0x00080060: element(0x00080060, b"CS", b"CR"),
        0x00080070: element(0x00080070, b"LO", b"GE"),
        0x00100020: element(0x00100020, b"LO", b"PID%05d" % number),
        0x00101010: element(0x00101010, b"AS", b"045Y"),
        0x00180015: element(0x00180015, b"CS", b"CHEST"),
        0x00185101: element(0x00185101, b"CS", b"PA"),
        0x00280002: element(0x00280002, b"US", us(1)),
        0x00280004: element(0x00280004, b"CS", b"MONOCHROME2"),
        0x00280010: element(0x00280010, b"US", us(SIDE)),
        0x00280011: element(0x00280011, b"US", us(SIDE)),
        0x00280100: element(0x00280100, b"US", us(16)),
        0x00280101: element(0x00280101, b"US", us(12)),
        0x00280102: element(0x00280102, b"US", us(11)),
        0x00280103: element(0x00280103, b"US", us(0)),
        0x7FE00010: element(0x7FE00010, b"OW", pixels),
    }
    elements |= changes or {}
    return part10(
        b"".join(elements[tag] for tag in sorted(elements) if elements[tag] is not None), syntax
    )


def part10(body: bytes, syntax: str) -> bytes:
    """Preamble and meta header (PS3.10) before `body`."""
    meta = element(0x00020010, b"UI", syntax.encode())
    return (
        b"\0" * 128
        + b"DICM"
        + element(0x00020000, b"UL", struct.pack("<I", len(meta)))
        + meta
        + body
    )


def sized(rows: int, columns: int) -> dict:
    return {
        0x00280010: element(0x00280010, b"US", us(rows)),
        0x00280011: element(0x00280011, b"US", us(columns)),
    }


def text(tag: int, vr: bytes, value: bytes) -> dict:
    return {tag: element(tag, vr, value)}


def number(tag: int, value: int) -> dict:
    return {tag: element(tag, b"US", us(value))}


def fragments(*parts: bytes, end: bool = True) -> dict:
    """Encapsulated pixel data (PS3.5 A.4) of `parts`, with an empty offset table."""
    items = b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in (b"", *parts)
    )
    last = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if end else b""
    return {0x7FE00010: element(0x7FE00010, b"OB", items + last, UNDEFINED)}


def nested(depth: int, end: bool = True) -> bytes:
    """A sequence of undefined length in a sequence in a sequence."""
    begin = element(0x00081140, b"SQ", b"", UNDEFINED) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, UNDEFINED
    )
    close = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return begin * depth + (close * depth if end else b"")


def zeros_deflated(size: int) -> bytes:
    """A raw deflate stream of `size` (a multiple of 16 MiB) zeros, without the work of making
    one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 24) + b"\x03\x00"


def compressed(syntax: str, seed: int = 0) -> bytes:
    """The one fragment of an image by pydicom's encoders, 8 bits for JPEG baseline."""
    if syntax == JPEGBaseline8Bit:
        return cv2.imencode(".jpg", (image(seed) >> 4).astype(np.uint8))[1].tobytes()
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    dataset.Rows = dataset.Columns = SIDE
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", image(seed).tobytes()
    dataset.compress(syntax, generate_instance_uid=False)
    *_, fragment = pydicom.encaps.generate_fragments(dataset.PixelData)
    return fragment


def crafted(bomb: int) -> Iterator[tuple[str, bytes | None, str | None]]:
    """(what it is, content, the rule that must exclude it, "" for an image, None for any outcome);
    `bomb` in bytes."""
    good = dicom(0)
    yield "good", good, ""
    for at in (0, 1, 100, 131, 132, 140, 200, 300, 400, 500, len(good) // 2, len(good) - 1):
        yield f"cut at {at}", good[:at], None if at in (200, 300) else "unreadable"
    for at in range(600, len(good), 700):
        yield f"cut in the pixels at {at}", good[:at], "unreadable"
    yield "text", b"hello\n" * 1000, "unreadable"
    yield "noise", np.random.default_rng(0).bytes(10_000), "unreadable"
    yield "noise that begins as DICOM", good[:132] + np.random.default_rng(1).bytes(10_000), None
    yield "zeros", bytes(100_000), "unreadable"
    for syntax in (
        EXPLICIT,
        BIG,
        RLELossless,
        JPEGBaseline8Bit,
        JPEG2000Lossless,
        JPEGLSLossless,
        JPEGLosslessSV1,
    ):
        yield f"65535 x 65535 {syntax}", dicom(0, sized(65535, 65535), b"\0" * 64, syntax), None
        yield (
            f"8000 x 8000 {syntax}",
            dicom(0, sized(8000, 8000) | fragments(bytes(64)), None, syntax),
            None,
        )
    yield "65535 x 65535", dicom(0, sized(65535, 65535), b"\0" * 64), "too_large"
    yield "8000 x 8000", dicom(0, sized(8000, 8000), b"\0" * 64), "unreadable"
    yield "no rows", dicom(0, sized(0, 48)), "no_pixels"
    yield "one row", dicom(0, sized(1, 2304)), None
    yield "two rows", dicom(0, sized(2, 1152)), None
    yield "more rows than pixels", dicom(0, sized(49, 48)), "unreadable"
    for length in (0xFFFFFFFE, 0x7FFFFFFE, 0x80000000, 1 << 24, UNDEFINED, 4609, 3):
        lying = {0x7FE00010: element(0x7FE00010, b"OW", image().tobytes(), length)}
        # What is asked for may be more than there is of memory, or found out to be more than there
        # is in the file.
        rule = None if length in (4609, 1 << 24) else "unreadable or too_large"
        yield f"pixels that claim {length} bytes", dicom(0, lying), rule
        private = {0x00091001: element(0x00091001, b"UN", b"abcd", length)}
        yield f"private element that claims {length} bytes", dicom(0, private), None
        table = {0x00283010: element(0x00283010, b"SQ", b"abcd", length)}
        yield f"VOI LUT that claims {length} bytes", dicom(0, table), None
    for depth in (10, 500, 10_000):  # Python's stack has 1,000
        yield f"sequences {depth} deep", dicom(0, {0x00081140: nested(depth)}), None
        yield (
            f"sequences {depth} deep without end",
            dicom(0, {0x00081140: nested(depth, end=False)}),
            None,
        )
        yield f"VOI LUT {depth} deep", dicom(0, {0x00283010: nested(depth)}), None
    many = b"".join(element(0x00091000 + i % 0xEFFF, b"LO", b"x") for i in range(20_000))
    yield "20,000 private elements", dicom(0, {0x00091000: many}), None
    yield "a long text", dicom(0, text(0x00081030, b"UT", b"x" * (1 << 22))), None
    yield "a long identity", dicom(0, text(0x00100020, b"UT", b"x" * (1 << 20))), None
    yield from _odd_values()
    yield from _bad_pixels(bomb)


def _odd_values() -> Iterator[tuple[str, bytes, str | None]]:
    for value in (b"999999999", b"2", b"-1", b"x", b"1e9"):
        rule = "multi_frame" if value in (b"2", b"999999999") else None
        yield f"{value} frames", dicom(0, text(0x00280008, b"IS", value)), rule
    for tag in (0x00280002, 0x00280100, 0x00280101, 0x00280102, 0x00280103):
        for value in (0, 1, 7, 64, 65535):
            yield f"{tag:08x} is {value}", dicom(0, number(tag, value)), None
    for value in (b"nan", b"inf", b"1e999", b"-5", b"0", b"x", b"1\\2\\3"):
        yield (
            f"window {value}",
            dicom(0, text(0x00281050, b"DS", value) | text(0x00281051, b"DS", value)),
            None,
        )
        yield (
            f"slope {value}",
            dicom(0, text(0x00281052, b"DS", value) | text(0x00281053, b"DS", value)),
            None,
        )
    entry = element(0x00283002, b"US", us(65535) + us(0) + us(16)) + element(
        0x00283006, b"US", us(1) * 3
    )
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(entry)) + entry
    yield "VOI LUT that is short", dicom(0, {0x00283010: element(0x00283010, b"SQ", item)}), None
    yield (
        "modality LUT that is short",
        dicom(0, {0x00283000: element(0x00283000, b"SQ", item)}),
        None,
    )
    yield "rows as text", dicom(0, text(0x00280010, b"LO", b"forty")), "no_pixels"
    yield "no photometric interpretation", dicom(0, {0x00280004: None}), "unreadable"
    yield "colour", dicom(0, text(0x00280004, b"CS", b"RGB")), "colour"
    yield "no pixels", dicom(0, {0x7FE00010: None}), "no_pixels"
    yield "pixels as a sequence", dicom(0, {0x7FE00010: element(0x7FE00010, b"SQ", b"")}), None
    yield "odd character set", dicom(0, text(0x00080005, b"CS", b"\\\\ISO 2022 IR 999\\x")), None
    yield "odd age", dicom(0, text(0x00101010, b"AS", b"9" * 4000)), None
    for syntax in ("1.2.3", "", "x" * 64, DEFLATED, BIG, IMPLICIT):
        yield f"says to be {syntax}", dicom(0, syntax=syntax), None
    yield "blank", dicom(0, pixels=bytes(2 * SIDE * SIDE)), "blank"


def _bad_pixels(bomb: int) -> Iterator[tuple[str, bytes, str | None]]:
    deflated = zeros_deflated(bomb)
    yield "deflated zeros", part10(deflated, DEFLATED), "too_large"
    yield "deflated noise", part10(np.random.default_rng(2).bytes(5000), DEFLATED), "unreadable"
    for syntax in (RLELossless, JPEG2000Lossless, JPEGBaseline8Bit):
        part = compressed(syntax)
        bits = number(0x00280100, 8) | number(0x00280101, 8) | number(0x00280102, 7)
        more = bits if syntax == JPEGBaseline8Bit else {}
        yield f"good {syntax}", dicom(0, fragments(part) | more, syntax=syntax), ""
        yield (
            f"half {syntax}",
            dicom(0, fragments(part[: len(part) // 2]) | more, syntax=syntax),
            None,
        )
        yield f"empty {syntax}", dicom(0, fragments(b"") | more, syntax=syntax), "unreadable"
        yield (
            f"without end {syntax}",
            dicom(0, fragments(part, end=False) | more, syntax=syntax),
            None,
        )
        yield f"twice {syntax}", dicom(0, fragments(part, part) | more, syntax=syntax), None
        yield (
            f"8000 x 8000 in a stream of 48 {syntax}",
            dicom(0, sized(8000, 8000) | fragments(part) | more),
            None,
        )
        yield f"not encapsulated {syntax}", dicom(0, more, part, syntax), None
        if syntax == JPEG2000Lossless:  # SIZ (ISO 15444-1 A.5.1): Xsiz and Ysiz
            at = part.index(b"\xff\x51") + 6
            claims = part[:at] + struct.pack(">II", 60000, 60000) + part[at + 8 :]
            yield (
                "60000 x 60000 in a JPEG 2000 stream",
                dicom(0, fragments(claims), syntax=syntax),
                "unreadable",
            )
        if syntax == JPEGBaseline8Bit:  # SOF0 (ISO 10918-1 B.2.2)
            at = part.index(b"\xff\xc0") + 5
            claims = part[:at] + struct.pack(">HH", 65500, 65500) + part[at + 4 :]
            yield (
                "65500 x 65500 in a JPEG stream",
                dicom(0, fragments(claims) | more, syntax=syntax),
                "unreadable",
            )
    for count in (0, 15, 0xFFFFFFFF):
        head = struct.pack("<16I", count, *(64,) * 15)
        yield (
            f"RLE of {count} segments",
            dicom(0, fragments(head + bytes(64)), syntax=RLELossless),
            "unreadable",
        )
    run = b"\x81\x00" * (4096 * 4096 // 128)
    plane = struct.pack("<16I", 2, 64, 64 + len(run), *(0,) * 13) + run + run
    yield (
        "RLE of 4096 x 4096 zeros",
        dicom(0, sized(4096, 4096) | fragments(plane), syntax=RLELossless),
        "blank",
    )


def special(folder: Path, outside: Path) -> dict[str, str | None]:
    """Makes what is no file, or not of this folder; {name: rule}."""
    (outside / "inside").mkdir(parents=True)
    (outside / "secret.dcm").write_bytes(dicom(1))
    (outside / "inside" / "secret.dcm").write_bytes(dicom(1))
    links = {
        "out": outside / "secret.dcm",
        "out_folder": outside / "inside",
        "passwd": "/etc/passwd",
    }
    links |= {
        "zero": "/dev/zero",
        "stdin": "/dev/stdin",
        "absent": "nowhere",
        "loop": "loop",
        "up": "..",
    }
    links |= {"around": folder, "through": "out_folder/secret.dcm"}
    for name, target in links.items():
        os.symlink(target, folder / f"link_{name}")
    os.mkfifo(folder / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as listener:
        # The name of a socket may have 108 bytes.
        before = os.open(".", os.O_RDONLY)
        os.chdir(folder)
        listener.bind("socket.dcm")
        os.fchdir(before)
        os.close(before)
    with open(folder / "sparse.dcm", "wb") as file:
        file.write(dicom(1))
        file.truncate(3 << 30)
    names = [f"link_{name}" for name in links] + ["pipe.dcm", "socket.dcm"]
    return {**dict.fromkeys(names, "unreadable"), "sparse.dcm": "too_large"}


def fuzzed(number: int, seed: int) -> Iterator[bytes]:
    """Good files of several transfer syntaxes with random damage; file i has the accession number
    of i."""
    rng = np.random.default_rng(seed)
    syntaxes = (EXPLICIT, RLELossless, JPEG2000Lossless, JPEGBaseline8Bit)
    parts = {syntax: compressed(syntax) for syntax in syntaxes[1:]}
    bits = {
        0x00280100: element(0x00280100, b"US", us(8)),
        0x00280101: element(0x00280101, b"US", us(8)),
    }
    for index in range(number):
        syntax = syntaxes[index % len(syntaxes)]
        changes = fragments(parts[syntax]) if syntax in parts else {}
        changes |= bits if syntax == JPEGBaseline8Bit else {}
        yield _damaged(dicom(index, changes, syntax=syntax), rng)


def _damaged(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    odd = (
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"\0\0\0\x80",
        b"\xfe\xff\x00\xe0",
        b"SQ",
        b"UN",
    )
    for _ in range(rng.integers(1, 5)):
        # A third of the damage is in the header, which is short.
        at = int(rng.integers(132, 700 if rng.random() < 0.3 else len(data)))
        what, length = rng.integers(0, 6), int(rng.integers(1, 64))
        if what == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif what == 1:
            piece = odd[int(rng.integers(0, len(odd)))]
            data[at : at + len(piece)] = piece
        elif what == 2:
            del data[at : at + length]
        elif what == 3:
            data[at:at] = data[at : at + length]
        elif what == 4:
            data[at : at + length] = rng.bytes(length)
        elif rng.random() < 0.2:
            del data[at:]
        while len(data) < 701:
            data += b"\0"
    return bytes(data)

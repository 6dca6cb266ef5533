"""Archives among the files of an export: hospitals hand out ZIP files, public sets come as such.

None is unpacked here, as a user's own tool does that with less risk; each is told by its first
bytes or its name, so that it is counted and the line says what helps.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import trees, user_files

# Bytes of a file that tell: a tar archive names itself at byte 257 (POSIX.1-1988, ustar).
START = 512
STARTS = {
    "ZIP": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"),
    "gzip": (b"\x1f\x8b",),
    "bzip2": (b"BZh",),
    "xz": (b"\xfd7zXZ\0",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "7z": (b"7z\xbc\xaf\x27\x1c",),
    "RAR": (b"Rar!\x1a\x07",),
    "CAB": (b"MSCF",),
}
# Ends of names: of what has no mark in front, and of parts but the first.
ENDS = {
    "ZIP": r"zip|z\d\d|zip\.\d{3}",
    "tar": r"tar|tar\.\w{1,4}|tgz|tbz2?|txz",
    "7z": r"7z|7z\.\d{3}",
    "RAR": r"rar|r\d\d",
    "gzip": r"gz",
    "bzip2": r"bz2",
    "xz": r"xz",
    "zstd": r"zst",
    "ISO": r"iso",
    "CAB": r"cab",
    "another kind": r"lzh|lha|arj|alz|egg",
}
# What begins or is named so and holds no images: documents, programs, packed tables.
NO_ARCHIVE = re.compile(
    r"\.(xlsx|xlsm|docx|docm|pptx|od[tsp]|epub|jar|whl|npz|csv|tsv|txt|json|xml|log|md5|sha\d+)"
    r"(\.(gz|bz2|xz|zst))?$"
)
SAID = "an archive ("


def kind(name: str | os.PathLike, start: bytes) -> str | None:
    """What archive a file is, by its name and its first START bytes; None for what is none.

    Example:

        >>> kind("study1", b"PK\\x03\\x04"), kind("study1.rar", b""), kind("studies.xlsx", b"PK")
        ('ZIP', 'RAR', None)
    """
    name = os.path.basename(os.fspath(name)).lower()
    if NO_ARCHIVE.search(name) or start[128:132] == b"DICM":
        return None
    if start[257:262] == b"ustar":
        return "tar"
    by_start = (called for called, starts in STARTS.items() if start.startswith(starts))
    by_name = (called for called, ends in ENDS.items() if re.search(rf"\.({ends})$", name))
    return next(by_start, None) or next(by_name, None)


def kind_of(path: Path) -> str | None:
    """As `kind`, of a file, which is opened; None for what cannot be read."""
    try:
        with user_files.opened(path, 1 << 50) as file:
            return kind(path.name, file.read(START))
    except (InputError, OSError):
        return None


def reason(called: str) -> str:
    """Why an archive is no image, for excluded.csv."""
    return f"{SAID}{called}), which is not read: unpack it"


def reasons(folder: Path) -> list[str]:
    """`reason` of each archive in a folder, or in folders in it."""
    found = (kind_of(folder / name) for name in trees.files(folder))
    return [reason(called) for called in found if called]


def is_reason(detail: str) -> bool:
    """Whether `reason` gave `detail`."""
    return detail.startswith(SAID)


def advice(details: Iterable[str]) -> str:
    """What to do about the archives among the reasons of files; "" where there are none."""
    found = [detail for detail in details if is_reason(detail)]
    if not found:
        return ""
    kinds = ", ".join(sorted({detail.removeprefix(SAID).partition(")")[0] for detail in found}))
    one = len(found) == 1
    return (
        f"{len(found)} {'is an archive' if one else 'are archives'} ({kinds}), which "
        f"{'is' if one else 'are'} not read: unpack first (unzip, or the tool for that kind)"
    )

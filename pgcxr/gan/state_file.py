"""One saved state in one file: arrays, and what they are the state of, under one checksum.

The file is an ordinary .npz, so numpy reads it. `meta.json` inside says what it is the state of,
and the archive's comment, its last 64 bytes, is the SHA-256 of all bytes before it: whatever is cut
off or flipped is noticed before anything is read from it.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pgcxr.io import artifacts

META = "meta.json"
DIGEST = 64  # hexadecimal digits
CHUNK = 1 << 22


class Damaged(Exception):
    """The file is not what was written."""


def write(final: Path, arrays: Mapping[str, np.ndarray], meta: dict) -> None:
    """Writes `final` atomically."""
    with artifacts.atomic_path(final) as path:
        # Closed in an orderly way where the disk is full: np.savez leaves that to the garbage
        # collector.
        with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
            archive.comment = b"0" * DIGEST
            archive.writestr(zipfile.ZipInfo(META), json.dumps(artifacts.plain(meta)))
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        digest = _digest(path)
        with open(path, "r+b") as file:
            file.seek(-DIGEST, 2)
            file.write(digest)


def read(path: Path) -> tuple[dict, "np.lib.npyio.NpzFile"]:
    """(meta, arrays) of a whole file; the arrays are read as they are asked for: use them as a
    context manager.

    Raises:
        Damaged: the file is cut off, changed, or none of ours.
    """
    try:
        with open(path, "rb") as file:
            file.seek(-DIGEST, 2)
            written = file.read()
    except PermissionError:
        raise
    except OSError as error:
        raise Damaged(str(error)) from None
    if _digest(path) != written:
        raise Damaged("its checksum does not agree")
    arrays = np.load(path, allow_pickle=False)
    return json.loads(arrays[META]), arrays


def _digest(path: Path) -> bytes:
    """SHA-256 of all but the last DIGEST bytes, as hexadecimal digits."""
    left, digest = path.stat().st_size - DIGEST, hashlib.sha256()
    with open(path, "rb") as file:
        while left > 0:
            part = file.read(min(CHUNK, left))
            if not part:
                break
            digest.update(part)
            left -= len(part)
    return digest.hexdigest().encode()

"""What replaces an identity: keyed hashes.

The key never leaves the hospital's machine, so that nobody who holds a cohort can test whether a
known patient is in it, while the same patient has the same hash in every cohort made with the same
key. To change the key, name another file: the same patients then have other hashes, and cohorts of
both keys cannot be joined; the old file is kept or destroyed with that in mind.
"""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import user_files

KEY_BYTES = 32
LARGEST_KEY = 1 << 20
# 64 of the 256 bits of HMAC-SHA-256: among a million patients two share them with a probability of
# 3 in 100 million, and they fit the shortest texts of DICOM (SH, 16 characters). The key makes them
# irreversible, not their length.
HASH_DIGITS = 16


def default_key_file() -> Path:
    """PGCXR_KEY_FILE, or pgcxr/patient_key in the user's configuration folder."""
    named = os.environ.get("PGCXR_KEY_FILE")
    if named:
        return Path(named)
    return (
        Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pgcxr" / "patient_key"
    )


def read_or_make_key(path: str | os.PathLike | None = None) -> bytes:
    """The 32-byte key in `path` (64 hexadecimal digits, mode 0600), made at random where there is
    none."""
    path = Path(path) if path is not None else default_key_file()
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_key(path)
        except OSError as error:
            error.filename, error.filename2 = (
                str(path),
                None,
            )  # not that of a file beside it, which nobody asked for
            raise
    return read_key(path)


def read_key(path: Path) -> bytes:
    """The key in `path`, which must be there."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file in it")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InputError(f"{path}: others may read the patient key; run `chmod 600 {path}`")
    try:
        key = bytes.fromhex(user_files.read_text(path, LARGEST_KEY).strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InputError(f"{path}: is not a patient key (64 hexadecimal digits); name another")
    return key


def key_mark(key: bytes) -> str:
    """What tells a key from others without giving it away, in hexadecimal."""
    return hmac.new(key, b"work folder", hashlib.sha256).hexdigest()


def _make_key(path: Path) -> None:
    """A random key at `path`, whole from the start, so that two first runs at once agree on one
    key."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    try:
        os.link(beside, path)
    except FileExistsError:  # another process was first
        pass
    except OSError:  # a file system without links
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def keyed_hash(key: bytes, kind: str, value: str) -> str:
    """What stands in the place of an identity: the first 16 hexadecimal digits of its HMAC-SHA256.

    Args:
        key: 32 bytes, as `read_or_make_key` gives them.
        kind: keeps the hashes of patients, accessions and files apart.
        value: the patient's number, the accession number, the name of a file.

    Returns:
        The same for the same arguments, in every cohort; nobody without the key can compute it.

    Example:

        >>> keyed_hash(b"k" * 32, "patient", "PID0001")
        '20f06aaa8fe6d8dc'
        >>> keyed_hash(b"k" * 32, "file", "PID0001") == keyed_hash(b"k" * 32, "patient", "PID0001")
        False
    """
    return hmac.new(
        key, f"{kind}\0{value}".encode(errors="surrogateescape"), hashlib.sha256
    ).hexdigest()[:HASH_DIGITS]

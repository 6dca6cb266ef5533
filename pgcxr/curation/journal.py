"""What is known of every file, kept on the disk as it becomes known, readable with the patient key
alone.

One line for each result: base64 of a nonce and of the pickled (name, value) under AES-256-GCM (NIST
SP 800-38D). Names of patients, which headers hold, are so never on the disk in clear; and a line
that was cut short, damaged or written by somebody else fails its check and counts as not written,
so nothing but what this program wrote is ever unpickled. Each writer appends to a file of its own.
"""

import base64
import hashlib
import hmac
import os
import pickle
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pgcxr.errors import InputError
from pgcxr.io import user_files

NONCE = 12
SUFFIX = ".journal"
NAME = re.compile(r"\d{8}-[0-9a-f]{16}\.journal")
# Bytes of a file, and of a line: results are far smaller.
MOST, LINE = 1 << 40, 1 << 26


class Journal:
    """The journal files in `folder`. Opened for writing when the first line is written, then closed
    by `close`."""

    def __init__(self, folder: Path, key: bytes):
        self.folder = folder
        self._cipher = AESGCM(hmac.new(key, b"journal", hashlib.sha256).digest())
        self._handle: int | None = None
        self.damaged = self.written = 0

    def read(self) -> Iterator[tuple[str, object]]:
        """(name, value) of every whole line, the oldest file's first; `damaged` is then the number
        of other lines."""
        self.damaged = 0
        for path in self.files():
            yield from self.read_file(path)

    def files(self) -> list[Path]:
        """The journal files, in the order in which they were begun."""
        return sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name))

    def read_file(
        self, path: Path, offset: int = 0, count: int | None = None
    ) -> Iterator[tuple[str, object]]:
        """The lines of one file, from byte `offset` on, at most `count` of them."""
        try:
            file = user_files.opened(path, MOST)
        except InputError:  # no regular file
            self.damaged += 1
            return
        with file:
            file.seek(offset)
            for number, line in enumerate(iter(lambda: file.readline(LINE), b"")):
                if number == count:
                    return
                try:
                    yield self._open(line)
                except (ValueError, InvalidTag):
                    self.damaged += 1

    def write(self, name: str, value) -> int:
        """Appends one line; returns its length in bytes. After a kill it is there, or counts as not
        written."""
        if self._handle is None:
            last = max((int(path.name[:8]) for path in self.files()), default=0)
            path = self.folder / f"{last + 1:08d}-{secrets.token_hex(8)}{SUFFIX}"
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        line = self.line(name, value)
        if os.write(self._handle, line) < len(line):  # a disk that is nearly full
            os.write(self._handle, b"\n")
        self.written += 1
        return len(line)

    def line(self, name: str, value) -> bytes:
        """One line, its end included."""
        nonce = secrets.token_bytes(NONCE)
        content = pickle.dumps((name, value), pickle.HIGHEST_PROTOCOL)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, content, None)) + b"\n"

    def _open(self, line: bytes) -> tuple[str, object]:
        if not line.endswith(b"\n"):
            raise ValueError("cut short")
        content = base64.b64decode(line[:-1], validate=True)
        return pickle.loads(self._cipher.decrypt(content[:NONCE], content[NONCE:], None))

    def close(self) -> None:
        """A later `write` begins a new file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

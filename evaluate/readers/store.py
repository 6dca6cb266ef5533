"""The answers of a study: SQLite, one transaction an answer, nothing ever changed or removed.

A row of `answers` is one commit of a reader: a later revision is a further row. A row of `events`
is one line of the audit trail. Triggers refuse to update or delete either. The client makes the id
of an answer, so that the same answer sent twice (double click, lost reply, crash) is one row; the
revision says on which state it was given, so that a second window cannot overwrite in silence.
"""

import contextlib
import hashlib
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgcxr.errors import ArgumentError, InputError

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS readers (name TEXT PRIMARY KEY, token TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    id TEXT PRIMARY KEY,
    reader TEXT NOT NULL REFERENCES readers (name),
    position INTEGER NOT NULL,
    phase TEXT NOT NULL,
    revision INTEGER NOT NULL,
    case_name TEXT NOT NULL,
    answer TEXT NOT NULL,
    display TEXT NOT NULL,
    seconds REAL NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (reader, position, phase, revision)
);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    reader TEXT,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
"""
APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER IF NOT EXISTS {table}_{word}_refused BEFORE {word} ON {table}
BEGIN SELECT RAISE(ABORT, 'answers and events are only added'); END;
"""
    for table in ("answers", "events")
    for word in ("UPDATE", "DELETE")
)
WAIT = 15.0  # seconds for another process that writes
READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
ID = re.compile(r"[0-9a-f]{32}")


class Conflict(Exception):
    """The answer was given on a state that is no longer the last one."""


@dataclass(frozen=True)
class Answer:
    """One commit of a reader.

    Attributes:
        id: 32 hexadecimal digits, made by the client.
        position: in the reader's order, from 0.
        phase: of `Kind.phases`.
        revision: 0 for the first answer, 1 for the first change of it, ...
        case_name: of the case that was shown.
        answer: as `Kind.check` gives it.
        display: {pane: window, zoom, ...} with which it was read.
        seconds: from the case being shown to the commit.
        at: when it was committed, UTC; "" before.
    """

    id: str
    position: int
    phase: str
    revision: int
    case_name: str
    answer: dict
    display: dict
    seconds: float
    at: str = ""


class Store:
    """answers.sqlite; each call opens it anew, so that threads and processes share nothing else."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def create(self) -> "Store":
        """Makes the tables where there are none."""
        with self._open() as database:
            database.executescript(SCHEMA + APPEND_ONLY)
        return self

    def new_token(self, reader: str) -> str:
        """A new access token for `reader`, who is added where new; an earlier one ends.

        Only its hash is kept.
        """
        if not READER.fullmatch(reader):
            raise ArgumentError(
                "reader",
                "must be 1 to 32 letters, digits, _ and -, and no name of a person",
                received=reader,
            )
        token = secrets.token_urlsafe(18)
        with self._transaction() as database:
            database.execute(
                "INSERT INTO readers VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET token = excluded.token, at = excluded.at",
                (reader, digest(token), now()),
            )
            _event(database, reader, "new token", {})
        return token

    def readers(self) -> list[str]:
        """Names, in the order in which they were added."""
        with self._open() as database:
            return [name for (name,) in database.execute("SELECT name FROM readers ORDER BY rowid")]

    def reader_of(self, token_digest: str) -> str | None:
        """Whose token has this `digest`."""
        with self._open() as database:
            row = database.execute(
                "SELECT name FROM readers WHERE token = ?", (token_digest,)
            ).fetchone()
        return row[0] if row else None

    def secret(self) -> str:
        """What the server signs its cookies with: made once, so that a restart logs nobody out."""
        with self._transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO settings VALUES ('secret', ?)", (secrets.token_hex(32),)
            )
            (value,) = database.execute(
                "SELECT value FROM settings WHERE name = 'secret'"
            ).fetchone()
        return value

    def freeze(self, plan: dict) -> dict:
        """What was read is kept with the answers: `plan` where nothing is kept yet, else what is.

        A seed that is edited later would put answers to other cases.
        """
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO settings VALUES ('plan', ?)", (_json(plan),))
            (value,) = database.execute("SELECT value FROM settings WHERE name = 'plan'").fetchone()
            if not database.execute("SELECT 1 FROM answers LIMIT 1").fetchone():
                database.execute(
                    "UPDATE settings SET value = ? WHERE name = 'plan'", (_json(plan),)
                )
                return plan
        return json.loads(value)

    def commit(self, reader: str, answer: Answer) -> bool:
        """Adds an answer; False where the very same is there already.

        Raises:
            Conflict: another window of the reader answered meanwhile.
            ArgumentError: the id is none, or belongs to another answer.
        """
        if not ID.fullmatch(answer.id):
            raise ArgumentError("id", "must be 32 hexadecimal digits")
        key = (reader, answer.position, answer.phase)
        with self._transaction() as database:
            found = database.execute(
                "SELECT reader, position, phase, answer FROM answers WHERE id = ?", (answer.id,)
            ).fetchone()
            if found:
                if found != (*key, _json(answer.answer)):
                    raise ArgumentError("id", "belongs to another answer")
                return False
            (revisions,) = database.execute(
                "SELECT COUNT(*) FROM answers WHERE reader = ? AND position = ? AND phase = ?", key
            ).fetchone()
            if revisions != answer.revision:
                raise Conflict
            at = now()
            database.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    answer.id,
                    *key,
                    answer.revision,
                    answer.case_name,
                    _json(answer.answer),
                    _json(answer.display),
                    answer.seconds,
                    at,
                ),
            )
            what = "changed" if answer.revision else "answered"
            detail = {"position": answer.position, "phase": answer.phase, "id": answer.id}
            _event(database, reader, what, detail, at)
        return True

    def answers(self, reader: str, position: int | None = None) -> list[Answer]:
        """All commits of a reader in their order, or those on one position."""
        where, given = "reader = ?", [reader]
        if position is not None:
            where, given = where + " AND position = ?", [*given, position]
        with self._open() as database:
            rows = database.execute(
                "SELECT id, position, phase, revision, case_name, answer, display, seconds, at "
                f"FROM answers WHERE {where} ORDER BY rowid",
                given,
            ).fetchall()
        return [
            Answer(id, at, phase, revision, case, json.loads(said), json.loads(display), *rest)
            for id, at, phase, revision, case, said, display, *rest in rows
        ]

    def committed(self, reader: str) -> dict[tuple[int, str], int]:
        """{(position, phase): revisions} of what a reader answered."""
        with self._open() as database:
            rows = database.execute(
                "SELECT position, phase, COUNT(*) FROM answers WHERE reader = ? "
                "GROUP BY position, phase",
                (reader,),
            )
            return {(position, phase): count for position, phase, count in rows}

    def state(self) -> str:
        """A hash of all answers: another one where any was added."""
        with self._open() as database:
            rows = database.execute(
                "SELECT reader, id, position, phase, revision, answer FROM answers ORDER BY rowid"
            ).fetchall()
        return digest(_json(rows))

    def event(self, reader: str | None, what: str, **detail: object) -> None:
        """Adds a line to the audit trail."""
        with self._transaction() as database:
            _event(database, reader, what, detail)

    def events(self) -> list[tuple]:
        """The audit trail: (number, at, reader, what, detail)."""
        with self._open() as database:
            rows = database.execute("SELECT * FROM events ORDER BY number").fetchall()
        return [(*row[:4], json.loads(row[4])) for row in rows]

    def check(self) -> None:
        """Raises InputError where the file is damaged."""
        try:
            with self._open() as database:
                (said,) = database.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise InputError(f"{self.path}: is damaged ({said}); put its last copy back")

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
        try:
            # An answer is on the disk when the reader is told so; a rollback journal, as
            # write-ahead logs fail on network file systems.
            database.execute("PRAGMA synchronous = EXTRA")
            database.execute("PRAGMA foreign_keys = ON")
            yield database
        finally:
            database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise


def digest(token: str) -> str:
    """What is kept of a token. It is random, so that a plain hash gives nothing away."""
    return hashlib.sha256(token.encode()).hexdigest()


def now() -> str:
    """UTC, to the millisecond."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")


def _event(
    database: sqlite3.Connection, reader: str | None, what: str, detail: dict, at: str = ""
) -> None:
    database.execute(
        "INSERT INTO events (at, reader, what, detail) VALUES (?, ?, ?, ?)",
        (at or now(), reader, what, _json(detail)),
    )


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)

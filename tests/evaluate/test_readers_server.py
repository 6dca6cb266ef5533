"""Answers and their server, without a browser."""

import sqlite3
from pathlib import Path

import pytest

from evaluate.readers import server, store
from evaluate.readers.__main__ import app
from evaluate.readers.kinds import ANOMALY, TURING
from evaluate.readers.server import HEADER, TOLD, application
from evaluate.readers.session import prepared
from evaluate.readers.store import Answer, Conflict, Store
from pgcxr.cli import command
from pgcxr.errors import ArgumentError, InputError
from tests.evaluate.toy_readers import GOOD, toy_study


class Reader:
    """A reader at the test client of Flask."""

    def __init__(self, folder, name="r1", password="", **given):
        self.study, self.store = prepared(folder)
        self.app = application(self.study, self.store, password, **given)
        self.client, self.token = self.app.test_client(), self.store.new_token(name)
        self.kind = self.study.kind.name
        self.number = 0

    def post(self, path, body, headers=None):
        headers = {HEADER: TOLD} if headers is None else headers
        return self.client.post(path, json=body, headers=headers)

    def login(self, **given):
        return self.post("/api/login", {"token": self.token, **given})

    def answer(self, place, phase="read", revision=0, **changes):
        self.number += 1
        given = {"id": f"{self.number:032x}", "position": place, "phase": phase}
        given |= {"revision": revision, "answer": GOOD[self.kind], "seconds": 1.5}
        given |= {"display": {"image": {"width": 200.0, "invert": False}}}
        return self.post("/api/answer", given | changes)


@pytest.fixture
def turing(tmp_path):
    toy_study(tmp_path / "study", TURING, 6, repeats=2)
    reader = Reader(tmp_path / "study")
    assert reader.login().status_code == 200
    return reader


def test_what_was_asked_may_change_before_the_first_answer_alone(tmp_path):
    folder = tmp_path / "s"
    toy_study(folder)
    toml = folder / "study.toml"
    prepared(folder)
    toml.write_text(toml.read_text().replace("seed = 7", "seed = 8"))
    reader = Reader(folder)
    reader.login()
    assert reader.answer(0).status_code == 200
    toml.write_text(toml.read_text().replace("seed = 8", "seed = 9"))
    with pytest.raises(InputError, match="seed changed after answers were given"):
        prepared(folder)


def test_a_study_is_found_from_where_its_server_was_started(tmp_path, monkeypatch):
    toy_study(tmp_path / "study", TURING, 4)
    monkeypatch.chdir(tmp_path)
    reader = Reader(Path("study"))
    reader.login()
    shown = reader.client.get("/image/0/image")
    assert shown.status_code == 200 and shown.data[:4] == b"\x89PNG"


def test_who_may_see_what(turing):
    """Neither without a token, nor with a wrong one, nor by paths, nor from another site."""
    stranger = turing.app.test_client()
    for path in ("/api/state", "/api/case/0", "/image/0/image"):
        assert stranger.get(path).status_code == 401
    assert (
        stranger.post("/api/login", json={"token": "x"}, headers={HEADER: TOLD}).status_code == 401
    )
    for path in (
        "/image/0/..%2f..%2fcases.json",
        "/image/0/../../study.toml",
        "/image/0/query",
        "/image/-1/image",
        "/image/99/image",
        "/image/0/image.png",
        "/cases.json",
        "/../cases.json",
        "/page/page.html",
        "/answers.sqlite",
        "/static/x",
    ):
        assert turing.client.get(path).status_code in (404, 308), path
    assert turing.client.get("/image/0/image").data.startswith(b"\x89PNG")
    # A page of another site cannot send the header; nor can a form send JSON.
    assert turing.post("/api/answer", {}, headers={}).status_code == 403
    form = turing.client.post("/api/answer", data={"id": "1"}, headers={HEADER: TOLD})
    assert form.status_code == 403
    assert turing.client.get("/api/state", headers={"Host": "evil.example"}).status_code == 421
    assert turing.client.get("/", headers={"Host": "127.0.0.1:8000"}).status_code == 200


def test_headers_and_cookie(turing):
    reply = turing.client.get("/")
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"] == "no-store"
    cookie = turing.login().headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    text = reply.get_data(as_text=True)
    assert "http:" not in text and "https:" not in text


def test_nothing_gives_the_answer_away(turing):
    for path in ("/api/state", "/api/case/0"):
        said = turing.client.get(path).get_data(as_text=True)
        assert '"truth"' not in said and "c000" not in said
    case = turing.client.get("/api/case/0").get_json()
    assert "feedback" not in case


def test_a_new_token_ends_the_earlier_one(turing):
    turing.store.new_token("r1")
    assert turing.client.get("/api/state").status_code == 401
    assert turing.login().status_code == 401
    for name in ("", "Anna Kim", "../x", "x" * 33):
        with pytest.raises(ArgumentError):
            turing.store.new_token(name)
    raw = turing.store.path.read_bytes()
    assert turing.token.encode() not in raw


def test_password(tmp_path):
    toy_study(tmp_path / "s")
    reader = Reader(tmp_path / "s", password="long enough", hosts=("*",))
    assert reader.login().get_json()["error"] == "password needed"
    assert reader.login(password="wrong one").status_code == 401
    assert reader.login(password="long enough").status_code == 200
    assert reader.client.get("/", headers={"Host": "ward.example"}).status_code == 200
    # A cookie of before the password was changed does not do.
    other = application(reader.study, reader.store, "another one", ("*",))
    other.config["SECRET_KEY"] = reader.app.config["SECRET_KEY"]
    client = other.test_client()
    client.set_cookie("reader_study", reader.client.get_cookie("reader_study").value)
    assert client.get("/api/state").status_code == 401


def test_guessing_is_slowed_down(turing):
    for _ in range(server.MOST_WRONG):
        turing.post("/api/login", {"token": "wrong"})
    assert turing.login().status_code == 429


def test_answers_are_kept_once(turing):
    one = {"id": "a" * 32}
    assert turing.answer(0, **one).status_code == 200
    assert turing.answer(0, **one).status_code == 200  # a double click, or a lost reply
    other = {"label": "synthetic", "confidence": 1}
    assert turing.answer(0, **one, answer=other).status_code == 400
    assert turing.answer(0).status_code == 409  # a second window that knows of none
    assert turing.answer(0, revision=5).status_code == 409
    assert turing.answer(0, revision=1).status_code == 200  # she thinks better of it
    kept = turing.store.answers("r1")
    assert [(one.position, one.revision) for one in kept] == [(0, 0), (0, 1)]
    assert kept[0].display == {"image": {"width": 200.0, "invert": False}}
    assert kept[0].seconds == 1.5 and kept[0].at
    what = [event[3] for event in turing.store.events()]
    assert what == ["new token", "login", "answered", "changed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "short"},
        {"id": 7},
        {"id": "A" * 32},
        {"position": "0"},
        {"position": 99},
        {"position": True},
        {"answer": {"label": "real"}},
        {"answer": None},
        {"phase": "with"},
        {"phase": ["read"]},
        {"revision": None},
        {"display": {"image": {"width": "wide"}}},
        {"display": "large"},
        {"seconds": -1},
        {"seconds": None},
    ],
)
def test_wrong_answers_are_refused(turing, changes):
    assert 400 <= turing.answer(0, **changes).status_code < 500
    assert turing.store.answers("r1") == []


def test_huge_requests_are_refused(turing):
    assert turing.answer(0, display={"image": {"x" * 100_000: 1}}).status_code in (400, 413)


def test_going_on_at_the_first_open_case(turing):
    for position in (0, 1, 3):
        reply = turing.answer(position)
    assert reply.get_json()["first_open"] == 2
    assert reply.get_json()["done"] == [True, True, False, True] + [False] * 4
    again = Reader(turing.study.folder, "r2")
    again.login()
    state = again.client.get("/api/state").get_json()
    assert state["first_open"] == 0 and not any(state["done"]), "readers do not share answers"
    shown = turing.client.get("/api/case/1").get_json()
    assert shown["answer"] == GOOD[TURING] and shown["revision"] == 1


def test_the_map_comes_after_the_first_answer(tmp_path):
    toy_study(tmp_path / "s", ANOMALY, 4)
    reader = Reader(tmp_path / "s")
    reader.login()
    assert reader.client.get("/image/0/map").status_code == 404
    assert reader.client.get("/api/case/0").get_json()["panes"] == ["query"]
    assert reader.answer(0, "with").status_code == 409
    state = reader.answer(0, "without").get_json()
    assert state["first_open"] == 0 and not state["done"][0], "one of two answers is missing"
    assert reader.client.get("/image/0/map").status_code == 200
    shown = reader.client.get("/api/case/0").get_json()
    assert shown["phase"] == "with" and shown["answer"] is None
    assert shown["earlier"] == {"without": GOOD[ANOMALY]}
    # What was said without the map stays, now that it has been seen.
    assert reader.answer(0, "without", revision=1).status_code == 409
    assert reader.answer(0, "with").get_json()["first_open"] == 1
    assert reader.answer(0, "with", revision=1).status_code == 200


def test_training_comes_first_and_its_answers_are_final(tmp_path):
    toy_study(tmp_path / "s", TURING, 4, training=2)
    reader = Reader(tmp_path / "s")
    reader.login()
    assert reader.client.get("/api/case/2").status_code == 403
    assert reader.answer(3).status_code == 403
    assert "feedback" not in reader.client.get("/api/case/0").get_json()
    reader.answer(0)
    shown = reader.client.get("/api/case/0").get_json()
    assert shown["locked"] and shown["feedback"] == "Right answer: real."
    assert reader.answer(0, revision=1).status_code == 409
    assert reader.answer(1).status_code == 200
    assert reader.client.get("/api/case/2").status_code == 200


def test_nothing_can_be_changed_or_removed(turing):
    turing.answer(0)
    database = sqlite3.connect(turing.store.path)
    for text in (
        "UPDATE answers SET answer = '{}'",
        "DELETE FROM answers",
        "DELETE FROM events",
        "UPDATE events SET at = ''",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            database.execute(text)


def test_a_full_disk_keeps_nothing_and_says_so(turing, monkeypatch):
    turing.answer(0)
    opened = sqlite3.connect

    def full(*given, **named):
        database = opened(*given, **named)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(store.sqlite3, "connect", full)
    long = {
        f"pane{i}": dict.fromkeys((f"{'x' * 30}{j}" for j in range(8)), 0.123456789)
        for i in range(8)
    }
    statuses = [turing.answer(1, revision=n, display=long).status_code for n in range(3)]
    assert 507 in statuses
    monkeypatch.undo()
    kept = turing.store.answers("r1")
    events = [each for each in turing.store.events() if each[3] in ("answered", "changed")]
    assert len(kept) == len(events) == 1 + statuses.count(200), "both or neither"
    assert turing.answer(2).status_code == 200


def test_a_damaged_file_is_said_at_the_start(tmp_path):
    toy_study(tmp_path / "s")
    path = tmp_path / "s" / "answers.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(InputError, match="is damaged"):
        prepared(tmp_path / "s")


def test_two_windows_at_once(turing):
    """Eight threads answer the same cases: one answer each, and the others are told."""
    from concurrent.futures import ThreadPoolExecutor

    def answer(number):
        try:
            return turing.store.commit(
                "r1", Answer(f"{number:032x}", number % 4, "read", 0, "c", {"a": 1}, {}, 1.0)
            )
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(answer, range(16)))
    assert outcomes.count(True) == 4 and outcomes.count("conflict") == 12
    assert sorted(one.position for one in turing.store.answers("r1")) == [0, 1, 2, 3]


def test_a_store_of_an_earlier_day_is_opened_as_it_is(turing):
    turing.answer(0)
    assert Store(turing.store.path).create().secret() == turing.store.secret()
    assert len(Store(turing.store.path).answers("r1")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["make", "quiz", "x", "--out", "y"], "KIND quiz: must be one of turing"),
        (["make", "severity", "x", "--out", "y"], "--axes: is needed"),
        (["make", "turing", "x", "--repeats", "30", "--out", "y"], "--repeats 30: must be at most"),
        (["serve", "{}", "--address", "0.0.0.0"], "--password-file: is needed"),
        (["serve", "{}", "--address", "0.0.0.0", "--password-file", "{}/short"], "make it longer"),
        (["serve", "{}", "--reader", "Anna Kim"], "--reader Anna Kim: must be"),
        (["serve", "{}", "--port", "99999"], "port"),
        (["serve", "{}/none"], "no such folder"),
        (["analyze", "{}", "--out", "{}-a"], "no answers yet"),
        (["export", "{}", "--out", "{}"], "not empty"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_line(tmp_path, capsys, words, said):
    folder = tmp_path / "s"
    toy_study(folder)
    (folder / "short").write_text("abc\n")
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [word.format(folder) for word in words])
    assert stopped.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_status(tmp_path, capsys):
    toy_study(tmp_path / "s")
    reader = Reader(tmp_path / "s")
    reader.login()
    reader.answer(0)
    with pytest.raises(SystemExit):
        command.run(app, ["status", str(tmp_path / "s")])
    assert capsys.readouterr().out == "r1: 1 of 6 cases\n"

"""The study's web server, for one machine or one ward: no page of it asks anything of the internet.

A reader opens a link whose part after # is her token; the page sends it once, and a signed cookie
takes its place. What a request may ask for is a position in the reader's own order and a pane: no
part of a path comes from outside, and the right answers never leave the server, except after a
training case. Requests that write carry a header that other sites' pages cannot send, beside a
cookie that browsers do not send from other sites.
"""

import hmac
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from evaluate.readers import study as studies
from evaluate.readers.store import Answer, Conflict, Store, digest
from evaluate.readers.study import Case, Study
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts

PAGE = Path(__file__).with_name("page")
HEADER, TOLD, WHO = "X-Reader-Study", "1", "X-Reader"
LOCAL = ("127.0.0.1", "localhost", "[::1]")
LARGEST = 64 * 1024  # bytes of a request
MOST_WRONG, MEANWHILE = 20, 60.0  # wrong tokens or passwords in so many seconds
SECURE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refused(Exception):
    """A request that gets an HTTP status and one line."""

    def __init__(self, status: int, line: str):
        super().__init__(line)
        self.status, self.line = status, line


class Session:
    """What one reader sees of a study: her order, what she committed, where she goes on."""

    def __init__(self, study: Study, store: Store, reader: str):
        self.study, self.store, self.reader = study, store, reader
        self.order = study.order(reader)

    def first_open(self, committed: dict) -> int:
        """The first position that lacks a required answer; the number of positions at the end."""
        phases = self.study.kind.phase_names()
        for position in range(len(self.order)):
            if any((position, phase) not in committed for phase in phases):
                return position
        return len(self.order)

    def state(self) -> dict:
        """The whole study as the page needs it."""
        committed = self.store.committed(self.reader)
        kind = self.study.kind
        return {
            "reader": self.reader,
            "study": digest(f"study {self.store.secret()}")[:16],
            "title": self.study.title,
            "kind": kind.name,
            "text": kind.text,
            "count": len(self.order),
            "training": sum(case.training for case in self.order),
            "first_open": self.first_open(committed),
            "done": [
                sum((position, phase) in committed for phase in kind.phase_names())
                == len(kind.phases)
                for position in range(len(self.order))
            ],
            "marks": list(kind.marks) if kind.marks else None,
            "questions": [
                {
                    "name": one.name,
                    "text": one.text,
                    "choices": [list(each) for each in one.choices],
                }
                for one in kind.questions
            ],
        }

    def case(self, position: int) -> dict:
        """One position: which phase is open, what is shown, what was answered."""
        case = self._case(position)
        answers = self.store.answers(self.reader, position)
        last = {answer.phase: answer for answer in answers}
        phase, locked = self._phase(case, last)
        revision = sum(answer.phase == phase for answer in answers)
        shown = {
            "position": position,
            "phase": phase,
            "phases": list(self.study.kind.phase_names()),
            "training": case.training,
            "prompt": case.prompt,
            "panes": list(self.study.kind.panes(phase)),
            "revision": revision,
            "locked": locked,
            "answer": last[phase].answer if phase in last else None,
            "display": last[phase].display if phase in last else None,
            "earlier": {name: one.answer for name, one in last.items() if name != phase},
        }
        if case.training and locked:
            shown["feedback"] = feedback(case)
        return shown

    def image(self, position: int, pane: str) -> Path:
        """The PNG of a pane; one of a later phase only when that has come."""
        case = self._case(position)
        last = {answer.phase: answer for answer in self.store.answers(self.reader, position)}
        phase, _ = self._phase(case, last)
        if pane not in self.study.kind.panes(phase):
            raise Refused(404, "no such image")
        return self.study.image(case, pane)

    def commit(self, given: dict) -> None:
        """Keeps an answer: once, and only of the phase that is open."""
        position, phase = given.get("position"), given.get("phase")
        if type(position) is not int or type(given.get("id")) is not str:
            raise Refused(400, "an answer needs a position and an id")
        case = self._case(position)
        answers = self.store.answers(self.reader, position)
        answer = Answer(
            given["id"],
            position,
            phase if type(phase) is str else "",
            given["revision"] if type(given.get("revision")) is int else -1,
            case.name,
            self.study.kind.check(given.get("answer")),
            _display(given.get("display")),
            _seconds(given.get("seconds")),
        )
        # The same again, after a lost reply: whatever has come meanwhile.
        if not any(one.id == answer.id for one in answers):
            open_phase, locked = self._phase(case, {one.phase: one for one in answers})
            if phase != open_phase or locked:
                raise Conflict
        self.store.commit(self.reader, answer)

    def _case(self, position: int) -> Case:
        if not 0 <= position < len(self.order):
            raise Refused(404, "no such case")
        training = sum(case.training for case in self.order)
        if position >= training > self.first_open(self.store.committed(self.reader)):
            raise Refused(403, "the training comes first")
        return self.order[position]

    def _phase(self, case: Case, last: dict) -> tuple[str, bool]:
        """(the phase that is open or was last, whether its answer is final). What was answered
        before more was shown is final, and so is a training case with its feedback."""
        names = self.study.kind.phase_names()
        phase = next((name for name in names if name not in last), names[-1])
        return phase, case.training and phase in last


def feedback(case: Case) -> str:
    """What a reader is told after a training case."""
    truth = case.truth
    if "label" in truth:
        return f"Right answer: {truth['label']}."
    if "class" in truth:
        return f"Right answer: {truth['class'].replace('_', ' ').replace(';', ', ')}."
    if "angle" in truth:
        return f"Made at step {truth['step']} of the axis of {truth['axis'].replace('_', ' ')}."
    return f"Left is of the {truth['left']} generator, right of the {truth['right']}."


def _display(given: object) -> dict:
    """{pane: {name: number or switch}} as the page says how it was shown."""
    if not isinstance(given, dict) or len(given) > 8:
        raise Refused(400, "display must say how each pane was shown")
    kept: dict = {}
    for pane, values in given.items():
        if not isinstance(values, dict) or len(values) > 8:
            raise Refused(400, "display must say how each pane was shown")
        if not all(type(value) in (int, float, bool) for value in values.values()):
            raise Refused(400, "display holds numbers alone")
        kept[str(pane)[:32]] = {str(name)[:32]: value for name, value in values.items()}
    return kept


def _seconds(given: object) -> float:
    if type(given) not in (int, float) or not 0 <= given < 10**7:
        raise Refused(400, "seconds must be a number of them")
    return round(float(given), 3)


class _Attempts:
    """Wrong tokens and passwords of late, of all who try."""

    def __init__(self) -> None:
        self.lock, self.times = threading.Lock(), []

    def refuse_many(self) -> None:
        with self.lock:
            since = time.monotonic() - MEANWHILE
            self.times = [at for at in self.times if at > since]
            if len(self.times) >= MOST_WRONG:
                raise Refused(429, "too many wrong tokens; wait a minute")

    def wrong(self) -> None:
        with self.lock:
            self.times.append(time.monotonic())


def prepared(folder: str | Path) -> tuple[Study, Store]:
    """A study that may be served.

    Raises:
        InputError: it is none, its answers are damaged, or what was asked was edited after answers
            were given.
    """
    study = studies.load(folder)
    store = Store(study.folder / studies.ANSWERS)
    store.check()
    store.create()
    plan = {
        "seed": study.seed,
        "repeats": study.repeats,
        "cases": artifacts.sha256(study.folder / studies.CASES),
    }
    kept = store.freeze(plan)
    if kept != plan:
        changed = ", ".join(sorted(key for key in plan if kept.get(key) != plan[key]))
        raise InputError(
            f"{study.folder}: {changed} changed after answers were given, which belong to the "
            "earlier ones; put them back, or make a new study"
        )
    return study, store


def application(study: Study, store: Store, password: str = "", hosts: tuple[str, ...] = ()):
    """The Flask application.

    Args:
        study, store: of `prepared`.
        password: asked for beside the token; "" for none.
        hosts: names under which it may be asked, `LOCAL` where left out: another site's name that
            was made to lead here is refused.
    """
    import flask

    app = flask.Flask("evaluate.readers", static_folder=None)
    app.config.update(
        SECRET_KEY=store.secret(),
        MAX_CONTENT_LENGTH=LARGEST,
        SESSION_COOKIE_NAME="reader_study",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=60 * 24 * 3600,
    )
    known = {name.lower() for name in (hosts or LOCAL)}
    asked = digest(f"password {password}") if password else ""
    attempts = _Attempts()

    def session() -> Session:
        kept = flask.session
        reader = store.reader_of(str(kept.get("token", "")))
        if reader is None or not hmac.compare_digest(str(kept.get("password", "")), asked):
            raise Refused(401, "open the link that you were given")
        if flask.request.headers.get(WHO, reader) != reader:
            raise Refused(401, f"{reader} reads in this browser now; open your own link again")
        return Session(study, store, reader)

    def body() -> dict:
        if flask.request.headers.get(HEADER) != TOLD or not flask.request.is_json:
            raise Refused(403, "not from this page")
        given = flask.request.get_json(silent=True)
        if not isinstance(given, dict):
            raise Refused(400, "must be a JSON object")
        return given

    def answered(function: Callable) -> Callable:
        """JSON, or the line of what went wrong."""

        @wraps(function)
        def answer(**given):
            try:
                return flask.jsonify(function(**given))
            except Refused as refused:
                return flask.jsonify({"error": refused.line}), refused.status
            except Conflict:
                return flask.jsonify({"error": "answered in another window; look again"}), 409
            except ArgumentError as error:
                return flask.jsonify({"error": str(error)}), 400
            except sqlite3.OperationalError as error:
                # Full disk, or locked for long: nothing was kept, and the page tries again.
                return flask.jsonify({"error": f"not saved: {error}"}), 507

        return answer

    @app.before_request
    def only_ours():
        host = (
            flask.request.host.rsplit(":", 1)[0]
            if ":" in flask.request.host
            else (flask.request.host)
        )
        if "*" not in known and host.lower() not in known:
            return "unknown host\n", 421
        return None

    @app.after_request
    def secured(response):
        response.headers.update(SECURE)
        return response

    @app.get("/")
    def page():
        return flask.send_from_directory(PAGE, "page.html")

    @app.get("/<any('viewer.js', 'study.js', 'style.css'):name>")
    def file(name: str):
        return flask.send_from_directory(PAGE, name)

    @app.get("/favicon.ico")
    def icon():
        return "", 204

    @app.post("/api/login")
    @answered
    def login():
        given = body()
        attempts.refuse_many()
        token = digest(str(given.get("token", "")))
        word = digest(f"password {given.get('password', '')}") if asked else ""
        reader = store.reader_of(token)
        if reader is None or not hmac.compare_digest(word, asked):
            attempts.wrong()
            raise Refused(401, "password needed" if reader and asked else "no such token")
        flask.session.update(token=token, password=asked)
        flask.session.permanent = True
        store.event(reader, "login")
        return {"reader": reader}

    @app.get("/api/state")
    @answered
    def state():
        return session().state()

    @app.get("/api/case/<int:position>")
    @answered
    def case(position: int):
        return session().case(position)

    @app.get("/image/<int:position>/<pane>")
    def image(position: int, pane: str):
        try:
            return flask.send_file(session().image(position, pane), mimetype="image/png")
        except Refused as refused:
            return flask.jsonify({"error": refused.line}), refused.status

    @app.post("/api/answer")
    @answered
    def answer():
        given, own = body(), session()
        own.commit(given)
        return own.state()

    return app

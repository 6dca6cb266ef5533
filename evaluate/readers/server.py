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

from evaluate.readers.session import Refused, Session
from evaluate.readers.store import Conflict, Store, digest
from evaluate.readers.study import Study
from pgcxr.errors import ArgumentError

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


def application(study: Study, store: Store, password: str = "", hosts: tuple[str, ...] = ()):
    """The Flask application.

    Args:
        study, store: of `session.prepared`.
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
        # A late reply to one reader must not take the place of another's login.
        SESSION_REFRESH_EACH_REQUEST=False,
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
            # Flask takes a relative path for one in its own package.
            return flask.send_file(session().image(position, pane).resolve(), mimetype="image/png")
        except Refused as refused:
            return flask.jsonify({"error": refused.line}), refused.status

    @app.post("/api/answer")
    @answered
    def answer():
        given, own = body(), session()
        own.commit(given)
        return own.state()

    return app

"""Listens: which address, whose links, and what must be so before anything leaves this machine."""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path

from evaluate.readers.server import LOCAL, application
from evaluate.readers.session import prepared
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import user_files

SHORTEST = 10  # characters of a password
THREADS = 8


def serve(
    folder: Path,
    readers: Sequence[str],
    address: str,
    port: int,
    password_file: Path | None,
    hosts: Sequence[str],
) -> None:
    """Serves the study in `folder` until it is interrupted.

    Raises:
        ArgumentError: the address is taken, or one of the network without a password.
        InputError: no study, or Flask and waitress are not installed.
    """
    try:
        import flask  # noqa: F401
        import waitress
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed; it comes with pip install 'pgcxr[readers]'"
        ) from None
    local = _is_local(address)
    password = _password(password_file) if password_file else ""
    if not local and not password:
        raise ArgumentError(
            "password_file",
            f"is needed where others can reach the study ({address}); and give it a proxy with "
            "TLS, as what is sent is not encrypted here",
        )
    study, store = prepared(folder)
    known = (*LOCAL, *hosts) if local or hosts else ("*",)
    app = application(study, store, password, known)
    try:
        server = waitress.create_server(
            app, host=address, port=port, threads=THREADS, clear_untrusted_proxy_headers=True
        )
    except OSError as error:
        raise ArgumentError(
            "port", f"can't be listened to ({error.strerror or error})", received=port
        ) from None
    place = hosts[0] if hosts else f"{address}:{port}"
    for name in readers:
        print(f"{name}: http://{place}/#token={store.new_token(name)}")
    if not local:
        print(
            "note: not encrypted: let readers in through a proxy that speaks TLS (https), and give "
            "its name with --host; the proxy must pass the Host header on",
            flush=True,
        )
    if not store.readers():
        print(f"note: {folder} has no readers yet; add them with --reader CODE", flush=True)
    print(f"{folder}: http://{place}/ until Ctrl-C", flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def _is_local(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        try:
            socket.getaddrinfo(address, None)
        except OSError:
            raise ArgumentError(
                "address", "is no address of this machine", received=address
            ) from None
        return False


def _password(path: Path) -> str:
    lines = user_files.read_text(path, absent="expected a password in its first line").splitlines()
    password = lines[0].strip() if lines else ""
    if len(password) < SHORTEST:
        raise InputError(
            f"{path}: its first line has fewer than {SHORTEST} characters; make it longer"
        )
    return password

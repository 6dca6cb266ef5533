"""A headless Chromium, driven through its DevTools protocol (no driver, no network)."""

import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import websocket

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
# Of the protocol: names of keys that are no characters.
CODES = {
    "Enter": 13,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Backspace": 8,
    "Escape": 27,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}


class Chromium:
    """A browser with a profile of its own; `with` ends it."""

    def __init__(self, profile: Path):
        self.profile = profile

    def __enter__(self) -> "Chromium":
        said = self.profile / "DevToolsActivePort"
        said.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-dev-shm-usage", "--disable-extensions", "--mute-audio"),
                *("--remote-debugging-port=0", "--window-size=1280,800"),
                *("--remote-allow-origins=*", f"--user-data-dir={self.profile}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait(lambda: said.is_file() and said.read_text().count("\n") >= 1, 60)
        self.port = int(said.read_text().split("\n")[0])
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def page(self, url: str) -> "Tab":
        """A new tab at `url`."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT"
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return Tab(json.load(reply)["webSocketDebuggerUrl"], url)


class ProtocolError(RuntimeError):
    """What Chromium answers to a method that it could not carry out."""


class Tab:
    """One tab: its keys, its pointer, its script."""

    def __init__(self, socket: str, url: str):
        self.socket = websocket.create_connection(socket, timeout=60)
        self.numbers = itertools.count(1)
        self.requests: list[str] = []
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def call(self, method: str, **params) -> dict:
        """The result of a method of the protocol."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"])[:500])
            if message.get("id") == number:
                if "error" in message:
                    raise ProtocolError(message["error"])
                return message["result"]

    def js(self, text: str):
        """The value of an expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, text: str, seconds: float = 60) -> None:
        """Waits until an expression is true."""
        # Between two pages there is no body, nor what is looked for in it.
        patient = f"(() => {{ try {{ return {text} }} catch {{ return false }} }})()"

        def holds() -> bool:
            try:
                return self.js(patient)
            except ProtocolError as error:
                # The page went while it was asked; the next one is asked again.
                if "navigated" not in str(error):
                    raise
                return False

        try:
            wait(holds, seconds, text)
        except AssertionError as error:
            seen = self.js("document.body?.innerText + JSON.stringify(document.body?.dataset)")
            raise AssertionError(f"{error}; the page says: {seen} {self.errors}") from None

    def press(self, *keys: str, shift: bool = False) -> None:
        """Presses keys one after the other."""
        for key in keys:
            given = {"key": key, "modifiers": 8 if shift else 0}
            if key in CODES:
                given |= {"windowsVirtualKeyCode": CODES[key], "code": key}
                if key == "Enter":
                    given["text"] = "\r"
            else:
                given["text"] = key
            self.call("Input.dispatchKeyEvent", type="keyDown", **given)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def drag(self, start: tuple[int, int], end: tuple[int, int], button: str = "left") -> None:
        """Drags the pointer; a click where both are the same."""
        one = {"button": button, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=start[0], y=start[1], **one)
        if end != start:
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=end[0], y=end[1], **one)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=end[0], y=end[1], **one)

    def at(self, position: int, phase: str = "read") -> None:
        """Waits until a case is shown."""
        self.until(
            f"document.body.dataset.shown === 'reading' && "
            f"document.body.dataset.position === '{position} {phase}' && "
            "document.querySelector('#commit') !== null"
        )

    def screenshot(self, path: Path) -> None:
        """What is seen, as a PNG."""
        import base64

        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


def wait(holds, seconds: float, what: str = "") -> None:
    """Until `holds()`, or AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.03)

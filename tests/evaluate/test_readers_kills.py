"""Answers under kills of server and browser: none is lost, none is doubled.

PGCXR_KILLED=200 python -m pytest tests/evaluate/test_readers_kills.py
"""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from evaluate.readers.kinds import TURING
from evaluate.readers.session import prepared
from tests.evaluate.chromium import PROGRAM, Chromium, wait
from tests.evaluate.toy_readers import toy_study

ANSWERS = int(os.environ.get("PGCXR_KILLED", "5"))
READING = "document.body.dataset.shown === 'reading'"
ROOT = Path(__file__).resolve().parents[2]


class Server:
    """`python -m evaluate.readers serve` in a process of its own, that is killed and started."""

    def __init__(self, folder: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        self.command = [sys.executable, "-m", "evaluate.readers", "serve", str(folder)]
        self.command += ["--port", str(self.port)]
        self.kills = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        wait(self.is_up, 60, "the server")

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.process.stderr.read()
        try:
            return urllib.request.urlopen(self.address, timeout=5).status == 200
        except OSError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.kills += 1


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_no_answer_is_lost_or_doubled(tmp_path):
    rng = random.Random(ANSWERS)
    toy_study(tmp_path / "s", TURING, ANSWERS)
    study, store = prepared(tmp_path / "s")
    link = f"#token={store.new_token('r1')}"
    server, browser = Server(tmp_path / "s"), None
    told: set[int] = set()  # positions of which the page said that they are kept
    browsers = 0
    victims = ["server"] * max(ANSWERS // 5, 1) + ["browser"] * max(ANSWERS // 12, 1)
    victims += [""] * (ANSWERS - len(victims))
    rng.shuffle(victims)
    try:
        while len(told) < ANSWERS:
            if browser is None:
                browser = Chromium(tmp_path / "profile").__enter__()
                tab = browser.page(server.address + link)
                tab.until("document.body.dataset.shown === 'card'", 60)
                if len(store.committed("r1")) == ANSWERS:
                    break
                tab.press("Enter")
            tab.until(f"document.body.dataset.position && {READING}", 60)
            position = int(tab.js("document.body.dataset.position").split()[0])
            tab.press("r", str(rng.randint(1, 5)), "Enter")
            time.sleep(rng.random() * 0.04)
            victim = victims.pop() if victims else ""
            if victim == "server":
                server.kill()
                time.sleep(rng.random() * 0.2)
                server.start()
            elif victim == "browser":
                browser.kill()
                browser, browsers = None, browsers + 1
                continue
            tab.until(f"(document.body.dataset.position !== '{position} read' || !({READING}))", 60)
            told.add(position)
            assert {at for at, _ in store.committed("r1")} >= told, "told, but not kept"
            if not tab.js(READING):
                break
    finally:
        if browser is not None:
            browser.kill()
        server.kill()
    kept = store.answers("r1")
    assert Counter(one.position for one in kept) == Counter(range(ANSWERS))
    assert [case.name for case in study.order("r1")] == [
        one.case_name for one in sorted(kept, key=lambda one: one.position)
    ]
    events = [event[4]["id"] for event in store.events() if event[3] == "answered"]
    assert sorted(events) == sorted(one.id for one in kept)
    assert server.kills > 1 and browsers > 0 and not victims
    print(f"{len(kept)} answers, {server.kills} kills of the server, {browsers} of the browser")

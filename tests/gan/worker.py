"""Hosts of one training on this machine: `train.gan` itself, with TF_CONFIG in the environment.

Reads one round a line from stdin, [{"words": of the command line, "env": {...}, "log": path}, ...],
runs its hosts together, and prints their exit codes. TensorFlow is imported once, and each host is
a fork of that (see `tests/gan/lives.py`). PGCXR_STOP_AT=64 has a host send itself SIGTERM after so
many images.
"""

import json
import os
import signal
import sys
import time

from pgcxr.cli import command
from pgcxr.gan import trainer
from tests.graphs import unoptimized
from train.gan import training  # noqa: F401
from train.gan.__main__ import app

HANG = 400  # seconds after which a host that hangs is killed; about 15 on two idle cores


def main() -> None:
    from tensorflow.python.eager import context

    for line in sys.stdin:
        assert not context.context()._initialized, "nothing of TensorFlow may be used before"
        hosts = [_forked(**host) for host in json.loads(line)]
        print(json.dumps(_ends(hosts)), flush=True)


def _ends(hosts: list[int]) -> list[int]:
    """The exit codes; what hangs is killed."""
    codes: dict[int, int] = {}
    deadline = time.monotonic() + HANG
    while len(codes) < len(hosts):
        for host in set(hosts) - set(codes):
            if time.monotonic() > deadline:
                os.kill(host, signal.SIGKILL)
            ended, status = os.waitpid(host, os.WNOHANG)
            if ended:
                codes[host] = os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return [codes[host] for host in hosts]


def _forked(words: list[str], env: dict[str, str], log: str) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ |= env
        with open(log, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        unoptimized()
        _stopping(int(env.get("PGCXR_STOP_AT", "0")))
        command.run(app, words, name="python -m train.gan")
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _stopping(stop_at: int) -> None:
    train = trainer.train

    def stopping(reals, run, config, strategy, progress, *rest):
        def watch(nimg, lod):
            progress(nimg, lod)
            if stop_at and nimg >= stop_at:
                os.kill(os.getpid(), signal.SIGTERM)

        return train(reals, run, config, strategy, watch, *rest)

    trainer.train = stopping


if __name__ == "__main__":
    main()

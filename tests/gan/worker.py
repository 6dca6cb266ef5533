"""One of several hosts: `train.gan` itself, with TF_CONFIG in the environment, asked to stop after
some images.

Example: TF_CONFIG=... python -m tests.gan.worker COHORT --config demo --out RUN
PGCXR_STOP_AT=64 has it send itself SIGTERM there.
"""

import os
import signal
import sys

from pgcxr.cli import command
from train.gan.__main__ import app


def main() -> None:
    from pgcxr.gan import trainer

    stop_at, train = int(os.environ.get("PGCXR_STOP_AT", "0")), trainer.train

    def stopping(reals, run, config, strategy, progress, *rest):
        def watch(nimg, lod):
            progress(nimg, lod)
            if stop_at and nimg >= stop_at:
                os.kill(os.getpid(), signal.SIGTERM)

        return train(reals, run, config, strategy, watch, *rest)

    trainer.train = stopping
    command.run(app, sys.argv[1:], name="python -m train.gan")


if __name__ == "__main__":
    main()

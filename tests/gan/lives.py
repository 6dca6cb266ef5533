"""Trains one tiny run in many lives, each ended by `kill -9` at a random moment, then to its end.
Prints one JSON line.

Example: python -m tests.gan.lives /tmp/lives --kills 20 --seed 1

TensorFlow is imported once, and each life is a fork of that: nothing of TensorFlow may be used
before (no device, no tensor), for its threads do not live on in a fork.
"""

import argparse
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from tests.graphs import unoptimized

LOOK = 16  # images between two looks at the schedule: 4 iterations of 4
CONFIG = {
    "resolution": 8,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "tick_kimg_base": 2 * LOOK / 1000,
    "minibatch_base": 4,
    "seed": 5,
}
# Looks at the schedule in either half-phase: the first, which is stable, and the fading one; enough
# for some kills in each.
FEW, MANY = 10, 40
PATIENCE = 300  # seconds that one life may last on a busy machine
REFUSED = 7
SECOND = 3  # the life beside which a second process tries


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    looks = MANY if options.kills > SECOND else FEW
    half_phases = {
        "lod_training_kimg": looks,
        "lod_transition_kimg": looks,
        "total_kimg": 2 * looks,
    }
    CONFIG.update({name: number * LOOK / 1000 for name, number in half_phases.items()})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from tensorflow.python.eager import context

    import train.gan.training  # noqa: F401
    from pgcxr.gan import trainer  # noqa: F401

    assert not context.context()._initialized, "nothing of TensorFlow may be used before the forks"
    rng = np.random.default_rng(options.seed)
    whole, run = options.folder / "whole", options.folder / "killed"
    begun = time.perf_counter()
    assert _life(whole, options.folder / "whole.txt")["code"] == 0, (
        options.folder / "whole.txt"
    ).read_text()
    undisturbed = time.perf_counter() - begun
    facts = {
        "kills": 0,
        "while_saving": 0,
        "before_training": 0,
        "refused": 0,
        "undisturbed_seconds": undisturbed,
    }
    while facts["kills"] < options.kills:
        life = _life(
            run,
            options.folder / f"life{facts['kills']:02d}.txt",
            kill=_moment(rng, facts["kills"], undisturbed),
            second=facts["kills"] == SECOND,
        )
        assert life["code"] == -signal.SIGKILL, life
        facts["kills"] += 1
        facts["while_saving"] += _half_saved(run)
        facts["before_training"] += life["looks"] == 0
        facts["refused"] += life["refused"]
        _check_states(run)
    last = _life(run, options.folder / "last.txt")
    assert last["code"] == 0, (options.folder / "last.txt").read_text()
    facts |= {
        "states_equal": _final_state(run) == _final_state(whole),
        "seconds": time.perf_counter() - begun,
    }
    print(json.dumps(facts))


def _moment(rng, number: int, seconds: float) -> tuple[str, float]:
    """When to kill: ("start", seconds after it), ("look", how many, and a bit) or ("saving", how
    many looks before)."""
    kind = "look" if number == SECOND else rng.choice(["start", "look", "saving"])
    return str(kind), rng.uniform(0, 0.2 * seconds) if kind == "start" else rng.uniform(1, 6)


def _life(
    out: Path, log: Path, kill: tuple[str, float] | None = None, second: bool = False
) -> dict:
    """One process that trains `out` until it ends or is killed; `second`: another one is started
    while it trains."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _in_child(out, log, writing)
    os.close(writing)
    kind, when = kill or ("", 0.0)
    looks, refused, begun = 0, False, time.monotonic()
    while time.monotonic() < begun + PATIENCE:
        if kind == "start" and time.monotonic() >= begun + when:
            os.kill(child, signal.SIGKILL)
        if kind == "saving" and looks >= when and _half_saved(out):
            os.kill(child, signal.SIGKILL)
        if not select.select([reading], [], [], 0.0005 if kind == "saving" else 0.05)[0]:
            continue
        if not os.read(reading, 1):
            break
        looks += 1
        if second and looks == 1:
            refused = _life(out, log.with_suffix(".second.txt"))["code"] == REFUSED
        if kind == "look" and looks >= when:
            time.sleep(0.1 * (when % 1))
            os.kill(child, signal.SIGKILL)
    else:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"code": code, "looks": looks, "refused": refused}


def _half_saved(run: Path) -> bool:
    """Whether a state is, or was, being written that has no final name yet."""
    return (run / "state").is_dir() and any(
        ".partial" in name for name in os.listdir(run / "state")
    )


def _in_child(out: Path, log: Path, pipe: int) -> None:
    """Never returns."""
    code = 1
    try:
        with open(log, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        _train(out, pipe)
        code = 0
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        code = REFUSED if "is being trained by process" in str(error) else 1
    finally:
        os._exit(code)


def _train(out: Path, pipe: int) -> None:
    from pgcxr.cohort.pipeline import ImageDataset
    from pgcxr.gan import devices, run_dir, trainer
    from train.common import load_config

    unoptimized()
    config = load_config("gan", "demo").replace(**CONFIG)
    run = run_dir.RunDir(out)
    with run.locked(), devices.deterministic():
        run.claim(config)
        reals = ImageDataset(np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), np.uint8), 8)
        trainer.train(
            reals, run, config, devices.strategy(1), lambda *_: os.write(pipe, b"."), print
        )


def _check_states(run: Path) -> None:
    """Whatever has a state's final name is whole."""
    from pgcxr.gan import state_file

    for path in (run / "state").glob("nimg*.npz"):
        state_file.read(path)[1].close()


def _final_state(run: Path) -> dict:
    """Every array of the last state, as bytes."""
    from pgcxr.gan import state_file

    path = sorted((run / "state").glob("nimg*.npz"))[-1]
    with state_file.read(path)[1] as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files if name != state_file.META}


if __name__ == "__main__":
    main()

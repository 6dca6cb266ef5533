"""kill -9 at random moments, and the weights at the end are those of an undisturbed run, bit for
bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

# PGCXR_KILLS=20 for the full count, about 2 minutes on two idle cores.
KILLS = int(os.environ.get("PGCXR_KILLS", "2"))
ROOT = Path(__file__).resolve().parents[2]


def test_a_run_killed_at_random_moments_ends_with_the_same_weights(tmp_path):
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.gan.lives",
            str(tmp_path),
            "--kills",
            str(KILLS),
            "--seed",
            "2",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600 + 60 * KILLS,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    facts = json.loads(made.stdout)
    print(facts)
    assert facts["kills"] == KILLS
    assert facts["states_equal"]
    assert facts["refused"] == (KILLS > 3), (
        "a second process on the same RUN is refused while the first one trains"
    )
    logs = "".join((tmp_path / f"life{life:02d}.txt").read_text() for life in range(1, KILLS))
    assert "was ended before it could say so" in logs, "the lock of a killed process is recognized"
    assert "going on after" in logs

"""How long a slider of notebooks/02_axes.ipynb takes: image, difference, Grad-CAM, likelihoods.

    python -m benchmarks.sliders runs/demo

One JSON line: milliseconds of wall and of processor time for each move, on one thread.
"""

import argparse
import json
import os
import time
from pathlib import Path

# Before TensorFlow is loaded.
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")


def measure(study: Path, moves: int) -> dict:
    """{moves, size, median_ms, p95_ms, cpu_median_ms, gflops}."""
    import numpy as np

    from benchmarks.machine import gflops
    from evaluate.notebooks.axes import Sliders
    from evaluate.notebooks.showing import Study

    sliders = Sliders(Study(study))
    *_, slider = sliders.amounts.values()
    taken = []
    for step in range(moves + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        slider.value = 5 * (1 + step % 30)
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = 1000 * np.array(taken[1:]).T  # the first one sets the finding of the Grad-CAM
    return {
        "moves": moves,
        "size": sliders.explorer.generator.resolution,
        "median_ms": round(float(np.median(wall)), 1),
        "p95_ms": round(float(np.quantile(wall, 0.95)), 1),
        "cpu_median_ms": round(float(np.median(cpu)), 1),
        "gflops": round(gflops(), 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, help="a folder of evaluate.study with gan and axes")
    parser.add_argument("--moves", type=int, default=60)
    given = parser.parse_args()
    print(json.dumps(measure(given.study, given.moves)))

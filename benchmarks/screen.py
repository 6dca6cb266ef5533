"""`pgcxr screen` end to end: images/s from DICOM files to pictures, table and page.

    python -m benchmarks.screen phantom-64-normal /data/new

The files are screened into a temporary folder, with each number of processes; beside it the same
without decoding (`model`), in batches of 32. Loading the network is not counted; CPU seconds are
those of this process and its threads, so with 0 processes of all.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="as of `pgcxr screen`")
    parser.add_argument("source", type=Path, help="a folder of images")
    parser.add_argument("--processes", default="0,2", help="that decode")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for line in measure(options):
        print(json.dumps(line), flush=True)


def measure(options: argparse.Namespace):
    """Yields the lines."""
    import numpy as np

    from pgcxr.screening import model as models
    from pgcxr.screening.options import ScreeningOptions
    from pgcxr.screening.screen import BATCH, screen

    model = models.load(options.model)
    images = {
        side: np.zeros((BATCH, side, side), np.uint8) + np.uint8(9)
        for side in model.preparation.sides
    }
    model.ask(images)  # compiled
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(5):
        model.ask(images)
    yield _line("model", 5 * BATCH, time.perf_counter() - begin, time.process_time() - cpu)
    for processes in map(int, options.processes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            begin, cpu = time.perf_counter(), time.process_time()
            asked = ScreeningOptions(processes=processes)
            report = screen(model, options.source, Path(folder) / "out", asked)
            seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
        line = _line("screen", report["images"], seconds, cpu)
        yield line | {"processes": processes, "refused": report["refused"]}


def _line(what: str, images: int, seconds: float, cpu: float) -> dict:
    return {
        "benchmark": "screen",
        "what": what,
        "images": images,
        "seconds": round(seconds, 2),
        "images_per_second": round(images / seconds, 1),
        "cpu_seconds_per_image": round(cpu / images, 4),
    }


if __name__ == "__main__":
    main()

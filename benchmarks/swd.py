"""Speed of the sliced Wasserstein distance; one JSON line per measurement.

    python -m benchmarks.swd [--images 512] [--size 64] [--repeats 3]

Beside it the slow twin of the tests on few images, as images per second: the two differ by the
tiling of gray images to three colors, by sorting along memory, and by two threads.
"""

import argparse
import json
import resource
import time

import numpy as np

from pgcxr.metrics.swd import sliced_wasserstein
from tests.reference import swd_slow


def measure(name: str, function, images: int, size: int, repeats: int) -> dict:
    """The fastest of `repeats` calls, as images of one set per second."""
    random = np.random.default_rng(0)
    reals, fakes = (
        random.integers(0, 256, (images, size, size, 1)).astype(np.uint8) for _ in range(2)
    )
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(reals, fakes, 0)
        seconds.append(time.perf_counter() - start)
    return {
        "benchmark": name,
        "images": images,
        "size": size,
        "seconds": round(min(seconds), 3),
        "images_per_second": round(images / min(seconds), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(
        json.dumps(measure("swd", sliced_wasserstein, asked.images, asked.size, asked.repeats)),
        flush=True,
    )
    print(
        json.dumps(
            measure("swd_slow", swd_slow.sliced_wasserstein, min(asked.images, 16), asked.size, 1)
        )
    )


if __name__ == "__main__":
    main()

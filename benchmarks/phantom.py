"""Milliseconds to render one frontal phantom, alone and with DICOM writing: one JSON line per size.

python -m benchmarks.phantom
"""

import json
import tempfile
import time
from pathlib import Path

import cv2

from pgcxr.phantom.clinic import attend
from pgcxr.phantom.export import write_patient
from pgcxr.phantom.render import render

SIZES = {64: 60, 128: 60, 256: 30, 512: 12, 1024: 4}


def main() -> None:
    """Prints the processor and wall time per image, on one thread."""
    cv2.setNumThreads(1)
    for size, repeats in SIZES.items():
        people = [attend(1, index) for index in range(repeats)]
        render(people[0].patient, size)
        wall, busy = time.perf_counter(), time.process_time()
        for person in people:
            render(person.patient, size, findings=person.studies[0].findings)
        line = {"benchmark": "phantom.render", "size": size, "images": repeats}
        line["wall_ms"] = 1e3 * (time.perf_counter() - wall) / repeats
        line["cpu_ms"] = 1e3 * (time.process_time() - busy) / repeats
        print(json.dumps(line), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "truth" / "masks").mkdir(parents=True)
            wall, busy = time.perf_counter(), time.process_time()
            images = sum(
                len(write_patient(Path(folder), person, 1, size).truth) for person in people
            )
            line = {"benchmark": "phantom.write_patient", "size": size, "images": images}
            line["wall_ms"] = 1e3 * (time.perf_counter() - wall) / images
            line["cpu_ms"] = 1e3 * (time.process_time() - busy) / images
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

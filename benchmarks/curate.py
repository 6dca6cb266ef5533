"""Files per second of curation: the whole of `pgcxr curate`, on one process and on several, beside
two other ways.

`pydicom` is a bare loop in one process: dcmread, pixel_array, scaled to 8 bits between the smallest
and the largest value, cv2.resize by area, PNG of the same compression, written. `tfio` is tf.data
with tensorflow-io's DICOM op, the same scaling, tf.image.resize by area, tf.io.encode_png, written;
with as many parallel calls as processes. Curation does more than either: headers, rules, windows,
percentiles, hashes, journal, splits, tables. Each way runs in a process of its own, and its first
pass (of few files, which fills caches and starts what has to start) isn't counted; that of `curate`
is a whole run, so its times are those of a second whole run, worker processes started anew: the
difference between few and many files is what a file costs. Processor time is the measure on a
machine that others use too.

Files are uncompressed, of 12 bits in 16, a few images under many names; all are read from memory.
One JSON line each.

Example: python -m benchmarks.curate --files 200 --side 2000
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

IMAGES = 20
OFF = ("duplicate", "near_duplicate", "cropped", "inverted", "rotated", "mislabelled_view")
THESIS_SCANS = 217_924  # thesis Figure 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--side", type=int, default=2000, help="of the DICOM images, in pixels")
    parser.add_argument("--size", type=int, default=1024, help="of the cohort's images, in pixels")
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        WAYS[options.way](options.export, options.size, int(options.processes))
        return
    with tempfile.TemporaryDirectory() as folder:
        exports = {
            number: Path(folder) / str(number) for number in (options.files // 4, options.files)
        }
        for number, export in exports.items():
            make_export(export, number, options.side)
        for processes in options.processes.split(","):
            for way in WAYS:
                if way == "pydicom" and processes != "1":
                    continue
                numbers = exports if way.startswith("curate") else [options.files]
                for number in numbers:
                    line = {
                        "benchmark": "curate",
                        "way": way,
                        "processes": int(processes),
                        "files": number,
                    }
                    line |= {"side": options.side, "size": options.size}
                    line |= measured(way, exports[number], options.size, processes)
                    print(json.dumps(line), flush=True)


def measured(way: str, export: Path, size: int, processes: str) -> dict:
    """One way, in a process of its own."""
    words = [
        sys.executable,
        "-m",
        "benchmarks.curate",
        "--way",
        way,
        "--export",
        str(export),
        "--size",
        str(size),
    ]
    done = subprocess.run([*words, "--processes", processes], capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200]}
    found = json.loads(done.stdout.splitlines()[-1])
    number = len(list(export.glob("IM*")))
    rate = number / found["seconds"]
    found |= {
        "files_per_second": round(rate, 2),
        "hours_for_thesis": round(THESIS_SCANS / rate / 3600, 2),
    }
    found["mb_per_second"] = round(
        sum(path.stat().st_size for path in export.glob("IM*")) / found["seconds"] / 1e6, 1
    )
    found["cpu_ms_per_file"] = round(1000 * found.pop("cpu_seconds") / number, 1)
    return found | {"seconds": round(found["seconds"], 2)}


def make_export(folder: Path, files: int, side: int) -> None:
    """An export of `files` names for IMAGES images that compress like radiographs: smooth, with a
    little noise."""
    import cv2
    import numpy as np
    import pydicom
    from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(files):
        path = folder / f"IM{number:06d}"
        if number >= IMAGES:
            os.link(folder / f"IM{number % IMAGES:06d}", path)
            continue
        coarse = rng.integers(0, 3600, (side // 100, side // 100)).astype(np.float32)
        smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
        pixels = (smooth + rng.integers(0, 16, (side, side))).clip(0, 4095).astype(np.uint16)
        dataset = pydicom.Dataset()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = (
            ComputedRadiographyImageStorage,
            f"1.2.{number}",
        )
        dataset.AccessionNumber, dataset.PatientID, dataset.PatientAge = (
            f"A{number}",
            f"P{number}",
            "050Y",
        )
        dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "CR", "CHEST", "PA"
        dataset.Manufacturer, dataset.PhotometricInterpretation = "GE", "MONOCHROME2"
        dataset.Rows = dataset.Columns = side
        dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path, enforce_file_format=True)
    with open(folder / "studies.csv", "w", newline="") as file:
        rows = ([f"A{number}", ("Z00.0", "J90")[number % 2]] for number in range(IMAGES))
        csv.writer(file).writerows([["accession_number", "diagnosis_codes"], *rows])


def curate(export: Path, size: int, processes: int, audit: bool = True) -> None:
    """`pgcxr curate` in full, twice; each time from nothing."""
    from pgcxr.curation import run
    from pgcxr.curation.options import CurationOptions

    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.toml"
        # The pixels are no chests, and few under many names: everything is measured, nothing
        # excluded.
        rules.write_text("".join(f"[{rule}]\nenabled = false\n" for rule in OFF))
        for turn in range(2):
            begun = _now()
            options = CurationOptions(
                size=size,
                processes=processes,
                rules_file=rules,
                key_file=Path(folder) / "key",
                audit=audit,
            )
            report = run.curate(export, Path(folder) / str(turn), options, show_progress=False)
            ended = _now()
        assert report["images"] == len(list(export.glob("IM*")))
    _print(
        begun, ended, worker_peak_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    )


def bare_pydicom(export: Path, size: int, processes: int) -> None:
    """One process whatever `processes` says."""
    import cv2
    import pydicom

    cv2.setNumThreads(1)

    def convert(path: Path, out: Path) -> None:
        pixels = pydicom.dcmread(path).pixel_array
        low, high = pixels.min(), pixels.max()
        image = ((pixels - low) * (255.0 / (high - low))).astype("uint8")
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        out.write_bytes(cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 2])[1].tobytes())

    paths = sorted(export.glob("IM*"))
    with tempfile.TemporaryDirectory() as folder:
        for path in paths[:5]:
            convert(path, Path(folder) / path.name)
        begun = _now()
        for path in paths:
            convert(path, Path(folder) / path.name)
        _print(begun, _now())


def tfio(export: Path, size: int, processes: int) -> None:
    """tf.data with tensorflow-io's op."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    import tensorflow_io

    tf.config.threading.set_inter_op_parallelism_threads(processes)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as folder:

        def convert(path):
            pixels = tensorflow_io.image.decode_dicom_image(tf.io.read_file(path), dtype=tf.uint16)[
                0
            ]
            pixels = tf.cast(pixels, tf.float32)
            low, high = tf.reduce_min(pixels), tf.reduce_max(pixels)
            image = tf.image.resize(
                (pixels - low) * (255.0 / (high - low)), (size, size), method="area"
            )
            name = tf.strings.join([folder, tf.strings.split(path, "/")[-1]], "/")
            tf.io.write_file(name, tf.io.encode_png(tf.cast(image, tf.uint8), compression=2))
            return 0

        paths = [str(path) for path in sorted(export.glob("IM*"))]
        for some in (paths[:5], paths):
            begun = _now()
            for _ in tf.data.Dataset.from_tensor_slices(some).map(
                convert, num_parallel_calls=processes
            ):
                pass
            ended = _now()
        assert len(os.listdir(folder)) == len(paths)
    _print(begun, ended)


def _now() -> tuple[float, float]:
    """On the clock; of processor time, this process and its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)


def _print(begun: tuple[float, float], ended: tuple[float, float], **more) -> None:
    print(json.dumps({"seconds": ended[0] - begun[0], "cpu_seconds": ended[1] - begun[1], **more}))


WAYS = {
    "curate": curate,
    "curate without audit": partial(curate, audit=False),
    "pydicom": bare_pydicom,
    "tfio": tfio,
}

if __name__ == "__main__":
    main()

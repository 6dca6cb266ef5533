"""Images per second of the input alone: real images read, reduced to a level and batched, with
nothing trained on them.

The input must be at least three times as fast as the training step (`benchmarks.train_step`).
Images are random gray PNG files, which compress worse than radiographs do; `memory` is the way of a
cohort that fits into memory, `files` that of a larger one, `held` that of its small levels; `png
records` and `nvidia records` are TFRecords too large for memory. One JSON line per way and level.

Example: python -m benchmarks.pipeline --resolution 256 --levels 4,16,64,256
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

IMAGES = 64


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--levels", default="4,16,64,256", help="in pixels")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="to measure for, each")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    import cv2
    import numpy as np

    from pgcxr.cohort import image_files, pipeline

    rng = np.random.default_rng(0)
    coarse = rng.integers(
        0, 256, (IMAGES, options.resolution // 8, options.resolution // 8), np.uint8
    )
    smooth = [
        cv2.resize(image, (options.resolution,) * 2, interpolation=cv2.INTER_CUBIC)
        for image in coarse
    ]
    noise = rng.integers(0, 8, (IMAGES, options.resolution, options.resolution), np.uint8)
    images = np.stack(smooth) // 2 + noise
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.png" for number in range(IMAGES)]
        for path, image in zip(paths, images, strict=True):
            cv2.imwrite(str(path), image)
        reals = pipeline.ImageDataset(images[..., None], options.resolution)
        sources = {
            "files": image_files.PngFiles(paths, options.resolution),
            **_records(Path(folder), paths, images),
        }
        sources["held"] = sources["files"]
        for way in ("memory", *sources):
            if way != "memory":
                reals.full, reals.source, reals.levels = None, sources[way], {}
            for size in map(int, options.levels.split(",")):
                steps = 1_000_000 // options.batch
                if way == "held":
                    reals.hold(size.bit_length() - 1, lambda line: None)
                batches = iter(
                    reals.dataset(size.bit_length() - 1, 0, steps, options.batch, seed=0)
                )
                next(batches)
                begun, count = time.perf_counter(), 0
                while time.perf_counter() - begun < options.seconds and count < steps - 1:
                    next(batches)
                    count += 1
                seconds = time.perf_counter() - begun
                line = {
                    "benchmark": "pipeline",
                    "way": way,
                    "resolution": options.resolution,
                    "level": size,
                }
                line |= {
                    "batch": options.batch,
                    "bytes_per_image": sum(p.stat().st_size for p in paths) // IMAGES,
                }
                print(
                    json.dumps(
                        line | {"images_per_second": round(count * options.batch / seconds, 1)}
                    ),
                    flush=True,
                )


def _records(folder: Path, paths: list[Path], images) -> dict:
    """The same images as TFRecords of both formats: {way: source}."""
    import tensorflow as tf

    from pgcxr.cohort import record_files, records

    with records.NvidiaWriter(folder / "nvidia", "train", images.shape[-1]) as writer:
        for image in images:
            writer.add(image[None])  # [HW] -> [CHW]
    (folder / "png").mkdir()
    with tf.io.TFRecordWriter(str(folder / "png" / "train.tfrecords")) as file:
        for path in paths:
            file.write(records.example(image=[path.read_bytes()]))
    return {
        f"{format} records": record_files.load(folder / format, "train")
        for format in ("png", "nvidia")
    }


if __name__ == "__main__":
    main()

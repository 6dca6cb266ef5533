"""Images per second of a generator, per resolution and batch. One JSON line per measurement.

    python -m benchmarks.generate --resolutions 32,64,128 --batches 1,8 --fmap-base 8192 --fmap-max
    512

`forward` is the network alone; `command` is what `pgcxr generate` does for each image: batches of a
fixed size, 8-bit PNG, files on the disk. Each measurement has a process of its own, so that
`peak_mib` is its own too.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolutions", default="4,8,16,32,64,128")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--fmap-base", type=int, default=8192)
    parser.add_argument("--fmap-max", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=5.0, help="measure for about so long")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    processes = multiprocessing.get_context("spawn")
    for resolution in map(int, options.resolutions.split(",")):
        for batch in [*map(int, options.batches.split(",")), None]:
            with processes.Pool(1) as pool:
                line = pool.apply(measure, (resolution, batch, options))
            print(json.dumps(line), flush=True)


def measure(resolution: int, batch: int | None, options: argparse.Namespace) -> dict:
    """One line; `batch` None is the whole command."""
    import numpy as np
    import tensorflow as tf

    from pgcxr.networks import Generator
    from pgcxr.sampling import generation

    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    generator = Generator(resolution, fmap_base=options.fmap_base, fmap_max=options.fmap_max)
    line = {
        "benchmark": "generate.forward" if batch else "generate.command",
        "resolution": resolution,
        "fmap_base": options.fmap_base,
        "fmap_max": options.fmap_max,
        "batch": batch or generation.fixed_batch(generator),
    }
    z = generation.latents(0, 4096, generator.latent_size)
    line |= (
        _forward(generator, z, batch, options.seconds)
        if batch
        else _command(generator, z, options.seconds)
    )
    gpus = tf.config.list_physical_devices("GPU")
    return line | {
        "parameters": sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "gpu_peak_mib": tf.config.experimental.get_memory_info("GPU:0")["peak"] >> 20
        if gpus
        else None,
        "devices": len(gpus) or f"{len(os.sched_getaffinity(0))} cores",
        "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
        "tensorflow": tf.__version__,
    }


def _forward(generator, z, batch: int, seconds: float) -> dict:
    import numpy as np

    from pgcxr.sampling import generation

    forward = generation.synthesizer(generator, batch)
    begun = time.perf_counter()
    forward(z[:batch])
    traced = time.perf_counter() - begun
    forward(z[:batch])
    times = []
    while len(times) < 3 or (sum(times) < seconds and len(times) < 1000):
        begun = time.perf_counter()
        forward(z[:batch])
        times.append(time.perf_counter() - begun)
    return {
        "images_per_second": round(batch / float(np.median(times)), 3),
        "first_seconds": round(traced, 2),
    }


def _command(generator, z, seconds: float) -> dict:
    from pgcxr.sampling import generation, output, selection
    from pgcxr.sampling.options import OutputOptions
    from pgcxr.sampling.runs import GENERATOR

    with tempfile.TemporaryDirectory() as folder:
        generator.save(Path(folder) / GENERATOR)

        def save(n: int) -> float:
            begun = time.perf_counter()
            chosen = selection.of_seed(1, n, generator.latent_size)
            output.save(
                Path(folder),
                generator,
                chosen,
                Path(folder) / f"{n}",
                OutputOptions(),
                lambda done, total: None,
            )
            return time.perf_counter() - begun

        few = more = generation.fixed_batch(generator)
        # What a longer run takes longer: what comes before the first image is done once, whatever
        # the number.
        once = save(few)
        longer = 0.0
        while longer < seconds and more < len(z):
            more = min(len(z), 4 * more)
            longer = save(more) - once
    return {
        "images_per_second": round((more - few) / max(longer, 1e-9), 3),
        "first_seconds": round(once, 2),
    }


if __name__ == "__main__":
    main()

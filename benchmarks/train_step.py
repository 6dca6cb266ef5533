"""Images per second of one whole training step (D, Gs, G), per resolution. One JSON line per
measurement.

`gflop_per_image` counts direct convolutions whichever way they are computed, and `of_machine` is
that arithmetic per second over the rate of a large matrix product in the same process: above 1
where minimal filtering saves more than the rest costs. `processor_seconds` of a step, median and
least, say more than the clock on a machine that does other things, too.

Example: python -m benchmarks.train_step --resolutions 16,32 --fmap-base 256 --fmap-max 32 --batch 8
"""

import argparse
import json
import os
import resource
import time


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolutions", default="4,8,16,32")
    parser.add_argument("--fmap-base", type=int, default=8192)
    parser.add_argument("--fmap-max", type=int, default=512)
    parser.add_argument("--latent-size", type=int, default=None)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fading", action="store_true")
    parser.add_argument("--xla", action="store_true")
    parser.add_argument(
        "--minimal", action="store_true", help="wide convolutions by minimal filtering"
    )
    parser.add_argument("--precision", default="float32", help="float32, float16 or bfloat16")
    parser.add_argument(
        "--devices", type=int, default=1, help="logical CPU devices under MirroredStrategy"
    )
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

    import numpy as np
    import tensorflow as tf

    from benchmarks import machine
    from pgcxr.gan import devices
    from pgcxr.gan.config import PRECISIONS
    from pgcxr.gan.progressive_gan import ProgressiveGAN
    from pgcxr.networks import Discriminator, Generator, flops

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    if options.devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * options.devices
        )
    strategy = devices.strategy(
        options.devices, [f"CPU:{number}" for number in range(options.devices)]
    )
    rate = machine.gflops()
    dtype = PRECISIONS[options.precision]
    for resolution in map(int, options.resolutions.split(",")):
        sizes = {
            "resolution": resolution,
            "fmap_base": options.fmap_base,
            "fmap_max": options.fmap_max,
        }
        level = resolution.bit_length() - 1
        with strategy.scope():
            generator = Generator(latent_size=options.latent_size, dtype=dtype, **sizes)
            gan = ProgressiveGAN(generator, Discriminator(dtype=dtype, **sizes), seed=0)
            gan.compile(jit_compile=options.xla, minimal_filtering=options.minimal)
        gan.grow_to(level, options.fading, options.batch, 0.999)
        reals = np.random.default_rng(0).integers(
            0, 256, (options.batch, resolution, resolution, 1), np.uint8
        )
        batches = tf.data.Dataset.from_tensors(reals).repeat()
        iterator = iter(strategy.experimental_distribute_dataset(batches))
        begun = time.perf_counter()
        gan.train_function(iterator)
        traced = time.perf_counter() - begun
        gan.train_function(iterator)
        seconds, processor = [], []
        for _ in range(options.steps):
            begun, used = time.perf_counter(), time.process_time()
            gan.train_function(iterator)["g_loss"].numpy()
            seconds.append(time.perf_counter() - begun)
            processor.append(time.process_time() - used)
        per_second = options.batch / float(np.median(seconds))
        gflop = (
            flops.FLOP * flops.iteration(gan.generator.get_config(), level, options.fading) / 1e9
        )
        line = vars(options) | {
            "resolution": resolution,
            "images_per_second": round(per_second, 4),
            "slowest_and_fastest_step": [round(max(seconds), 3), round(min(seconds), 3)],
            "processor_seconds": [round(float(np.median(processor)), 3), round(min(processor), 3)],
            "gflop_per_image": round(gflop, 2),
            "machine_gflops": round(rate, 1),
            "of_machine": round(gflop * per_second / rate, 3),
            "trace_seconds": round(traced, 2),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
            "tensorflow": tf.__version__,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

"""Images per second of one whole training step (D, Gs, G), per resolution. One JSON line per measurement.

Example: python -m benchmarks.train_step --resolutions 16,32 --fmap-base 256 --fmap-max 32 --batch 8
"""

import argparse
import json
import os
import resource
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", default="4,8,16,32")
    parser.add_argument("--fmap-base", type=int, default=8192)
    parser.add_argument("--fmap-max", type=int, default=512)
    parser.add_argument("--latent-size", type=int, default=None)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fading", action="store_true")
    parser.add_argument("--xla", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

    import numpy as np
    import tensorflow as tf

    from pgcxr.networks import Discriminator, Generator
    from pgcxr.training.progressive_gan import ProgressiveGAN

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    for resolution in map(int, options.resolutions.split(",")):
        sizes = {"resolution": resolution, "fmap_base": options.fmap_base, "fmap_max": options.fmap_max}
        gan = ProgressiveGAN(Generator(latent_size=options.latent_size, **sizes), Discriminator(**sizes), seed=0)
        gan.compile(jit_compile=options.xla)
        gan.grow_to(resolution.bit_length() - 1, options.fading, options.batch, 0.999)
        reals = np.random.default_rng(0).integers(0, 256, (options.batch, resolution, resolution, 1), np.uint8)
        iterator = iter(tf.data.Dataset.from_tensors(reals).repeat())
        begun = time.perf_counter()
        gan.train_function(iterator)
        traced = time.perf_counter() - begun
        gan.train_function(iterator)
        seconds = []
        for _ in range(options.steps):
            begun = time.perf_counter()
            gan.train_function(iterator)["g_loss"].numpy()
            seconds.append(time.perf_counter() - begun)
        line = vars(options) | {
            "resolution": resolution,
            "images_per_second": round(options.batch / float(np.median(seconds)), 3),
            "trace_seconds": round(traced, 2),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
            "tensorflow": tf.__version__,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

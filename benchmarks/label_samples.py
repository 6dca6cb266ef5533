"""Images per second of sampling and labeling, what `evaluate.axes` begins with, beside the networks
alone. One JSON line.

    python -m benchmarks.label_samples --samples 4096
    python -m benchmarks.label_samples --gan runs/gan --classifier runs/classifier

`alone` is the generator and the classifiers as one graph on one device, called again with the same
latents there; `stored` is all of it: latents drawn, images rounded to gray levels, networks, shards
written and closed, on all GPUs. Both are measured in turns in one process; `ratio` is that of the
medians, for each device.
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
    parser.add_argument("--gan", help="RUN of train.gan; phantom-64 where left out")
    parser.add_argument(
        "--classifier", action="append", help="RUN of train.classifier, may be repeated; a new "
        "network of --config small where left out",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(measure(options)), flush=True)


def measure(options: argparse.Namespace) -> dict:
    """The line."""
    import numpy as np
    import tensorflow as tf

    from evaluate import common
    from pgcxr.classifier import network
    from pgcxr.latent import labeling
    from pgcxr.latent.space import LatentSpace
    from pgcxr.sampling import runs

    placed = labeling.strategy()
    with placed.scope():
        run = options.gan or runs.pretrained_run("phantom-64")
        space = LatentSpace.of(run, common.load_generator(run))
        generator = space.generator
        if options.classifier:
            classifiers = [common.load_classifier(run) for run in options.classifier]
        else:
            size = generator.resolution
            classifiers = [network.resnet(size, 6, (2, 2, 2, 2), 16, stem="half", momentum=0.9)]
    labeler = labeling.Labeler(space, classifiers, options.batch, placed)
    step = options.batch * placed.num_replicas_in_sync
    z = space.draw(0, step)
    labeler(z)  # traced
    alone = forward(generator, classifiers, z[: options.batch])
    seconds = {"alone": [], "stored": []}
    for turn in range(options.turns):
        begun = time.perf_counter()
        for _ in range(-(-options.samples // step)):
            alone()
        seconds["alone"].append(time.perf_counter() - begun)
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            labeling.label(labeler, turn, options.samples, Path(folder))
            seconds["stored"].append(time.perf_counter() - begun)
    batches = -(-options.samples // step)
    rates = {
        "alone": batches * options.batch / float(np.median(seconds["alone"])),
        "stored": options.samples / float(np.median(seconds["stored"])),
    }
    return {
        "benchmark": "label_samples",
        "resolution": generator.resolution,
        "classifiers": len(classifiers),
        "samples": options.samples,
        "batch": options.batch,
        "alone_images_per_second": round(rates["alone"], 1),
        "stored_images_per_second": round(rates["stored"], 1),
        "ratio": round(rates["stored"] / rates["alone"] / placed.num_replicas_in_sync, 3),
        "devices": placed.num_replicas_in_sync,
        "tensorflow": tf.__version__,
    }


def forward(generator, classifiers: list, z):
    """A function without arguments: the networks' one pass over `z` [B, L], and no more."""
    import numpy as np
    import tensorflow as tf

    from pgcxr.classifier.network import with_logits
    from pgcxr.networks import synthesize

    readers = [with_logits(classifier) for classifier in classifiers]
    lod, held = float(np.asarray(generator.lod)), tf.constant(z)

    @tf.function(jit_compile=False)
    def graph(z):
        images = synthesize(generator, z, lod=lod)
        return [reader(images, training=False) for reader in readers]

    graph(held)
    return lambda: [part.numpy() for part in graph(held)]


if __name__ == "__main__":
    main()

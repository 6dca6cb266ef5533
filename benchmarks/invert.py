"""How near inversion comes to held-out normals and to abnormal images, and what an image costs. One
JSON line a method.

    python -m benchmarks.invert runs/gan_normal runs/cohort --encoder runs/encoder

`rms` is of the difference without its mean (the thesis's loss is blind to brightness), of all
images together, in [-1, 1]. `lesion_left` is of the same normals with artificial anomalies: how
much of what was pasted is in the difference, from 0 (the reconstruction paints it, too) to 1;
what suits the search for anomalies has a small `rms_normal` and a large `lesion_left`. `thesis`
is a random start and the thesis's loss, with our optimizer and `--thesis-steps` steps; `bank` and
`encoder` are the starts of `evaluate.anomaly` with 0 steps and more; `encoder, robust` has that
loss; `freed N` goes on from the longest search with N levels of the generator free. One line says
how many steps from the encoder are as near to normals as the thesis's way, and how many times
faster that is. CPU seconds are those of all threads; nothing of compiling is counted, nor making
the bank.
"""

import argparse
import json
import os
import time
from pathlib import Path

COMPONENTS = (50, 100, 200)
# Learning rates: the nearer the start, the lower. Steps for each level that is freed.
RATES = {"thesis": 0.3, "bank": 0.3, "encoder": 0.1, "encoder, robust": 0.1}
FREED = 30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gan", type=Path, help="RUN of train.gan --label normal")
    parser.add_argument("cohort", type=Path, help="its normals of split val are held out")
    parser.add_argument("--encoder", type=Path, help="RUN of train.encoder")
    parser.add_argument("--images", type=int, default=48, help="of each kind")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--thesis-steps", type=int, default=500)
    parser.add_argument("--steps", default="0,5,10,20,40", help="from bank and encoder")
    parser.add_argument("--freed", type=int, default=3, help="levels")
    parser.add_argument("--penalty", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for line in measure(options):
        print(json.dumps(line), flush=True)


def measure(options: argparse.Namespace):
    """Yields the lines."""
    from pgcxr.latent.features import generator_with_offsets
    from pgcxr.sampling.generation import load_generator

    generator = load_generator(options.gan)
    case = Case(options, generator.resolution)
    yield from case.components()
    with_offsets = generator_with_offsets(generator)
    last, spent = None, None
    for row, found, cpu in searches(options, case, generator, lambda z: with_offsets(z, ())):
        yield row
        if row.get("method") in ("bank", "encoder"):
            last, spent = found, cpu
    yield from freed(options, case, generator, with_offsets, (last, spent))


class Case:
    """Held-out normals, abnormal images, and the normals with artificial anomalies."""

    def __init__(self, options: argparse.Namespace, size: int):
        import numpy as np

        from pgcxr.anomaly.artificial.pasting import paste
        from pgcxr.cohort import manifest as cohorts
        from pgcxr.images import from_uint8

        self.options, self.size = options, size
        self.cohort = cohorts.load(options.cohort)
        draw = np.random.default_rng(options.seed)
        parts = [self.cohort.select("val", label) for label in ("normal", "abnormal")]
        count = min(options.images, *map(len, parts))
        normal, abnormal = (
            from_uint8(
                cohorts.Cohort(
                    part.folder, part.manifest.iloc[draw.permutation(len(part))[:count]]
                ).images(size)
            )
            for part in parts
        )
        changed = [
            paste(own / 2 + 0.5, other / 2 + 0.5, np.random.default_rng([options.seed, place]))[0]
            for place, (own, other) in enumerate(
                zip(normal[..., 0], normal[::-1, ..., 0], strict=True)
            )
        ]
        self.lesions = np.stack(changed)[..., None] * 2 - 1 - normal
        self.images = np.concatenate([normal, abnormal, normal + self.lesions])

    def line(self, method: str, pictures, steps: int, wall: float, cpu: float) -> dict:
        """What is printed of one method."""
        import numpy as np

        normal, abnormal, changed = np.split(self.images - pictures, 3)
        left = ((changed - normal) * self.lesions).sum() / (self.lesions**2).sum()
        rms = [np.sqrt(each.var(axis=(1, 2, 3)).mean()) for each in (normal, abnormal)]
        return {
            "benchmark": "invert",
            "method": method,
            "resolution": self.size,
            "steps": steps,
            "batch": self.options.batch,
            "images": len(self.images),
            "rms_normal": round(float(rms[0]), 4),
            "rms_abnormal": round(float(rms[1]), 4),
            "lesion_left": round(float(left), 3),
            "seconds_per_image": round(wall / len(self.images), 4),
            "cpu_seconds_per_image": round(cpu / len(self.images), 4),
        }

    def components(self):
        """Yields the lines of principal components."""
        from pgcxr.anomaly.baselines import fit_subspace
        from pgcxr.images import from_uint8

        learned = from_uint8(self.cohort.select("train", "normal").images(self.size))
        subspace = fit_subspace(learned, max(COMPONENTS), self.options.seed)
        for count in COMPONENTS:
            nearest = subspace.first(count).nearest(self.images)
            yield self.line(f"PCA-{count}", nearest, 0, 0.0, 0.0)


def searches(options: argparse.Namespace, case: Case, generator, generate):
    """Yields (line, latents, (seconds, CPU seconds)) of every start."""
    from pgcxr.latent.inversion import Inverter
    from pgcxr.latent.starts import RandomStart, make_bank
    from pgcxr.losses.residuals import LOSSES
    from pgcxr.sampling.generation import latents

    size, steps = generator.latent_size, list(map(int, options.steps.split(",")))
    known = latents(options.seed, 2048, size, purpose=4)
    plan = [("thesis", RandomStart(size, options.seed), "mpse", [options.thesis_steps])]
    plan.append(("bank", make_bank(generate, known, options.batch), "mse", steps))
    if options.encoder:
        start = encoder_of(options.encoder, generate)
        plan += [("encoder, robust", start, "robust", steps[-1:]), ("encoder", start, "mse", steps)]
    rows = []
    for name, start, loss, counts in plan:
        inverter = Inverter(generate, start, LOSSES[loss], batch=options.batch)
        inverter.invert(case.images[: options.batch], iterations=1, learning_rate=0.1)  # compiled
        for count in counts:
            found, *spent = _timed(
                lambda run=inverter, count=count, rate=RATES[name]: run.invert(
                    case.images, iterations=count, learning_rate=rate
                )
            )
            rows.append(case.line(name, found.images, count, *spent))
            yield rows[-1], found.latents, spent
    thesis, *others = rows
    equal = [
        row
        for row in others
        if row["method"] == "encoder" and row["rms_normal"] <= thesis["rms_normal"]
    ]
    if equal:
        times = thesis["cpu_seconds_per_image"] / equal[0]["cpu_seconds_per_image"]
        yield {"as_near_as_thesis": equal[0]["steps"], "times_faster": round(times, 1)}, None, None


def freed(options: argparse.Namespace, case: Case, generator, with_offsets, last: tuple):
    """Yields the lines of levels that are freed after a search (latents, seconds of both kinds)."""
    from pgcxr.latent.features import FeatureSearch
    from pgcxr.losses.residuals import LOSSES

    latents, begun = last
    shapes = generator.feature_shapes()[: options.freed]
    features = FeatureSearch(with_offsets, shapes, LOSSES["mse"], options.penalty, options.batch)
    some = slice(options.batch)
    features.search(case.images[some], latents[some], iterations=1, learning_rate=0.05)
    found, *spent = _timed(
        lambda: features.search(case.images, latents, iterations=FREED, learning_rate=0.05)
    )
    for level in range(1, len(found.images)):
        share = found.seconds[level - 1] / found.seconds[-1]
        after = (first + share * more for first, more in zip(begun, spent, strict=True))
        yield case.line(f"freed {level}", found.images[level], FREED * level, *after)


def encoder_of(run: Path, generate):
    """The start that a RUN of train.encoder gives."""
    from pgcxr.io import artifacts, folders
    from pgcxr.latent.encoder import EncoderStart
    from pgcxr.sampling.runs import load_network

    _, network = load_network(run, "encoder.keras", folders.ENCODER)
    return EncoderStart(network, generate, artifacts.read_json(run / "config.json")["passes"])


def _timed(work) -> tuple:
    """(result, seconds, CPU seconds)"""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()

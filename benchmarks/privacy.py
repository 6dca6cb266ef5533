"""What `python -m evaluate.privacy` finds: copies of training images mixed into a GAN's images, one
JSON line each.

    python -m benchmarks.privacy GAN_RUN CLASSIFIER_RUN [--n 2000] [--images 0] [--altered
    NAME,NAME]

A share of the synthetic images is replaced by training images (out of so many; 0: out of all),
altered as named, from small shares on to the first that the gate fails. The last line puts images
of a random half of the held-out patients in the generator's place, who are nobody's copies.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from evaluate import common
from evaluate.privacy import experiment, spaces
from pgcxr.classifier import features
from pgcxr.sampling import generation

HALVES = 20
SHARES = (0.002, 0.005, 0.02, 0.1, 0.5, 1.0)
NONE = "none: other patients"


def noisy(images: np.ndarray, levels: float) -> np.ndarray:
    """With Gaussian noise of so many gray levels."""
    noise = np.random.default_rng(1).normal(0, levels, images.shape)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def smooth(images: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred, `sigma` in px."""
    return np.stack([cv2.GaussianBlur(image[..., 0], (0, 0), sigma) for image in images])[..., None]


def shifted(images: np.ndarray, by: int) -> np.ndarray:
    """To the right by so many px; the border is repeated."""
    return np.concatenate([images[:, :, :1].repeat(by, axis=2), images[:, :, :-by]], axis=2)


def turned(images: np.ndarray, degrees: float, scale: float = 1.0) -> np.ndarray:
    """About the center, and enlarged; the border is repeated."""
    size = images.shape[1]
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), degrees, scale)
    moved = (
        cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        for image in images
    )
    return np.stack(list(moved))[..., None]


ALTERED = {
    "exact": lambda images: images,
    "mirrored": lambda images: np.ascontiguousarray(images[:, :, ::-1]),
    "noise of 5 levels": lambda images: noisy(images, 5),
    "noise of 15 levels": lambda images: noisy(images, 15),
    "blurred by 1 px": lambda images: smooth(images, 1),
    "shifted by 1 px": lambda images: shifted(images, 1),
    "shifted by 3 px": lambda images: shifted(images, 3),
    "turned by 3 degrees": lambda images: turned(images, 3),
    "enlarged by 5 %": lambda images: turned(images, 0, 1.05),
    "half the contrast": lambda images: (images // 2 + 100).astype(np.uint8),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gan_run", type=Path)
    parser.add_argument("classifier_run", type=Path)
    parser.add_argument("--n", type=int, default=experiment.PrivacyOptions().n)
    parser.add_argument("--images", type=int, default=0)
    parser.add_argument("--altered", default=",".join([*ALTERED, NONE]))
    options = parser.parse_args()
    kinds = options.altered.split(",")
    bench = Bench(options.gan_run, options.classifier_run)
    rng = np.random.default_rng(2)
    known = rng.permutation(len(bench.training))[: options.images or len(bench.training)]
    chosen = bench.training[rng.choice(known, options.n)]
    honest = bench.synthetic(options.n)
    for name, alter in ALTERED.items():
        if name not in kinds:
            continue
        copies = bench.vectors(alter(chosen))
        for share in SHARES:
            count = round(share * options.n)
            mixed = {
                space: np.concatenate([copies[space][:count], honest[space][count:]])
                for space in honest
            }
            reasons = bench.judged(mixed)
            print(
                json.dumps(
                    {"copies": name, "share": share, "found": bool(reasons), "reasons": reasons}
                ),
                flush=True,
            )
            if reasons:
                break
    if NONE in kinds:
        reasons = [bench.judged_half(seed) for seed in range(HALVES)]
        print(json.dumps({"copies": NONE, "halves": HALVES, "found": sum(map(bool, reasons))}))


class Bench:
    """The real images of a GAN's cohort as vectors, and the gate for any set of others."""

    def __init__(self, gan_run: Path, classifier_run: Path):
        self.run, self.generator = gan_run, common.load_generator(gan_run)
        self.real, _ = spaces.real_sets(gan_run)
        self.extractor = features.load(classifier_run)
        self.training = self.real.training.images(self.generator.resolution)
        one, other = (rows.images(self.generator.resolution) for rows in self.real.pairs)
        held_out = self.real.held_out.images(self.generator.resolution)
        images = {"training": self.training, "held_out": held_out, "one": one, "other": other}
        self.known = {name: self.vectors(each) for name, each in images.items()}

    def vectors(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """{space: vectors} of uint8 [N, R, R, 1]."""
        parts = (
            images[start : start + spaces.BATCH] for start in range(0, len(images), spaces.BATCH)
        )
        return spaces.vectors(parts, self.extractor)

    def synthetic(self, n: int) -> dict[str, np.ndarray]:
        """The same of the GAN's own images."""
        z = common.latents(0, n, self.generator.latent_size)
        labels = generation.labels(self.run, self.generator, None, n, 0)
        return spaces.vectors(
            common.generate_batches(self.generator, z, labels, spaces.BATCH), self.extractor
        )

    def judged(self, generated: dict[str, np.ndarray], held_out: dict | None = None) -> list[str]:
        """Why the gate fails a generator of these vectors; nothing where it passes."""
        sets = self.known | {"generated": generated} | ({"held_out": held_out} if held_out else {})
        seen = {space: {name: each[space] for name, each in sets.items()} for space in generated}
        return experiment.judged(seen, self.real, seed=0)[2]

    def judged_half(self, seed: int) -> list[str]:
        """The same for a random half of the held-out patients, beside the other half."""
        rows = np.random.default_rng(seed).permutation(len(self.real.held_out))
        halves = [
            {space: each[part] for space, each in self.known["held_out"].items()}
            for part in np.split(rows, [len(rows) // 2])
        ]
        return self.judged(*halves)


if __name__ == "__main__":
    main()

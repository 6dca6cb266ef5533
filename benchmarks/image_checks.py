"""What the rules on pixels find and what they take by mistake, and how long they need.

One JSON line for each set of images and kind of fault: the images as they are (how many each rule
takes by mistake), and the same images turned, inverted and cut (the share that the rule finds). The
phantom is always measured; a folder of NIH ChestX-ray14 (with extra/quality_flags.csv, if any)
where one is named. The last lines are milliseconds for each image of 2000 x 2000 pixels, and
seconds to find the near duplicates among random hashes.

Example: python -m benchmarks.image_checks --nih /data/ChestX-ray14
"""

import argparse
import csv
import json
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from pgcxr.curation import duplicates, image_checks, rules
from pgcxr.curation.pixels import decode_image
from pgcxr.dicom.normalization import normalize
from pgcxr.phantom.clinic import attend
from pgcxr.phantom.render import render

FAULTS = {
    "turned by 90": ("rotated", lambda image: np.rot90(image, -1)),
    "turned by 180": ("rotated", lambda image: np.rot90(image, 2)),
    "turned by 270": ("rotated", lambda image: np.rot90(image, 1)),
    "upside down": ("rotated", lambda image: image[::-1]),
    "inverted": ("inverted", lambda image: 255 - image),
    **{
        f"{side} {share:.0%} cut": (
            "cropped",
            lambda image, side=side, share=share: _cut(image, side, share),
        )
        for side in ("left", "right", "upper", "lower")
        for share in (0.3, 0.4, 0.5)
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nih", type=Path, help="a folder of NIH ChestX-ray14")
    parser.add_argument("--patients", type=int, default=200, help="of the phantom")
    parser.add_argument("--sizes", default="128,512", help="of the phantom's images, in pixels")
    parser.add_argument(
        "--hashes", default="50000,200000", help="how many images to find near duplicates among"
    )
    options = parser.parse_args()
    rule_set = rules.load()
    for size in map(int, options.sizes.split(",")):
        for view in ("PA", "AP", "LATERAL"):
            images = [_phantom(index, size, view) for index in range(options.patients)]
            _measure(rule_set, f"phantom {view} {size} px", images, view)
    if options.nih:
        known = _known(options.nih / "extra" / "quality_flags.csv")
        paths = sorted((options.nih / "images").glob("*.png"))
        _measure(
            rule_set, "NIH", [decode_image(path) for path in paths if path.name not in known], "PA"
        )
        for flag in sorted(set(known.values())):
            flagged = [path for path in paths if known.get(path.name) == flag]
            _good(rule_set, f"NIH {flag}", [decode_image(path) for path in flagged], "PA")
    _speed(options)


def _measure(rule_set: rules.Rules, name: str, images: list[np.ndarray], view: str) -> None:
    _good(rule_set, name, images, view)
    for fault, (rule, change) in FAULTS.items():
        found = sum(rule in _flags(rule_set, change(image), view) for image in images)
        if rule != "cropped" or view != "LATERAL":
            _say(images=name, fault=fault, n=len(images), found=round(found / len(images), 3))


def _good(rule_set: rules.Rules, name: str, images: list[np.ndarray], view: str) -> None:
    taken = [_flags(rule_set, image, view) for image in images]
    by_rule = Counter(rule for found in taken for rule in found)
    _say(images=name, fault=None, n=len(images), taken=sum(map(bool, taken)), **by_rule)


def _flags(rule_set: rules.Rules, image: np.ndarray, view: str) -> list[str]:
    measures = image_checks.measure(np.ascontiguousarray(image))
    return [rule for rule, _ in rule_set.image_flags(measures, view)]


def _phantom(index: int, size: int, view: str) -> np.ndarray:
    attendance = attend(77, index)
    frontal = view != "LATERAL"
    shown = attendance.studies[0].findings if frontal else {}
    made = render(attendance.patient, size, view=view, findings=shown)
    return normalize(made.pixels.astype(np.float32))


def _cut(image: np.ndarray, side: str, share: float) -> np.ndarray:
    rows, columns = (round(share * length) for length in image.shape)
    height, width = image.shape
    return {
        "left": image[:, columns:],
        "right": image[:, : width - columns],
        "upper": image[rows:],
        "lower": image[: height - rows],
    }[side]


def _known(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        return {row["Image Index"]: row["qc_flag"] for row in csv.DictReader(file)}


def _speed(options) -> None:
    image = cv2.resize(_phantom(0, 512, "PA"), (2000, 2000))
    image_checks.measure(image)
    begun, count = time.perf_counter(), 20
    for _ in range(count):
        image_checks.measure(image)
    _say(milliseconds=round(1000 * (time.perf_counter() - begun) / count, 1), pixels="2000 x 2000")
    rng = np.random.default_rng(0)
    for number in map(int, options.hashes.split(",")):
        hashes = rng.integers(0, 256, (number, 32), np.uint8)
        begun = time.perf_counter()
        pairs = duplicates.near_pairs(hashes, rules.load().tables["near_duplicate"]["distance"])
        _say(hashes=number, pairs=len(pairs), seconds=round(time.perf_counter() - begun, 1))


def _say(**measured) -> None:
    print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()

"""What the rules on pixels find and what they take by mistake, and how long they need.

One JSON line for each set of images and kind of fault: the images as they are (how many each rule
excludes by mistake, and how many it keeps with a flag), and the same images turned, inverted and
cut (the share that the rule excludes). The phantom is always measured; a folder of NIH ChestX-ray14
(with extra/quality_flags.csv, if any) and one of other films (films.csv: image, view) where they
are named. `--half` takes every other file, so that thresholds can be chosen on one half and
reported on the other. The last lines are milliseconds for each image of 2000 x 2000 pixels, and
seconds to find the near duplicates among random hashes.

Example: python -m benchmarks.image_checks --nih /data/ChestX-ray14 --films /data/films --half odd
"""

import argparse
import csv
import json
import time
from collections import Counter, defaultdict
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
# Places of the files that are taken.
HALVES = {None: slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}
FLAGGED = "NIH flagged"
ADULT = 19


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nih", type=Path, help="a folder of NIH ChestX-ray14")
    parser.add_argument("--films", type=Path, help="a folder of films.csv and images/")
    parser.add_argument("--half", choices=list(HALVES), help="of the files, by their place")
    parser.add_argument("--every", type=int, default=1, help="spoil one image of so many")
    parser.add_argument("--patients", type=int, default=200, help="of the phantom; 0: none")
    parser.add_argument("--sizes", default="128,512", help="of the phantom's images, in pixels")
    parser.add_argument(
        "--hashes", default="50000,200000", help="how many images to find near duplicates among"
    )
    options = parser.parse_args()
    rule_set = rules.load()
    for size in map(int, options.sizes.split(",")) if options.patients else ():
        for view in ("PA", "AP", "LATERAL"):
            images = [(_phantom(index, size, view), view) for index in range(options.patients)]
            _measure(rule_set, f"phantom {view} {size} px", images, options.every)
    for name, files in (
        *(_nih(options.nih).items() if options.nih else ()),
        *(_films(options.films).items() if options.films else ()),
    ):
        images = [(decode_image(path), view) for path, view in files[HALVES.get(options.half)]]
        if name.startswith(FLAGGED):
            _good(rule_set, name, images)
        else:
            _measure(rule_set, name, images, options.every)
    _speed(options)


def _nih(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    """Path and view of the images of each group: adults' PA films, all others, and each quality
    flag's."""
    known, groups = _known(folder / "extra" / "quality_flags.csv"), defaultdict(list)
    with open(next(folder.glob("Data_Entry_2017*.csv")), newline="") as file:
        rows = {row["Image Index"]: row for row in csv.DictReader(file)}
    for path in sorted((folder / "images").glob("*.png")):
        row = rows[path.name]
        adult = row["View Position"] == "PA" and int(row["Patient Age"].rstrip("Y")) >= ADULT
        group = f"{FLAGGED} {known[path.name]}" if path.name in known else "NIH"
        group += " adult PA" if group == "NIH" and adult else " other" if group == "NIH" else ""
        groups[group].append((path, row["View Position"]))
    return dict(groups)


def _films(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    with open(folder / "films.csv", newline="") as file:
        rows = sorted((row["image"], row["view"]) for row in csv.DictReader(file))
    return {"films": [(folder / "images" / name, view) for name, view in rows]}


def _measure(rule_set: rules.Rules, name: str, images: list, every: int) -> None:
    _good(rule_set, name, images)
    images = images[::every]
    for fault, (rule, change) in FAULTS.items():
        broken = [_judged(rule_set, change(image), view)[0] for image, view in images]
        if rule != "cropped" or not name.startswith("phantom LATERAL"):
            _say(
                images=name,
                fault=fault,
                n=len(images),
                found=round(broken.count(rule) / len(images), 3),
                by_any=round(sum(map(bool, broken)) / len(images), 3),
            )


def _good(rule_set: rules.Rules, name: str, images: list) -> None:
    judged = [_judged(rule_set, image, view) for image, view in images]
    taken = Counter(broken for broken, _ in judged if broken)
    _say(
        images=name,
        fault=None,
        n=len(images),
        taken=taken.total(),
        kept_with_a_flag=sum(flagged and not broken for broken, flagged in judged),
        **taken,
    )


def _judged(rule_set: rules.Rules, image: np.ndarray, view: str) -> tuple[str, bool]:
    """The rule that excludes the image, or "", and whether any doubts it."""
    measures = image_checks.measure(np.ascontiguousarray(image))
    broken = rule_set.broken_by_image(measures, view)
    return broken[0] if broken else "", bool(rule_set.image_flags(measures, view))


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

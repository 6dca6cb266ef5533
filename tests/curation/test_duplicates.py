"""Duplicates: near pairs against all pairs, which image stays, and copies that were changed on the
way."""

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcxr.curation import duplicates, image_checks
from pgcxr.curation.pixels import Done
from pgcxr.dicom.normalization import normalize
from pgcxr.phantom.clinic import attend
from pgcxr.phantom.render import render
from pgcxr.sources import Scan

BASE = bytes(range(32))


@dataclass
class Image:
    scan: Scan
    done: Done


def image(
    number: int, bits=(), patient="A", label="normal", side=100, base=BASE, pixels=""
) -> Image:
    """An image whose hash differs from `base` in the places `bits`."""
    unpacked = np.unpackbits(np.frombuffer(base, np.uint8))
    unpacked[list(bits)] ^= 1
    measures = image_checks.Measures(
        structure=60,
        likeness=0.9,
        lateral_by=-0.2,
        inverted=False,
        turned=180,
        wrong_by=-0.4,
        cut_by=-0.2,
        cut_not_white_by=-0.2,
        picture=1.0,
        white=0.0,
        hash=np.packbits(unpacked).tobytes(),
    )
    scan = Scan(number, Path("x"), "x", patient=patient, label=label, rows=side, columns=side)
    return Image(scan, Done(None, pixels or str(number), "", False, measures))


def all_pairs(hashes: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    bits = np.unpackbits(hashes, axis=1)
    found = []
    for first in range(len(hashes)):
        for second in range(first + 1, len(hashes)):
            apart = int((bits[first] != bits[second]).sum())
            if apart <= distance:
                found.append((first, second, apart))
    return found


@given(st.integers(0, 31), st.integers(0, 2**32 - 1), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_near_pairs_are_those_of_all_pairs(distance, seed, count):
    rng = np.random.default_rng(seed)
    centers = rng.integers(0, 2, (3, 256), np.uint8)
    # About `distance` bits from a center, so that pairs lie on both sides of it.
    flips = rng.random((count, 256)) < distance / 512
    hashes = np.packbits(centers[rng.integers(3, size=count)] ^ flips, axis=1)
    assert duplicates.near_pairs(hashes, distance) == all_pairs(hashes, distance)


@pytest.mark.parametrize("distance", [-1, 32])
def test_distances_that_would_miss_pairs_are_refused(distance):
    with pytest.raises(ValueError, match="distance"):
        duplicates.near_pairs(np.zeros((2, 32), np.uint8), distance)


def test_less_than_quadratic_time():
    """60,000 hashes have 1.8 billion pairs, which would take minutes."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (60_000, 32), np.uint8)
    hashes[-500:] = hashes[:500]
    hashes[-500:, 0] ^= 0b1011
    begun = time.process_time()
    pairs = duplicates.near_pairs(hashes, 20)
    assert time.process_time() - begun < 30
    assert pairs == [(index, 59_500 + index, 3) for index in range(500)]


def test_the_largest_stays_then_the_first():
    group = [image(1, side=50), image(2, (3, 9)), image(3, (3,)), image(4, range(60, 90))]
    found = duplicates.near(group, 20)
    assert found == {
        1: ("near_duplicate", "2 of 256 bits from those of file 000002"),
        3: ("near_duplicate", "1 of 256 bits from those of file 000002"),
    }
    assert duplicates.near(group[::-1], 20) == found


def test_a_chain_takes_nothing_that_is_far():
    chain = [image(1), image(2, range(15)), image(3, range(30)), image(4, range(45))]
    assert duplicates.near(chain, 20).keys() == {2, 4}


def test_the_distance_is_the_largest_that_is_taken():
    pair = [image(1), image(2, range(8))]
    assert duplicates.near(pair, 8).keys() == {2} and not duplicates.near(pair, 7)


def test_none_stays_where_diagnoses_differ():
    group = [image(1), image(2, (1,), label="abnormal"), image(3, (2,))]
    assert duplicates.near(group, 20) == dict.fromkeys(
        (1, 2, 3),
        ("near_duplicate", "nearly the same pixels with different diagnoses, as file 000001"),
    )


def test_patients_apart():
    group = [image(1), image(2, (1,), patient="B"), image(3, (2,)), image(4, patient="B")]
    assert duplicates.near(group, 20).keys() == {2, 3, 4}
    assert duplicates.near(group, 20, across_patients=False).keys() == {3, 4}


def test_images_without_measures_are_left_alone():
    group = [image(1), image(2)]
    group[1].done = Done(None, "2")
    assert duplicates.near(group, 20) == {} and duplicates.near([], 20) == {}


def test_a_thousand_equal_hashes_are_no_million_pairs():
    begun = time.process_time()
    assert len(duplicates.near([image(number) for number in range(1, 3001)], 31)) == 2999
    assert time.process_time() - begun < 5


def test_exact_ones():
    group = [
        image(1, pixels="a"),
        image(2, pixels="b"),
        image(3, pixels="a"),
        image(4, pixels="b", label="abnormal"),
    ]
    assert duplicates.exact(group) == {
        3: ("duplicate", "the pixels of file 000001"),
        2: ("duplicate", "the same pixels with different diagnoses, as file 000002"),
        4: ("duplicate", "the same pixels with different diagnoses, as file 000002"),
    }


@pytest.fixture(scope="module")
def radiographs() -> list[np.ndarray]:
    patients = [attend(21, index).patient for index in range(10)]
    return [
        normalize(render(patient, 256, seed=0).pixels.astype(np.float32)) for patient in patients
    ]


def distance(first: np.ndarray, second: np.ndarray) -> int:
    a, b = (np.frombuffer(image_checks.measure(each).hash, np.uint8) for each in (first, second))
    return int(np.unpackbits(a ^ b).sum())


def test_changed_copies_are_near_and_other_patients_are_far(radiographs):
    rng = np.random.default_rng(0)
    changes = {
        "half": lambda each: cv2.resize(each, (128, 128), interpolation=cv2.INTER_AREA),
        "larger": lambda each: cv2.resize(each, (500, 500), interpolation=cv2.INTER_LINEAR),
        "jpeg": lambda each: cv2.imdecode(
            cv2.imencode(".jpg", each, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0
        ),
        "noise": lambda each: np.clip(each + rng.normal(0, 4, each.shape), 0, 255).astype(np.uint8),
        "contrast": lambda each: (40 + 0.7 * each).astype(np.uint8),
    }
    for name, change in changes.items():
        assert max(distance(each, change(each)) for each in radiographs) <= 14, name
    apart = [distance(a, b) for i, a in enumerate(radiographs) for b in radiographs[:i]]
    assert min(apart) > 40


def test_two_exposures_of_one_patient_are_no_duplicates():
    patient = attend(21, 0).patient
    shots = [
        normalize(render(patient, 256, seed=seed).pixels.astype(np.float32)) for seed in range(5)
    ]
    assert min(distance(a, b) for i, a in enumerate(shots) for b in shots[:i]) > 20

"""Images that are in an export more than once: with the same pixels, or with nearly the same.

Near ones have perceptual hashes (image_checks.perceptual_hash) of at most a given Hamming distance
d. All pairs of N hashes would be N^2 / 2 comparisons. Here the 256 bits are dealt out to d // 2 + 1
words: hashes that differ in at most d bits differ in at most one bit of one of the words
(pigeonhole; multi-index hashing, Norouzi et al., CVPR 2012). So only images that share a word, but
for one bit, are compared: about N log N work, as words of different images are rarely alike (for d
= 20 they have 23 bits).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from pgcxr.curation.image_checks import HASH_BYTES

HASH_BITS = 8 * HASH_BYTES
# Above it words would be so short that nearly all images share one.
MOST_DISTANCE = 31
# A word is one machine word at most.
FEWEST_WORDS = HASH_BITS // 64
# Pairs that are compared at once, which bounds the memory.
PAIRS = 1 << 20
_BITS = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def exact(images: Sequence) -> dict[int, tuple[str, str]]:
    """Which images go (number -> rule, detail): of the same decoded pixels the first stays, none
    where labels differ.

    Args:
        images: with `.scan` and `.done`, in the order of their numbers.
    """
    groups = defaultdict(list)
    for image in images:
        groups[image.done.pixels].append(image.scan)
    reasons = {}
    for copies in groups.values():
        reasons |= _excess(
            "duplicate", copies[0], [(scan, "the pixels") for scan in copies[1:]], "the same pixels"
        )
    return reasons


def near(
    images: Sequence, distance: int, across_patients: bool = True
) -> dict[int, tuple[str, str]]:
    """Which images go (number -> rule, detail), by hashes that differ in at most `distance` of 256
    bits.

    Images are taken in the order of their size, the largest first, then of their numbers: each one
    that is near none that was taken before stays, so that chains of small differences take nothing
    that is far. Images without measures are left out.

    Args:
        distance: at most MOST_DISTANCE.
        across_patients: whether images of different patients are compared.
    """
    images = [image for image in images if image.done.measures is not None]
    images.sort(key=lambda image: (-image.scan.rows * image.scan.columns, image.scan.number))
    # Of images that share a hash all but one are left out of the search, or a thousand of them were
    # a million pairs.
    groups = defaultdict(list)
    for image in images:
        groups[image.done.measures.hash, None if across_patients else image.scan.patient].append(
            image.scan
        )
    keys = list(groups)
    hashes = np.frombuffer(b"".join(key[0] for key in keys), np.uint8).reshape(-1, HASH_BYTES)
    neighbors = defaultdict(list)
    for first, second, apart in near_pairs(hashes, distance):
        if keys[first][1] == keys[second][1]:
            neighbors[second].append((first, apart))
    led, followers = set(), {}
    for index, key in enumerate(keys):
        first, apart = min(
            ((at, apart) for at, apart in neighbors[index] if at not in led), default=(index, 0)
        )
        if first != index:
            led.add(index)
        same = groups[key] if first != index else groups[key][1:]
        followers.setdefault(first, []).extend(
            (scan, f"{apart} of {HASH_BITS} bits from those") for scan in same
        )
    reasons = {}
    for first, others in followers.items():
        reasons |= _excess(
            "near_duplicate", groups[keys[first]][0], others, "nearly the same pixels"
        )
    return reasons


def _excess(rule: str, first, others: list[tuple], same: str) -> dict[int, tuple[str, str]]:
    if len({(scan.label, scan.findings) for scan in (first, *(scan for scan, _ in others))}) > 1:
        detail = f"{same} with different diagnoses, as file {first.number:06d}"
        return {scan.number: (rule, detail) for scan in (first, *(scan for scan, _ in others))}
    return {scan.number: (rule, f"{words} of file {first.number:06d}") for scan, words in others}


def near_pairs(hashes: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    """All (i, j, Hamming distance) with i < j and at most `distance` bits between uint8 [N,
    HASH_BYTES], sorted."""
    if not 0 <= distance <= MOST_DISTANCE:
        raise ValueError(f"distance {distance} is not from 0 to {MOST_DISTANCE}")
    bits = np.unpackbits(hashes, axis=1)
    count = max(distance // 2 + 1, FEWEST_WORDS)
    found = [np.empty((0, 3), np.int64)]
    for word in range(count):
        # Every count-th bit, so that no word is made of the lowest frequencies alone, which most
        # chests share.
        dealt = bits[:, word::count].astype(np.uint64)
        values = dealt @ (np.uint64(1) << np.arange(dealt.shape[1], dtype=np.uint64))
        order = np.argsort(values, kind="stable")
        for first, second in _candidates(values[order], dealt.shape[1]):
            pair = np.sort(np.stack([order[first], order[second]], axis=1), axis=1)
            apart = _BITS[hashes[pair[:, 0]] ^ hashes[pair[:, 1]]].sum(axis=1, dtype=np.int64)
            close = apart <= distance
            found.append(np.concatenate([pair[close], apart[close, None]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    return [tuple(pair) for pair in pairs.tolist()]


def _candidates(ordered: np.ndarray, bits: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places (first, second) of sorted words that are equal or differ in one bit, some PAIRS at a
    time."""
    places = np.arange(len(ordered))
    yield from _expand(places, places + 1, np.searchsorted(ordered, ordered, "right"))
    for bit in range(bits):
        mask = np.uint64(1) << np.uint64(bit)
        lower = np.flatnonzero((ordered & mask) == 0)
        wanted = ordered[lower] | mask
        yield from _expand(
            lower, *(np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
        )


def _expand(
    first: np.ndarray, start: np.ndarray, stop: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each of `first` with each of start .. stop - 1."""
    some = np.flatnonzero(stop > start)
    first, start, count = first[some], start[some], (stop - start)[some]
    ends, at = np.cumsum(count), 0
    while at < len(count):
        until = max(
            int(np.searchsorted(ends, (ends[at - 1] if at else 0) + PAIRS, "right")), at + 1
        )
        part = count[at:until]
        within = np.arange(part.sum()) - np.repeat(np.cumsum(part) - part, part)
        yield np.repeat(first[at:until], part), np.repeat(start[at:until], part) + within
        at = until

"""Whether a heat map, which says where a classifier looks, lies where an image has changed."""

import numpy as np

from pgcxr.images import resize

# The pixels that change most, as a share of all.
MOST_CHANGED = 0.1
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


def on_change(heat: np.ndarray, change: np.ndarray) -> dict:
    """How much of heat maps lies where images have changed, and in which of nine zones.

    Example:

        >>> change = np.zeros((1, 30, 30))
        >>> change[0, 22:, 22:] = 50.0
        >>> found = on_change(change / 50, change)
        >>> found["share"], found["zone"], found["zone_share"]
        (1.0, 'lower right', 1.0)

    Args:
        heat: [N, h, w], 0 and up.
        change: [N, H, W], of gray levels, signed or not.

    Returns:
        {share: of the heat that lies on the `MOST_CHANGED` pixels, mean over the N; by_chance: what
        an even map has there; zone, zone_share: of the image, where most heat is, and how much;
        change_zone, change_zone_share: the same of the change; maps: how many of the N are not
        empty}. Left and right are those of the image. None for what empty maps can't say.
    """
    change = np.abs(np.asarray(change, np.float64))
    heat = np.stack([_as_large(one, change.shape[1]) for one in np.asarray(heat, np.float32)])
    kept = (heat.sum(axis=(1, 2)) > 0) & (change.sum(axis=(1, 2)) > 0)
    found: dict = {"by_chance": MOST_CHANGED, "maps": int(kept.sum())}
    if not kept.any():
        nothing = ("share", "zone", "zone_share", "change_zone", "change_zone_share")
        return {**dict.fromkeys(nothing), **found}
    heat, change = (
        part[kept] / part[kept].sum(axis=(1, 2), keepdims=True) for part in (heat, change)
    )
    flat_heat, flat_change = heat.reshape(len(heat), -1), change.reshape(len(change), -1)
    count = max(round(MOST_CHANGED * flat_change.shape[1]), 1)
    places = np.argsort(-flat_change, axis=1, kind="stable")[:, :count]
    found["share"] = float(np.take_along_axis(flat_heat, places, axis=1).sum(axis=1).mean())
    found["zone"], found["zone_share"] = _zone(heat.mean(axis=0))
    found["change_zone"], found["change_zone_share"] = _zone(change.mean(axis=0))
    return found


def _as_large(heat: np.ndarray, size: int) -> np.ndarray:
    return np.maximum(heat if len(heat) == size else resize(heat, size), 0).astype(np.float64)


def _zone(mass: np.ndarray) -> tuple[str, float]:
    """(the zone of nine with most of a map [H, W], its share)."""
    bands = [np.array_split(half, 3, axis=1) for half in np.array_split(mass, 3, axis=0)]
    shares = np.array([[part.sum() for part in row] for row in bands]) / mass.sum()
    row, column = np.unravel_index(int(np.argmax(shares)), shares.shape)
    words = f"{ROWS[row]} {COLUMNS[column]}"
    return ("middle" if row == column == 1 else words), float(shares[row, column])


def in_words(found: dict) -> str:
    """What `on_change` found, as the end of a sentence on the heat."""
    if found["share"] is None:
        return "is empty: nothing speaks for the finding"
    return (
        f"lies to {found['share']:.0%} on the tenth of the pixels that change most (by chance "
        f"{found['by_chance']:.0%}); most of it is in the {found['zone']} of the image "
        f"({found['zone_share']:.0%}), most of the change in the {found['change_zone']} "
        f"({found['change_zone_share']:.0%})"
    )

"""Whose weights a training began with, and which images those know: "init" in config.json."""

import os
from pathlib import Path

from pgcxr.io import artifacts

# What config.json of the earlier RUN says of the images that its weights know.
OF_THE_IMAGES = ("cohort", "manifest_sha256", "split", "label")


def ancestry(run: Path, name: str, network: str, out: Path | None) -> list[dict]:
    """What the config.json of a RUN that begins with another's network says of it, and after it of
    those that this one began with in turn.

    Args:
        run: the other.
        name: as a user calls it.
        network: its file.
        out: the new RUN, from which paths of cohorts are seen; None for one that comes with pgcxr.
    """
    entry: dict = {"name": name, "sha256": artifacts.sha256(run / network)}
    ancestors: list[dict] = []
    if out is None:
        entry["pretrained"] = True  # on phantom images: no patient is in it
    else:
        config = artifacts.read_json(run / "config.json")
        ancestors = [_seen_from(out, run, ancestor) for ancestor in config.get("init", [])]
        if config.get("imported"):
            entry["imported"] = True
        entry |= {key: config[key] for key in OF_THE_IMAGES if key in config}
        entry = _seen_from(out, run, entry)
    return [entry, *ancestors]


def _seen_from(out: Path, run: Path, entry: dict) -> dict:
    """An entry with its cohort's path, given from `run`, as seen from `out`."""
    if not entry.get("cohort"):
        return entry
    cohort = Path(os.path.realpath(run)) / entry["cohort"]
    return entry | {"cohort": os.path.relpath(cohort, os.path.realpath(out))}

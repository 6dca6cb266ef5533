"""Every way to an axis, walked from the same starts and judged by the same judges."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evaluate.axes.criterion import Walked, proven, standing
from evaluate.axes.options import AxesOptions
from evaluate.axes.panel import Panel
from evaluate.axes.reader import Reader
from evaluate.axes.ways import PATHS, WAYS, Fitting, Way
from pgcxr.cohort.findings import FINDINGS
from pgcxr.images import from_uint8, reduce_by_factor
from pgcxr.latent import evidence, paths, walks
from pgcxr.latent.axes import Axes
from pgcxr.metrics.minimality import minimality

BEST = "best"


@dataclass(frozen=True)
class Found:
    """What the ways gave.

    Attributes:
        ways: by name; None where one has too little to learn from.
        followed: {disease: paths [S, N, L]}, or empty.
    """

    ways: dict[str, Way | None]
    followed: dict[str, np.ndarray]


@dataclass(frozen=True)
class Compared:
    """The ways and what they do.

    Attributes:
        axes: {way: [5, L]}.
        walked: {way: {disease: `Walked`}}, from all starts.
        rows: {way: {disease: its row of the report}}.
        standings: {way: {disease: see `criterion.standing`}}.
        followed: {disease: paths [S, N, L]}.
        left_out: {way: why it has no axes}.
    """

    axes: dict[str, np.ndarray]
    walked: dict[str, dict[str, Walked]]
    rows: dict[str, dict[str, dict]]
    standings: dict[str, dict[str, tuple]]
    followed: dict[str, np.ndarray] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def chosen(self, disease: str, wanted: str = BEST) -> str:
        """The way whose axis is kept: the wanted one, or where that is "best" (or has none) the one
        that stands best on the starts that choose."""
        if wanted in self.axes:
            return wanted
        return max(self.axes, key=lambda way: self.standings[way][disease])

    def found_by(self, disease: str) -> list[str]:
        """The ways, paths among them, that pass the criterion."""
        return [way for way, rows in self.rows.items() if rows[disease]["found"]]


def follow(reader: Reader, starts: np.ndarray, options: AxesOptions, seed: int) -> dict:
    """{disease: paths [S, N, L] of the starts}; empty where none are asked for."""
    if len(starts) < 2:
        return {}
    found, steps = {}, options.steps - 1
    angle = min(paths.DEFAULT.angle, np.radians(options.max_angle) / steps)
    what = "following the guides' slopes"
    for index, disease in enumerate(FINDINGS):
        slopes = paths.smoothed(
            reader.slopes_of, options.neighbors, np.random.default_rng([seed, 5, index])
        )
        reader.progress(what, index, len(FINDINGS))
        found[disease] = paths.follow(starts, index, slopes, steps, paths.Goal(angle=angle))
    reader.progress(what, len(FINDINGS), len(FINDINGS))
    return found


def compare(
    reader: Reader,
    people: Panel,
    found: Found,
    held_out: Fitting,
    walking: tuple[np.ndarray, np.ndarray],
    options: AxesOptions,
    seed: int,
) -> Compared:
    """Walks along every axis and path, and judges them.

    Args:
        reader: makes and reads images.
        people: guides and judges.
        found: what the ways gave.
        held_out: images that no axis was fitted on.
        walking: starts [N, L] and angles [S] in radians.
        options: how many permutations.
        seed: of permutations and intervals.
    """
    starts, angles = walking
    kept = {way: given for way, given in found.ways.items() if given is not None}
    left_out = {
        way: "too few images show a single pattern" for way in found.ways if way not in kept
    }
    if not found.followed:
        left_out |= dict.fromkeys(("displacement", PATHS), "no paths were asked for")
    routes = {
        way: {
            name: walks.walk(starts, given.axes[index], angles)
            for index, name in enumerate(FINDINGS)
        }
        for way, given in kept.items()
    }
    if found.followed:
        routes[PATHS] = found.followed
    walked = _walk(reader, people, routes)
    rows: dict = {way: {} for way in routes}
    standings: dict = {way: {} for way in kept}
    for way, index, name in _each(routes):
        rng = np.random.default_rng([seed, 6, list(WAYS).index(way), index])
        prediction = {}
        if way in kept:
            prediction = _prediction(kept[way], index, held_out, options, seed)
        row = proven(walked[way][name], index, people.calibrations, prediction, rng)
        if way in kept:
            angle = angles[row["step_end"]]
            row["angle_end"] = angle
            row["deviations_end"] = np.sqrt(starts.shape[1]) * np.sin(angle)
            standings[way][name] = standing(walked[way][name], index, people.calibrations, row)
        rows[way][name] = row
    axes = {way: given.axes for way, given in kept.items()}
    return Compared(axes, walked, rows, standings, found.followed, left_out)


def _each(routes: dict):
    """(way, place of the disease, disease) of all."""
    for way in routes:
        for index, name in enumerate(FINDINGS):
            yield way, index, name


def _walk(reader: Reader, people: Panel, routes: dict) -> dict:
    """{way: {disease: Walked}}."""
    total = sum(
        route.shape[0] * route.shape[1] for own in routes.values() for route in own.values()
    )
    done, walked = 0, {way: {} for way in routes}

    def advance(images: int) -> None:
        nonlocal done
        done += images
        reader.progress("walking", done, total)

    for way, _, name in _each(routes):
        walked[way][name] = Walked(*reader.walked(routes[way][name], people.judges, advance))
    return walked


def _prediction(given: Way, index: int, held_out: Fitting, options: AxesOptions, seed: int) -> dict:
    """How well an axis predicts the guides on held-out images, and how firm it is."""
    projection = held_out.u @ given.axes[index]
    tested = evidence.permutation_test(
        projection,
        held_out.likelihoods[:, index + 1],
        options.permutations,
        np.random.default_rng([seed, 1, index]),
    )
    logits = held_out.logits[:, index]
    spread = projection.std() * logits.std()
    covariance = np.mean((projection - projection.mean()) * (logits - logits.mean()))
    return {
        "heldout_auroc": tested.auroc,
        "heldout_r2": float((covariance / spread) ** 2) if spread > 0 else 0.0,
        "null_p": tested.p,
        "heldout_cases": tested.cases,
        "heldout_reference": tested.reference,
        "bootstrap_cosine": given.bootstrap_cosine[index],
        "fitted_samples": given.samples,
        **given.facts.get(FINDINGS[index], {}),
    }


def side_effects(
    reader: Reader, people: Panel, disease: str, axes: Axes, starts: np.ndarray
) -> dict:
    """What else a walk along the chosen axis changes, from the starts to its end.

    Returns:
        {pixel_change: mean absolute change of gray levels, of 255; identity: mean correlation of
        the images at both ends; reversal: mean absolute change of gray levels after the way back;
        divergence: mean of `pgcxr.metrics.minimality`, of principal components among real images,
        None without these; region_change: how many times as much changes where lesions lie in
        real images as elsewhere, None without masks; age_change in years and male_change, mean
        change of what a linear reader sees, None where the cohort doesn't say}.
    """
    index = FINDINGS.index(disease)
    before = reader.images(starts)
    moved = walks.move(starts, axes.vectors[index], axes.ends[index])
    after = reader.images(moved)
    back = reader.images(walks.move(moved, axes.vectors[index], -axes.ends[index]))
    change = np.abs(after.astype(np.float64) - before)
    flat = [from_uint8(images).reshape(len(images), -1) for images in (before, after)]
    found = {
        "pixel_change": float(change.mean()),
        "identity": float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*flat, strict=True)])),
        "reversal": float(np.abs(back.astype(np.float64) - before).mean()),
        "divergence": _divergence(people, index, before, after),
        "region_change": None,
    }
    region = people.regions.get(disease)
    if region is not None and region.any() and not region.all():
        small = reduce_by_factor(change, change.shape[1] // len(region))
        outside = max(float(small[:, ~region].mean()), 1e-9)
        found["region_change"] = float(small[:, region].mean()) / outside
    old, new = (_persons(people, images) for images in (before, after))
    for key in old:
        found[f"{key}_change"] = None if old[key] is None else float((new[key] - old[key]).mean())
    return found


def _divergence(people: Panel, index: int, before: np.ndarray, after: np.ndarray) -> float | None:
    if people.known is None:
        return None
    features, labels = people.known
    normal, diseased = features[labels[:, 0] == 1], features[labels[:, index + 1] == 1]
    if not len(normal) or not len(diseased):
        return None
    old, new = people.features(before), people.features(after)
    return float(minimality(old, new, normal, diseased)["divergence"].mean())


def _persons(people: Panel, images: np.ndarray) -> dict:
    """{age, male}: [N] each, None where nobody reads it."""
    if people.persons is None:
        return {"age": None, "male": None}
    features, read = people.features(images), people.persons
    return {
        "age": None if read.age is None else read.age(features),
        "male": None if read.sex is None else read.sex(features),
    }


def persons_of(reader: Reader, people: Panel, starts: np.ndarray) -> dict:
    """Of which age and sex the starts look: {age: lowest, middle, highest decile; male: share}."""
    seen = _persons(people, reader.images(starts))
    return {
        "age": None if seen["age"] is None else np.percentile(seen["age"], (10, 50, 90)),
        "male": None if seen["male"] is None else float((seen["male"] >= 0.5).mean()),
    }


def walks_of(compared: Compared) -> dict[str, np.ndarray]:
    """The arrays of walks.npz, from which every figure of the judges can be had again: for each way
    and disease the guides' likelihoods [S, N, 6] and the judges' scores [S, N, 5]."""
    arrays = {}
    for way, own in compared.walked.items():
        for disease, walked in own.items():
            arrays[f"{way}/{disease}/guides"] = walked.guides.astype(np.float32)
            for judge, scores in walked.scores.items():
                arrays[f"{way}/{disease}/{judge}"] = scores.astype(np.float32)
    return arrays


def table(rows: dict) -> pd.DataFrame:
    """ways.csv: a line for each way and disease."""
    lines = []
    for way, own in rows.items():
        for disease, row in own.items():
            line = {"way": way, "disease": disease, "found": row["found"]}
            plain = ("heldout_auroc", "heldout_r2", "null_p", "bootstrap_cosine", "angle_end")
            line |= {key: row.get(key) for key in plain}
            guides = ("likelihood_start", "likelihood_end", "off_target_max", "off_target_disease")
            line |= {key: row[key] for key in guides}
            for judge, told in row["judges"].items():
                line |= {
                    f"{judge} {key}": told[key]
                    for key in ("sees", "shift", "share", "flip_rate", "spearman", "off_target_max")
                }
            lines.append({**line, "why_not": "; ".join(row["why_not"])})
    return pd.DataFrame(lines)

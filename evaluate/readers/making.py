"""Makes the folder of a study from runs, a cohort, or the folder of an evaluation.

Images are written anew from their pixels, under random names, and no identifier of a cohort goes
along: neither image nor patient, nor a path.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from evaluate import common
from evaluate.protocol import Progress, silent
from evaluate.readers import material
from evaluate.readers import study as studies
from evaluate.readers.kinds import ANOMALY, KINDS, PREFERENCE, SEVERITY, TURING
from evaluate.readers.options import StudyOptions
from evaluate.readers.sources import Sources, refuse_sources
from evaluate.readers.store import Store
from evaluate.readers.study import Case, Study
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import to_uint8
from pgcxr.io import artifacts, places
from pgcxr.plots.overlay import overlay
from pgcxr.sampling import runs

TITLES = {
    TURING: "Real or synthetic?",
    SEVERITY: "How severe?",
    ANOMALY: "Anything abnormal?",
    PREFERENCE: "Which looks more real?",
}
COVERED = 0.25  # a pixel belongs to a lesion from this share of it on


@dataclass
class _Writer:
    """Writes images of a study that is being made."""

    folder: Path

    def image(self, pixels: np.ndarray) -> str:
        """The random name of a new PNG, of gray [H, W] or [H, W, 1] or RGB [H, W, 3]."""
        return self._write(studies.IMAGES, np.squeeze(pixels))

    def lesions(self, covered: np.ndarray) -> str:
        """The name of the PNG of numbered lesions; "" where no pixel is one."""
        count, numbered = cv2.connectedComponents((covered >= COVERED).astype(np.uint8))
        if count == 1:
            return ""
        # A byte a pixel; further ones, which are specks, count as the last.
        return self._write(studies.TRUTH, np.minimum(numbered, 255).astype(np.uint8))

    def _write(self, where: str, pixels: np.ndarray) -> str:
        name = secrets.token_hex(8) + ".png"
        folder = self.folder / where
        folder.mkdir(exist_ok=True)
        good, content = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[..., ::-1])
        assert good
        (folder / name).write_bytes(content.tobytes())
        return name


def make(
    kind: str,
    sources: Sources,
    out: str | Path,
    options: StudyOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Study:
    """Writes the folder `out` of a new study without readers.

    Args:
        kind: of `KINDS`.
        sources: what it is made from.
        out: new folder.
        options: `StudyOptions()` where left out.
        seed: which cases, and with each reader's name the order in which they are read.
        progress: told how far it is.

    Raises:
        InputError: a source is not what the kind needs, or has too few images.
    """
    options = options or StudyOptions()
    refuse_sources(kind, sources)
    if kind != ANOMALY:
        other = sources.other and runs.named(sources.other)
        sources = replace(sources, first=runs.named(sources.first), other=other)
    places.refuse_existing(Path(out))
    rng = np.random.default_rng([seed, 11])
    with artifacts.new_folder(out) as folder:
        writer = _Writer(folder)
        cases, source = _MAKERS[kind](sources, options, rng, writer, progress)
        chosen = rng.permutation(len(cases))
        training = set(chosen[: options.training].tolist())
        named = [
            replace(case, name=f"c{number:04d}", training=place in training)
            for number, (place, case) in enumerate(
                sorted(enumerate(cases), key=lambda one: one[0] not in training), start=1
            )
        ]
        title = options.title or TITLES[kind]
        study = Study(
            folder,
            title,
            KINDS[kind],
            seed,
            options.repeats,
            tuple(named),
            {"kind": kind, **source},
        )
        studies.write(folder, study)
        Store(folder / studies.ANSWERS).create()
        made_by = {"command": "evaluate.readers", "seed": seed, "config": options.to_dict()}
        made_by |= {"versions": artifacts.versions()}
        report = {"kind": kind, "cases": len(named), "training": len(training), "source": source}
        artifacts.write_json(folder / "report.json", {**report, "made_by": made_by})
    return replace(study, folder=Path(out))


def _turing(
    sources: Sources, options: StudyOptions, rng: np.random.Generator, writer: _Writer, progress
) -> tuple[list[Case], dict]:
    """Half real images, half synthetic ones, of one size and one format."""
    generator = material.gray_generator(sources.first)
    total = options.cases + options.training
    # A network that was trained elsewhere may say nothing of its images.
    said = (sources.first / "config.json").is_file() or not sources.cohort
    config = common.load_run(sources.first) if said else {}
    rows = cohorts.load(sources.cohort) if sources.cohort else common.cohort_of(sources.first)
    label = None if config.get("label", "all") == "all" else config["label"]
    real = material.one_of_each(
        rows.select("test", label), total // 2, rng, "real images of split test"
    )
    made = material.generated(sources.first, generator, total - len(real), rng, progress)
    cases = [
        Case("", {"image": writer.image(pixels)}, {"label": name})
        for name, images in (("real", real.images(generator.resolution)), ("synthetic", made))
        for pixels in images
    ]
    return cases, {"resolution": generator.resolution, "real_split": "test"}


def _severity(
    sources: Sources, options: StudyOptions, rng: np.random.Generator, writer: _Writer, progress
) -> tuple[list[Case], dict]:
    """Synthetic images at positions along disease axes, from the start to the angle at which the
    axis ends."""
    from pgcxr.latent import axes as latent_axes
    from pgcxr.latent import walks

    generator = material.gray_generator(sources.first)
    axes = latent_axes.load(sources.axes)
    if axes.vectors.shape[1] != generator.latent_size:
        raise InputError(f"{sources.axes}: its axes are of another generator than {sources.first}")
    chosen = [
        index
        for index, name in enumerate(axes.names)
        if name == options.axis or (options.axis == "all" and axes.found[index])
    ]
    if not chosen:
        raise ArgumentError(
            "axis", "no axis was found there; name one to grade it all the same", received="all"
        )
    total = options.cases + options.training
    walks_each = -(-total // (options.steps * len(chosen)))
    starts = common.latents(
        int(rng.integers(2**32)), walks_each * len(chosen), generator.latent_size
    )
    latents, truths = [], []
    for place, index in enumerate(chosen):
        angles = np.linspace(0, float(axes.ends[index]), options.steps)
        own = starts[place * walks_each : (place + 1) * walks_each]
        path = walks.walk(own, axes.vectors[index], angles)
        for start in range(walks_each):
            for step, angle in enumerate(angles):
                latents.append(path[step, start])
                truths.append(
                    {
                        "axis": axes.names[index],
                        "angle": float(np.degrees(angle)),
                        "step": step,
                        "start": place * walks_each + start,
                    }
                )
    images = material.synthesized(generator, np.array(latents, np.float32), progress)
    cases = [
        Case(
            "", {"image": writer.image(pixels)}, truth, prompt=str(truth["axis"]).replace("_", " ")
        )
        for pixels, truth in zip(images, truths, strict=True)
    ]
    # Whole walks: their number is rounded up.
    names = [axes.names[index] for index in chosen]
    return cases, {"resolution": generator.resolution, "axes": names, "steps": options.steps}


def _anomaly(
    sources: Sources, options: StudyOptions, rng: np.random.Generator, writer: _Writer, progress
) -> tuple[list[Case], dict]:
    """Queries of evaluate.anomaly with the nearest normal image that it found and a map, as many
    normal as abnormal ones where there are enough."""
    ids, differences, maps = material.maps_of(sources.first)
    rows = cohorts.load(sources.cohort)
    places_of = {name: place for place, name in enumerate(rows.manifest["image_id"].astype(str))}
    missing = sum(name not in places_of for name in ids)
    if missing:
        raise InputError(
            f"{sources.cohort}: lacks {missing} of the {len(ids)} images that {sources.first} "
            "read; name the cohort of its GAN"
        )
    read = Cohort(
        rows.folder,
        rows.manifest.iloc[[places_of[name] for name in ids]].reset_index(drop=True),
    )
    half = (options.cases + options.training) // 2
    order = rng.permutation(len(read))
    labels = read.manifest["label"].to_numpy(str)
    picked = []
    for label, wanted in ((NORMAL, half), (ABNORMAL, options.cases + options.training - half)):
        own = material.first_of_patients(read, [place for place in order if labels[place] == label])
        if len(own) < wanted:
            raise InputError(
                f"{sources.first}: has {len(own)} {label} images of different patients, and "
                f"{wanted} are needed; ask for fewer cases"
            )
        picked += own[:wanted]
    size = differences.shape[1]
    chosen = Cohort(read.folder, read.manifest.iloc[picked].reset_index(drop=True))
    queries, masks = chosen.images(size), chosen.masks(size)
    # One scale for all, so that a map of a normal image looks calm.
    limits = tuple(float(end) for end in np.quantile(maps[picked], (0.5, 0.995)))
    cases = []
    for number, place in enumerate(picked):
        query = queries[number, ..., 0]
        nearest = to_uint8(common.from_uint8(query) - differences[place])
        shown = {
            "query": writer.image(query),
            "reconstruction": writer.image(nearest),
            "map": writer.image(overlay(query, maps[place], limits=limits)),
        }
        row = chosen.manifest.iloc[number]
        named = row["label"] == NORMAL or not row.get("diagnoses")
        truth = {"class": row["label"] if named else str(row["diagnoses"])}
        known = row["label"] == ABNORMAL and not np.isnan(masks[number]).any()
        lesions = writer.lesions(masks[number]) if known else ""
        cases.append(Case("", shown, truth, lesions=lesions))
        progress("writing cases", number + 1, len(picked))
    return cases, {"resolution": size}


def _preference(
    sources: Sources, options: StudyOptions, rng: np.random.Generator, writer: _Writer, progress
) -> tuple[list[Case], dict]:
    """Pairs of one image of each of two generators, each on the left in half of them."""
    total = options.cases + options.training
    sets = []
    for run in (sources.first, sources.other):
        generator = material.gray_generator(run)
        sets.append(
            (generator.resolution, material.generated(run, generator, total, rng, progress))
        )
    size = min(resolution for resolution, _ in sets)
    # A larger image would give its generator away.
    first, second = (
        images
        if resolution == size
        else np.stack(
            [cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in images]
        )
        for resolution, images in sets
    )
    swapped = rng.permutation(np.arange(total) % 2)
    cases = []
    for number in range(total):
        pair = [("first", first[number]), ("second", second[number])]
        left, right = pair[:: -1 if swapped[number] else 1]
        shown = {"left": writer.image(left[1]), "right": writer.image(right[1])}
        cases.append(Case("", shown, {"left": left[0], "right": right[0]}))
    return cases, {"resolution": size}


_MAKERS: dict[str, Callable] = {
    TURING: _turing,
    SEVERITY: _severity,
    ANOMALY: _anomaly,
    PREFERENCE: _preference,
}

"""Sets of synthetic images with labels: guides propose, judges confirm.

A start is random; a conditioned generator is told the label, too. Where the guides see the label in
the start's image, it is proposed as it is; where they see nothing, and the axes of the label count
as found, it is moved along them by a severity of its own and proposed if they see it then. Each
judge reads what is proposed: every finding asked for must be there, and no other that the judge can
tell from it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.moving import Move
from pgcxr.editing.options import MixOptions
from pgcxr.editing.panel import Panel, Speaker
from pgcxr.errors import InputError
from pgcxr.images import to_uint8
from pgcxr.latent.space import LatentSpace
from pgcxr.metrics.proportions import clopper_pearson
from pgcxr.sampling import generation
from pgcxr.sampling.selection import of_seeds

BATCH = 64
# Tries before it is known whether the others can be enough.
LEAST_TRIES = 512
# Of the seeds of starts, and of severities, among those drawn from a seed.
SEEDS, SEVERITIES = 31, 32
LARGEST_START = 2**48
AS_IS, MOVED = "as it is", "moved"


@dataclass(frozen=True)
class Label:
    """What is asked for.

    Attributes:
        text: as typed, "normal" or findings joined by "+".
        findings: places of the findings; empty for normal.
        wanted: images.
        move: along their axes; None where one of them may not be used.
    """

    text: str
    findings: list[int]
    wanted: int
    move: Move | None

    def others(self, speaker: Speaker) -> np.ndarray:
        """bool [5]: the findings of which the speaker can say that they are not there, too."""
        able = speaker.sees.copy()
        for index in self.findings:
            able &= speaker.apart[index]
        able[self.findings] = False
        return able


@dataclass
class Tried:
    """The tries for one label, in their order.

    Attributes:
        label: asked for.
        first: number of the first of them among the tries for all labels.
        rows: of each {seed, how, severity, logits [J, 5], refused_by: "" where it is accepted}.
        images, latents: of the accepted, by the place of their row.
        proposed: how many the guides proposed.
        refusals: {judge: how many it refused}, of those proposed.
    """

    label: Label
    first: int
    rows: list[dict] = field(default_factory=list)
    images: dict[int, np.ndarray] = field(default_factory=dict)
    latents: dict[int, np.ndarray] = field(default_factory=dict)
    proposed: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether there are as many as were asked for."""
        return len(self.images) >= self.label.wanted

    def describe(self) -> dict:
        """For report.json."""
        accepted, tried = len(self.images), len(self.rows)
        return {
            "asked": self.label.wanted,
            "tried": tried,
            "proposed_by_guides": self.proposed,
            "refused_by": self.refusals,
            "accepted": accepted,
            "acceptance": accepted / tried,
            "acceptance_ci95": clopper_pearson(accepted, tried),
            "moved": sum(self.rows[place]["how"] == MOVED for place in self.images),
            "along_axes": self.label.move is not None,
        }


def labels(found: AxesFolder, people: Panel, wanted: dict[str, int], unproven: bool) -> list[Label]:
    """What is asked for, each checked.

    Raises:
        InputError: no judge took no part, or none can see a finding.
    """
    if not people.judges:
        raise InputError(
            f"{found.folder}: no classifier judges there, so nobody could confirm a label; find the"
            " axes again with a judge that takes no part in them"
        )
    asked = []
    for text, count in wanted.items():
        names = [] if text == NORMAL else text.split("+")
        for name in names:
            index = FINDINGS.index(name)
            if not any(judge.sees[index] for judge in people.judges):
                areas = [
                    f"{judge.name} {found.report['judges'][judge.name]['auroc'][name] or 0:.2f}"
                    for judge in people.judges
                ]
                raise InputError(
                    f"{name}: no judge can see it (AUROC on real images: {', '.join(areas)}), so "
                    "its label can't be confirmed; leave it out, or train a judge that sees it"
                )
        usable = names and (unproven or not any(found.why_not(name) for name in names))
        move = Move.of(found, dict.fromkeys(names, 1.0)) if usable else None
        asked.append(Label(text, [FINDINGS.index(name) for name in names], count, move))
    return asked


def starts_of(seed: int, label: int) -> Iterator[int]:
    """Seeds of the starts that are tried for the label at that place, each once."""
    rng, seen = np.random.default_rng([seed, SEEDS, label]), set()
    while True:
        drawn = int(rng.integers(LARGEST_START))
        if drawn not in seen:
            seen.add(drawn)
            yield drawn


def try_label(
    space: LatentSpace,
    people: Panel,
    label: Label,
    place: tuple[int, int],
    options: MixOptions,
    progress: Callable[[int, int], None],
) -> Tried:
    """Tries starts until there are as many confirmed images as asked for.

    Args:
        space: of a generator of gray images; a conditioned one is told the label.
        people: guides and judges.
        label: asked for.
        place: (of the label among all, so that its random numbers are its own; number of its
            first try).
        options: when a finding is there, and how many tries.
        progress: called with (accepted, wanted).

    Raises:
        InputError: the tries are used up, or it is sure that they will not do.
    """
    tried, seeds = Tried(label, place[1]), starts_of(options.seed, place[0])
    rng = np.random.default_rng([options.seed, SEVERITIES, place[0]])
    most = options.tries * label.wanted
    while not tried.full:
        count = min(BATCH, most - len(tried.rows))
        if count == 0:
            raise _too_few(tried, most)
        _batch(space, people, tried, [next(seeds) for _ in range(count)], (options, rng))
        progress(len(tried.images), label.wanted)
        highest = clopper_pearson(len(tried.images), len(tried.rows))[1]
        if len(tried.rows) >= LEAST_TRIES and highest * most < label.wanted:
            raise _too_few(tried, most)
    return tried


def _too_few(tried: Tried, most: int) -> InputError:
    accepted, count, label = len(tried.images), len(tried.rows), tried.label
    low, high = clopper_pearson(accepted, count)
    parts = [f"95 % interval {low:.1%} to {high:.1%}", f"the guides proposed {tried.proposed}"]
    parts += [f"{name} refused {n} of these" for name, n in tried.refusals.items()]
    if label.move is None and label.findings:
        parts.append("none was moved along an axis, which was not found")
    return InputError(
        f"{label.text}: only {accepted} of {count} tries were confirmed ({accepted / count:.1%}; "
        f"{', '.join(parts)}), too few for {label.wanted} images in {most:,} tries; ask for fewer, "
        "allow more tries, or train the GAN on more of them"
    )


def _batch(space: LatentSpace, people: Panel, tried: Tried, seeds: list[int], how: tuple) -> None:
    """Tries some starts, and keeps those that are confirmed while there are too few."""
    options, rng = how
    label = tried.label
    generator = space.generator
    latents = of_seeds(np.array(seeds), space.latent_size).latents
    latents = space.labeled(latents, label.text)
    severities = rng.uniform(options.least_severity, 1.0, len(seeds))
    # A number is a place in a batch: so an image is the same bytes from latents.npz.
    numbers = np.arange(len(seeds)) + tried.first + len(tried.rows)
    images = make(generator, latents, numbers)
    logits = people.read(images)
    proposed = _shows(people, label, logits, options)
    moved = np.zeros(len(seeds), bool)
    if label.move is not None:
        quiet = (special.expit(people.guided(logits)) <= options.absent)[:, seen_by(people)]
        moved = quiet.all(axis=1) & ~proposed
        if moved.any():
            for row in np.flatnonzero(moved):
                latents[row] = label.move.latents(latents[row : row + 1], severities[row])[0]
            images[moved] = make(generator, latents[moved], numbers[moved])
            logits[moved] = people.read(images[moved])
            proposed[moved] = _shows(people, label, logits[moved], options)
    verdicts = judged(people, label, logits, options)
    for row, seed in enumerate(seeds):
        if tried.full:
            break
        refused_by = "guides"
        if proposed[row]:
            tried.proposed += 1
            refusing = [name for name, confirms in verdicts.items() if not confirms[row]]
            for name in refusing:
                tried.refusals[name] = tried.refusals.get(name, 0) + 1
            refused_by = "+".join(refusing)
            if not refusing:
                tried.images[len(tried.rows)] = images[row]
                tried.latents[len(tried.rows)] = latents[row]
        tried.rows.append(
            {
                "seed": seed,
                "how": MOVED if moved[row] else AS_IS,
                "severity": float(severities[row]) if moved[row] else 0.0,
                "logits": logits[row],
                "refused_by": refused_by,
            }
        )


def make(generator, latents: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """uint8 [N, R, R, 1]."""
    return np.stack([to_uint8(one) for one in generation.one_by_one(generator, latents, numbers)])


def seen_by(people: Panel) -> np.ndarray:
    """bool [5]: what one guide at least can see."""
    return np.any([guide.sees for guide in people.guides], axis=0)


def _shows(people: Panel, label: Label, logits: np.ndarray, options: MixOptions) -> np.ndarray:
    """bool [N]: whether the guides propose images for a label."""
    told = special.expit(people.guided(logits))
    others = np.any([label.others(guide) for guide in people.guides], axis=0)
    there = (told[:, label.findings] >= options.present).all(axis=1)
    return there & (told[:, others] <= options.absent).all(axis=1)


def judged(
    people: Panel, label: Label, logits: np.ndarray, options: MixOptions
) -> dict[str, np.ndarray]:
    """{judge: bool [N], whether it confirms the label}, of judges that can see a finding of it."""
    verdicts, told = {}, special.expit(people.judged(logits))
    for place, judge in enumerate(people.judges):
        own = [index for index in label.findings if judge.sees[index]]
        if label.findings and not own:
            continue
        there = (told[:, place, own] >= options.present).all(axis=1)
        without = (told[:, place, label.others(judge)] <= options.absent).all(axis=1)
        verdicts[judge.name] = there & without
    return verdicts

"""The folder of `pgcxr generate-labeled`: images, labels.csv, report.json."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing import mixture, panel
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.edit import Networks, gray_space
from pgcxr.editing.mixture import Tried
from pgcxr.editing.options import MixOptions
from pgcxr.editing.options import mixture as parse_mixture
from pgcxr.editing.panel import Panel
from pgcxr.editing.sheets import words
from pgcxr.io import artifacts, places
from pgcxr.latent.space import LatentSpace
from pgcxr.plots import grids
from pgcxr.sampling import latent_file, selection

# Images of each label in samples.png.
SHOWN = 10


def generate_labeled(
    run: Path,
    axes: Path,
    out: Path,
    options: MixOptions,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    networks: Networks = Networks(),
) -> dict:
    """Writes the folder `out`: as many images of each label as asked for, or nothing.

    Args:
        run: RUN of train.gan.
        axes: folder of evaluate.axes of that RUN.
        out: new folder.
        options: what is asked for.
        progress: told how far it is.
        networks: where guides and judges are, if not where the folder of axes says.

    Returns:
        report.json.

    Raises:
        InputError: something given does not do, or a label cannot be made often enough.
    """
    places.refuse_existing(out)
    found = AxesFolder.load(axes)
    panel.places_of(found, networks.guides, networks.judges)
    space = gray_space(run)
    found.check_generator(run, space.generator, space.identity)
    people = panel.load(found, space.generator.resolution, networks.guides, networks.judges)
    asked = mixture.labels(found, people, parse_mixture(options.mix), options.unproven)
    tries: list[Tried] = []
    for place, label in enumerate(asked):

        def told(done: int, total: int, label=label) -> None:
            progress(label.text, done, total)

        first = sum(len(one.rows) for one in tries)
        tries.append(mixture.try_label(space, people, label, (place, first), options, told))
    with artifacts.new_folder(out) as folder:
        _write(folder, tries, people, space)
        body = {
            "images": sum(len(tried.images) for tried in tries),
            "resolution": space.generator.resolution,
            "labels": {tried.label.text: tried.describe() for tried in tries},
            "judges": [judge.name for judge in people.judges],
            "notes": [*people.notes, *_notes(found, people, tries)],
            "synthetic": True,
            "released": False,
            "weights_sha256": space.identity,
            "axes_sha256": artifacts.sha256(found.folder / "axes.npz"),
        }
        artifacts.write_report(
            folder,
            body,
            command="pgcxr generate-labeled",
            seed=options.seed,
            config=options.to_dict(),
        )
    return artifacts.read_json(Path(out) / "report.json")


def _notes(found: AxesFolder, people: Panel, tries: list[Tried]) -> list[str]:
    """What the user should know, each a sentence."""
    notes = []
    for tried in tries:
        told, names = tried.describe(), [FINDINGS[k] for k in tried.label.findings]
        refused = told["proposed_by_guides"] - told["accepted"]
        notes.append(
            f"{tried.label.text}: {told['accepted']} of {told['tried']} tries confirmed "
            f"({told['acceptance']:.1%}); the guides proposed {told['proposed_by_guides']}, judges "
            f"refused {refused} of these; {told['moved']} were moved along axes"
        )
        unproven = [name for name in names if found.why_not(name)]
        if unproven and told["along_axes"]:
            which = " and ".join(map(words, unproven))
            notes.append(
                f"{tried.label.text}: moved along the axis of {which}, which was not found"
            )
    unseen = [
        name for k, name in enumerate(FINDINGS) if not any(judge.sees[k] for judge in people.judges)
    ]
    if unseen:
        which = " and ".join(map(words, unseen))
        notes.append(f"no judge can see {which}: whether an image shows it, too, is not known")
    return notes


def _write(folder: Path, tries: list[Tried], people: Panel, space: LatentSpace) -> None:
    (folder / "images").mkdir()
    latents, numbers, rows = [], [], []
    for tried in tries:
        for place, image in tried.images.items():
            number = tried.first + place
            (folder / "images" / f"{number:06d}.png").write_bytes(grids.encode_png(image))
            latents.append(tried.latents[place])
            numbers.append(number)
        shown = list(tried.images.values())[:SHOWN]
        rows.append((tried.label.text.replace("+", " +\n").replace("_", " "), np.stack(shown)))
    grids.labeled_grid(rows, folder / "samples.png", title="Confirmed by the judges")
    chosen = np.stack(latents)
    origin = f"labeled {selection.fingerprint(chosen)}"
    latent_file.write(folder / "latents.npz", space.selection(chosen, np.array(numbers), origin))
    artifacts.write_text(folder / "labels.csv", _table(tries, people))


def _table(tries: list[Tried], people: Panel) -> str:
    """labels.csv: a line for each try.

    A finding is 1 where it was asked for, 0 where it was not and a judge that can tell says that it
    is not there, and empty where nobody can tell, or the image was refused.
    """
    text, number = io.StringIO(), 0
    writer = csv.writer(text, lineterminator="\n")
    names = list(people.table(np.zeros((1, len(people.speakers), 5))))
    head = ("image", "accepted", "asked", "seed", "how", "severity", "refused_by")
    writer.writerow([*head, *FINDINGS, *names])
    for tried in tries:
        logits = np.stack([row["logits"] for row in tried.rows])
        columns = people.table(logits)
        absent = np.any([tried.label.others(judge) for judge in people.judges], axis=0)
        for place, row in enumerate(tried.rows):
            accepted = place in tried.images
            known = [1 if k in tried.label.findings else 0 if absent[k] else "" for k in range(5)]
            writer.writerow(
                [
                    f"{number:06d}",
                    int(accepted),
                    tried.label.text,
                    row["seed"],
                    row["how"],
                    f"{row['severity']:.4f}",
                    row["refused_by"],
                    *(known if accepted else [""] * 5),
                    *(f"{values[place]:.4f}" for values in columns.values()),
                ]
            )
            number += 1
    return text.getvalue()

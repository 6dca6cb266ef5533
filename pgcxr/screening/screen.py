"""New images against a model: what is in a folder is looked at, once or as it grows, and committed
image by image."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pgcxr.cohort import image_files
from pgcxr.curation import pixels
from pgcxr.curation.pixels import Decoding
from pgcxr.errors import InputError
from pgcxr.io import artifacts, trees, workers
from pgcxr.io.worker_process import Limits
from pgcxr.screening import checking, dicom_objects, pictures, results, worklist
from pgcxr.screening.asked import refuse_places
from pgcxr.screening.checking import Checked, Job
from pgcxr.screening.dicom_objects import PRODUCT
from pgcxr.screening.domain import FAR
from pgcxr.screening.files import Files
from pgcxr.screening.model import SETTINGS, ScreeningModel
from pgcxr.screening.options import ScreeningOptions
from pgcxr.screening.results import FLAGGED, REFUSED, SCORED, Record, Results

WORKLIST = "worklist.html"
# Images that are scored together, and then committed.
BATCH = 32
DOMAIN = "domain"

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """The `Progress` of who does not want to know."""


class Screening:
    """One screening of one file or folder, see `screen`."""

    def __init__(
        self, model: ScreeningModel, source: Path, results: Results, options: ScreeningOptions
    ):
        self.model, self.options, self.results = model, options, results
        self.files = Files(source, options.watch is not None)
        self.threshold = model.threshold(options.specificity)
        self._written: tuple[dict, dict] | None = None
        self._reconstruct = _reconstruction(model, options)
        self.sha256 = artifacts.sha256(model.folder / SETTINGS)
        if options.dicom is not None:
            Path(options.dicom).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._processes = (os.cpu_count() or 1) if options.processes is None else options.processes
        self._pool: workers.Pool | None = None

    def close(self) -> None:
        """Ends the processes."""
        if self._pool is not None:
            self._pool.__exit__()

    def look(self, progress: Progress = silent) -> dict:
        """Looks at everything once.

        Returns:
            {"new": images that were committed, "copies": files whose content has another file,
            "waiting": files that are being written or changed meanwhile}.
        """
        waiting = self.files.find()
        firsts = self.files.firsts()
        new = {image: path for image, path in firsts.items() if image not in self.results.records}
        done, changed = self._commit(new, progress)
        self._forget_broken(set(firsts))
        counts = self.files.counts()
        now = dict(self.results.records), dict(self.files.there)
        if now != self._written:
            self._write(counts)
            self._written = now
        copies = sum(counts.values()) - len(counts)
        return {"new": done, "copies": copies, "waiting": waiting + changed}

    def _commit(self, new: dict[str, Path], progress: Progress) -> tuple[int, int]:
        """(images committed, files that changed meanwhile)."""
        closed = [image for image in new if image in self.files.refused]
        for image in closed:
            reason = ": ".join(self.files.refused[image])
            self.results.commit(Record(image, REFUSED, (reason,)), {})
        images = [image for image in new if image not in closed]
        jobs = [Job(new[image], self.model.preparation) for image in images]
        batch: list[tuple[str, Path, Checked]] = []
        done, changed = len(closed), 0
        if jobs:
            progress("screening", 0, len(jobs))
        for index, checked in self._checked(jobs):
            image = images[index]
            if checked.changed:
                changed += 1
                self.files.there.pop(new[image], None)
            elif checked.refused:
                self.results.commit(Record(image, REFUSED, (checked.refused,), checked.notes), {})
                done += 1
            else:
                batch.append((image, new[image], checked))
            if len(batch) >= BATCH:
                done += self._score(batch)
                batch = []
            progress("screening", done - len(closed) + changed + len(batch), len(jobs))
        if batch:
            done += self._score(batch)
        return done, changed

    def _checked(self, jobs: list[Job]) -> Iterator[tuple[int, Checked]]:
        if self._processes == 0 or not jobs:
            yield from workers.stream(checking.check, jobs, checking.failed, workers=0)
            return
        if self._pool is None:
            count = self._processes if self.options.watch else min(self._processes, len(jobs))
            self._pool = workers.Pool(checking.check, count, Limits())
            self._pool.__enter__()
        yield from self._pool.stream(jobs, checking.failed)

    def _score(self, batch: list[tuple[str, Path, Checked]]) -> int:
        squares = {
            side: np.stack([checked.squares[side] for _, _, checked in batch])
            for side in self.model.preparation.sides
        }
        said = self.model.ask(squares)
        nearest, differences = self._reconstruct(squares, said)
        for row, (image, path, checked) in enumerate(batch):
            record = self._record(image, checked, said, row)
            if record.status == REFUSED:
                self.results.commit(record, {})
                continue
            drawn = pictures.drawn(
                checked.display,
                nearest[row],
                differences[row],
                said.maps[row],
                self.model.shown,
                checking.COARSE if checked.coarse else 0,
            )
            self._write_dicom(path, record, said.maps[row])
            self.results.commit(record, drawn)
        return len(batch)

    def _write_dicom(self, path: Path, record: Record, heat: np.ndarray) -> None:
        if self.options.dicom is None or image_files.is_image(path):
            return
        preparation = self.model.preparation
        finding = dicom_objects.Finding(
            heat,
            f"{PRODUCT}: {record.called}, p = {record.p_value:.2g}",
            preparation.fit,
            self.sha256,
            any(reason.startswith("burned_in") for reason in record.reasons),
        )
        whole = Decoding(preparation.decoding().normalize)
        shown = pixels.decode(path, whole)
        dicom_objects.write(path, shown, finding, record.image, Path(self.options.dicom))

    def _record(self, image: str, checked: Checked, said, row: int) -> Record:
        distance, flags = float(said.distances[row]), list(checked.flags)
        if distance >= FAR:
            reason = f"{DOMAIN}: unlike any normal image of the model ({distance:.1f} times as far)"
            return Record(image, REFUSED, (reason,), checked.notes, domain_distance=distance)
        if distance > 1:
            flags.append(f"{DOMAIN}: farther from the model's normals than 99.5 % of these")
        heat = said.maps[row]
        y, x = np.unravel_index(int(heat.argmax()), heat.shape)
        return Record(
            image=image,
            status=FLAGGED if flags else SCORED,
            reasons=tuple(flags),
            notes=checked.notes,
            score=float(said.scores[row]),
            p_value=float(said.p[row]),
            anomalous=bool(said.scores[row] > self.threshold),
            domain_distance=distance,
            peak=(float((x + 0.5) / heat.shape[1]), float((y + 0.5) / heat.shape[0])),
        )

    def _forget_broken(self, there: set[str]) -> None:
        """What could not be read and is there no more was half of a file that is whole now."""
        for record in list(self.results.records.values()):
            broken = any(reason.partition(":")[0] in results.BROKEN for reason in record.reasons)
            if record.status == REFUSED and broken and record.image not in there:
                self.results.forget(record.image)

    def _write(self, counts: Counter) -> None:
        out, ordered = self.results.out, self.results.ordered()
        self.results.write_table(counts)
        copies = sum(counts.values()) - len(counts)
        worklist.write(out / WORKLIST, ordered, self._about(), self.options.pictures, copies)
        results.write_report(out, self.report(counts), identity(self.model, self.options))
        if self.options.trace is not None:
            self.files.write_trace(Path(self.options.trace))

    def _about(self) -> dict:
        from pgcxr.anomaly.calibration import specificity_limit

        asked = self.options.specificity or self.model.specificity
        healthy = len(self.model.healthy)
        return {
            "name": self.model.about.get("name", "a model of normal images"),
            "specificity": asked,
            "specificity_limit": specificity_limit(healthy, asked),
            "healthy": healthy,
            "threshold": self.threshold,
        }

    def report(self, counts: Counter) -> dict:
        """report.json, without what made it."""
        records = list(self.results.records.values())
        status = Counter(record.status for record in records)
        by_rule = {
            kind: Counter(
                reason.partition(":")[0]
                for record in records
                if record.status == kind
                for reason in record.reasons
            )
            for kind in (REFUSED, FLAGGED)
        }
        return {
            "images": len(records),
            "scored": status[SCORED] + status[FLAGGED],
            "flagged": status[FLAGGED],
            "refused": status[REFUSED],
            "anomalous": sum(bool(record.anomalous) for record in records),
            "refused_by": dict(sorted(by_rule[REFUSED].items())),
            "flagged_by": dict(sorted(by_rule[FLAGGED].items())),
            "files": sum(counts.values()),
            "copies": sum(counts.values()) - len(counts),
            "model": self._about(),
        }


def screen(
    model: ScreeningModel,
    source: str | Path,
    out: str | Path,
    options: ScreeningOptions,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda line: None,
) -> dict:
    """Screens a file or all files of a folder into the folder `out`: results.csv, worklist.html,
    images/ID with pictures, report.json. What an earlier run with the same model and options did
    there is not done again.

    With `options.watch` it goes on until it is interrupted.

    Args:
        model: see `pgcxr.screening.model.load`.
        source: a DICOM, PNG or JPEG file, or a folder.
        progress: called with (what, done, of how many).
        say: takes lines for the user.

    Returns:
        report.json.

    Raises:
        InputError: there is nothing to read, or `out` cannot be written.
    """
    source, out = refuse_places(source, out, options)
    if options.watch is None and source.is_dir() and not trees.files(source):
        raise InputError(f"{source}: has no files; name the folder of new images")
    known = identity(model, options)
    with results.opened(out, known) as held, contextlib.ExitStack() as stack:
        screening = Screening(model, source, held, options)
        stack.callback(screening.close)
        told: dict = {}
        with contextlib.suppress(KeyboardInterrupt) if options.watch else contextlib.nullcontext():
            while True:
                seen = screening.look(progress)
                if seen != told:
                    _tell(seen, options, say)
                told = {**seen, "new": 0}
                if options.watch is None:
                    break
                time.sleep(options.watch)
    return artifacts.read_json(out / results.REPORT)


def _tell(seen: dict, options: ScreeningOptions, say: Callable[[str], None]) -> None:
    if options.watch is not None:
        copies = worklist.beside(seen["copies"])
        say(f"{seen['new']} new images{copies}, {seen['waiting']} files wait until they are whole")
    elif seen["waiting"]:
        say(
            f"warning: {seen['waiting']} files were written to meanwhile, and are left out; run "
            "the same command again"
        )


def identity(model: ScreeningModel, options: ScreeningOptions) -> dict:
    """What results depend on, as report.json has it."""
    of_the_run = ScreeningOptions.names_of_the_run()
    values = {key: value for key, value in options.to_dict().items() if key not in of_the_run}
    # Maps are drawn once: who wants them as DICOM, too, asks for them from the beginning.
    values["dicom"] = options.dicom is not None
    return {"model_sha256": artifacts.sha256(model.folder / SETTINGS), **values}


def _reconstruction(model: ScreeningModel, options: ScreeningOptions):
    """(squares, said) -> (nearest [N, S, S], differences [N, S, S])."""
    if options.reconstruction == "pca":
        return lambda squares, said: (said.nearest, said.differences)
    from pgcxr.screening.nearest import gan_reconstruction

    return gan_reconstruction(model)

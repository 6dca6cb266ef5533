"""The search for anomalies in one image, step by step: what notebooks/03_anomaly.ipynb shows."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import common, patients
from evaluate.anomaly import inverting
from evaluate.anomaly.chapter import AnomalyResult
from evaluate.anomaly.figures import FULL, INVERSION
from evaluate.anomaly.options import AnomalyOptions
from evaluate.anomaly.runs import Loaded
from evaluate.patients import RealImages
from pgcxr.anomaly import calibration, maps, ppca
from pgcxr.cohort import manifest
from pgcxr.cohort.findings import NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.curation.options import CurationOptions
from pgcxr.curation.run import curate
from pgcxr.errors import InputError
from pgcxr.images import enlarge
from pgcxr.phantom.export import PhantomOptions, write_export
from pgcxr.plots import curves, grids, overlay
from pgcxr.sampling.runs import pretrained_run

COMMAND = "python -m evaluate.anomaly"
SHOWN = 224  # px: smaller images are enlarged
PHANTOMS = 40  # patients


@dataclass(frozen=True)
class Calibrated:
    """What a run of evaluate.anomaly learned from healthy images, of its inversion.

    Attributes:
        components: what healthy differences share.
        healthy: mean and deviation of what remains.
        scores: of held-out healthy images.
        threshold: above which an image is called abnormal.
    """

    components: ppca.ProbabilisticPCA
    healthy: maps.Healthy
    scores: np.ndarray
    threshold: float

    @classmethod
    def load(cls, folder: Path) -> "Calibrated":
        """From calibration.npz.

        Raises:
            InputError: it is none, or of a run without a GAN.
        """
        path = folder / "calibration.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    ppca.ProbabilisticPCA(
                        *(arrays[f"familiar_{name}"] for name in ("mean", "directions", "gains"))
                    ),
                    maps.Healthy(arrays["mean"], arrays["deviation"]),
                    arrays["healthy_scores"],
                    float(arrays["threshold"]),
                )
        except (OSError, ValueError, KeyError):
            raise InputError(
                f"{path}: is none of an inversion; run `{COMMAND}` with a GAN of normals"
            ) from None

    def read(self, differences: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(anomaly maps [N, S, S], scores [N], p-values [N]) of `maps.differences`."""
        windows = maps.windowed(maps.scaled(self.components.remove(differences)))
        z = maps.standardized(windows, self.healthy)
        scores = calibration.image_scores(z)
        return maps.anomaly_map(z), scores, calibration.p_values(self.scores, scores)


@dataclass(frozen=True)
class Steps:
    """What is seen of one image after none to all T steps.

    Attributes:
        query: uint8 [R, R, 1].
        mask: share of each pixel [S, S] that is lesion; NaN where that is not known.
        nearest: uint8 [T + 1, R, R, 1], the nearest normal images.
        differences, maps: [T + 1, S, S].
        losses, scores, p_values: [T + 1]. Without calibration no maps, scores and p-values: None.
    """

    query: np.ndarray
    mask: np.ndarray
    nearest: np.ndarray
    differences: np.ndarray
    maps: np.ndarray
    losses: np.ndarray
    scores: np.ndarray
    p_values: np.ndarray

    def pictures(self, step: int) -> dict[str, bytes]:
        """PNGs of one step: "query" (green: border of the lesion, where one is known), "nearest",
        "difference" (red: the query is brighter) and "map", on the scales of evaluate.anomaly's
        figures."""
        query, mask = self.query[..., 0], np.nan_to_num(self.mask)
        factor = max(SHOWN // len(query), 1)
        large = enlarge(query, factor)
        drawn = {
            "query": overlay.outline(large, mask) if mask.any() else large,
            "nearest": enlarge(self.nearest[step, ..., 0], factor),
            "difference": overlay.diff_overlay(large, self.differences[step], limit=FULL),
        }
        if self.maps is not None:
            drawn["map"] = overlay.overlay(large, self.maps[step], limits=INVERSION.limits)
        return {name: grids.encode_png(image) for name, image in drawn.items()}

    def plot(self, path: Path, threshold: float | None) -> Path:
        """The score after each step and the threshold; the loss where there is no score."""
        steps, x = np.arange(len(self.losses)), "steps of gradient descent"
        if self.scores is None:
            return curves.line_plot(steps, {"loss": self.losses}, path, (x, "loss"))
        series = {"anomaly score": self.scores, "threshold": np.full(len(steps), threshold)}
        return curves.line_plot(steps, series, path, (x, "score"))


@dataclass(frozen=True)
class Explorer:
    """The test images of a run of evaluate.anomaly, inverted again as that did.

    Attributes:
        loaded: the GAN and its cohort.
        scores: scores.csv: a row for each image, with its class, score, p_value.
        calibrated: what scores are measured by; None where nothing is.
        options, seed: of the inversion.
        note: what is otherwise here than in the run; "" where nothing is.
    """

    loaded: Loaded
    scores: pd.DataFrame
    calibrated: Calibrated | None
    options: AnomalyOptions
    seed: int
    note: str

    @classmethod
    def load(cls, gan_run: str | Path, folder: str | Path) -> "Explorer":
        """Reads the RUN of a GAN of normals, and the folder of evaluate.anomaly that inverted it.

        Raises:
            InputError: one of them is something else.
        """
        gan_run, folder = Path(gan_run), Path(folder)
        result = AnomalyResult.load(folder)
        if result.made_by.get("command") != AnomalyResult.command:
            raise InputError(f"{folder}: was not written by `{COMMAND}`; name a folder of that")
        known, names = result.made_by["config"], AnomalyOptions().to_dict()
        generator = common.load_generator(gan_run)
        cohort = patients.of_report(folder, result.figures) or common.cohort_of(gan_run)
        return cls(
            Loaded(generator, {}, None, RealImages(cohort), (gan_run,)),
            pd.read_csv(folder / "scores.csv", dtype={"image_id": str}),
            Calibrated.load(folder),
            AnomalyOptions(**{name: known[name] for name in names if name in known}),
            result.made_by["seed"],
            _note(result.figures),
        )

    @classmethod
    def of_phantoms(cls, scratch: Path) -> "Explorer":
        """Generated radiographs and the GAN of normal ones that comes with pgcxr, without a
        calibration; `scratch`: an empty folder for the images."""
        run = pretrained_run("phantom-64-normal")
        generator = common.load_generator(run)
        drawn = PhantomOptions(patients=PHANTOMS, size=max(2 * generator.resolution, 64), workers=1)
        write_export(scratch / "export", drawn)
        options = CurationOptions(
            size=generator.resolution, processes=0, key_file=str(scratch / "key"), audit=False
        )
        curate(scratch / "export", scratch / "cohort", options, show_progress=False)
        cohort = manifest.load(scratch / "cohort")
        kinds = cohort.manifest["diagnoses"].where(cohort.manifest["diagnoses"] != "", NORMAL)
        rows = {"image_id": cohort.manifest["image_id"].astype(str), "class": kinds}
        loaded = Loaded(generator, {}, None, RealImages(cohort), (run,))
        note = "phantoms, and the GAN of normal ones that comes with pgcxr; nothing is calibrated"
        return cls(loaded, pd.DataFrame(rows), None, AnomalyOptions(), 0, note)

    @property
    def choices(self) -> list[tuple[str, int]]:
        """(words, row) of each test image: class, number, p-value."""
        words = self.scores["class"].str.replace("_", " ") + ", " + self.scores["image_id"]
        if self.calibrated is not None:
            words += self.scores["p_value"].map(": p {:.3f}".format)
        return [(text, row) for row, text in enumerate(words)]

    @property
    def first(self) -> int:
        """The row to begin with: the surest find, or the first abnormal row."""
        abnormal = self.scores[self.scores["class"] != NORMAL]
        if self.calibrated is not None and len(abnormal):
            return int(abnormal["score"].idxmax())
        return int(abnormal.index[0]) if len(abnormal) else 0

    def steps(self, row: int) -> Steps:
        """Inverts the test image of one row of `scores`."""
        image = self._image(row)
        size = self.loaded.generator.resolution
        query = image.images(size)[0]
        real = common.from_uint8(query)
        way = self._inverter.watch(
            real, iterations=self.options.iterations, learning_rate=self.options.learning_rate
        )
        differences = maps.differences(np.broadcast_to(real, way.means.shape), way.means)
        read = (None,) * 3 if self.calibrated is None else self.calibrated.read(differences)
        found, scores, p_values = read
        return Steps(
            query,
            image.masks(differences.shape[-1])[0],
            common.to_uint8(way.means),
            differences,
            found,
            way.losses,
            scores,
            p_values,
        )

    @cached_property
    def _inverter(self):
        # A search goes the same way alone as in any batch, but for rounding.
        alone = self.options.starts
        return inverting.make_inverter(self.loaded, self.options, self.seed, batch=alone)

    def _image(self, row: int) -> Cohort:
        cohort = self.loaded.cohort
        wanted = self.scores["image_id"][row]
        own = cohort.manifest[cohort.manifest["image_id"].astype(str) == wanted]
        if len(own) != 1:
            raise InputError(
                f"{cohort.folder}: has no image {wanted} of scores.csv; run `{COMMAND}` again"
            )
        return Cohort(cohort.folder, own.reset_index(drop=True))


def _note(report: dict) -> str:
    changes = []
    if report.get("start") == "encoder":
        changes.append("searches started from an encoder's guesses, here from the bank")
    if report.get("freed"):
        changes.append("features of the generator were freed after the search, here they are not")
    told = "; ".join(changes)
    return f"In the run, {told}: its scores are others than the last step's." if told else ""

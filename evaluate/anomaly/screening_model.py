"""The fusion as a model for `pgcxr screen`."""

from dataclasses import replace
from pathlib import Path

from evaluate.anomaly.methods import Found
from evaluate.anomaly.options import AnomalyOptions
from evaluate.anomaly.runs import Loaded
from evaluate.anomaly.selection import Reading
from pgcxr.cohort.image_files import png_size
from pgcxr.images import from_uint8
from pgcxr.io import artifacts
from pgcxr.sampling.runs import GENERATOR, named
from pgcxr.screening import card, model
from pgcxr.screening.preparation import Preparation


def write(
    folder: Path,
    loaded: Loaded,
    reading: Reading,
    found: Found,
    comparison: dict,
    options: AnomalyOptions,
    seed: int,
) -> None:
    """Writes `folder`/screening, where networks were asked.

    Args:
        comparison: of report.json: the figures on the card are those of its fusion.
    """
    if found.fusion is None:
        return
    side = found.nearest.shape[1]
    learned = model.Learned.of(
        found.fusion, *(from_uint8(part.images(side)[..., 0]) for part in _normals(reading))
    )
    networks = list(loaded.networks.values())
    sides = (side, loaded.size, *(network.input_shape[1] for network in networks))
    preparation = preparation_of(loaded, sides)
    about = about_of(comparison, options, seed, loaded.cohort.folder)
    about["name"] = f"normals of {loaded.size} px"
    shown = {**about, "preparation": preparation.to_dict()}
    (folder / model.INSIDE).mkdir()
    model.write(
        folder / model.INSIDE,
        learned,
        preparation,
        networks,
        about,
        card.text(about["name"], shown),
        _generator(loaded),
    )


def _normals(reading: Reading):
    return reading.familiar, reading.healthy


def preparation_of(loaded: Loaded, sides: tuple[int, ...]) -> Preparation:
    """As the cohort was made; of machines that it does not know nothing is asked."""
    report = loaded.cohort.folder / "report.json"
    said = artifacts.read_json(report) if report.is_file() else {}
    size = png_size(loaded.cohort.paths()[0])[0]
    found = Preparation.of_cohort(said, size, sides)
    makers = loaded.cohort.manifest.get("manufacturer")
    if makers is None or not makers.any():
        unasked = {**found.rules["manufacturer"], "enabled": False}
        found = replace(found, rules={**found.rules, "manufacturer": unasked})
    return found


def about_of(comparison: dict, options: AnomalyOptions, seed: int, cohort: Path) -> dict:
    """What screening.json says of data and figures."""
    figures, images = comparison["methods"]["fusion"], comparison["images"]
    kept = ("macro_auroc", "macro_auroc_ci95", "sensitivity", "specificity", "specificity_ci95")
    shown = ("n", "auroc", "auroc_ci95", "sensitivity", "ci95")
    classes = {name: {key: row[key] for key in shown} for name, row in figures["classes"].items()}
    return artifacts.plain(
        {
            "specificity": options.specificity,
            "specificity_limit": comparison["specificity_limit"],
            "data": {
                **{key: images[key] for key in ("learned", "healthy", "normal", "abnormal")},
                "manifest_sha256": artifacts.sha256(cohort / "manifest.csv"),
                "note": "",
            },
            "figures": {**{key: figures[key] for key in kept}, "classes": classes},
            "made_by": {
                "command": "evaluate.anomaly",
                "seed": seed,
                "config": options.to_dict(),
                "versions": artifacts.versions(),
            },
        }
    )


def _generator(loaded: Loaded) -> Path | None:
    return None if loaded.generator is None else named(loaded.runs[0]) / GENERATOR

"""The report's opening, data and training; each table and figure beside the thesis's own number."""

from pathlib import Path

import pandas as pd

from evaluate import thesis
from evaluate.thesis import ARM_NAMES, interval, listed, percent, words
from pgcxr.cohort import manifest as cohorts
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.plots.page import Page
from pgcxr.sampling import runs

# A column that a manifest may have beside those of `pgcxr curate`.
HOSPITAL = "hospital"
GANS = (("gan", "normal and abnormal images"), ("gan_normal", "normal images only"))


def opening(page: Page, preset: str, steps: dict, phantom: bool) -> None:
    """What this page is, and what it is not."""
    gan, of = steps["gan"], export(steps, phantom)
    page.text(
        f"The study of the thesis, carried out with preset {preset} on {of}: "
        f"{steps['cohort']['collected']:,} images collected, {steps['cohort']['images']:,} kept, "
        f"Progressive GANs of {gan['resolution']} px.",
        "Every number under “this run” was computed from images that the run itself made or read. "
        "The thesis worked at 1024 px on 111,163 radiographs of two hospitals: the columns stand "
        "beside each other to show what is measured and how, not to be compared in size. Figures "
        "and tables bear the thesis's numbers, so they are not in sequence. “Real” images are "
        "those that were curated, generated or not; “synthetic” ones are a GAN's.",
    )
    if any(_begun_with(steps[name]) for name in (*dict(GANS), "anomaly_network")):
        page.text(trained_where(steps))


def export(steps: dict, phantom: bool) -> str:
    """What the images come from, in words."""
    if phantom:
        return "a generated PACS export (phantom images, no patient)"
    source = steps["cohort"]["source"]
    return "a hospital's PACS export" if source == "pacs" else f"the {source} set"


def glance(page: Page, steps: dict) -> None:
    """The whole study in one table."""
    fidelity, axes, anomaly = steps["fidelity"], steps["axes"], steps["anomaly"]
    counts = fidelity["pseudo_labels"]
    together = anomaly["comparison"]["methods"]["fusion"]
    labels = (
        "by labels that a network gave, its uncertain images "
        f"({percent(counts['rejected'] / counts['generated'])}) dropped: not comparable with the "
        "other rows"
    )
    rows = [
        (
            f"AUROC, {ARM_NAMES[arm]}",
            thesis.ARMS[arm]["auroc"],
            fidelity[arm]["auroc"],
            interval(fidelity[arm]["auroc_ci95"])
            + ("; " + labels if arm == "synthetic_on_synthetic" else ""),
        )
        for arm in thesis.ARMS
    ]
    found = [name for name, axis in axes["axes"].items() if axis["found"]]
    rows += [
        ("Disease axes found, of five", 3, len(found), ", ".join(map(words, found)) or "none"),
        (
            "Anomaly detection: sensitivity",
            0.90,
            anomaly["overall"]["sensitivity"],
            interval(anomaly["overall"]["sensitivity_ci95"])
            + "; thesis: 90 of 100, table adds up to 89",
        ),
        (
            "Anomaly detection: specificity",
            None,
            anomaly["overall"]["specificity"],
            interval(anomaly["normals"]["ci95"]) + "; the thesis tested no normal image",
        ),
        (
            "Anomaly detection: AUROC",
            None,
            anomaly["overall"]["auroc"],
            interval(anomaly["overall"]["auroc_ci95"]) + "; by inversion, as the thesis does",
        ),
        (
            "Anomaly detection: AUROC, all methods together",
            None,
            together["macro_auroc"],
            interval(together["macro_auroc_ci95"])
            + f"; sensitivity {percent(together['sensitivity'])} at a specificity of "
            + percent(together["specificity"]),
        ),
    ]
    page.comparison_table(rows)


def data(page: Page, folder: Path, steps: dict) -> None:
    """Figure 1, Tables 1 and 2; `folder` is the cohort's."""
    cohort = steps["cohort"]
    page.section("Data (thesis, Methods 1)")
    page.figure(folder / "flowchart.svg", "Figure 1. Selection of the images.")
    page.comparison_table(
        [
            ("Collected", thesis.COLLECTED["total"], cohort["collected"], ""),
            ("Kept", thesis.KEPT["total"], cohort["images"], f"{cohort['patients']:,} patients"),
            ("Kept, normal", thesis.KEPT["normal"], cohort["normal"], ""),
            ("Kept, abnormal", thesis.KEPT["abnormal"], cohort["abnormal"], ""),
        ]
    )
    train = cohort["table2"]["train"]
    page.table(
        [
            "Diagnosis",
            "Thesis: normal GAN",
            "Thesis: normal + abnormal GAN",
            "This run: normal GAN",
            "This run: normal + abnormal GAN",
        ],
        [
            ("Normal", 72_938, 20_000, steps["gan_normal"]["images"], train["normal"]),
            ("Abnormal", 0, 91_163, 0, train["abnormal"]),
            ("Total", 72_938, 111_163, steps["gan_normal"]["images"], steps["gan"]["images"]),
        ],
        "Table 1. Images that the GANs were trained on; here the training split, so that no GAN "
        "sees a test patient.",
    )
    manifest = cohorts.load(folder).manifest
    other = _others(manifest)
    splits, nothing = ("train", "val", "test", "total"), (None, None, None)
    page.table(
        [
            "Diagnosis",
            *(f"Thesis: {hospital}" for hospital in (*thesis.TABLE_2_BY_HOSPITAL, "total")),
            *(f"This run: {split}" for split in splits),
        ],
        [
            (
                words(name),
                *(counts[name] for counts in thesis.TABLE_2_BY_HOSPITAL.values()),
                thesis.TABLE_2[name],
                *(cohort["table2"][split][name] for split in splits),
            )
            for name in ("normal", *FINDINGS)
        ]
        + [
            ("Abnormal, another disease only", *nothing, *(other[split] for split in splits)),
            ("Abnormal", *nothing, *(cohort["table2"][split]["abnormal"] for split in splits)),
            ("Total", *nothing, *(cohort["table2"][split]["images"] for split in splits)),
        ],
        "Table 2. Images of each class; an image may have several of the five, so they do not "
        "add up; the thesis counts 10,234 abnormal ones so. Splits are by patient. Images with "
        "another disease only (of the seven more in Table 6) are among the abnormal ones that the "
        "GAN learns from and the test of anomaly detection reads; no classifier sees them, as in "
        "the thesis.",
    )
    _by_hospital(page, manifest)


def _by_hospital(page: Page, manifest: pd.DataFrame) -> None:
    """Table 2 for each hospital, where the manifest names several."""
    if HOSPITAL not in manifest or manifest[HOSPITAL].nunique() < 2:
        return
    of = {name or "not told": own for name, own in manifest.groupby(HOSPITAL)}
    rows = [("Normal", *((own["label"] == NORMAL).sum() for own in of.values()))]
    rows += [
        (words(name), *((own[name].astype(str) == "1").sum() for own in of.values()))
        for name in FINDINGS
    ]
    rows.append(("Images", *map(len, of.values())))
    rows.append(("Patients", *(own["patient_id"].nunique() for own in of.values())))
    page.table(
        ["Diagnosis", *of],
        rows,
        "Table 2 by hospital, of this run: column hospital of the manifest.",
    )


def _others(manifest: pd.DataFrame) -> dict:
    """{split or "total": abnormal images with none of the five findings}."""
    alone = manifest[
        (manifest["label"] == ABNORMAL) & ~(manifest[list(FINDINGS)].astype(str) == "1").any(axis=1)
    ]
    found = {split: int((alone["split"] == split).sum()) for split in cohorts.SPLITS}
    return found | {"total": sum(found.values())}


def _begun_with(trained: dict) -> list[dict]:
    """The network that a training began with, as its config.json has it; empty where it began
    anew."""
    return trained["made_by"]["config"].get("init", [])[:1]


def _named(entry: dict) -> str:
    """Such a network, and what it had learned."""
    known = [f"{entry['kimg']:,.0f} kimg"] if entry.get("kimg") else []
    known += ["on phantom images, before this run"] if entry.get("pretrained") else []
    return entry["name"] + (f" ({', '.join(known)})" if known else "")


def trained_where(steps: dict) -> str:
    """One sentence: what was learned before this run, and what in it."""
    told = [
        f"the GAN of {title} began with {_named(entry)} and saw {steps[name]['kimg']:,.0f} kimg of "
        "this cohort"
        for name, title in GANS
        for entry in _begun_with(steps[name])
    ]
    told += [
        f"the network that finds anomalies began with that of {_named(entry)}"
        for entry in _begun_with(steps["anomaly_network"])
    ]
    text = f"{listed(told)}; all classifiers were trained from scratch in this run."
    return text[0].upper() + text[1:]


def growing(page: Page, out: Path, steps: dict) -> None:
    """Figure 2 and what the training took."""
    page.section("Progressive growing (thesis, Methods 2.1)")
    page.text(
        "A GAN starts at 4 px and doubles its resolution step by step. Progress is counted in "
        "kimg: thousands of real images shown, each as often as its turn comes."
    )
    begun = [(title, entry) for name, title in GANS for entry in _begun_with(steps[name])]
    for title, entry in begun:
        film = runs.PRETRAINED / entry["name"] / "training.gif"
        if entry.get("pretrained") and film.is_file():
            page.heading(f"How {entry['name']} grew").figure(
                film,
                f"What the GAN of {title} began with: the same latents from 4 px on, in the "
                f"{entry['kimg']:,.0f} kimg of a training whose result comes with pgcxr.",
            )
    for name, title in GANS:
        sheets = sorted((out / name / "samples").glob("kimg*.png"))
        chosen = (
            [sheets[round(i * (len(sheets) - 1) / 3)] for i in range(4)]
            if len(sheets) > 3
            else sheets
        )
        page.heading(f"GAN of {title}")
        page.figures([(sheet, f"After {float(sheet.stem[4:]):.3g} kimg.") for sheet in chosen])
        page.text(f"Figure 2, GAN of {title}: the same latents after more and more training.")
    gan, normal = steps["gan"], steps["gan_normal"]
    page.table(
        [
            "",
            "Thesis: normal + abnormal",
            "Thesis: normal",
            "This run: normal + abnormal",
            "This run: normal",
        ],
        [
            ("Resolution, px", 1024, 1024, gan["resolution"], normal["resolution"]),
            ("Training images", 111_163, 72_938, gan["images"], normal["images"]),
            ("Images shown, kimg", 14_451, None, gan["kimg"], normal["kimg"]),
            (
                "Generator parameters",
                None,
                None,
                gan["generator_parameters"],
                normal["generator_parameters"],
            ),
            (
                "Discriminator parameters",
                *(None, None),
                *(gan["discriminator_parameters"], normal["discriminator_parameters"]),
            ),
        ],
        "A dash: the thesis does not say.",
    )

"""The study report's own chapters: summary, methods, limits, intervals, model card, provenance."""

import html
import re

import pandas as pd
import pytest

from evaluate import thesis
from evaluate.distribution import chapter as distribution_chapter
from evaluate.study import (
    chapters,
    class_curves,
    intervals,
    limits,
    methods,
    model_card,
    provenance,
    summary,
)
from evaluate.study.options import StudyOptions
from evaluate.study.plan import Plan
from evaluate.study.steps import Step, literally
from pgcxr.cohort.findings import FINDINGS
from pgcxr.plots.diagram import Diagram
from pgcxr.plots.page import Page
from tests.evaluate.toy_study import toy_steps
from tests.toy_cohort import spots, write_cohort


def _said(write, *arguments) -> str:
    """The text of what a chapter adds to a page."""
    page = Page("x")
    write(page, *arguments)
    parts = [*page.opening, *(part for section in page.sections for part in section.parts)]
    plain = html.unescape(re.sub("<[^>]+>", " ", "".join(parts))).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", plain)


def test_the_summary_is_half_a_page_and_explains_its_words():
    said = _said(summary.summary, toy_steps(), False)
    assert len(said.split()) < 400
    for number in ("0.950 (0.930 to 0.970)", "0.850", "0.983", "19 %", "4.0 % of 377", "0.690"):
        assert number in said
    assert "For 1 of 5 diseases (pneumothorax)" in said
    assert "generative adversarial network (GAN)" in said and "characteristic curve (area" in said
    known = {"GAN"}
    assert set(re.findall(r"\b[A-Z]{2,}\b", said)) <= known, "an abbreviation is not explained"
    assert "that is no merit here" in said and "read nodule poorly" in said
    assert "no merit" not in _said(summary.summary, toy_steps(c_t=0.3), False)
    assert "must not leave the hospital" in _said(summary.summary, toy_steps(passed=False), False)


def test_methods_are_told_by_the_parameters_of_the_steps_and_name_no_place():
    steps = toy_steps()
    said = _said(methods.methods, steps, False)
    for part in (
        "fading in over 0.2",
        "0.3 thousand images",
        "learning rate of 0.0015",
        "64 numbers",
    ):
        assert part in said
    for part in ("7 epochs", "P(abnormal) > 0.7", "99th percentile", "60 % / 20 % / 20 %"):
        assert part in said
    steps["gan"]["made_by"]["config"]["lrate_base"] = 0.0025
    assert "learning rate of 0.0025" in _said(methods.methods, steps, False)
    steps["gan"]["made_by"]["config"]["lod_initial_resolution"] = 0
    said_at_once = _said(methods.methods, steps, False)
    assert "px throughout" in said_at_once and "fading" not in said_at_once
    table = _said(methods.parameters, steps)
    assert "lrate_base 0.0025" in table and "epochs 7" in table
    assert "Mary" not in table + said and "secret" not in table + said


@pytest.mark.parametrize(("c_t", "underfit"), [(17.1, True), (0.4, False), (-9.0, False)])
def test_a_c_t_far_above_zero_is_underfit_and_no_privacy(c_t, underfit):
    said = limits.of_the_gan(toy_steps(c_t))
    assert ("no proof of privacy" in said) == underfit and "FID is 61.3 (floor 17.3)" in said
    assert "behind the PCA-Gaussian in 1 of 2 measures" in said


def test_intervals_and_card():
    said = _said(intervals.glossary, toy_steps())
    assert "drawn again, 2,000 times" in said and "From 100 random halves" in said
    assert "200 and 999 random exchanges" in said and "TOST" not in said
    assert "TOST" in _said(intervals.glossary, toy_steps() | {"readers_turing": {}})
    card = _said(model_card.model_card, toy_steps(passed=False), False)
    assert "nodule (1 of 12)" in card and "not passed: 4 copies" in card
    assert "keep them in house" in card
    assert "no patient" in _said(model_card.model_card, toy_steps(), True)


def test_commands_can_be_typed_again_and_name_no_place(tmp_path):
    data, place = tmp_path / "Saint {Mary}", "/home/kim/weights.h5"
    changes = ("gan.total_kimg=1", f"gan.init={place}")
    options = StudyOptions(data=data, changes=changes, readers=("kim/study",), size=16)
    words = (literally(data.resolve()), "--out", "{out}", "--set", f"weights_file={place}")
    steps = [
        Step("cohort", "pgcxr", ("curate", *words[:3])),
        Step("gan", "train.gan", ("{cohort}", *words[1:])),
    ]
    found = provenance.commands(options, Plan(steps))
    assert found == [
        "python -m evaluate.study --preset demo --out STUDY --data DATA --size 16 --set "
        "gan.total_kimg=1 --set gan.init=PATH --readers READERS1 --seed 2026",
        "pgcxr curate EXPORT --out STUDY/cohort",
        "python -m train.gan STUDY/cohort --out STUDY/gan --set weights_file=PATH",
    ]


def test_how_it_was_made_has_seeds_as_they_are_typed_and_the_machine():
    made_on = provenance.environment()
    assert set(made_on) == {"commit", "changed", "machine", "accelerators", "system"}
    assert "processors" in made_on["machine"] and re.fullmatch("[0-9a-f]{40}|", made_on["commit"])
    page = ({"gan": 61.0, "anomaly": 9.4}, 65.0, made_on | {"commit": "", "accelerators": ""})
    said = _said(provenance.provenance, toy_steps(), ["python -m x"], *page)
    assert "gan train.gan 2026 61" in said and "2,026" not in said
    assert "not known: no git checkout" in said and "Accelerators none" in said


def test_curves_by_class_are_of_the_classes_that_have_images(tmp_path):
    write_cohort(tmp_path / "cohort", *spots(60, 8, seed=1))
    rows = pd.read_csv(tmp_path / "cohort/manifest.csv", dtype=str, keep_default_na=False)
    scores = pd.DataFrame({"image_id": rows["image_id"], "label": rows["label"]})
    scores = scores.assign(score_real=range(60), score_synthetic=range(60, 0, -1))
    (tmp_path / "fidelity").mkdir()
    scores.to_csv(tmp_path / "fidelity/predictions.csv", index=False)
    said = _said(class_curves.of_classifiers, tmp_path, tmp_path / "cohort")
    assert "each finding against normal images" in said and "Left out, with fewer" in said
    assert (tmp_path / "figures/roc-synthetic.png").is_file()
    (tmp_path / "anomaly").mkdir()
    classes = ["normal"] * 6 + ["nodule"] * 6 + ["calcification"] * 2
    table = pd.DataFrame({"class": classes, "score": range(14)})
    table.to_csv(tmp_path / "anomaly/scores.csv", index=False)
    said = _said(class_curves.of_anomalies, tmp_path, tmp_path / "cohort")
    assert "the five findings" in said and "other classes" not in said, "two images are no curve"


def test_a_diagram_is_an_svg_without_anything_from_elsewhere():
    drawn = Diagram().box("a", 0, 0, "<A>", "one").box("b", 1, 1, "B").box("c", 0, 1, "C")
    svg = str(drawn.arrow("a", "b").arrow("b", "c", "x").arrow("a", "c", "down").svg("how"))
    assert "&lt;A&gt;" in svg and svg.count("<rect") == 3 and svg.count("<polyline") == 3
    assert "url(" not in svg and "http" not in svg and 'aria-label="how"' in svg
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    points = re.findall(r"([\d.]+),([\d.]+)", svg)
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


def test_what_was_not_computed_is_left_out():
    steps = toy_steps()
    for space in steps["privacy"]["spaces"].values():
        space["c_t"]["z"] = None
    del steps["fidelity"]["real_on_real"]["clustered"]
    assert "C_T" not in limits.of_the_gan(steps) and "no merit" not in _said(
        summary.summary, steps, False
    )
    assert "Bootstrap, by patient AUROC of the classifiers" not in _said(intervals.glossary, steps)


def test_table_2_is_by_hospital_where_the_manifest_names_several():
    rows = pd.DataFrame(
        {
            "hospital": ["A", "A", "B", "B", "B"],
            "patient_id": list("11234"),
            "label": ["normal", "abnormal", "normal", "abnormal", "abnormal"],
            **{name: ["0", "1", "0", "0", "1"] for name in FINDINGS},
        }
    )
    said = _said(chapters._by_hospital, rows)
    assert "Normal 1 1 Nodule 1 1" in said and "Images 2 3 Patients 1 3" in said
    assert _said(chapters._by_hospital, rows[rows["hospital"] == "A"]) == ""
    assert _said(chapters._by_hospital, rows.drop(columns="hospital")) == ""
    for name, total in thesis.TABLE_2.items():
        assert sum(each[name] for each in thesis.TABLE_2_BY_HOSPITAL.values()) == total


def test_a_p_value_at_the_limit_of_its_permutations_is_shown_as_such():
    p = {"gan": 1 / 201, "floor": 0.06, "baseline": 1 / 201}
    said = _said(distribution_chapter._tests, {"metrics": {"ecs": {"p": p}}}, 200)
    assert "ECS ≤ 0.005 0.060 ≤ 0.005" in said
    assert "0.005 0.060" in _said(distribution_chapter._tests, {"metrics": {"ecs": {"p": p}}}, 0)

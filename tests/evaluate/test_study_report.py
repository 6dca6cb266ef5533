"""What the report says: where a shortfall comes from, and how long the study took."""

from evaluate.study import chapters, limits, report
from evaluate.study.options import StudyOptions
from evaluate.study.plan import Plan
from evaluate.study.steps import Runner, Step
from evaluate.thesis import listed, percent
from pgcxr.io import artifacts


def test_missed_lesions_are_explained_by_their_own_size():
    lesion = {"n": 12, "hit_rate": 0.1, "hit_rate_by_chance": 0.1}
    classes = {
        "nodule": {**lesion, "area": 0.005, "contrast": 1.5},
        "pneumothorax": {**lesion, "area": 0.12, "contrast": 1.05},
        "consolidation": {**lesion, "area": 0.08, "contrast": 1.6},
    }
    steps = {
        "anomaly": {
            "resolution": 32,
            "localisation": {"classes": classes},
            "supervised": {"auroc": 0.7},
        },
    }
    said = limits._drowned(steps, ["nodule", "pneumothorax", "consolidation", "calcification"])
    small, rest = said.split("Larger, but hardly standing out")
    faint, clear = rest.split("Standing out, but")
    assert (
        "nodule (0.5 %, 1.50)" in small
        and "pneumothorax (12 %, 1.05)" in faint
        and "consolidation (8.0 %" in clear
    )
    assert "calcification" not in said, "nothing is known of its masks"


def test_the_time_of_a_study_counts_steps_side_by_side_once_and_pauses_not_at_all(tmp_path):
    runner = Runner(tmp_path, {}, 2, lambda line: None)
    steps = [Step(name, "m", ()) for name in "abcd"]
    marks = {"a": [[0, 10]], "b": [[5, 12], [100, 103]], "c": [[101, 102]]}
    for name, spans in marks.items():
        artifacts.write_json(
            tmp_path / "steps" / f"{name}.json", {"key": "", "seconds": 1.0, "spans": spans}
        )
    artifacts.write_json(tmp_path / "steps" / "d.json", {"key": "", "seconds": 7.0})
    assert runner.elapsed(steps[:3]) == 15
    assert runner.elapsed(steps) == 22, "a mark of an older version has its seconds alone"


def test_words():
    assert listed([]) == "" and listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"
    assert percent(0.004) == "0.4 %" and percent(0.294) == "29 %"


def test_the_report_on_a_finished_cohort_reads_it_and_names_no_path(tmp_path, monkeypatch):
    out, cohort = tmp_path / "out", tmp_path / "hospital"
    area = {"auroc": 0.9, "auroc_ci95": [0.85, 0.95]}
    bodies = {
        "gan": {},
        "gan_normal": {},
        "anomaly_network": {},
        "fidelity": {"real_on_real": area, "synthetic_on_real": {**area, "auroc": 0.8}},
        "distribution": {},
        "privacy": {},
        "axes": {"axes": {"nodule": {"found": True}, "pneumothorax": {"found": False}}},
        "anomaly": {
            "comparison": {
                "methods": {
                    "inversion": {"macro_auroc": 0.7},
                    "fusion": {
                        "macro_auroc": 0.9,
                        "macro_auroc_ci95": [0.85, 0.95],
                        "n": {"normal": 200},
                        "sensitivity": 0.25,
                        "specificity": 0.95,
                    },
                }
            },
        },
    }
    for name, body in bodies.items():
        artifacts.write_json(out / name / "report.json", body)
    artifacts.write_json(cohort / "report.json", {"images": 7})
    for name in ("opening", "glance", "data", "growing"):
        monkeypatch.setattr(report.chapters, name, lambda *_, **__: None)
    for module in ("summary", "methods", "model_card", "provenance"):
        monkeypatch.setattr(getattr(report, module), module, lambda *_, **__: None)
    monkeypatch.setattr(report.intervals, "glossary", lambda *_: None)
    limit = {"Disease axes": "too short a training"}
    monkeypatch.setattr(report.limits, "of_numbers", lambda steps: limit)
    monkeypatch.setattr(report.limits, "of_the_gan", lambda steps: "")
    monkeypatch.setattr(report, "RESULTS", {})
    options = StudyOptions(data=cohort, changes=("gan.total_kimg=4",))
    lines = report.write(out, options, Plan([], cohort), dict.fromkeys(bodies, 1.5), 9.0)
    assert lines == [
        "classifier trained on real images, read on real ones: AUROC 0.900 (95 % interval 0.850 to "
        "0.950); thesis 0.983",
        "classifier trained on synthetic images, read on real ones: AUROC 0.800 (95 % interval "
        "0.850 to 0.950); thesis 0.881",
        "disease axes found: 1 of 2 (nodule); thesis 3 of 5",
        "anomaly detection, from normal images alone: AUROC 0.900 (95 % interval 0.850 to 0.950), "
        "sensitivity 25 % at a specificity of 95 % on 200 normal images (inversion alone: AUROC "
        "0.700); thesis: sensitivity 89 %, no normal image tested",
    ]
    said = (out / "report.html").read_text()
    assert (
        "What limits these numbers" in said
        and "Disease axes" in said
        and "too short a training" in said
    )
    assert "three commands" in said, "how reader studies are made"
    assert "reached" not in said.lower().split("</style>")[1]
    body = artifacts.read_json(out / "report.json")
    assert body["cohort"] == {"images": 7} and body["seconds"] == 9.0
    assert set(body["seconds_per_step"]) == set(bodies)
    config = {"preset": "demo", "changes": ["gan.total_kimg=4"]}
    assert body["made_by"]["config"] == config and body["made_by"]["seed"] == 2026


def test_what_was_trained_where_is_one_sentence():
    shipped = {"name": "phantom-64", "pretrained": True, "kimg": 240.0}
    own = {"name": "gan", "kimg": 30.0}
    steps = {
        name: {"kimg": 2.0, "made_by": {"config": {"init": [begun, {"name": "older"}]}}}
        for name, begun in (("gan", shipped), ("gan_normal", own))
    }
    segments = {"name": "phantom-64-normal", "pretrained": True}
    steps["anomaly_network"] = {"made_by": {"config": {"init": [segments]}}}
    assert chapters.trained_where(steps) == (
        "The GAN of normal and abnormal images began with phantom-64 (240 kimg, on phantom images, "
        "before this run) and saw 2 kimg of this cohort, the GAN of normal images only began with "
        "gan (30 kimg) and saw 2 kimg of this cohort and the network that finds anomalies began "
        "with that of phantom-64-normal (on phantom images, before this run); all classifiers were "
        "trained from scratch in this run."
    )


def test_what_axes_lack_is_said_in_words():
    axes = {"nodule": {"why_not": ["guides: pleural_effusion at 0.39 at the end"]}, "other": {}}
    assert limits._unproven(axes) == "Nodule: guides: pleural effusion at 0.39 at the end."

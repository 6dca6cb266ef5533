"""What a study is told: options of its steps, a finished cohort, and one that is too small."""

import pandas as pd
import pytest

from evaluate.study import __main__ as study
from evaluate.study import readiness
from evaluate.study.options import StudyOptions
from evaluate.study.plan import plan
from pgcxr.cli import command
from pgcxr.errors import ArgumentError, InputError
from tests.toy_cohort import spots, write_cohort

SIZE = 16
SMALL = (
    *("gan.total_kimg=1.0", "gan.resolution=16", "classifier.size=16", "axes.samples=200"),
    *("anomaly.healthy=20", "distribution.n=32", "privacy.n=200"),
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A finished cohort that is large enough for every step."""
    folder = tmp_path_factory.mktemp("study") / "cohort"
    write_cohort(folder, *spots(400, SIZE, seed=1))
    rows = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
    rows["diagnoses"] = ["nodule" if label == "abnormal" else "" for label in rows["label"]]
    rows.to_csv(folder / "manifest.csv", index=False)
    return folder


def _steps(*changes, **options):
    planned = plan(StudyOptions(changes=changes, **options))
    return {step.name: step for step in planned.steps}


def _after(step, word):
    """What stands behind a word of a step's command line, each time."""
    return [step.arguments[at + 1] for at, each in enumerate(step.arguments) if each == word]


def test_a_change_reaches_its_step_alone_and_has_the_last_word():
    plain = _steps()
    changed = _steps("axes.samples=2000", "anomaly.iterations=7", "cohort.audit=False")
    assert _after(changed["axes"], "--samples")[-1] == "2000"
    assert _after(changed["anomaly"], "--iterations")[-1] == "7"
    assert "--no-audit" in changed["cohort"].arguments
    others = set(plain) - {"axes", "anomaly", "cohort"}
    assert all(plain[name] == changed[name] for name in others)


def test_a_kind_of_steps_is_both_and_the_step_itself_has_the_last_word():
    steps = _steps("gan_normal.total_kimg=2", "gan.total_kimg=4", "classifier.epochs=3")
    assert _after(steps["gan"], "--set") == ["total_kimg=4"]
    assert _after(steps["gan_normal"], "--set") == ["total_kimg=4", "total_kimg=2"]
    for name in ("classifier_binary", "classifier_findings"):
        assert _after(steps[name], "--set") == ["epochs=3"]


def test_a_step_is_made_again_only_where_its_options_change():
    def keys(*changes):
        found = {}
        for name, step in _steps(*changes).items():
            found[name] = step.key(found)
        return found

    before, after = keys(), keys("gan_normal.total_kimg=2")
    assert {name for name in before if before[name] != after[name]} == {"gan_normal", "anomaly"}


def test_gans_can_begin_with_other_networks_and_are_made_again_where_these_change(tmp_path):
    (tmp_path / "run").mkdir()
    network = tmp_path / "run/generator-ema.keras"
    keys = []
    for content in (b"1", b"2"):
        network.write_bytes(content)
        step = _steps("gan.init=phantom-64", f"gan_normal.init={tmp_path}/run")["gan_normal"]
        assert _after(step, "--init") == ["phantom-64-normal", "phantom-64", str(tmp_path / "run")]
        keys.append(step.key({"cohort": ""}))
    assert keys[0] != keys[1]
    scratch = _steps("gan.init=phantom-64", preset="scratch")["gan"]
    assert _after(scratch, "--init") == ["phantom-64"]
    for change, said in (
        ("gan.init=phantom-46", "gan.init: no such RUN.*did you mean phantom-64"),
        ("classifier_binary.init=phantom-64", "init: is no option"),
    ):
        with pytest.raises(InputError, match=said):
            plan(StudyOptions(changes=(change,)))


def test_the_demo_begins_with_pretrained_networks_and_a_phantom_that_they_have_not_seen():
    steps, scratch = _steps(seed=2026), _steps(seed=2026, preset="scratch")
    assert _after(steps["gan"], "--init") == ["phantom-64"]
    for name in ("gan_normal", "anomaly_network"):
        assert _after(steps[name], "--init") == ["phantom-64-normal"]
    assert _after(steps["export"], "--seed") == ["2027"] and _after(steps["gan"], "--seed") == [
        "2026"
    ]
    assert _after(_steps(seed=5)["export"], "--seed") == ["5"]
    assert not _after(scratch["gan"], "--init") and _after(scratch["export"], "--seed") == ["2026"]
    assert not _after(steps["classifier_binary"], "--init")
    small = _steps(config="small")
    assert not _after(small["gan"], "--init") and not _after(small["gan_normal"], "--init")


def test_on_other_images_the_demo_trains_everything(tmp_path):
    options = StudyOptions(data=tmp_path)
    assert options.carried_out == "scratch" and StudyOptions().carried_out == "demo"
    assert StudyOptions(data=tmp_path, preset="small").carried_out == "small"
    steps = {step.name: step for step in plan(options).steps}
    assert not _after(steps["gan"], "--init") and _after(steps["gan"], "--config") == ["demo"]
    assert _after(steps["anomaly_network"], "--config") == ["demo"]


def test_size_config_and_rules_reach_who_needs_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text("[age]\nleast = 20\n")
    (tmp_path / "export").mkdir()
    told = {"data": "export", "rules": "rules.toml", "source": "pacs", "labels": "report"}
    steps = _steps("classifier_binary.size=32", size=16, config="small", **told)
    cohort = steps["cohort"]
    assert _after(cohort, "--rules") == [str(tmp_path / "rules.toml")]
    assert _after(cohort, "--source") == ["pacs"] and _after(cohort, "--labels") == ["report"]
    assert _after(cohort, "--size") == ["16"]
    assert _after(steps["gan"], "--set") == ["resolution=16"]
    assert _after(steps["anomaly_network"], "--set") == ["size=16"]
    thesis = _steps("anomaly_network.epochs=3", preset="thesis", data="export")
    assert _after(thesis["anomaly_network"], "--set") == ["epochs=3", "size=128"]
    assert _after(steps["classifier_findings"], "--set") == ["size=16"]
    assert _after(steps["classifier_binary"], "--set") == ["size=32"]
    assert _after(steps["fidelity"], "--config") == ["small"]
    (tmp_path / "rules.toml").write_text("[age]\nleast = 21\n")
    other = _steps(size=16, **told)["cohort"]
    assert other.key({}) != cohort.key({}), "the key covers what is in the rules"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("gann.total_kimg=1", "gann.total_kimg: there is no step gann; did you mean gan"),
        ("gan.total_kmg=1", "gan.total_kmg: is no option; did you mean total_kimg"),
        ("classifier.epochs=many", "epochs.*many"),
        ("axes.sampels=3", "did you mean samples"),
        ("axes.samples=3", "axes.samples: must be a whole number from 100"),
        ("distribution.n=31", "distribution.n: must be 0 or at least 32"),
        ("cohort.bits=9", "cohort.bits: must be 8 or 16"),
        ("cohort.audit=no", "cohort.audit: must be True or False"),
        ("axes.out=elsewhere", "axes has no option out"),
        ("axes.samples", "STEP.KEY=VALUE"),
        ("samples=3", "STEP.KEY=VALUE"),
    ],
)
def test_what_no_step_takes_is_refused_before_the_first(change, said):
    with pytest.raises(InputError, match=said):
        plan(StudyOptions(changes=(change,)))


def test_a_finished_cohort_is_studied_as_it_is(cohort):
    planned = plan(StudyOptions(data=cohort, changes=SMALL))
    assert planned.cohort == cohort
    names = [step.name for step in planned.steps]
    assert names[0] == "gan" and not {"export", "cohort"} & set(names)
    assert str(cohort) in planned.steps[0].arguments
    readiness.check(planned.cohort, planned.settings())
    with pytest.raises(ArgumentError, match="source: .* is a finished cohort"):
        plan(StudyOptions(data=cohort, source="pacs"))


@pytest.mark.parametrize(
    ("keep", "said", "step"),
    [
        (lambda rows: rows["split"] != "train", "0 all images in split train", "gan"),
        (
            lambda rows: (rows["split"] != "train") | (rows["label"] != "normal"),
            "0 normal images in split train",
            "gan_normal",
        ),
        (
            lambda rows: (rows["split"] != "test") | (rows["label"] == "normal"),
            "split test has 0 abnormal",
            "classifier_binary",
        ),
        (
            lambda rows: (
                (rows["split"] != "val")
                | (rows["label"] != "normal")
                | (rows.groupby(["split", "label"]).cumcount() < 10)
            ),
            "normal images in split val; the threshold needs",
            "anomaly",
        ),
        (
            lambda rows: rows["split"] != "",
            "80 and 80 real images",
            "distribution",
        ),
    ],
)
def test_a_cohort_too_small_is_one_line_before_any_training(
    cohort, tmp_path, capsys, keep, said, step
):
    small = tmp_path / "cohort"
    small.mkdir()
    (small / "images").symlink_to(cohort / "images")
    rows = pd.read_csv(cohort / "manifest.csv", dtype=str, keep_default_na=False)
    rows[keep(rows)].to_csv(small / "manifest.csv", index=False)
    changes = (*SMALL, "distribution.n=81")
    options = [word for change in changes for word in ("--set", change)]
    with pytest.raises(SystemExit) as stop:
        out = str(tmp_path / "out")
        command.run(study.app, ["--data", str(small), "--out", out, *options])
    line = capsys.readouterr().err
    assert stop.value.code == 2 and line.count("\n") == 1
    assert said in line and f"for step {step}, before any training" in line
    assert not (tmp_path / "out").exists()


def test_images_smaller_than_the_networks_are_seen_too(cohort):
    planned = plan(StudyOptions(data=cohort, changes=(*SMALL, "gan.resolution=32")))
    with pytest.raises(InputError, match="smaller than the 32 px asked for.*for step gan,"):
        readiness.check(planned.cohort, planned.settings())


def test_an_export_is_looked_at_before_anything_begins(tmp_path):
    export, run = tmp_path / "export", tmp_path / "run"
    for folder in (export, run):
        folder.mkdir()
    (export / "studies.csv").touch()
    (run / "report.json").write_text('{"made_by": {"command": "train.gan"}}')
    (tmp_path / "rules.toml").write_text("[age]\nleast = 20\n")
    readiness.check_export(StudyOptions(data=export))
    readiness.check_export(StudyOptions(data=export, source="table"))
    for wrong, said in (
        ({"data": run}, "run: is a RUN written by `python -m train.gan`; give an export"),
        ({"data": tmp_path}, "neither studies.csv"),
        ({"data": export, "source": "nih"}, "source: needs Data_Entry_2017"),
        ({"data": export, "rules": tmp_path / "rules.toml"}, "rules.toml: .*least"),
        ({"data": export, "rules": tmp_path / "gone.toml"}, "gone.toml: no such file"),
        ({"rules": tmp_path / "rules.toml"}, "rules.toml: .*least"),
    ):
        with pytest.raises(InputError, match=said):
            readiness.check_export(StudyOptions(**wrong))
